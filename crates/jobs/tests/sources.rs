//! What a job says of the runs that it builds on.

use jobs::{JobSpec, Last, SourceStep, expand};
use serde_json::{Value as Json, json};

fn spec(from: Json) -> JobSpec {
    serde_json::from_value(json!({ "experiment": "one-shot", "from": from })).expect("a spec")
}

fn wrong(from: Json) -> Vec<String> {
    let errors = expand(&spec(from)).expect_err("bad");
    errors.into_iter().map(|error| format!("{} {}", error.field, error.rule)).collect()
}

#[test]
fn a_source_is_a_run_with_a_name_and_its_newest_checkpoint_unless_a_step_is_given() {
    let from =
        json!([{ "as": "network", "run": "0191f2a4" }, { "as": "control", "run": "0191f2a5-7c", "step": 7 }]);
    let spec = spec(from);
    assert!(expand(&spec).is_ok());
    assert_eq!((spec.from[0].step, spec.from[1].step), (SourceStep::Newest(Last::Last), SourceStep::At(7)));
    let written = serde_json::to_value(&spec).expect("plain data");
    assert_eq!(written["from"][0], json!({ "as": "network", "run": "0191f2a4", "step": "last" }));
    assert_eq!(serde_json::from_value::<JobSpec>(written).expect("a spec"), spec);
    assert!(
        serde_json::from_value::<JobSpec>(json!({ "experiment": "rbm" })).expect("a spec").from.is_empty()
    );
    for bad in [json!({"as": "a", "run": "0191f2", "steps": 1}), json!({"as": "a"}), json!({"run": "0191f2"})]
    {
        let read = serde_json::from_value::<JobSpec>(json!({ "experiment": "rbm", "from": [bad] }));
        assert!(read.is_err(), "{read:?}");
    }
    for step in [json!("first"), json!(-1), json!(1.5)] {
        let from = json!([{ "as": "a", "run": "0191f2", "step": step }]);
        assert!(serde_json::from_value::<JobSpec>(json!({ "experiment": "rbm", "from": from })).is_err());
    }
}

#[test]
fn names_and_runs_of_sources_are_checked() {
    let run = "0191f2a4";
    let names = json!([{"as": "", "run": run}, {"as": "Net", "run": run}, {"as": "a b", "run": run},
                       {"as": "x".repeat(65), "run": run}, {"as": "net_2", "run": run}, {"as": "net_2", "run": run}]);
    let fields: Vec<String> =
        wrong(names).iter().map(|error| error.split(' ').next().unwrap_or_default().to_owned()).collect();
    assert_eq!(fields, ["/from/0/as", "/from/1/as", "/from/2/as", "/from/3/as", "/from/5/as"]);
    for run in ["", "0191", "last/0", "0191f2a4g", &"0".repeat(37)] {
        let errors = wrong(json!([{ "as": "network", "run": run }]));
        assert!(errors[0].starts_with("/from/0/run is ") && errors.len() == 1, "{errors:?}");
    }
    let many: Vec<Json> = (0..9).map(|n| json!({ "as": format!("n{n}"), "run": run })).collect();
    assert_eq!(wrong(json!(many)), ["/from is 9 runs; it must be at most 8"]);
}

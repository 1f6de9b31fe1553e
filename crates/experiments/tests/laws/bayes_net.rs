//! Modules of a network that learn in several runs are those of one run.

use experiments::{Data, Metric, Setup, Source, StartError, find};
use serde_json::{Value as Json, json};

use super::drive;

const SEED: u64 = 4;

fn setup(params: Json, sources: Vec<Source>) -> Setup {
    let kind = find("bayes-net").expect("it is in the catalogue");
    let params = params.as_object().expect("params are an object");
    let params = kind.resolve(None, params).unwrap_or_else(|errors| panic!("{errors:?}"));
    Setup { params, seed: SEED, data: Data::None, sources, every: Some(100) }
}

/// A run that learns these modules, as a source.
fn part(name: &str, modules: &[&str], more: Json) -> Source {
    let mut params = json!({"learning_s": 6, "held_out": 30, "modules": modules});
    let object = params.as_object_mut().expect("params are an object");
    object.extend(more.as_object().expect("params are an object").clone());
    let mut checkpoint = Vec::new();
    let start = find("bayes-net").expect("it is in the catalogue").start(setup(params, Vec::new()));
    drive(start.expect("a small run starts"), |run| checkpoint = run.checkpoint());
    Source::read(name, &checkpoint).expect("its own checkpoint is whole")
}

fn joined(sources: Vec<Source>) -> Result<Vec<Metric>, StartError> {
    let params = json!({"training": "given", "sample_s": 2, "held_out": 30});
    let start = find("bayes-net").expect("it is in the catalogue").start(setup(params, sources))?;
    Ok(drive(start, |_| {}).0)
}

#[test]
fn modules_that_learn_in_parts_are_those_of_a_run_that_learns_all() {
    let whole = json!({"learning_s": 6, "sample_s": 2, "held_out": 30});
    let start = find("bayes-net").expect("it is in the catalogue").start(setup(whole, Vec::new()));
    let (whole, _) = drive(start.expect("a small run starts"), |_| {});
    let none = || json!({});
    let parts = || {
        vec![
            part("part_1", &["y3", "y1"], none()),
            part("part_2", &["y2"], none()),
            part("part_3", &["y4"], none()),
        ]
    };
    let found = joined(parts()).expect("the parts fit");
    // The chains draw at other steps of their runs; what is learned is the same, bit for bit.
    let last = |metrics: &[Metric], name: &str| {
        metrics.iter().rfind(|metric| metric.name == name).map(|m| m.value.clone())
    };
    for name in
        ["module_kl", "module_joint_kl", "network_kl", "network_tv", "joint_learned", "held_out_kl", "spikes"]
    {
        assert!(last(&found, name).is_some(), "{name}");
        assert_eq!(last(&found, name), last(&whole, name), "{name}");
    }
    let (mut forwards, mut backwards) = (parts(), parts());
    forwards.reverse();
    backwards[0].name = "part_3".into();
    backwards[2].name = "part_1".into();
    assert_eq!(joined(forwards).expect("any order"), found);
    assert_eq!(joined(backwards).expect("any name"), found);
}

#[test]
fn parts_that_make_no_network_are_refused_by_name() {
    let refused = |sources| joined(sources).expect_err("it is refused").to_string();
    let none = || json!({});
    let first = || part("part_1", &["y1", "y2"], none());
    assert!(refused(vec![first()]).contains("no source has a module of `y3`"));
    let again = part("part_2", &["y2", "y3", "y4"], none());
    assert!(refused(vec![first(), again]).contains("source `part_2` has a module of `y2`, as a part before"));
    let other = part("part_2", &["y3", "y4"], json!({"learning_s": 7}));
    assert!(refused(vec![first(), other]).contains("source `part_2` learned otherwise than the first"));
    let foreign = part("part_2", &["x3"], json!({"network": "parity"}));
    assert!(refused(vec![first(), foreign]).contains("source `part_2` learned another network"));
    assert!(refused(Vec::new()).contains("source `part_1` is absent"));
}

#[test]
fn names_that_are_not_there_and_modules_that_are_too_large_are_refused_with_the_number() {
    let kind = find("bayes-net").expect("it is in the catalogue");
    let plan = |params: Json| {
        let params = kind.resolve(None, params.as_object().expect("an object")).expect("in range");
        kind.plan(&params, &Data::None.shape()).expect_err("it is refused").to_string()
    };
    assert!(plan(json!({"modules": ["y9"]})).contains("`modules` is \"y9\"; it must be a variable"));
    assert!(
        plan(json!({"queries": [{"evidence": {"y1": "yes"}}]}))
            .contains("a value of `y1` must be one of 0, 1")
    );
    assert!(plan(json!({"queries": [{"evidence": {"y1": "0"}, "of": ["y1"]}]})).contains("not be given"));
    assert!(plan(json!({"sum_out": "nobody"})).contains("there is no variable `nobody`"));
    // sachs: modules that see all others have 3 groups of 3^10 rows.
    let huge = plan(json!({"network": "sachs", "mode": "mixture", "hidden": 1_048_576}));
    assert!(huge.contains("at most 65536 hidden neurons") && huge.contains("has 177147"), "{huge}");
    assert!(plan(json!({"network": "dataset"})).contains("must come with a data set"));
}

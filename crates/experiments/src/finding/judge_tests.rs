//! Every part of a finding with a case that holds and one that fails.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::{Expected, Finding, FindingJob, Outcome, Results};

/// Values by job, metric and seed; an absent one is a failed run.
struct Table(BTreeMap<(String, String, u64), Vec<f64>>);

impl Results for Table {
    fn last(&self, job: &FindingJob, seed: u64, metric: &str) -> Result<Vec<f64>, String> {
        let found = self.0.get(&(job.label(), metric.to_owned(), seed));
        found.cloned().ok_or_else(|| "the run failed (crash): oh".to_owned())
    }
}

/// `[job, metric, values of seeds 1, 2, …]`; a value is a number or a list.
fn table(rows: &[(&str, &str, Json)]) -> Table {
    let mut all = BTreeMap::new();
    for (job, metric, seeds) in rows {
        for (seed, value) in (1..).zip(seeds.as_array().expect("a list of seeds")) {
            let list = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
            let values = list.iter().map(|x| x.as_f64().unwrap_or(f64::NAN)).collect();
            all.insert(((*job).to_owned(), (*metric).to_owned(), seed), values);
        }
    }
    Table(all)
}

fn finding(fields: Json) -> Finding {
    let mut all =
        json!({"id": "x", "target": "T3", "claim": "c", "source": "s", "metric": "m", "over_seeds": "each"});
    all.as_object_mut().expect("an object").extend(fields.as_object().cloned().unwrap_or_default());
    serde_json::from_value(all).expect("a finding")
}

fn judge(fields: Json, seeds: &[u64], rows: &[(&str, &str, Json)]) -> Outcome {
    finding(fields).judge("rbse", seeds, &table(rows))
}

fn holds(fields: Json, seeds: &[u64], rows: &[(&str, &str, Json)]) -> bool {
    let outcome = judge(fields, seeds, rows);
    assert!(outcome.measured.is_ok(), "{:?}", outcome.measured);
    outcome.verdict() == Expected::Holds
}

#[test]
fn a_number_an_element_a_difference_and_a_ratio_of_the_same_run_are_held_against_the_bound() {
    let rows = [("rbse", "m", json!([[0.1, 0.9]])), ("rbse", "n", json!([[0.2, 0.5]]))];
    assert!(holds(json!({"at": 1, "at_least": 0.9}), &[1], &rows));
    assert!(!holds(json!({"at": 0, "at_least": 0.9}), &[1], &rows));
    assert!(holds(json!({"at": 1, "minus": "n", "within": [0.4, 0.001]}), &[1], &rows));
    assert!(!holds(json!({"at": 1, "minus": "n", "at_least": 0.5}), &[1], &rows));
    assert!(holds(json!({"at": 0, "over": "n", "at_most": 0.5}), &[1], &rows));
    assert!(!holds(json!({"at": 0, "over": "n", "at_most": 0.4}), &[1], &rows));
    let beyond = judge(json!({"at": 2, "at_least": 0.0}), &[1], &rows);
    assert!(beyond.measured.expect_err("there is no third element").contains("2 elements"));
}

#[test]
fn jobs_are_compared_seed_by_seed() {
    let rows = [
        ("rbse", "m", json!([1.0, 4.0])),
        ("rbse r 0", "m", json!([2.0, 6.0])),
        ("rbm", "k", json!([0.5, 3.0])),
    ];
    let ratio = json!({"params": {"r": 0}, "as": "ratio"});
    assert!(holds(json!({"against": ratio, "at_most": 0.7}), &[1, 2], &rows));
    assert!(!holds(json!({"against": ratio, "at_most": 0.6}), &[1, 2], &rows), "4/6 is above");
    let other = json!({"experiment": "rbm", "metric": "k", "as": "difference"});
    assert!(holds(json!({"against": other, "at_least": 0.5}), &[1, 2], &rows));
    assert!(!holds(json!({"against": other, "at_least": 0.6}), &[1, 2], &rows));
}

#[test]
fn lists_are_reduced_or_resampled_and_never_taken_for_a_number() {
    let rows = [("rbse", "m", json!([[1.0, 2.0, 3.0], [2.0, 3.0, 1.0]]))];
    assert!(holds(json!({"over_elements": "mean", "at_least": 2.0}), &[1, 2], &rows));
    assert!(holds(json!({"over_elements": "smallest_step", "at_least": 1.0}), &[1], &rows));
    assert!(!holds(json!({"over_elements": "smallest_step", "at_least": 0.0}), &[2], &rows));
    let share = json!({"share": {"at_least": 2.0}});
    assert!(holds(json!({"over_elements": share, "at_least": 0.6}), &[1, 2], &rows));
    assert!(!holds(json!({"over_elements": share, "at_least": 0.7}), &[1, 2], &rows));
    assert!(holds(json!({"over_seeds": "interval", "at_least": 0.0}), &[1, 2], &rows));
    assert!(!holds(json!({"over_seeds": "interval", "at_least": 1.9}), &[1, 2], &rows));
    let bare = judge(json!({"at_least": 0.0}), &[1], &rows);
    assert!(bare.measured.expect_err("it is a list").contains("over_elements"));
}

#[test]
fn every_point_of_a_scan_must_hold_or_the_points_become_one_number() {
    let rows = [("rbse p0 0.3", "m", json!([0.31, 0.32])), ("rbse p0 0.7", "m", json!([0.71, 0.78]))];
    let scan = json!({"p0": [0.3, 0.7]});
    let near = |half: f64| json!({"scan": scan, "minus_param": "p0", "within": [0.0, half]});
    assert!(holds(near(0.1), &[1, 2], &rows));
    let outcome = judge(near(0.05), &[1, 2], &rows);
    assert_eq!(outcome.verdict(), Expected::Fails);
    let measured = outcome.measured.expect("all is there");
    assert_eq!((measured.point.as_str(), measured.points.len()), ("p0 0.7", 2));
    assert!((measured.value - 0.08).abs() < 1e-12, "the worst seed of the worst point decides");
    let rise = |least: f64| json!({"scan": scan, "over_points": "smallest_step", "at_least": least});
    assert!(holds(rise(0.39), &[1, 2], &rows) && !holds(rise(0.45), &[1, 2], &rows));
}

#[test]
fn a_control_that_holds_too_or_has_no_result_spoils_a_finding() {
    let rows =
        [("rbse", "m", json!([0.9])), ("rbse r 0", "m", json!([0.2])), ("rbse r 1", "m", json!([0.8]))];
    let with =
        |r: u32| json!({"at_least": 0.5, "control": {"params": {"r": r}, "why": "nothing is learned"}});
    assert!(judge(with(0), &[1], &rows).is_as_expected());
    let spoiled = judge(with(1), &[1], &rows);
    assert!(spoiled.verdict() == Expected::Holds && !spoiled.is_as_expected());
    assert!(spoiled.trouble().expect("a reason").contains("control"));
    assert!(judge(with(2), &[1], &rows).trouble().expect("a reason").contains("no result"));
}

#[test]
fn a_known_failure_is_as_expected_only_if_it_was_measured_to_fail() {
    let fails = json!({"at_least": 0.5, "expected": "fails", "why": "known"});
    let rows = [("rbse", "m", json!([0.2, 0.9]))];
    assert!(judge(fails.clone(), &[1], &rows).is_as_expected());
    let held = judge(fails.clone(), &[2], &rows);
    assert!(!held.is_as_expected() && held.trouble().is_some(), "good news is news too");
    let crashed = judge(fails.clone(), &[3], &rows);
    assert_eq!(crashed.verdict(), Expected::Fails);
    assert!(!crashed.is_as_expected(), "a crash is no measurement");
    let mut controlled = fails;
    controlled["control"] = json!({"params": {"r": 0}, "why": "here it works"});
    let good = [("rbse", "m", json!([0.2])), ("rbse r 0", "m", json!([0.7]))];
    let bad = [("rbse", "m", json!([0.2])), ("rbse r 0", "m", json!([0.1]))];
    assert!(judge(controlled.clone(), &[1], &good).is_as_expected());
    assert!(!judge(controlled, &[1], &bad).is_as_expected(), "the measure must be able to show success");
}

#[test]
fn a_missing_value_never_holds_and_says_where() {
    let rows = [("rbse", "m", json!([0.9, null]))];
    assert!(!holds(json!({"at_most": 1.0}), &[1, 2], &rows), "not a number meets no bound");
    let outcome = judge(json!({"at_most": 1.0}), &[1, 3], &rows);
    assert_eq!(outcome.verdict(), Expected::Fails);
    let trouble = outcome.trouble().expect("a reason");
    assert!(trouble.contains("rbse, seed 3") && trouble.contains("crash"), "{trouble}");
    assert!(!holds(json!({"at_most": 1.0}), &[], &rows), "no seeds show nothing");
}

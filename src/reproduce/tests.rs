//! From a plan and made-up measurements to verdicts, exit code and report.

use super::{
    exit,
    gather::{Gathered, Measurement, Values},
    plan::{Choice, Plan, Skipped},
    report,
    verdict::{self, Verdict},
};
use crate::exit::Exit;

/// Findings of the built-in digits that are there in every version.
const TAKEN: [&str; 2] = ["rbse/digits-top1", "rbse/digits-gap"];

fn plan(only: &[&str]) -> Plan {
    let only = only.iter().map(ToString::to_string).collect();
    let choice = Choice { only, seeds: Some(vec![1, 2]), quick: true, figures: true, ..Choice::default() };
    Plan::new(experiments::CATALOGUE, &choice).expect("the catalogue's jobs are accepted")
}

/// Every number of every run is `value`, but for `release_prob_rest`; negative controls show no effect.
fn gathered(plan: &Plan, value: f64, rest: f64) -> Gathered {
    let mut all = Gathered::default();
    for task in &plan.tasks {
        let kind = experiments::find(&task.job.experiment).expect("it is in the catalogue");
        for &seed in &task.seeds {
            let is_control = task.job.params.get("release_rule").is_some_and(|rule| rule == "frozen");
            let (value, rest) = if is_control { (0.5, 0.5) } else { (value, rest) };
            let number = |x| Values { shape: vec![], data: vec![x] };
            let mut last: std::collections::BTreeMap<String, Values> =
                kind.metrics().iter().map(|spec| (spec.name.to_owned(), number(value))).collect();
            last.insert("release_prob_rest".to_owned(), number(rest));
            let measurement = Measurement { last, digest: Some("d".into()), ..Measurement::default() };
            all.0.insert((task.identity.clone(), seed), measurement);
        }
    }
    all
}

fn verdicts<'a>(plan: &'a Plan, gathered: &Gathered) -> Vec<Verdict<'a>> {
    plan.claims.iter().map(|claim| Verdict::of(claim, gathered)).collect()
}

#[test]
fn success_is_that_every_verdict_is_as_expected() {
    let plan = plan(&TAKEN);
    assert_eq!(exit(&verdicts(&plan, &gathered(&plan, 1.0, 0.5))), Exit::Ok);
    assert_eq!(exit(&verdicts(&plan, &gathered(&plan, 1.0, 0.9))), Exit::Failure, "the gap is too small");
    assert_eq!(exit(&verdicts(&plan, &Gathered::default())), Exit::Failure, "nothing ran");
}

#[test]
fn a_line_of_json_has_what_programs_look_for() {
    let plan = plan(&TAKEN);
    let gathered = gathered(&plan, 1.0, 0.9);
    let verdicts = verdicts(&plan, &gathered);
    for verdict in &verdicts {
        let entry = verdict::entry(verdict);
        let fields = [
            "experiment",
            "finding",
            "statement",
            "source",
            "bound",
            "measured",
            "spread",
            "seeds",
            "verdict",
            "expected",
        ];
        fields.iter().for_each(|field| assert!(!entry[*field].is_null(), "{field}: {entry}"));
        assert_eq!((&entry["expected"], &entry["seeds"]), (&"holds".into(), &serde_json::json!([1, 2])));
    }
    let gap = verdicts.iter().find(|verdict| verdict.claim.finding.id == "digits-gap").expect("it was taken");
    let entry = verdict::entry(gap);
    assert_eq!((&entry["verdict"], &entry["as_expected"]), (&"fails".into(), &false.into()));
    assert!((entry["measured"].as_f64().expect("a number") - 0.1).abs() < 1e-12);
    let document = verdict::document(&verdicts, &plan.skipped, &gathered);
    assert_eq!(
        (document["as_expected"].as_bool(), document["runs"][0]["digest"].as_str()),
        (Some(false), Some("d"))
    );
}

#[test]
fn the_table_shows_claim_bound_measured_and_verdict_and_what_is_wrong() {
    let plan = plan(&TAKEN);
    let gathered = gathered(&plan, 1.0, 0.9);
    let text = verdict::table(&verdicts(&plan, &gathered));
    for word in [
        "rbse/digits-gap",
        "the strongest 10 % are more reliable",
        "≥ 0.3",
        "0.1000",
        "fails",
        "holds was expected",
    ] {
        assert!(text.contains(word), "{word} is missing in\n{text}");
    }
}

#[test]
fn the_report_shows_every_finding_and_needs_nothing_from_elsewhere() {
    let plan = plan(&["rbse"]);
    assert!(plan.claims.len() >= 3 && !plan.pictures.is_empty());
    let gathered = gathered(&plan, 1.0, 0.5);
    let folder = tempfile::tempdir().expect("there is a place for temporary files");
    report::write(folder.path(), &verdicts(&plan, &gathered), &plan, &gathered).expect("the folder is there");
    let page = std::fs::read_to_string(folder.path().join("index.html")).expect("the page is written");
    for claim in &plan.claims {
        assert!(page.contains(&format!("id=\"{}\"", claim.name())), "{} is missing", claim.name());
        assert!(page.contains(&claim.finding.bound().to_string()), "the bound of {}", claim.name());
    }
    for picture in &plan.pictures {
        assert!(page.contains(&format!("id=\"{}\"", picture.name())), "{} is missing", picture.name());
    }
    for word in ["<script", "src=", "@import", "url(", "http://", "https://"] {
        assert!(!page.contains(word), "the page has `{word}`");
    }
    let bars =
        std::fs::read_to_string(folder.path().join("figures/rbse-digits-fit.svg")).expect("bars are drawn");
    assert!(bars.starts_with("<svg") && bars.contains("http://www.w3.org/2000/svg"));
    let json = std::fs::read_to_string(folder.path().join("findings.json")).expect("the document is written");
    let json: serde_json::Value = serde_json::from_str(&json).expect("it is JSON");
    assert_eq!(json["findings"].as_array().map(Vec::len), Some(plan.claims.len()));
}

#[test]
fn the_report_says_what_was_not_tested_and_why() {
    let mut plan = plan(&TAKEN);
    let gathered = gathered(&plan, 1.0, 0.5);
    let reason = "data set `letters` lacks a file".to_owned();
    plan.skipped.push(Skipped { name: "rbse/letters".to_owned(), reason: reason.clone() });
    let folder = tempfile::tempdir().expect("there is a place for temporary files");
    let verdicts = verdicts(&plan, &gathered);
    report::write(folder.path(), &verdicts, &plan, &gathered).expect("the folder is there");
    let page = std::fs::read_to_string(folder.path().join("index.html")).expect("the page is written");
    assert!(page.contains("Not tested here") && page.contains("rbse/letters") && page.contains(&reason));
    let document = verdict::document(&verdicts, &plan.skipped, &gathered);
    assert_eq!(document["skipped"][0]["reason"], reason.as_str());
    assert_eq!(exit(&verdicts), Exit::Ok, "what was not tested fails nothing");
}

#[test]
fn a_figure_whose_runs_failed_says_so_in_its_place() {
    let plan = plan(&["rbse"]);
    let folder = tempfile::tempdir().expect("there is a place for temporary files");
    let nothing = Gathered::default();
    report::write(folder.path(), &verdicts(&plan, &nothing), &plan, &nothing).expect("the folder is there");
    let page = std::fs::read_to_string(folder.path().join("index.html")).expect("the page is written");
    assert!(page.contains("This figure cannot be drawn: rbse"), "{page}");
    assert!(page.contains("it was not run"));
}

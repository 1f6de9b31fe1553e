//! What came out, against what must.

use experiments::{Bound, Statistic};
use serde_json::{Value as Json, json};

use super::plan::Claim;
use crate::{
    client::{Run, scalar},
    text::{Paint, Table, number},
};

/// A claim with its figures.
pub(super) struct Verdict<'a> {
    claim: &'a Claim,
    /// By seed; not a number where the run has no such value, for example because it failed.
    values: Vec<f64>,
    pub(super) holds: bool,
}

impl<'a> Verdict<'a> {
    /// From the runs of the claim's task.
    pub(super) fn of(claim: &'a Claim, runs: &[Run]) -> Self {
        let finding = &claim.finding;
        let last = |run: &Run, metric: &str| run.scalars.get(metric).and_then(scalar).unwrap_or(f64::NAN);
        let value = |run: &Run| match &finding.minus {
            _ if run.state != "succeeded" => f64::NAN,
            Some(minus) => last(run, &finding.metric) - last(run, minus),
            None => last(run, &finding.metric),
        };
        let values: Vec<f64> = runs.iter().map(value).collect();
        let holds = finding.holds(&values);
        Self { claim, values, holds }
    }

    fn word(&self) -> &'static str {
        if self.holds { "holds" } else { "fails" }
    }
}

/// For people.
pub(super) fn table(seeds: &[u64], verdicts: &[Verdict<'_>]) -> String {
    let seeds: Vec<String> = seeds.iter().map(|seed| format!(">seed {seed}")).collect();
    let headings = ["target", "finding", "metric", "bound"].into_iter();
    let headings: Vec<&str> =
        headings.chain(seeds.iter().map(String::as_str)).chain(["verdict", "claim"]).collect();
    let mut table = Table::new(Paint::stdout(), &headings).wrapped();
    for verdict in verdicts {
        let finding = &verdict.claim.finding;
        let about = [
            finding.target.clone(),
            format!("{}/{}", verdict.claim.experiment, finding.id),
            metric(&finding.metric, finding.minus.as_deref()),
            bound(finding.bound, finding.over_seeds),
        ];
        let values = verdict.values.iter().map(|&value| number(value));
        table.row(about.into_iter().chain(values).chain([verdict.word().to_owned(), finding.claim.clone()]));
    }
    table.to_string()
}

/// For programs.
pub(super) fn document(seeds: &[u64], verdicts: &[Verdict<'_>]) -> Json {
    let entry = |verdict: &Verdict<'_>| {
        let values: Vec<Json> = verdict.values.iter().map(|&value| jobs::scalar_json(value)).collect();
        let mut entry = json!(verdict.claim.finding);
        entry["experiment"] = json!(verdict.claim.experiment);
        entry["values"] = json!(values);
        entry["verdict"] = json!(verdict.word());
        entry
    };
    json!({
        "build": env!("CARGO_PKG_VERSION"),
        "seeds": seeds,
        "holds": verdicts.iter().all(|verdict| verdict.holds),
        "findings": verdicts.iter().map(entry).collect::<Vec<_>>(),
    })
}

fn metric(metric: &str, minus: Option<&str>) -> String {
    minus.map_or_else(|| metric.to_owned(), |minus| format!("{metric} - {minus}"))
}

fn bound(bound: Bound, over_seeds: Statistic) -> String {
    let over = match over_seeds {
        Statistic::Each => "each",
        Statistic::Mean => "mean",
    };
    match bound {
        Bound::AtLeast(least) => format!("{over} >= {least}"),
        Bound::AtMost(most) => format!("{over} <= {most}"),
        Bound::Within(centre, half_width) => format!("{over} {centre} +- {half_width}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(state: &str, scalars: Json) -> Run {
        serde_json::from_value(json!({
            "id": "r", "job_id": "j", "index": 0, "state": state, "attempt": 1, "seed": 1, "params": {}, "step": 1,
            "steps": 1, "checkpoint_step": null, "digest": null, "failure": null, "waiting_for": null,
            "updated_at": "", "scalars": scalars,
        }))
        .expect("a run")
    }

    fn claim(finding: Json) -> Claim {
        let mut all = json!({"id": "x", "target": "T3", "claim": "c", "source": "s", "over_seeds": "each"});
        all.as_object_mut().expect("an object").extend(finding.as_object().cloned().unwrap_or_default());
        Claim { experiment: "rbse", finding: serde_json::from_value(all).expect("a finding"), task: 0 }
    }

    #[test]
    fn a_difference_of_metrics_is_held_against_the_bound() {
        let claim = claim(json!({"metric": "a", "minus": "b", "at_least": 0.3}));
        let good = run("succeeded", json!({"a": 0.9, "b": 0.5}));
        assert!(Verdict::of(&claim, std::slice::from_ref(&good)).holds);
        let bad = run("succeeded", json!({"a": 0.6, "b": 0.5}));
        assert!(!Verdict::of(&claim, &[good, bad]).holds);
    }

    #[test]
    fn a_failed_run_or_a_missing_value_never_holds() {
        let claim = claim(json!({"metric": "a", "at_most": 1.0}));
        assert!(!Verdict::of(&claim, &[run("failed", json!({"a": 0.5}))]).holds);
        assert!(!Verdict::of(&claim, &[run("succeeded", json!({}))]).holds);
        assert!(!Verdict::of(&claim, &[]).holds);
    }
}

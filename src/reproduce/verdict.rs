//! What came out, against what must: for people and for programs.

use std::collections::BTreeSet;

use experiments::{Measured, Outcome};
use serde_json::{Value as Json, json};

use super::{
    gather::{Gathered, Measurement},
    plan::{Claim, Skipped},
};
use crate::text::{Paint, Table, number, plus_minus};

/// A claim with its outcome.
pub(super) struct Verdict<'a> {
    pub(super) claim: &'a Claim,
    pub(super) outcome: Outcome,
}

impl<'a> Verdict<'a> {
    pub(super) fn of(claim: &'a Claim, gathered: &Gathered) -> Self {
        let outcome = claim.finding.judge(claim.experiment, &claim.seeds, gathered);
        Self { claim, outcome }
    }

    /// `holds` or `fails`.
    pub(super) fn word(&self) -> &'static str {
        self.outcome.verdict().name()
    }

    /// What was measured, in short: the number that decides and, where it says more, the mean with its spread.
    pub(super) fn measured(&self) -> String {
        match &self.outcome.measured {
            Ok(measured) => in_short(measured),
            Err(_) => "–".into(),
        }
    }

    /// Remarks: what is wrong, the point that decides, the control, what is known.
    pub(super) fn remarks(&self) -> Vec<String> {
        let mut remarks: Vec<String> = self.outcome.trouble().into_iter().collect();
        if let Ok(Measured { point, .. }) = &self.outcome.measured
            && !point.is_empty()
        {
            remarks.push(format!("decided at {point}"));
        }
        let finding = &self.claim.finding;
        if let (Some(control), Some(Ok(measured))) = (&finding.control, &self.outcome.control) {
            let word = if measured.holds { "holds" } else { "fails" };
            let (label, short) = (control.overlay.label(), in_short(measured));
            remarks.push(format!("control ({label}: {}): {short}, {word} there", control.why));
        }
        remarks.extend(finding.uncontrolled.iter().map(|why| format!("no control: {why}")));
        remarks.extend(finding.why.clone());
        remarks
    }
}

fn in_short(measured: &Measured) -> String {
    let value = number(measured.value);
    match measured.values.len() {
        0 | 1 => value,
        _ if measured.sd() == 0.0 => value,
        _ => format!("{value} (mean {})", plus_minus(measured.mean(), measured.sd())),
    }
}

/// For people.
pub(super) fn table(verdicts: &[Verdict<'_>]) -> String {
    let headings = ["target", "finding", "claim", "statistic", "bound", "measured (mean ± sd)", "verdict"];
    let mut table = Table::new(Paint::stdout(), &headings).wrapped();
    for verdict in verdicts {
        let finding = &verdict.claim.finding;
        table.row([
            &finding.target,
            &verdict.claim.name(),
            &finding.claim,
            &format!("{}, {}", finding.quantity(), finding.statistic()),
            &finding.bound().to_string(),
            &verdict.measured(),
            verdict.word(),
        ]);
    }
    let mut text = format!("{}\n", table.to_string().trim_end());
    let wrong = verdicts.iter().filter(|verdict| !verdict.outcome.is_as_expected());
    for verdict in wrong {
        let trouble = verdict.outcome.trouble().unwrap_or_default();
        text += &format!("\n{}: {trouble}\n", verdict.claim.name());
    }
    text
}

/// For `findings.toml`: what tuning seeds gave.
pub(super) fn tuned(verdicts: &[Verdict<'_>]) -> String {
    let line = |verdict: &Verdict<'_>| {
        let measured = verdict.outcome.measured.as_ref().ok()?;
        let (mean, sd, seeds) = (measured.mean(), measured.sd(), measured.values.len());
        Some(format!(
            "{}: tuned = {{ mean = {mean:.5}, sd = {sd:.2e}, seeds = {seeds} }}\n",
            verdict.claim.name()
        ))
    };
    verdicts.iter().filter_map(line).collect()
}

/// For programs: one finding.
pub(super) fn entry(verdict: &Verdict<'_>) -> Json {
    let Verdict { claim, outcome } = verdict;
    let finding = &claim.finding;
    let mut entry = json!({
        "experiment": claim.experiment,
        "finding": finding.id,
        "statement": finding.claim,
        "source": finding.source,
        "bound": finding.bound(),
        "measured": null,
        "spread": null,
        "seeds": claim.seeds,
        "verdict": verdict.word(),
        "expected": finding.expected,
        "target": finding.target,
        "quantity": finding.quantity(),
        "statistic": finding.statistic(),
        "as_expected": outcome.is_as_expected(),
        "trouble": outcome.trouble(),
        "why": finding.why,
        "false_alarm_rate": finding.false_alarm_rate(),
    });
    let jobs: BTreeSet<String> = finding.reads(claim.experiment).iter().map(|(job, _)| job.label()).collect();
    entry["jobs"] = json!(jobs);
    if let Ok(measured) = &outcome.measured {
        entry["measured"] = jobs::scalar_json(measured.value);
        entry["spread"] =
            if measured.values.len() > 1 { jobs::scalar_json(measured.sd()) } else { Json::Null };
        entry["detail"] = detail(measured);
    }
    if let Some(Ok(measured)) = &outcome.control {
        entry["control"] = detail(measured);
    }
    entry
}

fn detail(measured: &Measured) -> Json {
    let list = |values: &[f64]| values.iter().map(|&value| jobs::scalar_json(value)).collect::<Vec<_>>();
    let points =
        measured.points.iter().map(|(label, values)| json!({"point": label, "values": list(values)}));
    json!({
        "holds": measured.holds,
        "value": jobs::scalar_json(measured.value),
        "mean": jobs::scalar_json(measured.mean()),
        "interval": measured.interval.map(|(low, high)| list(&[low, high])),
        "values": list(&measured.values),
        "points": points.collect::<Vec<_>>(),
    })
}

/// For programs: one run.
fn run(((identity, seed), measurement): (&(String, u64), &Measurement)) -> Json {
    let mut words = identity.splitn(3, ' ');
    let (experiment, dataset) = (words.next(), words.next().filter(|&name| name != "-"));
    let params: Option<Json> = words.next().and_then(|params| serde_json::from_str(params).ok());
    let Measurement { digest, failure, .. } = measurement;
    json!({
        "experiment": experiment, "params": params, "dataset": dataset, "seed": seed, "digest": digest,
        "failure": failure,
    })
}

/// For programs: all findings and the runs behind them.
pub(super) fn document(verdicts: &[Verdict<'_>], skipped: &[Skipped], gathered: &Gathered) -> Json {
    let rates = verdicts.iter().filter_map(|verdict| verdict.claim.finding.false_alarm_rate());
    json!({
        "build": env!("CARGO_PKG_VERSION"),
        "as_expected": verdicts.iter().all(|verdict| verdict.outcome.is_as_expected()),
        "false_alarm_rate": rates.sum::<f64>(),
        "findings": verdicts.iter().map(entry).collect::<Vec<_>>(),
        "skipped": skipped.iter().map(|one| json!({"finding": one.name, "reason": one.reason})).collect::<Vec<_>>(),
        "runs": gathered.0.iter().map(run).collect::<Vec<_>>(),
    })
}

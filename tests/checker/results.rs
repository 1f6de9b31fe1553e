//! Promises about what came out: metrics, checkpoints, digests.

use std::collections::BTreeMap;

use super::{Findings, History, Invariant, records::Records};

/// I7.
pub(super) fn metrics_are_complete(records: &Records, history: &History, found: &mut Findings) {
    for (id, run) in &records.runs {
        let mut times = BTreeMap::<(&str, u64), u64>::new();
        for metric in &run.metrics {
            *times.entry((&metric.name, metric.step)).or_default() += 1;
        }
        for ((name, step), times) in times.iter().filter(|(_, times)| **times > 1) {
            found.unless(false, Invariant::I7, || {
                format!("run {id}: `{name}` of step {step} is there {times} times")
            });
        }
        for (name, points) in &run.series {
            let there = run.metrics.iter().filter(|metric| metric.name == *name).count() as u64;
            found.unless(there == *points, Invariant::I7, || {
                format!("run {id}: `{name}` counts {points} points, {there} are there")
            });
        }
        let Some(reference) = history.undisturbed.get(id) else { continue };
        for (name, step) in reference.values.keys().filter(|_| run.has_ended()) {
            found.unless(times.contains_key(&(name.as_str(), *step)), Invariant::I7, || {
                format!("run {id}: `{name}` of step {step} is missing")
            });
        }
        for (name, step) in times.keys() {
            found.unless(reference.values.contains_key(&((*name).to_owned(), *step)), Invariant::I7, || {
                format!("run {id}: `{name}` of step {step} is one too many")
            });
        }
    }
    for id in history.undisturbed.keys() {
        found.unless(records.runs.contains_key(id), Invariant::I7, || format!("run {id} is missing"));
    }
}

/// I8.
pub(super) fn checkpoints_are_whole(records: &Records, found: &mut Findings) {
    for (id, run) in &records.runs {
        for checkpoint in &run.checkpoints {
            found.unless(checkpoint.whole, Invariant::I8, || {
                format!("run {id}: the checkpoint of step {} is damaged", checkpoint.step)
            });
        }
    }
}

/// I11.
pub(super) fn results_are_undisturbed(records: &Records, history: &History, found: &mut Findings) {
    for (id, reference) in &history.undisturbed {
        let Some(run) = records.runs.get(id) else { continue };
        found.unless(
            !run.has_ended() || run.digest.as_ref() == Some(&reference.digest),
            Invariant::I11,
            || format!("run {id}: digest {:?}, undisturbed {}", run.digest, reference.digest),
        );
        for metric in &run.metrics {
            let undisturbed = reference.values.get(&(metric.name.clone(), metric.step));
            // One that should not be there is I7's business.
            found.unless(undisturbed.is_none_or(|bits| *bits == metric.bits), Invariant::I11, || {
                format!("run {id}: `{}` of step {} has other bits than undisturbed", metric.name, metric.step)
            });
        }
    }
}

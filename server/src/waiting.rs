//! What a queued run waits for, in words.

use jobs::{Job, Millis, Run, Waiting, WorkerInfo, largest_plan};

/// "a worker with rbse v1 and 3.1 GiB", "a free slot", "the end of its back-off in 8 s"; `None` unless queued.
pub(crate) fn waiting_for(run: &Run, job: &Job, live: &[WorkerInfo], now: Millis) -> Option<String> {
    let waiting = Waiting::of(run, &job.spec, now)?;
    let could = |worker: &WorkerInfo| {
        worker.catalogue.iter().any(|can| {
            can.experiment == job.spec.experiment
                && job.spec.version.is_none_or(|version| version == can.version)
        }) && job.spec.requires.iter().all(|(key, value)| worker.labels.get(key) == Some(value))
            && run.spec.memory_bytes <= largest_plan(worker.memory_bytes)
    };
    match waiting {
        Waiting::Worker { .. } if live.iter().any(could) => Some("a free slot".into()),
        waiting => Some(waiting.to_string()),
    }
}

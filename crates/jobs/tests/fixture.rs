//! Runs and reports for the tests.

use jobs::{
    Change, CheckpointRef, JobId, Lease, Millis, Outcome, Policy, Refused, Run, RunId, RunSpec, RunState,
    Said, Transition, WorkerId,
};
use uuid::Uuid;

/// Time to live of every lease.
pub(crate) const TTL: u64 = 30_000;
/// Longest wall time of an attempt.
pub(crate) const WALL: u64 = 86_400_000;
/// Steps of every run.
pub(crate) const STEPS: u64 = 100;

/// A queued run that was never tried.
pub(crate) fn fresh() -> Run {
    let spec = RunSpec { index: 0, params: "{}".into(), seed: 1, steps: STEPS, memory_bytes: 1 };
    Run::new(RunId(Uuid::from_u128(5)), JobId(Uuid::from_u128(4)), spec, 0)
}

/// The run after a change that is allowed.
pub(crate) fn after(run: &Run, change: &Change, now: Millis) -> Transition {
    jobs::apply(run, change, now, &Policy::default()).expect("allowed")
}

/// Why a change is not allowed.
pub(crate) fn refused(run: &Run, change: &Change, now: Millis) -> Refused {
    jobs::apply(run, change, now, &Policy::default()).expect_err("not allowed")
}

/// Worker 1 takes the run.
pub(crate) fn acquire() -> Change {
    Change::Acquire { worker: WorkerId(Uuid::from_u128(1)), ttl_ms: TTL }
}

/// The run, leased at `now`.
pub(crate) fn running(run: &Run, now: Millis) -> Run {
    after(run, &acquire(), now).run
}

/// A report of the current attempt.
pub(crate) fn says(run: &Run, step: u64, outcome: Option<Outcome>) -> Change {
    Change::Report(Said { attempt: run.attempt, seq: run.next_seq, step, outcome, ..Said::default() })
}

/// A report of the current attempt with a checkpoint at its step.
pub(crate) fn saves(run: &Run, step: u64) -> Change {
    let checkpoint = Some(CheckpointRef { step, digest: [0; 32], bytes: 1 });
    Change::Report(Said { attempt: run.attempt, seq: run.next_seq, step, checkpoint, ..Said::default() })
}

/// The lease of a running run.
pub(crate) fn lease(run: &Run) -> &Lease {
    match &run.state {
        RunState::Running(lease) => lease,
        state => panic!("run is {}", state.name()),
    }
}

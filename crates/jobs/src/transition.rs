//! How a run may change: every cause in [`Change`], every answer from [`apply`].

use serde_json::{Map, Value as Json};

use crate::ending::{Ended, end};
use crate::{
    CheckpointRef, Directive, EventKind, Fence, Lease, Millis, Outcome, Policy, Run, RunState, Stop, Wish,
    WorkerId,
};

/// Everything that can change a run.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// A worker takes the run.
    Acquire {
        /// Who.
        worker: WorkerId,
        /// Time to live of the lease, renewed by each report.
        ttl_ms: u64,
    },
    /// The worker of an attempt says what is new.
    Report(Said),
    /// A user ends it.
    Cancel,
    /// A user puts it aside.
    Pause,
    /// A user takes it up again.
    Resume,
    /// Time has passed: ends an attempt whose lease ran out, that made no progress or took too long.
    Expire {
        /// Longest wall time of an attempt, in milliseconds.
        wall_ms: u64,
    },
    /// The server was away, and its clock may have been set meanwhile: gives the lease time until then.
    Extend {
        /// The lease is good until then.
        until: Millis,
    },
    /// The checkpoint at `step` cannot be read.
    LoseCheckpoint {
        /// The step of the damaged one.
        step: u64,
        /// The newest good one that remains.
        newest: Option<u64>,
    },
}

/// What a report says, as far as the rules care.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Said {
    /// The attempt that speaks.
    pub attempt: u32,
    /// Number of the report within the attempt.
    pub seq: u64,
    /// Step reached.
    pub step: u64,
    /// A checkpoint that comes with it.
    pub checkpoint: Option<CheckpointRef>,
    /// Last scalars, for people who watch.
    pub scalars: Map<String, Json>,
    /// How the attempt ended.
    pub outcome: Option<Outcome>,
    /// Metrics (name, step) whose bits differ from those stored before.
    pub violations: Vec<(String, u64)>,
}

/// What a change does.
#[derive(Debug, Clone, PartialEq)]
pub struct Transition {
    /// The run after it.
    pub run: Run,
    /// What the job's log says of it, in order.
    pub log: Vec<EventKind>,
    /// The answer to a report.
    pub directive: Option<Directive>,
    /// Whether it is news. A report or wish that came before changes nothing: persist nothing of it.
    pub changed: bool,
}

/// Why a run may not change like that.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The attempt is not open: its lease was lost, or the run has ended. The worker must drop it.
    #[error("attempt {attempt} is over; the run is {state}, its current attempt is {current}")]
    Stale {
        /// Who spoke.
        attempt: u32,
        /// The last attempt granted.
        current: u32,
        /// State of the run.
        state: &'static str,
    },
    /// Reports were left out.
    #[error("report is number {seq}; number {expected} comes next")]
    OutOfRange {
        /// As sent.
        seq: u64,
        /// The one that comes next.
        expected: u64,
    },
    /// A step that cannot be.
    #[error("{what} is {step}; it must be {least} to {most}")]
    BadStep {
        /// Which step.
        what: &'static str,
        /// As sent.
        step: u64,
        /// Least that is possible.
        least: u64,
        /// Greatest that is possible.
        most: u64,
    },
    /// The run has ended; nothing changes it.
    #[error("the run has ended: it is {state}")]
    Terminal {
        /// How it ended.
        state: &'static str,
    },
    /// Not in this state.
    #[error("the run is {state}; it must be {must}")]
    WrongState {
        /// State of the run.
        state: &'static str,
        /// The state it takes.
        must: &'static str,
    },
    /// Not yet.
    #[error("not before {until} ms")]
    NotYet {
        /// From then on.
        until: Millis,
    },
}

/// Decides what a change does to a run. Pure: the same arguments give the same answer.
///
/// | | queued | running | paused | ended |
/// |---|---|---|---|---|
/// | Acquire | → running, attempt + 1 | refused | refused | refused |
/// | Report | refused | renews; outcome → end or queue | refused | refused |
/// | Cancel | → cancelled | wish | → cancelled | refused |
/// | Pause | → paused | wish | – | refused |
/// | Resume | – | takes a wish to pause back | → queued | refused |
/// | Expire | refused | → queued, or the wish, or failed | refused | refused |
/// | Extend | a back-off stays one | lease moves, for the server was away | – | refused |
///
/// A report that was taken before is answered again, in every state, without effect (`–` is without effect too).
pub fn apply(run: &Run, change: &Change, now: Millis, policy: &Policy) -> Result<Transition, Refused> {
    let mut next = decide(run, change, now, policy)?;
    next.log.iter_mut().for_each(|event| event.fit(policy.event_bytes));
    Ok(next)
}

fn decide(run: &Run, change: &Change, now: Millis, policy: &Policy) -> Result<Transition, Refused> {
    let mut next = Transition { run: run.clone(), log: Vec::new(), directive: None, changed: true };
    next.run.updated_at = now;
    match (&run.state, change) {
        (_, Change::Report(said)) => return report(run, said, now, policy),
        (state, _) if state.is_terminal() => return Err(Refused::Terminal { state: state.name() }),

        (RunState::Queued { not_before: Some(until) }, Change::Acquire { .. }) if now < *until => {
            return Err(Refused::NotYet { until: *until });
        }
        (RunState::Queued { .. }, Change::Acquire { worker, ttl_ms }) => {
            grant(&mut next, *worker, *ttl_ms, now)
        }
        (_, Change::Acquire { .. }) => return Err(wrong(run, "queued")),

        (RunState::Running(_), Change::Cancel) if run.wish == Wish::Cancel => return Ok(unchanged(run)),
        (RunState::Running(_), Change::Cancel) => next.run.wish = Wish::Cancel,
        (_, Change::Cancel) => end(&mut next, Ended::Cancelled, now, policy),

        (RunState::Running(_), Change::Pause) if run.wish != Wish::None => return Ok(unchanged(run)),
        (RunState::Running(_), Change::Pause) => next.run.wish = Wish::Pause,
        (RunState::Paused, Change::Pause) => return Ok(unchanged(run)),
        (_, Change::Pause) => end(&mut next, Ended::Paused, now, policy),

        (RunState::Running(_), Change::Resume) if run.wish == Wish::Pause => next.run.wish = Wish::None,
        (RunState::Paused, Change::Resume) => {
            next.run.state = RunState::Queued { not_before: None };
            next.log.push(EventKind::RunResumed { run: run.id });
        }
        (_, Change::Resume) => return Ok(unchanged(run)),

        (RunState::Running(lease), Change::Expire { wall_ms }) => {
            let ended = overdue(lease, now, *wall_ms, policy)?;
            end(&mut next, ended, now, policy);
            next.run.next_seq = 0; // ended from outside: no report of this attempt is answered any more
        }
        (_, Change::Expire { .. }) => return Err(wrong(run, "running")),

        (RunState::Running(lease), Change::Extend { until }) => {
            next.run.state = RunState::Running(Lease { server_was_away: true, ..lease.moved_to(*until) });
            next.run.updated_at = run.updated_at;
        }
        // Longer than any back-off: the clock was ahead when it was written.
        (RunState::Queued { not_before: Some(at) }, Change::Extend { until })
            if *at > until.saturating_add(policy.backoff_cap_ms) =>
        {
            let not_before = Some(until.saturating_add(policy.backoff_cap_ms));
            next.run.state = RunState::Queued { not_before };
            next.run.updated_at = run.updated_at;
        }
        (_, Change::Extend { .. }) => return Ok(unchanged(run)),

        (_, Change::LoseCheckpoint { step, newest }) => lose_checkpoint(&mut next, *step, *newest),
    }
    Ok(next)
}

fn grant(next: &mut Transition, worker: WorkerId, ttl_ms: u64, now: Millis) {
    let run = &mut next.run;
    run.attempt += 1;
    run.next_seq = 0;
    run.step = run.checkpoint_step.unwrap_or(0);
    run.attempt_began_at = run.checkpoint_step;
    let expires_at = now.saturating_add(ttl_ms);
    run.state = RunState::Running(Lease {
        worker,
        ttl_ms,
        expires_at,
        granted_at: now,
        progress_at: now,
        told_at: None,
        server_was_away: false,
    });
    next.log.push(EventKind::RunStarted { run: run.id, attempt: run.attempt, worker, from_step: run.step });
}

fn report(run: &Run, said: &Said, now: Millis, policy: &Policy) -> Result<Transition, Refused> {
    if said.attempt == run.attempt && said.seq < run.next_seq {
        return Ok(Transition { directive: Some(again(run, now)), ..unchanged(run) });
    }
    let lease = match &run.state {
        RunState::Running(lease) if said.attempt == run.attempt || policy.fence == Fence::OffForTests => {
            lease
        }
        state => {
            return Err(Refused::Stale { attempt: said.attempt, current: run.attempt, state: state.name() });
        }
    };
    check_numbers(run, said)?;

    let mut next = Transition { run: run.clone(), log: Vec::new(), directive: None, changed: true };
    next.run.updated_at = now;
    let expires_at = lease.expires_at.max(now.saturating_add(lease.ttl_ms));
    let mut lease = Lease { expires_at, server_was_away: false, ..lease.clone() };
    if said.step > run.step || (run.next_seq == 0 && run.attempt == said.attempt) {
        lease.progress_at = lease.progress_at.max(now);
    }
    if said.attempt == run.attempt {
        next.run.next_seq = said.seq + 1;
        next.run.step = said.step;
    }
    // A checkpoint of an attempt that broke determinism does not count.
    if let Some(checkpoint) = said.checkpoint.as_ref().filter(|_| said.violations.is_empty()) {
        next.run.checkpoint_step = next.run.checkpoint_step.max(Some(checkpoint.step));
        next.log.push(EventKind::CheckpointStored {
            run: run.id,
            attempt: said.attempt,
            step: checkpoint.step,
            bytes: checkpoint.bytes,
        });
    }
    let tell = said.outcome.is_none()
        && (said.step > run.step || !said.scalars.is_empty())
        && lease.told_at.is_none_or(|told| now >= told.saturating_add(policy.progress_event_ms));
    if tell {
        lease.told_at = Some(now);
        next.log.push(EventKind::RunProgressed {
            run: run.id,
            step: said.step,
            steps: run.spec.steps,
            scalars: said.scalars.clone(),
            left_out: 0,
        });
    }
    next.directive = Some(directive(run.wish, lease.ttl_ms));
    next.run.state = RunState::Running(lease);
    conclude(&mut next, said, now, policy);
    Ok(next)
}

/// One is enough to fail a run; a few more help to find the cause.
const VIOLATIONS_LOGGED: usize = 16;

/// Ends the attempt if the report says so, or if it broke determinism.
fn conclude(next: &mut Transition, said: &Said, now: Millis, policy: &Policy) {
    if !said.violations.is_empty() {
        next.log.extend(said.violations.iter().take(VIOLATIONS_LOGGED).map(|(name, step)| {
            EventKind::DeterminismViolation {
                run: next.run.id,
                attempt: said.attempt,
                name: name.clone(),
                step: *step,
            }
        }));
        end(next, Ended::OtherBits, now, policy);
        next.directive = Some(Directive::Stop(Stop::LeaseLost));
    } else if let Some(outcome) = &said.outcome {
        end(next, Ended::Outcome(outcome.clone()), now, policy);
        next.directive = Some(OVER);
    }
}

/// The answer to the last report of an attempt: there is no lease any more, and nothing left to do.
const OVER: Directive = Directive::Continue { lease_ms: 0 };

/// The answer to a report that was taken before.
fn again(run: &Run, now: Millis) -> Directive {
    match &run.state {
        RunState::Running(lease) => directive(run.wish, lease.expires_at.saturating_sub(now)),
        RunState::Failed { class: crate::Class::DivergedBits, .. } => Directive::Stop(Stop::LeaseLost),
        _ => OVER,
    }
}

fn directive(wish: Wish, lease_ms: u64) -> Directive {
    match wish {
        Wish::None => Directive::Continue { lease_ms },
        Wish::Pause => Directive::Stop(Stop::Paused),
        Wish::Cancel => Directive::Stop(Stop::Cancelled),
    }
}

fn check_numbers(run: &Run, said: &Said) -> Result<(), Refused> {
    if said.attempt != run.attempt {
        return Ok(()); // Fence::OffForTests: another attempt's numbers say nothing
    }
    if said.seq != run.next_seq {
        return Err(Refused::OutOfRange { seq: said.seq, expected: run.next_seq });
    }
    // The first report may be behind the step shown: the worker may have had to take an older checkpoint.
    let least = if run.next_seq == 0 { 0 } else { run.step };
    let least = if matches!(said.outcome, Some(Outcome::Succeeded { .. })) { run.spec.steps } else { least };
    if !(least..=run.spec.steps).contains(&said.step) {
        return Err(Refused::BadStep { what: "step", step: said.step, least, most: run.spec.steps });
    }
    match &said.checkpoint {
        Some(checkpoint) if checkpoint.step > said.step => Err(Refused::BadStep {
            what: "step of the checkpoint",
            step: checkpoint.step,
            least: 0,
            most: said.step,
        }),
        _ => Ok(()),
    }
}

fn overdue(lease: &Lease, now: Millis, wall_ms: u64, policy: &Policy) -> Result<Ended, Refused> {
    let progress_due = lease.progress_at.saturating_add(policy.progress_ms);
    let wall_due = lease.granted_at.saturating_add(wall_ms);
    if now >= lease.expires_at {
        Ok(if lease.server_was_away { Ended::LostWithServer } else { Ended::Lost })
    } else if now >= progress_due {
        Ok(Ended::TimedOut(format!("no newer step for {} s", policy.progress_ms / 1000)))
    } else if now >= wall_due {
        Ok(Ended::TimedOut(format!("the attempt took longer than {} s", wall_ms / 1000)))
    } else {
        Err(Refused::NotYet { until: lease.expires_at.min(progress_due).min(wall_due) })
    }
}

fn lose_checkpoint(next: &mut Transition, step: u64, newest: Option<u64>) {
    let run = &mut next.run;
    run.checkpoint_step = newest;
    run.attempt_began_at = run.attempt_began_at.min(newest);
    if run.next_seq == 0 {
        run.step = newest.unwrap_or(0);
    }
    next.log.push(EventKind::CheckpointCorrupt { run: run.id, step });
}

fn unchanged(run: &Run) -> Transition {
    Transition { run: run.clone(), log: Vec::new(), directive: None, changed: false }
}

fn wrong(run: &Run, must: &'static str) -> Refused {
    Refused::WrongState { state: run.state.name(), must }
}

//! What follows when an attempt ends: success, the user's wish, another attempt, or failure.

use crate::policy::Charge;
use crate::{Class, EventKind, JobState, Millis, Outcome, Policy, RunState, Stop, Transition, Wish};

/// How an attempt, or a run without one, came to an end.
pub(crate) enum Ended {
    /// As its worker says.
    Outcome(Outcome),
    /// Its lease ran out.
    Lost,
    /// Its lease ran out, and no report came since the server was away.
    LostWithServer,
    /// It took too long; in which way.
    TimedOut(String),
    /// It gave other bits than before.
    OtherBits,
    /// A user cancelled a run that nobody holds.
    Cancelled,
    /// A user paused a run that nobody holds.
    Paused,
}

/// Ends the open attempt of `next.run` and decides what follows.
pub(crate) fn end(next: &mut Transition, ended: Ended, now: Millis, policy: &Policy) {
    let wish = std::mem::take(&mut next.run.wish);
    match ended {
        Ended::OtherBits => {
            fail(next, Class::DivergedBits, "the same step gave other bits than an earlier attempt".into());
        }
        Ended::Outcome(Outcome::Succeeded { digest }) => succeed(next, digest),
        Ended::Cancelled => cancel(next),
        _ if wish == Wish::Cancel => cancel(next),
        Ended::Paused => pause(next),
        Ended::Outcome(Outcome::Stopped(Stop::Paused | Stop::Drain)) if wish == Wish::Pause => pause(next),
        Ended::Outcome(Outcome::Stopped(Stop::LeaseLost)) => {
            again(next, wish, Class::Lost, "the worker gave its lease up".into(), now, policy);
        }
        // A pause taken back in the meantime ends here too.
        Ended::Outcome(Outcome::Stopped(_)) => {
            again(next, wish, Class::Drained, "the worker went away".into(), now, policy);
        }
        Ended::Outcome(Outcome::Failed { class, message }) => again(next, wish, class, message, now, policy),
        Ended::Lost => again(next, wish, Class::Lost, "the lease ran out".into(), now, policy),
        Ended::LostWithServer => {
            let message = "the server was away, and no report came after it".into();
            again(next, wish, Class::ServerRestart, message, now, policy);
        }
        Ended::TimedOut(message) => again(next, wish, Class::Timeout, message, now, policy),
    }
}

/// Charges a failed attempt to its budget; queues the run, or pauses it as wished, or fails it.
fn again(next: &mut Transition, wish: Wish, class: Class, message: String, now: Millis, policy: &Policy) {
    let run = &mut next.run;
    let charge = class.charge();
    match charge {
        Charge::Final => return fail(next, class, message),
        Charge::Counted => run.counted_failures += 1,
        Charge::Uncounted => run.uncounted_failures += 1,
    }
    let advanced = run.checkpoint_step > run.attempt_began_at;
    run.stalled_attempts = match class {
        _ if advanced => 0,
        // It has one checkpoint less to stall at.
        Class::CheckpointRefused => run.stalled_attempts,
        _ => run.stalled_attempts + 1,
    };

    let counted_budget = if class == Class::Oom { policy.oom_budget } else { policy.counted_budget };
    if run.counted_failures >= counted_budget || run.uncounted_failures >= policy.uncounted_budget {
        return fail(next, class, message);
    }
    if run.stalled_attempts >= policy.stalled_budget {
        let stalled =
            format!("{} attempts in a row without a newer checkpoint; last: {message}", run.stalled_attempts);
        return fail(next, Class::CrashLoop, stalled);
    }
    if wish == Wish::Pause {
        return pause(next);
    }
    let not_before = match charge {
        Charge::Counted => Some(policy.not_before(now, run.id, run.attempt, run.counted_failures)),
        _ => None,
    };
    run.state = RunState::Queued { not_before };
    next.log.push(EventKind::RunRequeued { run: run.id, attempt: run.attempt, class, not_before });
}

fn succeed(next: &mut Transition, digest: String) {
    next.log.push(EventKind::RunEnded {
        run: next.run.id,
        outcome: JobState::Succeeded,
        class: None,
        message: None,
        digest: Some(digest.clone()),
    });
    next.run.state = RunState::Succeeded { digest };
}

/// Longest message kept with a run, in characters.
const MESSAGE_CHARS: usize = 2_000;

fn fail(next: &mut Transition, class: Class, message: String) {
    let message: String = message.chars().take(MESSAGE_CHARS).collect();
    next.log.push(EventKind::RunEnded {
        run: next.run.id,
        outcome: JobState::Failed,
        class: Some(class),
        message: Some(message.clone()),
        digest: None,
    });
    next.run.state = RunState::Failed { class, message };
}

fn cancel(next: &mut Transition) {
    next.log.push(EventKind::RunEnded {
        run: next.run.id,
        outcome: JobState::Cancelled,
        class: None,
        message: None,
        digest: None,
    });
    next.run.state = RunState::Cancelled;
}

fn pause(next: &mut Transition) {
    next.log.push(EventKind::RunPaused { run: next.run.id });
    next.run.state = RunState::Paused;
}

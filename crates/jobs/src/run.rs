//! A run and its states.

use serde::{Deserialize, Serialize};

use crate::{JobId, Millis, RunId, RunSpec, WorkerId};

/// A run: one (params, seed) of a job; the unit that is leased.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// The job it belongs to.
    pub job: JobId,
    /// What it computes.
    pub spec: RunSpec,
    /// Where it stands.
    pub state: RunState,
    /// What a user asked of it while it was leased; obeyed with the next report.
    pub wish: Wish,
    /// Number of the last attempt; 0 before the first. It only rises: it is the fencing token.
    pub attempt: u32,
    /// Next report number expected from the current attempt; 0 again when the attempt was ended from outside.
    pub next_seq: u64,
    /// Last step reported.
    pub step: u64,
    /// Step of the newest checkpoint.
    pub checkpoint_step: Option<u64>,
    /// Attempts that ended as `crash`, `timeout` or `oom`.
    pub counted_failures: u32,
    /// Attempts that ended as `lost`, `drained`, `server_restart` or `checkpoint_refused`.
    pub uncounted_failures: u32,
    /// Attempts in a row that ended without a newer checkpoint.
    pub stalled_attempts: u32,
    /// Step of the newest checkpoint when the current attempt began.
    pub attempt_began_at: Option<u64>,
    /// When it last changed.
    pub updated_at: Millis,
}

impl Run {
    /// A run as it is submitted: queued, never tried.
    pub fn new(id: RunId, job: JobId, spec: RunSpec, now: Millis) -> Self {
        Self {
            id,
            job,
            spec,
            state: RunState::Queued { not_before: None },
            wish: Wish::None,
            attempt: 0,
            next_seq: 0,
            step: 0,
            checkpoint_step: None,
            counted_failures: 0,
            uncounted_failures: 0,
            stalled_attempts: 0,
            attempt_began_at: None,
            updated_at: now,
        }
    }
}

/// Where a run stands.
#[derive(Debug, Clone, PartialEq)]
pub enum RunState {
    /// Waiting for a worker; after a failure not before a time.
    Queued {
        /// Back-off: not to be leased before.
        not_before: Option<Millis>,
    },
    /// Leased to a worker.
    Running(Lease),
    /// Put aside by a user.
    Paused,
    /// All steps done.
    Succeeded {
        /// Digest of all metrics and the final state, 64 hex digits.
        digest: String,
    },
    /// Given up.
    Failed {
        /// Why.
        class: Class,
        /// In words.
        message: String,
    },
    /// Ended by a user.
    Cancelled,
}

impl RunState {
    /// Whether nothing can change it any more.
    pub fn is_terminal(&self) -> bool {
        matches!(self, Self::Succeeded { .. } | Self::Failed { .. } | Self::Cancelled)
    }

    /// Its name as users see it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Queued { .. } => "queued",
            Self::Running(_) => "running",
            Self::Paused => "paused",
            Self::Succeeded { .. } => "succeeded",
            Self::Failed { .. } => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Permission for one attempt, until a time on the server's clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Who holds it.
    pub worker: WorkerId,
    /// How long a report renews it for.
    pub ttl_ms: u64,
    /// When it runs out unless a report renews it.
    pub expires_at: Millis,
    /// When the attempt began.
    pub granted_at: Millis,
    /// Last report that showed a newer step; for the progress time-out.
    pub progress_at: Millis,
    /// Last `run_progressed` event of the attempt.
    pub told_at: Option<Millis>,
    /// Whether the server was away since the last report.
    pub server_was_away: bool,
}

impl Lease {
    /// The lease as if no server's time had passed since it was last renewed: it runs out at `until`, and what the clock
    /// did meanwhile, while nobody was there or because it was set, counts for none of its time-outs.
    pub(crate) fn moved_to(&self, until: Millis) -> Self {
        let moved = |at: Millis| at.saturating_add(until).saturating_sub(self.expires_at);
        Self {
            expires_at: until,
            granted_at: moved(self.granted_at),
            progress_at: moved(self.progress_at),
            told_at: self.told_at.map(moved),
            ..self.clone()
        }
    }
}

/// What a user wants of a leased run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wish {
    /// Nothing.
    #[default]
    None,
    /// Stop at the next step, keep the state.
    Pause,
    /// Stop for good.
    Cancel,
}

/// Why an attempt or a run ended badly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// The simulation panicked or its process died by its own fault. Counted.
    Crash,
    /// No progress, or over the wall time. Counted.
    Timeout,
    /// The kernel killed the worker for want of memory. Counted, and tried again only once.
    Oom,
    /// The lease ran out. Not counted.
    Lost,
    /// The worker was told to stop. Not counted.
    Drained,
    /// The lease ran out before a report came after the server was away. Not counted.
    ServerRestart,
    /// The worker could not go on from its checkpoint: another format or model. Not counted; the one before it is next.
    CheckpointRefused,
    /// The worker could not start it: bad params or data. Never retried.
    UserError,
    /// A metric was not finite. Never retried.
    Diverged,
    /// The same step gave other bits than before. Never retried.
    DivergedBits,
    /// Attempts in a row without a newer checkpoint. Never retried.
    CrashLoop,
}

impl Class {
    /// As users see it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Crash => "crash",
            Self::Timeout => "timeout",
            Self::Oom => "oom",
            Self::Lost => "lost",
            Self::Drained => "drained",
            Self::ServerRestart => "server_restart",
            Self::CheckpointRefused => "checkpoint_refused",
            Self::UserError => "user_error",
            Self::Diverged => "diverged",
            Self::DivergedBits => "diverged_bits",
            Self::CrashLoop => "crash_loop",
        }
    }
}

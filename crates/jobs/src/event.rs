//! The log of a job: numbered from 1 without gaps; what streams carry.

use serde::{Deserialize, Serialize};

use crate::{Class, JobId, JobState, Millis, RunId, WorkerId};

/// One entry of a job's log.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The job.
    pub job: JobId,
    /// 1, 2, … without gaps within a job.
    pub seq: u64,
    /// When, on the server's clock.
    pub at: Millis,
    /// What happened.
    pub kind: EventKind,
}

/// What happened. Arrays never travel here, only their names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the variants and fields say what they are")]
pub enum EventKind {
    JobSubmitted {
        runs: u32,
    },
    RunStarted {
        run: RunId,
        attempt: u32,
        worker: WorkerId,
        from_step: u64,
    },
    RunProgressed {
        run: RunId,
        step: u64,
        steps: u64,
        scalars: serde_json::Map<String, serde_json::Value>,
    },
    CheckpointStored {
        run: RunId,
        attempt: u32,
        step: u64,
        bytes: u64,
    },
    RunRequeued {
        run: RunId,
        attempt: u32,
        class: Class,
        not_before: Option<Millis>,
    },
    RunPaused {
        run: RunId,
    },
    RunResumed {
        run: RunId,
    },
    RunEnded {
        run: RunId,
        outcome: JobState,
        class: Option<Class>,
        message: Option<String>,
        digest: Option<String>,
    },
    CheckpointCorrupt {
        run: RunId,
        step: u64,
    },
    DeterminismViolation {
        run: RunId,
        attempt: u32,
        name: String,
        step: u64,
    },
    JobEnded {
        outcome: JobState,
    },
}

impl EventKind {
    /// As streams name it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::JobSubmitted { .. } => "job_submitted",
            Self::RunStarted { .. } => "run_started",
            Self::RunProgressed { .. } => "run_progressed",
            Self::CheckpointStored { .. } => "checkpoint_stored",
            Self::RunRequeued { .. } => "run_requeued",
            Self::RunPaused { .. } => "run_paused",
            Self::RunResumed { .. } => "run_resumed",
            Self::RunEnded { .. } => "run_ended",
            Self::CheckpointCorrupt { .. } => "checkpoint_corrupt",
            Self::DeterminismViolation { .. } => "determinism_violation",
            Self::JobEnded { .. } => "job_ended",
        }
    }
}

//! A job: what a user submits, and the runs it stands for.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::{DatasetHash, JobId, JobSource, Keep, Millis, SourceSpec, Sweep};

/// A job as a user writes it. Unknown fields are refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobSpec {
    /// A name to find it by; need not be unique.
    #[serde(default)]
    pub name: Option<String>,
    /// Experiment of the catalogue.
    pub experiment: String,
    /// Version of the experiment; the newest when absent.
    #[serde(default)]
    pub version: Option<u32>,
    /// Named set of params to start from instead of the defaults.
    #[serde(default)]
    pub preset: Option<String>,
    /// Params that differ from the defaults or the preset.
    #[serde(default)]
    pub params: Map<String, Json>,
    /// Points of params; one run per (point, seed).
    #[serde(default)]
    pub sweep: Option<Sweep>,
    /// Seeds; `[1]` when absent.
    #[serde(default)]
    pub seeds: Seeds,
    /// Data set by name or `blake3:…`; the experiment's built-in one when absent.
    #[serde(default)]
    pub dataset: Option<String>,
    /// Finished runs that its runs build on.
    #[serde(default)]
    pub from: Vec<SourceSpec>,
    /// Free labels of the job.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Labels that a worker must carry to get its runs.
    #[serde(default)]
    pub requires: BTreeMap<String, String>,
    /// Higher goes first; −100 … 100.
    #[serde(default)]
    pub priority: i32,
    /// Steps between two observations; steps/100 rounded up when absent.
    #[serde(default)]
    pub every: Option<u64>,
    /// Steps between two checkpoints; by wall time (30 s) when absent.
    #[serde(default)]
    pub checkpoint_every_steps: Option<u64>,
    /// Which checkpoints of a run are kept.
    #[serde(default)]
    pub keep: Keep,
    /// What the runs may use.
    #[serde(default)]
    pub limits: Limits,
    /// What a metric that is not finite does to a run.
    #[serde(default)]
    pub on_nonfinite: NonFinite,
}

/// Seeds of a job: a list, or `{from, count}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Seeds {
    /// These, in this order.
    List(Vec<u64>),
    /// `from, from + 1, …`.
    Range(SeedRange),
}

/// `count` seeds from `from` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedRange {
    /// The first seed.
    pub from: u64,
    /// How many.
    pub count: u32,
}

impl Default for Seeds {
    fn default() -> Self {
        Self::List(vec![1])
    }
}

/// What a run may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Wall time of one attempt, in seconds.
    pub wall_s: u64,
    /// Planned memory, in bytes.
    pub memory_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { wall_s: 86_400, memory_bytes: 4 << 30 }
    }
}

/// What a metric that is not finite does to a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NonFinite {
    /// The run fails as `diverged`.
    #[default]
    Fail,
    /// The value is stored as it is.
    Record,
}

/// What is wrong with a field of a job: which field, and the rule it breaks with the value it has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` {rule}")]
pub struct SpecError {
    /// JSON pointer of the field, such as `/seeds/0`.
    pub field: String,
    /// "is 12; it must be at most 10".
    pub rule: String,
}

/// One run of a job, as it is handed to a store: everything resolved and checked.
#[derive(Debug, Clone, PartialEq)]
pub struct RunSpec {
    /// Place in the job: point · number of seeds + place of the seed.
    pub index: u32,
    /// Canonical params: JSON bytes that server and worker parse alike.
    pub params: String,
    /// Randomness key, 0 … 2^53 − 1.
    pub seed: u64,
    /// Steps it will take.
    pub steps: u64,
    /// Memory it is planned to need, in bytes.
    pub memory_bytes: u64,
}

/// A job as stored: its spec with version, data set and cadence resolved.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// As submitted, with `version` filled in.
    pub spec: JobSpec,
    /// The data set that its name meant at submission.
    pub dataset: Option<DatasetHash>,
    /// The checkpoints that its sources meant at submission, in the order of its spec.
    pub from: Vec<JobSource>,
    /// When it was accepted.
    pub created_at: Millis,
    /// When its last run ended.
    pub ended_at: Option<Millis>,
    /// Number of its last event.
    pub last_seq: u64,
    /// How many of its runs are in each state.
    pub counts: Counts,
}

/// How many runs are in each state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Waiting for a worker.
    pub queued: u32,
    /// Leased.
    pub running: u32,
    /// Paused by a user.
    pub paused: u32,
    /// Ended well.
    pub succeeded: u32,
    /// Ended badly.
    pub failed: u32,
    /// Ended by a user.
    pub cancelled: u32,
}

impl Counts {
    /// All runs of the job.
    pub fn total(&self) -> u32 {
        self.queued + self.running + self.paused + self.succeeded + self.failed + self.cancelled
    }

    /// Derived: a job has no state of its own.
    pub fn state(&self) -> JobState {
        let ended = self.succeeded + self.failed + self.cancelled;
        match self {
            _ if ended == self.total() && self.failed > 0 => JobState::Failed,
            _ if ended == self.total() && self.cancelled > 0 => JobState::Cancelled,
            _ if ended == self.total() => JobState::Succeeded,
            _ if self.running > 0 => JobState::Running,
            _ if self.queued > 0 && ended == 0 => JobState::Queued,
            _ if self.queued > 0 => JobState::Running,
            _ => JobState::Paused,
        }
    }
}

/// State of a job, derived from its runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// No run has started.
    Queued,
    /// Some run has started and some run has not ended.
    Running,
    /// All runs that have not ended are paused.
    Paused,
    /// Every run succeeded.
    Succeeded,
    /// Every run ended, at least one failed.
    Failed,
    /// Every run ended, none failed, at least one was cancelled.
    Cancelled,
}

impl JobState {
    /// Whether nothing can change any more.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

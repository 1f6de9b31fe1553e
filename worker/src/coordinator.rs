//! What a worker asks of the server. A gRPC client in production, a puppet in tests.

use async_trait::async_trait;
use jobs::{CheckpointRef, DatasetHash, Directive, JobId, NonFinite, Report, RunId, WorkerId, WorkerInfo};

/// Bytes of one chunk of a checkpoint.
pub(crate) const CHUNK_BYTES: usize = 1 << 20;

/// The server, as a worker sees it. Every call may be repeated.
#[async_trait]
pub(crate) trait Coordinator: Send + Sync {
    /// Says what the worker can do.
    async fn register(&self, worker: &WorkerInfo) -> Result<Terms, Refusal>;

    /// Waits a while for a run; `None` when there is none.
    async fn acquire(&self, worker: WorkerId, free: Free) -> Result<Option<Lease>, Refusal>;

    /// Reports what is new in an attempt, and renews its lease.
    async fn report(&self, report: &Report) -> Result<Directive, Refusal>;

    /// Puts a part of a checkpoint: whole chunks from number `first` on.
    async fn put_checkpoint(&self, digest: [u8; 32], first: u32, part: &[u8]) -> Result<(), Refusal>;

    /// Reads a checkpoint. What it answers is not checked yet.
    async fn get_checkpoint(&self, checkpoint: &CheckpointRef) -> Result<Vec<u8>, Refusal>;

    /// Reads the content of a data set, at most `limit` bytes. What it answers is not checked yet.
    async fn get_dataset(&self, hash: DatasetHash, limit: u64) -> Result<Vec<u8>, Refusal>;
}

/// Intervals and limits of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Terms {
    /// Shortest time between two reports of a run.
    pub(crate) report_min_ms: u64,
    /// Longest time between two reports of a run.
    pub(crate) report_max_ms: u64,
    /// Wall time between two checkpoints, unless a run says otherwise.
    pub(crate) checkpoint_ms: u64,
    /// Largest checkpoint.
    pub(crate) max_checkpoint_bytes: u64,
    /// Most metric points of one report.
    pub(crate) max_report_points: usize,
}

/// What a worker has left for one more run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Free {
    pub(crate) slots: u32,
    pub(crate) memory_bytes: u64,
}

/// Everything a worker needs to begin or resume a run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Lease {
    pub(crate) run: RunId,
    pub(crate) job: JobId,
    pub(crate) attempt: u32,
    pub(crate) experiment: String,
    pub(crate) version: u32,
    /// Canonical params.
    pub(crate) params: String,
    pub(crate) seed: u64,
    pub(crate) dataset: Option<DatasetHash>,
    /// Steps between observations; a hundredth of the run when absent.
    pub(crate) every: Option<u64>,
    /// Steps between checkpoints; by wall time when absent.
    pub(crate) checkpoint_every_steps: Option<u64>,
    /// Newest good checkpoint.
    pub(crate) checkpoint: Option<CheckpointRef>,
    /// Checkpoints of finished runs that it builds on, each under its name.
    pub(crate) sources: Vec<(String, CheckpointRef)>,
    pub(crate) lease_ms: u64,
    pub(crate) on_nonfinite: NonFinite,
    /// Wall time of the attempt, in seconds.
    pub(crate) wall_s: u64,
}

/// Why a call was not answered as hoped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// The server is away or busy: trying again helps.
    #[error("the server does not answer: {0}")]
    Unreachable(String),
    /// The attempt is not the current one: drop it.
    #[error("the attempt is over; the current one is {current}")]
    Stale {
        /// The last attempt granted.
        current: String,
    },
    /// There is no such thing.
    #[error("{0}")]
    Missing(String),
    /// The server will not take it: trying again does not help.
    #[error("the server refuses: {0}")]
    Refused(String),
}

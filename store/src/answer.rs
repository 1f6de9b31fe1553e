//! What goes into a store and comes out of it, where the words of `jobs` have no name for it.

use jobs::{
    Change, DatasetHash, Job, JobId, JobSource, JobSpec, Millis, Run, RunId, RunSpec, Value, WorkerInfo,
};

/// A checked job on its way in.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// Its id, made by the caller.
    pub id: JobId,
    /// As submitted, with the version filled in.
    pub spec: JobSpec,
    /// The data set its name means now.
    pub dataset: Option<DatasetHash>,
    /// The checkpoints that its sources mean now; kept from here on as long as the job.
    pub from: Vec<JobSource>,
    /// Its runs, by index.
    pub runs: Vec<NewRun>,
    /// The client's idempotency key and a hash of the request's body.
    pub idempotency: Option<(String, [u8; 32])>,
    /// When it was accepted.
    pub now: Millis,
}

/// One run of a [`NewJob`].
#[derive(Debug, Clone)]
pub struct NewRun {
    /// Its id, made by the caller.
    pub id: RunId,
    /// What it computes.
    pub spec: RunSpec,
}

/// A job in the store.
#[derive(Debug, Clone)]
pub struct Submitted {
    /// The job.
    pub job: Job,
    /// Whether this call made it; else the same key had made it before.
    pub created: bool,
}

/// A worker asks for work.
#[derive(Debug, Clone)]
pub struct AcquireRequest {
    /// Who asks, and what it can run.
    pub worker: WorkerInfo,
    /// Memory that its other runs leave, in bytes.
    pub free_memory: u64,
    /// When, on the server's clock.
    pub now: Millis,
    /// How long the lease is good for.
    pub ttl_ms: u64,
}

/// A lease and everything the worker needs to begin.
#[derive(Debug, Clone)]
pub struct Granted {
    /// The run, in state running, its attempt raised.
    pub run: Run,
    /// Its job.
    pub job: Job,
    /// Newest good checkpoint.
    pub checkpoint: Option<StoredCheckpoint>,
}

/// What a user asks of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// End every run that has not ended.
    Cancel,
    /// Put every run that has not ended aside.
    Pause,
    /// Queue every paused run.
    Resume,
}

impl Verb {
    pub(crate) fn change(self) -> Change {
        match self {
            Self::Cancel => Change::Cancel,
            Self::Pause => Change::Pause,
            Self::Resume => Change::Resume,
        }
    }
}

/// Where it may be worth looking: told by one server to the others of the same store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hint {
    /// There may be a run to lease.
    Work,
    /// A job has a new event.
    Job(JobId),
    /// Something may have been missed: any of the above.
    Anything,
}

/// A piece of a blob, at most 1 MiB.
#[derive(Debug, Clone)]
pub struct Chunk {
    /// Its place, from 0.
    pub n: u32,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Why a checkpoint is no good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// Its bytes are not those that were put: they go, also where other checkpoints name them.
    Damaged,
    /// Its bytes are as they were put, but its run cannot go on from them: they stay, for others may.
    Refused,
}

/// A checkpoint as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredCheckpoint {
    /// Step of the state.
    pub step: u64,
    /// The attempt that made it.
    pub attempt: u32,
    /// BLAKE3 of all bytes as stored.
    pub digest: [u8; 32],
    /// Length of all bytes.
    pub bytes: u64,
    /// When it was stored.
    pub at: Millis,
    /// What the metric was by which the job keeps its best ones.
    pub score: Option<f64>,
    /// Whether a user said to keep it.
    pub pinned: bool,
}

/// What is to be removed.
#[derive(Debug, Clone, Copy)]
pub struct Collect {
    /// Chunks that nothing names go when they came, and lost their name, before this.
    pub before: Millis,
    /// Whether checkpoints go of runs that have ended: all but the final one, pinned ones and those jobs build on.
    pub final_only: bool,
    /// Whether to count only.
    pub dry_run: bool,
    /// When, on the server's clock.
    pub now: Millis,
}

/// What was removed, or would be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Collected {
    /// Checkpoints that are forgotten; their chunks go a while later.
    pub checkpoints: u64,
    /// Their length.
    pub checkpoint_bytes: u64,
    /// Chunks, of checkpoints that nothing names and of data sets that never became complete.
    pub chunks: u64,
    /// Their length, as it was sent.
    pub chunk_bytes: u64,
}

impl Collected {
    pub(crate) fn checkpoint(&mut self, bytes: u64) {
        self.checkpoints += 1;
        self.checkpoint_bytes += bytes;
    }

    pub(crate) fn add(&mut self, more: Self) {
        self.checkpoints += more.checkpoints;
        self.checkpoint_bytes += more.checkpoint_bytes;
        self.chunks += more.chunks;
        self.chunk_bytes += more.chunk_bytes;
    }
}

/// A data set on its way in.
#[derive(Debug, Clone)]
pub struct NewDataset {
    /// Name to call it by.
    pub name: String,
    /// BLAKE3 of `content`; checked.
    pub hash: DatasetHash,
    /// `images`.
    pub kind: String,
    /// Shape and meta for people and plans, as JSON text.
    pub shape: String,
    /// Whose it is and under which licence, when known.
    pub attribution: Option<String>,
    /// The encoded content; the store compresses it.
    pub content: Vec<u8>,
}

/// A data set in the store.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// Hash of its content.
    pub hash: DatasetHash,
    /// Its names, sorted.
    pub names: Vec<String>,
    /// `images`.
    pub kind: String,
    /// Shape and meta, as JSON text.
    pub shape: String,
    /// Whose it is and under which licence.
    pub attribution: Option<String>,
    /// Length of the encoded content.
    pub bytes: u64,
    /// When it came.
    pub created_at: Millis,
    /// Whether this call made it.
    pub created: bool,
}

/// A page of a list: `limit` entries after a cursor.
#[derive(Debug, Clone)]
pub struct Page<C> {
    /// The last entry already seen.
    pub after: Option<C>,
    /// At most that many.
    pub limit: u32,
}

/// Jobs, newest first.
#[derive(Debug, Clone)]
pub struct JobPage {
    /// The jobs.
    pub jobs: Vec<Job>,
    /// Whether more follow.
    pub more: bool,
}

/// Runs by index.
#[derive(Debug, Clone)]
pub struct RunPage {
    /// The runs.
    pub runs: Vec<Run>,
    /// Whether more follow.
    pub more: bool,
}

/// Which runs are ranked by a metric, and how.
#[derive(Debug, Clone)]
pub struct RankQuery {
    /// The metric; by its last value, where that is finite.
    pub metric: String,
    /// Only runs of this experiment.
    pub experiment: Option<String>,
    /// Only runs of this job.
    pub job: Option<JobId>,
    /// Greatest first.
    pub descending: bool,
    /// At most so many.
    pub limit: u32,
}

/// A run with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranked {
    /// The run.
    pub run: Run,
    /// Last value of the metric.
    pub value: f64,
    /// Step of that value.
    pub step: u64,
}

/// One metric of a run, without its values.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Its name.
    pub name: String,
    /// How it is drawn.
    pub kind: jobs::MetricKind,
    /// How many steps have a value.
    pub count: u64,
    /// The last step that has one.
    pub last_step: u64,
    /// Its value there, when it is a scalar.
    pub last: Option<f64>,
}

/// Which values of a metric.
#[derive(Debug, Clone)]
pub struct MetricQuery {
    /// The run.
    pub run: RunId,
    /// The metric.
    pub name: String,
    /// First step.
    pub from: u64,
    /// Last step.
    pub to: u64,
    /// At most that many rows of a scalar: the first, the last, and of each bucket the least and the greatest.
    pub points: u32,
}

/// Values by step.
#[derive(Debug, Clone)]
pub struct Rows {
    /// Whether rows were left out.
    pub sampled: bool,
    /// How many there are.
    pub total: u64,
    /// Step, the attempt that first wrote it, and value.
    pub rows: Vec<(u64, u32, Value)>,
}

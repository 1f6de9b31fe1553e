//! Durable state behind one trait: memory, SQLite, Postgres.
//!
//! One method = one transaction = one verb. No rules here: what may change is decided by [`jobs::apply`], a store
//! persists what it answers. An answer leaves only after the commit.
#![forbid(unsafe_code)]

mod answer;
mod backup;
pub mod conformance;
mod error;
mod gather;
mod limits;
mod memory;
mod postgres;
mod prefix;
mod rows;
mod sqlite;
mod sqlx_error;
mod thin;
mod weight;

use async_trait::async_trait;
use jobs::{DatasetHash, Event, Job, JobId, Millis, Report, Run, RunId, WorkerId, WorkerInfo};
use tokio::sync::broadcast::Receiver;

pub use answer::{
    AcquireRequest, Chunk, Collect, Collected, Dataset, Granted, Hint, JobPage, MetricQuery, NewDataset,
    NewJob, NewRun, Page, RankQuery, Ranked, Rows, RunPage, Series, StoredCheckpoint, Submitted, Unfit, Verb,
};
pub use backup::{Contents, Place, backup, restore};
pub use error::StoreError;
pub use memory::Memory;
pub use postgres::{Postgres, PostgresOptions};
pub use sqlite::{Sqlite, SqliteOptions};

/// Answer of a store.
pub type Result<T> = std::result::Result<T, StoreError>;

/// Everything the server keeps. All methods are safe to call from many tasks at once.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Stores a job with its runs and its first event, or answers the job that the same idempotency key made. The
    /// checkpoints that it builds on must be there, and are kept from here on.
    async fn submit(&self, job: NewJob) -> Result<Submitted>;

    /// Leases the run that [`jobs::choose`] picks, with a new attempt number; `None` when nothing fits.
    async fn acquire(&self, request: AcquireRequest) -> Result<Option<Granted>>;

    /// Takes a report: fence check, metrics, checkpoint, outcome and events in one transaction.
    async fn report(&self, report: Report, now: Millis) -> Result<jobs::Directive>;

    /// Cancels, pauses or resumes every run of a job. Repeating it changes nothing.
    async fn wish(&self, job: JobId, verb: Verb, now: Millis) -> Result<Job>;

    /// Ends the attempts whose lease ran out or made no progress; answers the jobs that changed.
    async fn expire_leases(&self, now: Millis) -> Result<Vec<JobId>>;

    /// Gives every running lease time until `until`: a time without any server costs no attempt. Does nothing when
    /// another server of the same store looked for lost leases a moment ago.
    async fn extend_leases(&self, until: Millis) -> Result<()>;

    /// Stores chunks of a checkpoint that a later report will name. Storing one again changes nothing.
    async fn put_chunks(&self, digest: [u8; 32], chunks: Vec<Chunk>, now: Millis) -> Result<()>;

    /// Reads one chunk of a checkpoint; `None` after the last.
    async fn checkpoint_chunk(&self, digest: [u8; 32], n: u32) -> Result<Option<Vec<u8>>>;

    /// Checkpoints of a run, newest first, corrupt ones left out.
    async fn checkpoints(&self, run: RunId) -> Result<Vec<StoredCheckpoint>>;

    /// Marks a checkpoint that nobody goes on from, with an event, so that the one before it is used.
    async fn mark_corrupt(&self, run: RunId, step: u64, why: Unfit, now: Millis) -> Result<()>;

    /// Pins a checkpoint, so that it stays whatever the job keeps, or leaves it to the job's rule again.
    async fn pin_checkpoint(
        &self,
        run: RunId,
        step: u64,
        pinned: bool,
        now: Millis,
    ) -> Result<StoredCheckpoint>;

    /// Removes what nothing names any more.
    async fn collect(&self, what: Collect) -> Result<Collected>;

    /// Stores a data set. Known content gets one more name; a name taken by other content is refused.
    async fn put_dataset(&self, dataset: NewDataset, now: Millis) -> Result<Dataset>;

    /// Data set by name or by hash text.
    async fn dataset(&self, name_or_hash: &str) -> Result<Option<Dataset>>;

    /// All data sets, by name.
    async fn datasets(&self) -> Result<Vec<Dataset>>;

    /// Reads one chunk (≤ 1 MiB decoded) of a data set's content; `None` after the last.
    async fn dataset_chunk(&self, hash: DatasetHash, n: u32) -> Result<Option<Vec<u8>>>;

    /// Stores what a worker says of itself, or that it was heard of again.
    async fn register(&self, worker: WorkerInfo) -> Result<()>;

    /// Workers heard of since `since`.
    async fn workers(&self, since: Millis) -> Result<Vec<WorkerInfo>>;

    /// Notes that a worker lives.
    async fn touch_worker(&self, worker: WorkerId, now: Millis) -> Result<()>;

    /// One job.
    async fn job(&self, id: JobId) -> Result<Option<Job>>;

    /// Jobs, newest first.
    async fn jobs(&self, page: Page<JobId>) -> Result<JobPage>;

    /// One run.
    async fn run(&self, id: RunId) -> Result<Option<Run>>;

    /// Runs of a job by index.
    async fn runs(&self, job: JobId, page: Page<u32>) -> Result<RunPage>;

    /// Events of a job with `seq > after`, oldest first, at most `limit`.
    async fn events(&self, job: JobId, after: u64, limit: u32) -> Result<Vec<Event>>;

    /// Names, kinds and sizes of a run's metrics, by name.
    async fn series(&self, run: RunId) -> Result<Vec<Series>>;

    /// Runs by the last value of a metric, equal ones by id; runs whose value is not finite are left out.
    async fn ranked(&self, query: RankQuery) -> Result<Vec<Ranked>>;

    /// Values of one metric by step, thinned to `points` real rows when it is a scalar with more.
    async fn metrics(&self, query: MetricQuery) -> Result<Rows>;

    /// The job whose id begins with `prefix` (6 hexadecimal digits or more); `None` when there is none.
    async fn find_job(&self, prefix: &str) -> Result<Option<JobId>>;

    /// The run whose id begins with `prefix` (6 hexadecimal digits or more); `None` when there is none.
    async fn find_run(&self, prefix: &str) -> Result<Option<RunId>>;

    /// How many jobs have runs that wait for a worker.
    async fn queued_jobs(&self) -> Result<u64>;

    /// How many runs are in each state, over all jobs; for telemetry.
    async fn run_counts(&self) -> Result<jobs::Counts>;

    /// What time it is for leases: `here`, or the time on the clock that all servers of this store share. Everything
    /// that is called `now`, `until`, `since` or `before` here is meant on that clock.
    async fn now(&self, here: Millis) -> Result<Millis> {
        Ok(here)
    }

    /// Tells the other servers of this store, if there are any. They may miss it.
    async fn tell(&self, _hints: &[Hint]) -> Result<()> {
        Ok(())
    }

    /// Hears what other servers of this store tell; `None` when there can be none.
    fn hints(&self) -> Option<Receiver<Hint>> {
        None
    }

    /// Whether it can answer.
    async fn ping(&self) -> Result<()>;

    /// Finishes the writes that wait and stops taking new ones.
    async fn close(&self) -> Result<()>;
}

//! Locks, held until the end of the transaction.
//!
//! The order is run, chunks, worker, job; who holds a job's row asks for nothing else of that job. What meets all the
//! same is a deadlock that Postgres ends and [`super::Postgres::write`] tries again.

use jobs::{DatasetHash, JobId, JobSource, Run, RunId};

use super::{Db, Row};
use crate::rows::{self, int};
use crate::{AcquireRequest, Result};

/// First halves of advisory locks: what the second half is a hash of.
const CHECKPOINT: i32 = 2;
const DATASET: i32 = 3;

/// A run that nobody else changes until this transaction ends.
pub(super) async fn run(db: &mut Db, id: RunId) -> Result<Option<Run>> {
    let found =
        sqlx::query("SELECT * FROM run WHERE id = $1 FOR NO KEY UPDATE").bind(id.0).fetch_optional(db);
    found.await?.as_ref().map(rows::run).transpose()
}

/// Several of them, those that are there, and their series. Ids sort by the time they were made, as runs of a job do by
/// index. The series are read when the runs are locked: until then others may change them.
pub(super) async fn runs_with_series(db: &mut Db, ids: &[RunId]) -> Result<(Vec<Run>, Vec<Row>)> {
    let ids: Vec<_> = ids.iter().map(|id| id.0).collect();
    let runs = sqlx::query("SELECT * FROM run WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE").bind(&ids);
    let runs = runs.fetch_all(&mut *db).await?.iter().map(rows::run).collect::<Result<_>>()?;
    let series = sqlx::query("SELECT * FROM series WHERE run_id = ANY($1)").bind(&ids);
    Ok((runs, series.fetch_all(db).await?))
}

/// A run, unless somebody else is about to change it.
pub(super) async fn run_if_free(db: &mut Db, id: RunId) -> Result<Option<Run>> {
    let found = sqlx::query("SELECT * FROM run WHERE id = $1 FOR NO KEY UPDATE SKIP LOCKED").bind(id.0);
    found.fetch_optional(db).await?.as_ref().map(rows::run).transpose()
}

/// The first run of `job` that is due, fits, and that no other worker is about to get.
pub(super) async fn due(
    db: &mut Db,
    job: JobId,
    _run: RunId,
    request: &AcquireRequest,
) -> Result<Option<Run>> {
    let due = sqlx::query(
        "SELECT * FROM run WHERE job_id = $1 AND state = 'queued' AND coalesce(not_before, 0) <= $2
           AND memory_bytes <= $3 ORDER BY idx LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED",
    );
    let largest = jobs::largest_plan(request.free_memory);
    let found = due.bind(job.0).bind(int(request.now)).bind(int(largest)).fetch_optional(db).await?;
    found.as_ref().map(rows::run).transpose()
}

/// All runs of a job, by index.
pub(super) async fn runs(db: &mut Db, job: JobId) -> Result<Vec<Run>> {
    let found = sqlx::query("SELECT * FROM run WHERE job_id = $1 ORDER BY idx FOR NO KEY UPDATE").bind(job.0);
    found.fetch_all(db).await?.iter().map(rows::run).collect()
}

/// All runs that are leased, or wait for a time.
pub(super) async fn timed(db: &mut Db) -> Result<Vec<Run>> {
    let timed = "SELECT * FROM run WHERE state = 'running' OR (state = 'queued' AND not_before IS NOT NULL)
        ORDER BY job_id, idx FOR NO KEY UPDATE";
    sqlx::query(timed).fetch_all(db).await?.iter().map(rows::run).collect()
}

/// The runs that a job will build on: meanwhile none of their checkpoints goes.
pub(super) async fn sources(db: &mut Db, sources: &[JobSource]) -> Result<()> {
    let ids: Vec<_> = sources.iter().map(|source| source.run.0).collect();
    let runs = sqlx::query("SELECT 1 FROM run WHERE id = ANY($1) ORDER BY job_id, idx FOR NO KEY UPDATE");
    runs.bind(ids).execute(db).await?;
    Ok(())
}

/// The chunks of a checkpoint: they are neither named nor removed by others.
pub(super) async fn checkpoint(db: &mut Db, digest: [u8; 32]) -> Result<()> {
    advisory(db, CHECKPOINT, digest).await
}

/// The chunks of a data set, and its row.
pub(super) async fn dataset(db: &mut Db, hash: DatasetHash) -> Result<()> {
    advisory(db, DATASET, hash.0).await
}

/// Two hashes that begin alike share a lock: one waits for the other.
async fn advisory(db: &mut Db, class: i32, [a, b, c, d, ..]: [u8; 32]) -> Result<()> {
    let lock = sqlx::query("SELECT pg_advisory_xact_lock($1, $2)").bind(class);
    lock.bind(i32::from_le_bytes([a, b, c, d])).execute(db).await?;
    Ok(())
}

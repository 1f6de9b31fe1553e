//! Locks on rows. SQLite has one writer, so whoever writes is alone: reading is enough.

use futures::TryStreamExt as _;
use jobs::{DatasetHash, JobId, JobSource, Run, RunId};
use sqlx::{Either, Executor as _};

use super::{Db, Row};
use crate::{AcquireRequest, Result, rows};

/// A run that nobody else changes until this transaction ends.
pub(super) async fn run(db: &mut Db, id: RunId) -> Result<Option<Run>> {
    let found = sqlx::query("SELECT * FROM run WHERE id = $1").bind(id.0).fetch_optional(db);
    found.await?.as_ref().map(rows::run).transpose()
}

/// Several of them, those that are there, and their series.
pub(super) async fn runs_with_series(db: &mut Db, ids: &[RunId]) -> Result<(Vec<Run>, Vec<Row>)> {
    let ids: Vec<String> = ids.iter().map(|id| id.0.simple().to_string()).collect();
    let found = sqlx::query(
        "SELECT * FROM run WHERE id IN (SELECT unhex(value) FROM json_each($1));
         SELECT * FROM series WHERE run_id IN (SELECT unhex(value) FROM json_each($1))",
    );
    let (mut runs, mut series, mut is_first) = (Vec::new(), Vec::new(), true);
    let mut found = db.fetch_many(found.bind(rows::json(&ids)?));
    while let Some(next) = found.try_next().await? {
        match next {
            Either::Right(row) if is_first => runs.push(rows::run(&row)?),
            Either::Right(row) => series.push(row),
            Either::Left(_) => is_first = false,
        }
    }
    Ok((runs, series))
}

/// A run, unless somebody else is about to change it.
pub(super) async fn run_if_free(db: &mut Db, id: RunId) -> Result<Option<Run>> {
    run(db, id).await
}

/// `run`, the first one of `job` that is due.
pub(super) async fn due(
    db: &mut Db,
    _job: JobId,
    run: RunId,
    _request: &AcquireRequest,
) -> Result<Option<Run>> {
    self::run(db, run).await
}

/// All runs of a job, by index.
pub(super) async fn runs(db: &mut Db, job: JobId) -> Result<Vec<Run>> {
    let found = sqlx::query("SELECT * FROM run WHERE job_id = $1 ORDER BY idx").bind(job.0).fetch_all(db);
    found.await?.iter().map(rows::run).collect()
}

/// All runs that are leased, or wait for a time.
pub(super) async fn timed(db: &mut Db) -> Result<Vec<Run>> {
    let timed = "SELECT * FROM run WHERE state = 'running' OR (state = 'queued' AND not_before IS NOT NULL)";
    sqlx::query(timed).fetch_all(db).await?.iter().map(rows::run).collect()
}

/// The runs that a job will build on.
pub(super) async fn sources(_db: &mut Db, _sources: &[JobSource]) -> Result<()> {
    Ok(())
}

/// The chunks of a checkpoint: they are neither named nor removed by others.
pub(super) async fn checkpoint(_db: &mut Db, _digest: [u8; 32]) -> Result<()> {
    Ok(())
}

/// The chunks of a data set, and its row.
pub(super) async fn dataset(_db: &mut Db, _hash: DatasetHash) -> Result<()> {
    Ok(())
}

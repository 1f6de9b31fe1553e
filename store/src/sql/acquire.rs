//! Leasing a run to a worker.

use jobs::{Candidate, Change, JobId, Policy, RunId};

use super::{Db, Row, checkpoints, dialect, lock, read, runs, workers};
use crate::rows::{self, Columns as _, int};
use crate::{AcquireRequest, Granted, Result, StoreError};

/// Of each job that the worker can serve, the first run that is due and not too large. The statement only narrows
/// down what is read, in the order of [`jobs::choose`], which decides.
pub(super) async fn candidates(db: &mut Db, request: &AcquireRequest) -> Result<Vec<(RunId, Candidate)>> {
    let found = sqlx::query(dialect::CANDIDATES)
        .bind(int(request.now))
        .bind(int(jobs::largest_plan(request.free_memory)))
        .bind(workers::catalogue(&request.worker)?)
        .bind(rows::labels(&request.worker.labels)?)
        .fetch_all(db)
        .await?;
    let candidate = |row: &Row| {
        let candidate = Candidate {
            job: JobId(row.id("job_id")?),
            created_at: row.number("created_at")?,
            experiment: row.text("experiment")?,
            version: row.number("version")?,
            requires: rows::from_json(&row.text("requires")?)?,
            priority: row.number("priority")?,
            running: row.number("running")?,
            index: row.number("idx")?,
            memory_bytes: row.number("memory_bytes")?,
        };
        Ok((RunId(row.id("run_id")?), candidate))
    };
    found.iter().map(candidate).collect()
}

pub(super) async fn acquire(
    db: &mut Db,
    request: &AcquireRequest,
    policy: &Policy,
) -> Result<Option<Granted>> {
    workers::touch(db, &[request.worker.id], request.now).await?;
    let (mut ids, mut words): (Vec<_>, Vec<_>) = candidates(db, request).await?.into_iter().unzip();
    while let Some(at) = jobs::choose(&words, &request.worker, request.free_memory) {
        let (candidate, run) = (words.remove(at), ids.remove(at));
        // Nobody waits for a run that another worker is about to get: it is passed over.
        let Some(before) = lock::due(db, candidate.job, run, request).await? else { continue };
        let change = Change::Acquire { worker: request.worker.id, ttl_ms: request.ttl_ms };
        let transition = jobs::apply(&before, &change, request.now, policy)?;
        let run = transition.run.clone();
        runs::persist(db, &before, transition, request.now).await?;
        let job = read::job(db, run.job).await?.ok_or(StoreError::NoJob(run.job))?;
        let checkpoint = checkpoints::good(db, run.id).await?.into_iter().next();
        return Ok(Some(Granted { run, job, checkpoint }));
    }
    Ok(None)
}

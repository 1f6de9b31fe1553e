//! Leasing a run to a worker.

use jobs::{Candidate, Change, Policy, RunId};

use super::{Db, checkpoints, read, runs, workers};
use crate::rows::{self, Columns as _, int};
use crate::{AcquireRequest, Granted, Result, StoreError};

/// Of each job that the worker can serve, the first run that is due and not too large. The statement only narrows
/// down what is read, in the order of [`jobs::choose`], which decides.
const CANDIDATES: &str = "
    SELECT job.id AS job_id, job.created_at, job.experiment, job.version, job.requires, job.priority, job.running,
           run.id AS run_id, run.idx, run.memory_bytes
    FROM job JOIN run ON run.job_id = job.id AND run.idx = (
           SELECT due.idx FROM run AS due
           WHERE due.job_id = job.id AND due.state = 'queued'
             AND coalesce(due.not_before, 0) <= ?1 AND due.memory_bytes <= ?2
           ORDER BY due.idx LIMIT 1)
    WHERE job.queued > 0
      AND EXISTS (SELECT 1 FROM json_each(?3) AS can
                  WHERE can.value ->> 0 = job.experiment AND can.value ->> 1 = job.version)
      AND NOT EXISTS (SELECT 1 FROM json_each(job.requires) AS need
                      WHERE need.value IS NOT (SELECT has.value FROM json_each(?4) AS has WHERE has.key = need.key))
    ORDER BY job.priority DESC, job.running, job.created_at, job.id
    LIMIT 64";

pub(super) async fn candidates(db: &mut Db, request: &AcquireRequest) -> Result<Vec<(RunId, Candidate)>> {
    let found = sqlx::query(CANDIDATES)
        .bind(int(request.now))
        .bind(int(jobs::largest_plan(request.free_memory)))
        .bind(workers::catalogue(&request.worker)?)
        .bind(rows::json(&request.worker.labels)?)
        .fetch_all(db)
        .await?;
    let candidate = |row: &sqlx::sqlite::SqliteRow| {
        let candidate = Candidate {
            job: rows::job_id(row, "job_id")?,
            created_at: row.number("created_at")?,
            experiment: row.text("experiment")?,
            version: row.number("version")?,
            requires: rows::from_json(&row.text("requires")?)?,
            priority: row.number("priority")?,
            running: row.number("running")?,
            index: row.number("idx")?,
            memory_bytes: row.number("memory_bytes")?,
        };
        Ok((rows::run_id(row, "run_id")?, candidate))
    };
    found.iter().map(candidate).collect()
}

pub(super) async fn acquire(
    db: &mut Db,
    request: &AcquireRequest,
    policy: &Policy,
) -> Result<Option<Granted>> {
    workers::touch(db, request.worker.id, request.now).await?;
    let (ids, words): (Vec<_>, Vec<_>) = candidates(db, request).await?.into_iter().unzip();
    let Some(at) = jobs::choose(&words, &request.worker, request.free_memory) else { return Ok(None) };
    let before = runs::load(db, ids[at]).await?;
    let change = Change::Acquire { worker: request.worker.id, ttl_ms: request.ttl_ms };
    let transition = jobs::apply(&before, &change, request.now, policy)?;
    let run = transition.run.clone();
    runs::persist(db, &before, transition, request.now).await?;
    let job = read::job(db, run.job).await?.ok_or(StoreError::NoJob(run.job))?;
    let checkpoint = checkpoints::good(db, run.id).await?.into_iter().next();
    Ok(Some(Granted { run, job, checkpoint }))
}

//! Storing a job with its runs.

use jobs::{EventKind, JobId, JobSource};

use super::{Db, lock, read, runs};
use crate::rows::{self, Columns as _, int};
use crate::{NewJob, NewRun, Result, StoreError, Submitted, limits};

pub(super) async fn submit(db: &mut Db, new: &NewJob) -> Result<Submitted> {
    if let Some(job) = made_before(db, new).await? {
        let job = read::job(db, job).await?.ok_or(StoreError::NoJob(job))?;
        return Ok(Submitted { job, created: false });
    }
    lock::sources(db, &new.from).await?;
    insert_job(db, new).await?;
    for (place, source) in (0..).zip(&new.from) {
        insert_source(db, new.id, place, source).await?;
    }
    for run in &new.runs {
        insert_run(db, new.id, run, new.now).await?;
    }
    if let Some((key, body)) = &new.idempotency {
        sqlx::query("INSERT INTO idempotency (key, body, job_id, at) VALUES ($1, $2, $3, $4)")
            .bind(key)
            .bind(body.as_slice())
            .bind(new.id.0)
            .bind(int(new.now))
            .execute(&mut *db)
            .await?;
    }
    let runs = u32::try_from(new.runs.len()).map_err(rows::broken)?;
    runs::log(db, new.id, &[EventKind::JobSubmitted { runs }], new.now).await?;
    let job = read::job(db, new.id).await?.ok_or(StoreError::NoJob(new.id))?;
    Ok(Submitted { job, created: true })
}

/// The job that the same key made, if its body was the same. Keys that are old enough are forgotten first.
async fn made_before(db: &mut Db, new: &NewJob) -> Result<Option<JobId>> {
    let Some((key, body)) = &new.idempotency else { return Ok(None) };
    lock::key(db, key).await?;
    sqlx::query("DELETE FROM idempotency WHERE at <= $1")
        .bind(int(new.now.saturating_sub(limits::KEY_MS)))
        .execute(&mut *db)
        .await?;
    let found = sqlx::query("SELECT body, job_id FROM idempotency WHERE key = $1")
        .bind(key)
        .fetch_optional(db)
        .await?;
    let Some(row) = found else { return Ok(None) };
    if row.bytes::<32>("body")? != *body {
        return Err(StoreError::KeyReused(key.clone()));
    }
    Ok(Some(JobId(row.id("job_id")?)))
}

async fn insert_job(db: &mut Db, new: &NewJob) -> Result<()> {
    let spec = &new.spec;
    sqlx::query(
        "INSERT INTO job (id, spec, experiment, version, requires, priority, wall_ms, dataset, created_at, last_seq,
           queued, running, paused, succeeded, failed, cancelled)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10, 0, 0, 0, 0, 0)",
    )
    .bind(new.id.0)
    .bind(rows::json(spec)?)
    .bind(&spec.experiment)
    .bind(i64::from(spec.version.unwrap_or(1)))
    .bind(rows::labels(&spec.requires)?)
    .bind(i64::from(spec.priority))
    .bind(int(spec.limits.wall_s.saturating_mul(1_000)))
    .bind(new.dataset.map(|hash| hash.0.to_vec()))
    .bind(int(new.now))
    .bind(int(new.runs.len() as u64))
    .execute(db)
    .await?;
    Ok(())
}

/// Names a checkpoint for good: as long as this row is there, the checkpoint stays.
async fn insert_source(db: &mut Db, job: JobId, place: i64, source: &JobSource) -> Result<()> {
    let JobSource { name, run, checkpoint } = source;
    let inserted = sqlx::query(
        "INSERT INTO job_source (job_id, place, name, run_id, step, digest, bytes)
         SELECT $1, $2, $3, run_id, step, digest, bytes FROM checkpoint
         WHERE run_id = $4 AND step = $5 AND digest = $6 AND NOT corrupt",
    )
    .bind(job.0)
    .bind(place)
    .bind(name)
    .bind(run.0)
    .bind(int(checkpoint.step))
    .bind(checkpoint.digest.as_slice())
    .execute(db)
    .await?;
    match inserted.rows_affected() {
        1 => Ok(()),
        _ => Err(StoreError::NoCheckpoint { run: *run, step: checkpoint.step }),
    }
}

async fn insert_run(db: &mut Db, job: JobId, new: &NewRun, now: jobs::Millis) -> Result<()> {
    sqlx::query(
        "INSERT INTO run (id, job_id, idx, params, seed, steps, memory_bytes, state, wish, attempt, next_seq, step,
           counted_failures, uncounted_failures, stalled_attempts, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 'queued', 'none', 0, 0, 0, 0, 0, 0, $8)",
    )
    .bind(new.id.0)
    .bind(job.0)
    .bind(i64::from(new.spec.index))
    .bind(&new.spec.params)
    .bind(int(new.spec.seed))
    .bind(int(new.spec.steps))
    .bind(int(new.spec.memory_bytes))
    .bind(int(now))
    .execute(db)
    .await?;
    Ok(())
}

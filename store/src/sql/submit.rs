//! Storing jobs with their runs.

use std::collections::{BTreeMap, BTreeSet};

use jobs::{Counts, EventKind, Job, JobId, JobSource, Millis};

use super::bulk::{self, EventRow};
use super::{Db, dialect, lock, read};
use crate::rows::{self, Columns as _, int};
use crate::{NewJob, Result, StoreError, Submitted, limits};

/// Jobs with different idempotency keys, answered in their order; one error is that of all.
pub(super) async fn all(db: &mut Db, jobs: &[&NewJob]) -> Result<Vec<Submitted>> {
    let before = made_before(db, jobs).await?;
    let made = |job: &NewJob| job.idempotency.as_ref().and_then(|(key, _)| before.get(key));
    let new: Vec<&NewJob> = jobs.iter().copied().filter(|job| made(job).is_none()).collect();
    if !new.is_empty() {
        insert(db, &new).await?;
    }
    let mut answers = Vec::with_capacity(jobs.len());
    for job in jobs {
        answers.push(match made(job) {
            Some(id) => {
                let job = read::job(db, *id).await?.ok_or(StoreError::NoJob(*id))?;
                Submitted { job, created: false }
            }
            None => created(job)?,
        });
    }
    Ok(answers)
}

async fn insert(db: &mut Db, jobs: &[&NewJob]) -> Result<()> {
    let sources: Vec<_> = jobs.iter().flat_map(|job| job.from.iter().cloned()).collect();
    if !sources.is_empty() {
        lock::sources(db, &sources).await?;
    }
    if new(db, jobs).await?.len() < jobs.len() {
        // Another server has stored one of their keys since they were looked up; the next time they are found.
        return Err(StoreError::Busy);
    }
    for job in jobs {
        for (place, source) in (0..).zip(&job.from) {
            insert_source(db, job.id, place, source).await?;
        }
    }
    Ok(())
}

/// Stores jobs whose keys are free, without what they build on; answers which these are.
pub(in super::super) async fn new(db: &mut Db, jobs: &[&NewJob]) -> Result<BTreeSet<JobId>> {
    let event = |job: &&NewJob| EventRow::new(job.id, 1, job.now, &submitted(job)?);
    let events: Vec<_> = jobs.iter().map(event).collect::<Result<_>>()?;
    bulk::insert_jobs(db, jobs, &events, forgotten(jobs)).await
}

/// Idempotency keys of that time or before are forgotten.
fn forgotten(jobs: &[&NewJob]) -> Millis {
    jobs.iter().map(|job| job.now).min().unwrap_or(0).saturating_sub(limits::KEY_MS)
}

/// The first event of a job.
fn submitted(job: &NewJob) -> Result<EventKind> {
    Ok(EventKind::JobSubmitted { runs: u32::try_from(job.runs.len()).map_err(rows::broken)? })
}

/// The answer for a job that is there now: as it is read when nothing happened yet.
pub(super) fn created(new: &NewJob) -> Result<Submitted> {
    let job = Job {
        id: new.id,
        spec: new.spec.clone(),
        dataset: new.dataset,
        from: new.from.clone(),
        created_at: new.now,
        ended_at: None,
        last_seq: 1,
        counts: Counts { queued: u32::try_from(new.runs.len()).map_err(rows::broken)?, ..Counts::default() },
    };
    Ok(Submitted { job, created: true })
}

/// The jobs that the same keys made, if their bodies were the same.
async fn made_before(db: &mut Db, jobs: &[&NewJob]) -> Result<BTreeMap<String, JobId>> {
    let keyed = jobs.iter().filter_map(|job| job.idempotency.as_ref());
    let bodies: BTreeMap<&str, [u8; 32]> = keyed.map(|(key, body)| (key.as_str(), *body)).collect();
    if bodies.is_empty() {
        return Ok(BTreeMap::new());
    }
    let keys: Vec<&str> = bodies.keys().copied().collect();
    let mut made = BTreeMap::new();
    for row in dialect::known_keys(db, &keys).await? {
        if row.number::<u64>("at")? <= forgotten(jobs) {
            continue;
        }
        let key = row.text("key")?;
        if bodies.get(key.as_str()) != Some(&row.bytes::<32>("body")?) {
            return Err(StoreError::KeyReused(key));
        }
        made.insert(key, JobId(row.id("job_id")?));
    }
    Ok(made)
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

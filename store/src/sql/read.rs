//! Reading jobs, runs and events.

use jobs::{Counts, Event, Job, JobId, Run, RunId};
use uuid::Uuid;

use super::{Db, Row};
use crate::rows::{self, Columns as _, int};
use crate::{JobPage, Page, Result, RunPage, StoreError, prefix};

pub(super) async fn job(db: &mut Db, id: JobId) -> Result<Option<Job>> {
    let found = sqlx::query("SELECT * FROM job WHERE id = $1").bind(id.0);
    let Some(row) = found.fetch_optional(&mut *db).await? else { return Ok(None) };
    let mut jobs = [rows::job(&row)?];
    add_sources(db, &mut jobs).await?;
    let [job] = jobs;
    Ok(Some(job))
}

/// Adds what they build on to jobs that follow one another, newest first.
async fn add_sources(db: &mut Db, jobs: &mut [Job]) -> Result<()> {
    let (Some(newest), Some(oldest)) = (jobs.first(), jobs.last()) else { return Ok(()) };
    let found = sqlx::query("SELECT * FROM job_source WHERE job_id BETWEEN $1 AND $2 ORDER BY job_id, place")
        .bind(oldest.id.0)
        .bind(newest.id.0)
        .fetch_all(db)
        .await?;
    for row in &found {
        let id = JobId(row.id("job_id")?);
        if let Some(job) = jobs.iter_mut().find(|job| job.id == id) {
            job.from.push(rows::source(row)?);
        }
    }
    Ok(())
}

pub(super) async fn jobs(db: &mut Db, page: &Page<JobId>) -> Result<JobPage> {
    let before = page.after.unwrap_or(JobId(Uuid::max()));
    // Each value of each row costs SQLite an allocation: nothing is read that nobody wants.
    let mut found = sqlx::query(
        "SELECT id, spec, dataset, created_at, ended_at, last_seq, queued, running, paused, succeeded, failed, cancelled
         FROM job WHERE id < $1 ORDER BY id DESC LIMIT $2",
    )
        .bind(before.0)
        .bind(i64::from(page.limit) + 1)
        .fetch_all(&mut *db)
        .await?;
    let more = found.len() > page.limit as usize;
    found.truncate(page.limit as usize);
    let mut jobs = found.iter().map(rows::job).collect::<Result<Vec<_>>>()?;
    add_sources(db, &mut jobs).await?;
    Ok(JobPage { jobs, more })
}

pub(super) async fn run(db: &mut Db, id: RunId) -> Result<Option<Run>> {
    let found = sqlx::query("SELECT * FROM run WHERE id = $1").bind(id.0);
    found.fetch_optional(db).await?.as_ref().map(rows::run).transpose()
}

pub(super) async fn runs(db: &mut Db, job: JobId, page: &Page<u32>) -> Result<RunPage> {
    check_job(db, job).await?;
    let mut found = sqlx::query("SELECT * FROM run WHERE job_id = $1 AND idx > $2 ORDER BY idx LIMIT $3")
        .bind(job.0)
        .bind(page.after.map_or(-1, i64::from))
        .bind(i64::from(page.limit) + 1)
        .fetch_all(db)
        .await?;
    let more = found.len() > page.limit as usize;
    found.truncate(page.limit as usize);
    Ok(RunPage { runs: found.iter().map(rows::run).collect::<Result<_>>()?, more })
}

pub(super) async fn events(db: &mut Db, job: JobId, after: u64, limit: u32) -> Result<Vec<Event>> {
    check_job(db, job).await?;
    let found = sqlx::query(
        "SELECT seq, at, payload FROM event WHERE job_id = $1 AND seq > $2 ORDER BY seq LIMIT $3",
    )
    .bind(job.0)
    .bind(int(after))
    .bind(i64::from(limit))
    .fetch_all(db)
    .await?;
    let event = |row: &Row| {
        let kind = rows::from_json(&row.text("payload")?)?;
        Ok(Event { job, seq: row.number("seq")?, at: row.number("at")?, kind })
    };
    found.iter().map(event).collect()
}

async fn check_job(db: &mut Db, job: JobId) -> Result<()> {
    let found = sqlx::query("SELECT 1 FROM job WHERE id = $1").bind(job.0);
    found.fetch_optional(db).await?.map(|_| ()).ok_or(StoreError::NoJob(job))
}

/// Jobs whose id lies in a range.
pub(super) const JOBS: &str = "SELECT id FROM job WHERE id BETWEEN $1 AND $2 LIMIT 2";
/// Runs whose id lies in a range.
pub(super) const RUNS: &str = "SELECT id FROM run WHERE id BETWEEN $1 AND $2 LIMIT 2";

/// The only id that begins with `prefix`.
pub(super) async fn find(db: &mut Db, sql: &'static str, prefix: &str) -> Result<Option<Uuid>> {
    let (least, most) = prefix::range(prefix)?;
    let found = sqlx::query(sql).bind(least).bind(most).fetch_all(db).await?;
    let ids = found.iter().map(|row| row.id("id")).collect::<Result<Vec<_>>>()?;
    prefix::only(prefix, &ids)
}

pub(super) async fn queued_jobs(db: &mut Db) -> Result<u64> {
    sqlx::query("SELECT count(*) AS jobs FROM job WHERE queued > 0").fetch_one(db).await?.number("jobs")
}

pub(super) async fn counts(db: &mut Db) -> Result<Counts> {
    let sums = "SELECT CAST(coalesce(sum(queued), 0) AS BIGINT) AS queued, CAST(coalesce(sum(running), 0) AS BIGINT) AS running,
        CAST(coalesce(sum(paused), 0) AS BIGINT) AS paused, CAST(coalesce(sum(succeeded), 0) AS BIGINT) AS succeeded,
        CAST(coalesce(sum(failed), 0) AS BIGINT) AS failed, CAST(coalesce(sum(cancelled), 0) AS BIGINT) AS cancelled FROM job";
    rows::counts(&sqlx::query(sums).fetch_one(db).await?)
}

pub(super) async fn ping(db: &mut Db) -> Result<()> {
    sqlx::query("SELECT 1 FROM meta LIMIT 1").fetch_optional(db).await?;
    Ok(())
}

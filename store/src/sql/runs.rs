//! Changing runs: load, ask the rules, persist what they answer.

use jobs::{Change, EventKind, JobId, Millis, Policy, Refused, Run, RunId, RunState, Transition};
use sqlx::Row as _;

use super::{Db, lock, read};
use crate::rows::{self, Columns as _, int};
use crate::{Result, StoreError, Verb};

pub(super) async fn load(db: &mut Db, id: RunId) -> Result<Run> {
    read::run(db, id).await?.ok_or(StoreError::NoRun(id))
}

/// A run that nobody else changes until this transaction ends.
pub(super) async fn locked(db: &mut Db, id: RunId) -> Result<Run> {
    lock::run(db, id).await?.ok_or(StoreError::NoRun(id))
}

pub(super) async fn wish(
    db: &mut Db,
    job: JobId,
    verb: Verb,
    now: Millis,
    policy: &Policy,
) -> Result<jobs::Job> {
    let change = verb.change();
    for run in lock::runs(db, job).await? {
        match jobs::apply(&run, &change, now, policy) {
            Ok(transition) => persist(db, &run, transition, now).await?,
            Err(Refused::Terminal { .. }) => {} // what has ended wishes nothing
            Err(refused) => return Err(refused.into()),
        }
    }
    read::job(db, job).await?.ok_or(StoreError::NoJob(job))
}

/// The runs whose attempt is over by time, each with its job's longest wall time.
pub(super) async fn overdue(db: &mut Db, now: Millis, policy: &Policy) -> Result<Vec<(RunId, Change)>> {
    let running = "SELECT run.*, job.wall_ms FROM run JOIN job ON job.id = run.job_id
        WHERE run.state = 'running' ORDER BY run.job_id, run.idx";
    let mut overdue = Vec::new();
    for row in sqlx::query(running).fetch_all(db).await? {
        let run = rows::run(&row)?;
        let change = Change::Expire { wall_ms: row.number("wall_ms")? };
        if jobs::apply(&run, &change, now, policy).is_ok() {
            overdue.push((run.id, change));
        }
    }
    Ok(overdue)
}

pub(super) async fn expire(db: &mut Db, now: Millis, policy: &Policy) -> Result<Vec<JobId>> {
    let mut changed = Vec::new();
    for (id, change) in overdue(db, now, policy).await? {
        // A run that somebody else is about to change is not overdue, or will be seen the next time.
        let Some(run) = lock::run_if_free(db, id).await? else { continue };
        let Ok(transition) = jobs::apply(&run, &change, now, policy) else { continue };
        changed.push(run.job);
        persist(db, &run, transition, now).await?;
    }
    changed.sort();
    changed.dedup();
    Ok(changed)
}

pub(super) async fn extend(db: &mut Db, until: Millis, policy: &Policy) -> Result<()> {
    for run in lock::timed(db).await? {
        let transition = jobs::apply(&run, &Change::Extend { until }, until, policy)?;
        persist(db, &run, transition, until).await?;
    }
    Ok(())
}

/// Stores what the rules decided: the run, the counts and the log of its job, and the job's end with its last run.
pub(super) async fn persist(db: &mut Db, before: &Run, transition: Transition, now: Millis) -> Result<()> {
    if !transition.changed {
        return Ok(());
    }
    let Transition { run, log: kinds, .. } = transition;
    save(db, &run).await?;
    log(db, run.job, &kinds, now).await?;
    if before.state.name() != run.state.name() {
        recount(db, &run, before.state.name(), now).await?;
    }
    Ok(())
}

async fn save(db: &mut Db, run: &Run) -> Result<()> {
    let (not_before, lease) = match &run.state {
        RunState::Queued { not_before } => (*not_before, None),
        RunState::Running(lease) => (None, Some(lease)),
        _ => (None, None),
    };
    let (digest, failure) = match &run.state {
        RunState::Succeeded { digest } => (Some(digest), None),
        RunState::Failed { class, message } => (None, Some((class, message))),
        _ => (None, None),
    };
    let changed = sqlx::query(
        "UPDATE run SET state = $2, wish = $3, not_before = $4, worker = $5, ttl_ms = $6, expires_at = $7,
           granted_at = $8, progress_at = $9, told_at = $10, digest = $11, class = $12, message = $13, attempt = $14,
           next_seq = $15, step = $16, checkpoint_step = $17, counted_failures = $18, uncounted_failures = $19,
           stalled_attempts = $20, attempt_began_at = $21, updated_at = $22, server_was_away = $23
         WHERE id = $1",
    )
    .bind(run.id.0)
    .bind(run.state.name())
    .bind(rows::word(run.wish)?)
    .bind(not_before.map(int))
    .bind(lease.map(|lease| lease.worker.0))
    .bind(lease.map(|lease| int(lease.ttl_ms)))
    .bind(lease.map(|lease| int(lease.expires_at)))
    .bind(lease.map(|lease| int(lease.granted_at)))
    .bind(lease.map(|lease| int(lease.progress_at)))
    .bind(lease.and_then(|lease| lease.told_at).map(int))
    .bind(digest)
    .bind(failure.map(|(class, _)| class.name()))
    .bind(failure.map(|(_, message)| rows::text(message)))
    .bind(i64::from(run.attempt))
    .bind(int(run.next_seq))
    .bind(int(run.step))
    .bind(run.checkpoint_step.map(int))
    .bind(i64::from(run.counted_failures))
    .bind(i64::from(run.uncounted_failures))
    .bind(i64::from(run.stalled_attempts))
    .bind(run.attempt_began_at.map(int))
    .bind(int(run.updated_at))
    .bind(lease.is_some_and(|lease| lease.server_was_away))
    .execute(db)
    .await?;
    if changed.rows_affected() == 1 { Ok(()) } else { Err(StoreError::NoRun(run.id)) }
}

/// Appends to the log of a job; the numbers are handed out here.
pub(super) async fn log(db: &mut Db, job: JobId, kinds: &[EventKind], now: Millis) -> Result<()> {
    if kinds.is_empty() {
        return Ok(());
    }
    let last: i64 = sqlx::query("UPDATE job SET last_seq = last_seq + $1 WHERE id = $2 RETURNING last_seq")
        .bind(int(kinds.len() as u64))
        .bind(job.0)
        .fetch_one(&mut *db)
        .await?
        .try_get(0)?;
    for (seq, kind) in (last + 1 - int(kinds.len() as u64)..).zip(kinds) {
        sqlx::query("INSERT INTO event (job_id, seq, at, kind, payload) VALUES ($1, $2, $3, $4, $5)")
            .bind(job.0)
            .bind(seq)
            .bind(int(now))
            .bind(kind.name())
            .bind(rows::json(kind)?)
            .execute(&mut *db)
            .await?;
    }
    Ok(())
}

/// Moves a run from one count of its job to another; ends the job with its last run.
async fn recount(db: &mut Db, run: &Run, before: &'static str, now: Millis) -> Result<()> {
    let job = sqlx::query(
        "UPDATE job SET queued = queued + CASE $3 WHEN 'queued' THEN 1 ELSE 0 END - CASE $2 WHEN 'queued' THEN 1 ELSE 0 END,
           running = running + CASE $3 WHEN 'running' THEN 1 ELSE 0 END - CASE $2 WHEN 'running' THEN 1 ELSE 0 END,
           paused = paused + CASE $3 WHEN 'paused' THEN 1 ELSE 0 END - CASE $2 WHEN 'paused' THEN 1 ELSE 0 END,
           succeeded = succeeded + CASE $3 WHEN 'succeeded' THEN 1 ELSE 0 END - CASE $2 WHEN 'succeeded' THEN 1 ELSE 0 END,
           failed = failed + CASE $3 WHEN 'failed' THEN 1 ELSE 0 END - CASE $2 WHEN 'failed' THEN 1 ELSE 0 END,
           cancelled = cancelled + CASE $3 WHEN 'cancelled' THEN 1 ELSE 0 END - CASE $2 WHEN 'cancelled' THEN 1 ELSE 0 END
         WHERE id = $1 RETURNING *",
    )
    .bind(run.job.0)
    .bind(before)
    .bind(run.state.name())
    .fetch_one(&mut *db)
    .await?;
    let outcome = rows::counts(&job)?.state();
    if !outcome.is_terminal() {
        return Ok(());
    }
    sqlx::query("UPDATE job SET ended_at = $1 WHERE id = $2")
        .bind(int(now))
        .bind(run.job.0)
        .execute(&mut *db)
        .await?;
    log(db, run.job, &[EventKind::JobEnded { outcome }], now).await
}

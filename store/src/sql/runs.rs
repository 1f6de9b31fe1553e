//! Changing runs: load, ask the rules, persist what they answer.

use jobs::{Change, EventKind, JobId, Millis, Policy, Refused, Run, RunId, Transition};
use sqlx::Row as _;

use super::bulk::{self, EventRow};
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
    let running = "SELECT run.*, (SELECT wall_ms FROM job WHERE id = run.job_id) AS wall_ms FROM run
        WHERE state = 'running' ORDER BY job_id, idx";
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
    bulk::save_runs(db, &[&transition.run]).await?;
    record(db, vec![(before, transition, now)]).await
}

/// Stores what follows from changes of runs that are saved already.
pub(super) async fn record(db: &mut Db, mut changes: Vec<(&Run, Transition, Millis)>) -> Result<()> {
    settle(db, &changes).await?;
    // Whoever changes several jobs changes them in this order, so that two servers do not wait for each other.
    changes.sort_by_key(|(before, ..)| before.job);
    for (before, Transition { run, log: kinds, .. }, now) in changes {
        log(db, run.job, &kinds, now).await?;
        if before.state.name() != run.state.name() {
            recount(db, &run, before.state.name(), now).await?;
        }
    }
    Ok(())
}

/// What runs said last is final when they have ended: from now on they are ranked by an index.
async fn settle(db: &mut Db, changes: &[(&Run, Transition, Millis)]) -> Result<()> {
    for (_, transition, _) in changes.iter().filter(|(_, transition, _)| transition.run.state.is_terminal()) {
        sqlx::query("UPDATE series SET final_value = last_value WHERE run_id = $1")
            .bind(transition.run.id.0)
            .execute(&mut *db)
            .await?;
    }
    Ok(())
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
    let numbered = (last + 1 - int(kinds.len() as u64)..).zip(kinds);
    let events = numbered.map(|(seq, kind)| EventRow::new(job, seq, now, kind)).collect::<Result<_>>()?;
    bulk::insert_events(db, events).await
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

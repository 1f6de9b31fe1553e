//! Many rows in one statement: they travel as one JSON document, and the statement stays the same however many there are.
//!
//! Field names are those of the columns. Ids and hashes are in hex, for JSON has no bytes.

use std::collections::BTreeSet;

use jobs::{JobId, Run, RunState};
use serde::Serialize;

use super::{Db, dialect, statements};
use crate::rows::{self, int};
use crate::{NewJob, NewRun, Result, StoreError};

/// A run as it is after a change.
#[derive(Serialize)]
struct Changed<'a> {
    id: String,
    state: &'static str,
    wish: String,
    not_before: Option<i64>,
    worker: Option<String>,
    ttl_ms: Option<i64>,
    expires_at: Option<i64>,
    granted_at: Option<i64>,
    progress_at: Option<i64>,
    told_at: Option<i64>,
    digest: Option<&'a str>,
    class: Option<&'static str>,
    message: Option<std::borrow::Cow<'a, str>>,
    attempt: u32,
    next_seq: i64,
    step: i64,
    checkpoint_step: Option<i64>,
    counted_failures: u32,
    uncounted_failures: u32,
    stalled_attempts: u32,
    attempt_began_at: Option<i64>,
    updated_at: i64,
    server_was_away: bool,
}

impl<'a> Changed<'a> {
    fn of(run: &'a Run) -> Result<Self> {
        let (not_before, lease) = match &run.state {
            RunState::Queued { not_before } => (*not_before, None),
            RunState::Running(lease) => (None, Some(lease)),
            _ => (None, None),
        };
        let (digest, failure) = match &run.state {
            RunState::Succeeded { digest } => (Some(digest.as_str()), None),
            RunState::Failed { class, message } => (None, Some((class, message))),
            _ => (None, None),
        };
        Ok(Self {
            id: hex(&run.id.0),
            state: run.state.name(),
            wish: rows::word(run.wish)?,
            not_before: not_before.map(int),
            worker: lease.map(|lease| hex(&lease.worker.0)),
            ttl_ms: lease.map(|lease| int(lease.ttl_ms)),
            expires_at: lease.map(|lease| int(lease.expires_at)),
            granted_at: lease.map(|lease| int(lease.granted_at)),
            progress_at: lease.map(|lease| int(lease.progress_at)),
            told_at: lease.and_then(|lease| lease.told_at).map(int),
            digest,
            class: failure.map(|(class, _)| class.name()),
            message: failure.map(|(_, message)| rows::text(message)),
            attempt: run.attempt,
            next_seq: int(run.next_seq),
            step: int(run.step),
            checkpoint_step: run.checkpoint_step.map(int),
            counted_failures: run.counted_failures,
            uncounted_failures: run.uncounted_failures,
            stalled_attempts: run.stalled_attempts,
            attempt_began_at: run.attempt_began_at.map(int),
            updated_at: int(run.updated_at),
            server_was_away: lease.is_some_and(|lease| lease.server_was_away),
        })
    }
}

/// Saves runs as they are now; each of them must be there.
pub(super) async fn save_runs(db: &mut Db, runs: &[&Run]) -> Result<()> {
    let saved = sqlx::query(statements::SAVE_RUNS).bind(changed(runs)?).execute(db).await?;
    check_saved(runs, saved.rows_affected())
}

/// Runs as they are now, as a document.
pub(super) fn changed(runs: &[&Run]) -> Result<String> {
    rows::json(&runs.iter().map(|run| Changed::of(run)).collect::<Result<Vec<_>>>()?)
}

/// Whether as many were saved as should be.
pub(super) fn check_saved(runs: &[&Run], saved: u64) -> Result<()> {
    match runs {
        [run, ..] if saved != runs.len() as u64 => Err(StoreError::NoRun(run.id)),
        _ => Ok(()),
    }
}

#[derive(Serialize)]
struct JobRow<'a> {
    id: String,
    spec: String,
    experiment: &'a str,
    version: u32,
    requires: String,
    priority: i32,
    wall_ms: i64,
    dataset: Option<String>,
    created_at: i64,
    queued: usize,
    has_key: bool,
}

impl<'a> JobRow<'a> {
    fn of(new: &'a NewJob) -> Result<Self> {
        let spec = &new.spec;
        Ok(Self {
            id: hex(&new.id.0),
            spec: rows::json(spec)?,
            experiment: &spec.experiment,
            version: spec.version.unwrap_or(1),
            requires: rows::labels(&spec.requires)?,
            priority: spec.priority,
            wall_ms: int(spec.limits.wall_s.saturating_mul(1_000)),
            dataset: new.dataset.map(|hash| hex(&hash.0)),
            created_at: int(new.now),
            queued: new.runs.len(),
            has_key: new.idempotency.is_some(),
        })
    }
}

#[derive(Serialize)]
struct RunRow<'a> {
    id: String,
    job_id: String,
    idx: u32,
    params: &'a str,
    seed: i64,
    steps: i64,
    memory_bytes: i64,
    updated_at: i64,
}

impl<'a> RunRow<'a> {
    fn of(job: &NewJob, NewRun { id, spec }: &'a NewRun) -> Self {
        Self {
            id: hex(&id.0),
            job_id: hex(&job.id.0),
            idx: spec.index,
            params: &spec.params,
            seed: int(spec.seed),
            steps: int(spec.steps),
            memory_bytes: int(spec.memory_bytes),
            updated_at: int(job.now),
        }
    }
}

#[derive(Serialize)]
struct KeyRow {
    key: String,
    body: String,
    job_id: String,
    at: i64,
}

impl KeyRow {
    fn of(job: &NewJob) -> Option<Self> {
        let (key, body) = job.idempotency.as_ref()?;
        Some(Self { key: key.clone(), body: hex(body), job_id: hex(&job.id.0), at: int(job.now) })
    }
}

/// Inserts jobs with their runs, all of them queued, their keys and `events`, the first of each log; answers these jobs. Of
/// another server's key nothing is stored. Keys that are not younger than `after` are forgotten.
pub(super) async fn insert_jobs(
    db: &mut Db,
    jobs: &[&NewJob],
    events: &[EventRow],
    after: jobs::Millis,
) -> Result<BTreeSet<JobId>> {
    let runs = jobs.iter().flat_map(|job| job.runs.iter().map(|run| RunRow::of(job, run)));
    let mut keys: Vec<_> = jobs.iter().filter_map(|job| KeyRow::of(job)).collect();
    // Whoever stores several keys stores them in this order, so that two servers do not wait for each other.
    keys.sort_by(|a, b| a.key.cmp(&b.key));
    let rows = [
        rows::json(&jobs.iter().map(|job| JobRow::of(job)).collect::<Result<Vec<_>>>()?)?,
        rows::json(&runs.collect::<Vec<_>>())?,
        rows::json(&keys)?,
        rows::json(&events)?,
    ];
    dialect::insert_jobs(db, jobs, rows, after).await
}

/// An event of a job's log.
#[derive(Serialize)]
pub(super) struct EventRow {
    job_id: String,
    seq: i64,
    at: i64,
    kind: &'static str,
    payload: String,
}

impl EventRow {
    pub(super) fn new(job: JobId, seq: i64, at: jobs::Millis, kind: &jobs::EventKind) -> Result<Self> {
        Ok(Self { job_id: hex(&job.0), seq, at: int(at), kind: kind.name(), payload: rows::json(kind)? })
    }
}

/// Appends events to the logs of jobs, those of one job in the order of their numbers.
pub(super) async fn insert_events(db: &mut Db, events: Vec<EventRow>) -> Result<()> {
    sqlx::query(statements::INSERT_EVENTS).bind(rows::json(&events)?).execute(db).await?;
    Ok(())
}

/// Hex digits of an id or a hash.
pub(super) fn hex(bytes: &impl AsRef<[u8]>) -> String {
    let digit = |four: u8| char::from(b"0123456789abcdef"[usize::from(four)]);
    bytes.as_ref().iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

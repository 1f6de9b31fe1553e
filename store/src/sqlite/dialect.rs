//! What SQLite says in its own way.

use std::collections::BTreeSet;

use futures::TryStreamExt as _;
use jobs::{JobId, Millis, WorkerId};
use sqlx::{Executor as _, Row as _};

use super::sql::{Saved, Scalar, SeriesChange};
use super::{Db, Row, statements};
use crate::rows::{self, Columns as _, int};
use crate::{NewJob, Result, StoreError};

/// Of each job that a worker can serve, the first run that is due and not too large: `$1` now, `$2` the largest plan,
/// `$3` the worker's catalogue, `$4` its labels.
pub(super) const CANDIDATES: &str = "
    SELECT job.id AS job_id, job.created_at, job.experiment, job.version, job.requires, job.priority, job.running,
           run.id AS run_id, run.idx, run.memory_bytes
    FROM job INDEXED BY job_to_do CROSS JOIN run ON run.job_id = job.id AND run.idx = (
           SELECT due.idx FROM run AS due
           WHERE due.job_id = job.id AND due.state = 'queued'
             AND coalesce(due.not_before, 0) <= $1 AND due.memory_bytes <= $2
           ORDER BY due.idx LIMIT 1)
    WHERE job.queued > 0
      AND EXISTS (SELECT 1 FROM json_each($3) AS can
                  WHERE can.value ->> 0 = job.experiment AND can.value ->> 1 = job.version)
      AND NOT EXISTS (SELECT 1 FROM json_each(job.requires) AS need
                      WHERE need.value IS NOT (SELECT has.value FROM json_each($4) AS has WHERE has.key = need.key))
    ORDER BY job.priority DESC, job.running, job.created_at, job.id
    LIMIT 64";

/// What is known of idempotency keys.
pub(super) async fn known_keys(db: &mut Db, keys: &[&str]) -> Result<Vec<Row>> {
    let found = sqlx::query("SELECT * FROM idempotency WHERE key IN (SELECT value FROM json_each($1))");
    Ok(found.bind(rows::json(&keys)?).fetch_all(db).await?)
}

/// Inserts jobs, runs, keys and events, which come as documents; answers the jobs. With one writer, whoever has looked keys
/// up knows that they are free.
pub(super) async fn insert_jobs(
    db: &mut Db,
    jobs: &[&NewJob],
    rows: [String; 4],
    after: Millis,
) -> Result<BTreeSet<JobId>> {
    let insert =
        rows.into_iter().fold(sqlx::query(statements::INSERT_JOBS), |insert, rows| insert.bind(rows));
    let done: Vec<_> = db.execute_many(insert.bind(int(after))).try_collect().await?;
    let keys = jobs.iter().filter(|job| job.idempotency.is_some()).count() as u64;
    match done.as_slice() {
        [_, _, stored, _] if stored.rows_affected() == keys => Ok(jobs.iter().map(|job| job.id).collect()),
        _ => Err(StoreError::Busy),
    }
}

/// Notes that workers were heard of.
pub(super) async fn touch(db: &mut Db, workers: &[WorkerId], now: Millis) -> Result<()> {
    let workers: Vec<String> = workers.iter().map(|worker| worker.0.simple().to_string()).collect();
    let seen = sqlx::query(
        "UPDATE worker SET seen_at = $1
         WHERE id IN (SELECT unhex(value) FROM json_each($2)) AND seen_at < $1",
    );
    seen.bind(int(now)).bind(rows::json(&workers)?).execute(db).await?;
    Ok(())
}

/// Inserts scalars (series, step, attempt, key) that are not there, sets series and runs. Each statement by itself would
/// wake the thread of the connection and wait for it.
pub(super) async fn save_reports(
    db: &mut Db,
    scalars: &[Scalar],
    series: &[SeriesChange],
    runs: &str,
) -> Result<Saved> {
    let save = sqlx::query(statements::SAVE_REPORTS);
    let save = save.bind(rows::json(&scalars)?).bind(rows::json(&series)?).bind(runs);
    let done: Vec<_> = db.execute_many(save).try_collect().await?;
    match done.as_slice() {
        [scalars, _, runs] => Ok(Saved { scalars: scalars.rows_affected(), runs: runs.rows_affected() }),
        done => Err(rows::broken(format!("three statements have {} results", done.len()))),
    }
}

/// The (series, step) of scalars that have other bits in the database.
pub(super) async fn differing_scalars(db: &mut Db, scalars: &[Scalar]) -> Result<Vec<(i64, u64)>> {
    let differ = sqlx::query(
        "SELECT DISTINCT metric.series_id, metric.step FROM jsonb_each($1) AS sent JOIN metric
           ON metric.series_id = sent.value ->> 0 AND metric.step = sent.value ->> 1
         WHERE metric.value <> sent.value ->> 3",
    )
    .bind(rows::json(&scalars)?)
    .fetch_all(db)
    .await?;
    differ.iter().map(|row| Ok((row.try_get(0)?, row.number("step")?))).collect()
}

/// Sets points, last step and last scalar of series (id, points, last step, last scalar).
pub(super) async fn save_series(db: &mut Db, changes: &[SeriesChange]) -> Result<()> {
    sqlx::query(statements::SAVE_SERIES).bind(rows::json(&changes)?).execute(db).await?;
    Ok(())
}

/// The first row, the last, and of each bucket of `width` steps the least and the greatest. Beside `min()` or `max()`
/// SQLite takes the other columns from the row that has it: real rows.
pub(super) async fn thinned(
    db: &mut Db,
    series: i64,
    (first, last): (u64, u64),
    width: Option<u64>,
) -> Result<Vec<Row>> {
    let thinned = sqlx::query(
        "SELECT step, attempt, min(value) AS value FROM metric
           WHERE $5 AND series_id = $1 AND step BETWEEN $2 AND $3 GROUP BY (step - $2) / $4
         UNION ALL SELECT step, attempt, max(value) AS value FROM metric
           WHERE $5 AND series_id = $1 AND step BETWEEN $2 AND $3 GROUP BY (step - $2) / $4
         UNION ALL SELECT step, attempt, value FROM metric WHERE series_id = $1 AND step IN ($2, $3)",
    );
    let thinned = thinned.bind(series).bind(int(first)).bind(int(last)).bind(width.map_or(1, int));
    Ok(thinned.bind(width.is_some()).fetch_all(db).await?)
}

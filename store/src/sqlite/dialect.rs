//! What SQLite says in its own way.

use jobs::{Millis, RunId, WorkerId};
use sqlx::Row as _;

use super::{Db, Row};
use crate::Result;
use crate::rows::{self, Columns as _, int};

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

/// The series of runs.
pub(super) async fn series_of(db: &mut Db, runs: &[RunId]) -> Result<Vec<Row>> {
    let runs: Vec<String> = runs.iter().map(|run| run.0.simple().to_string()).collect();
    let found = sqlx::query("SELECT * FROM series WHERE run_id IN (SELECT unhex(value) FROM json_each($1))");
    Ok(found.bind(rows::json(&runs)?).fetch_all(db).await?)
}

/// What is known of idempotency keys.
pub(super) async fn known_keys(db: &mut Db, keys: &[&str]) -> Result<Vec<Row>> {
    let found = sqlx::query("SELECT * FROM idempotency WHERE key IN (SELECT value FROM json_each($1))");
    Ok(found.bind(rows::json(&keys)?).fetch_all(db).await?)
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

/// Inserts scalars (series, step, attempt, key) that are not there; answers how many.
pub(super) async fn insert_scalars(db: &mut Db, scalars: &[(i64, u64, u32, i64)]) -> Result<u64> {
    let inserted = sqlx::query(
        "INSERT INTO metric (series_id, step, attempt, value)
         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM jsonb_each($1) WHERE true
         ON CONFLICT DO NOTHING",
    )
    .bind(rows::json(&scalars)?)
    .execute(db)
    .await?;
    Ok(inserted.rows_affected())
}

/// The (series, step) of scalars that have other bits in the database.
pub(super) async fn differing_scalars(
    db: &mut Db,
    scalars: &[(i64, u64, u32, i64)],
) -> Result<Vec<(i64, u64)>> {
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
pub(super) async fn save_series(db: &mut Db, changes: &[(i64, u64, u64, Option<i64>)]) -> Result<()> {
    sqlx::query(
        "UPDATE series SET points = change.value ->> 1, last_step = change.value ->> 2, last_value = change.value ->> 3
         FROM jsonb_each($1) AS change WHERE series.id = change.value ->> 0",
    )
    .bind(rows::json(&changes)?)
    .execute(db)
    .await?;
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

//! What Postgres says in its own way.

use std::collections::BTreeSet;

use jobs::{JobId, Millis, WorkerId};
use sqlx::Row as _;

use super::sql::{Saved, Scalar, SeriesChange};
use super::{Db, Row, statements};
use crate::rows::{Columns as _, int};
use crate::{NewJob, Result};

/// Of each job that a worker can serve, the first run that is due and not too large: `$1` now, `$2` the largest plan,
/// `$3` the worker's catalogue, `$4` its labels. Nothing is joined, so that the index on what is to do is read in its order,
/// and no further than 64 of them.
pub(super) const CANDIDATES: &str = "
    SELECT job.id AS job_id, job.created_at, job.experiment, job.version, job.requires, job.priority, job.running,
           due.id AS run_id, due.idx, due.memory_bytes
    FROM job CROSS JOIN LATERAL (
           SELECT id, idx, memory_bytes FROM run
           WHERE job_id = job.id AND state = 'queued' AND coalesce(not_before, 0) <= $1 AND memory_bytes <= $2
           ORDER BY idx LIMIT 1) AS due
    WHERE job.queued > 0
      AND $3::jsonb @> jsonb_build_array(jsonb_build_array(job.experiment, job.version))
      AND $4::jsonb @> job.requires::jsonb
    ORDER BY job.priority DESC, job.running, job.created_at, job.id
    LIMIT 64";

/// Milliseconds since 1970 on the database's clock.
pub(super) async fn clock(db: &mut Db) -> Result<Millis> {
    let now = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now";
    sqlx::query(now).fetch_one(db).await?.number("now")
}

/// Notes that a server looked for lost leases just now.
pub(super) async fn note_look(db: &mut Db) -> Result<()> {
    let note =
        "INSERT INTO meta (key, value) VALUES ('looked_at', extract(epoch FROM clock_timestamp())::text)
        ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    sqlx::query(note).execute(db).await?;
    Ok(())
}

/// Whether a server did so in the last `within_ms`.
pub(super) async fn was_looked_after(db: &mut Db, within_ms: u64) -> Result<bool> {
    let looked = sqlx::query(
        "SELECT 1 FROM meta WHERE key = 'looked_at'
           AND value::numeric >= extract(epoch FROM clock_timestamp()) - $1::numeric / 1000",
    );
    Ok(looked.bind(int(within_ms)).fetch_optional(db).await?.is_some())
}

/// What is known of idempotency keys.
pub(super) async fn known_keys(db: &mut Db, keys: &[&str]) -> Result<Vec<Row>> {
    Ok(sqlx::query("SELECT * FROM idempotency WHERE key = ANY($1)").bind(keys).fetch_all(db).await?)
}

/// Inserts jobs, runs, keys and events, which come as documents, but no job whose key is taken; answers the jobs.
pub(super) async fn insert_jobs(
    db: &mut Db,
    _jobs: &[&NewJob],
    rows: [String; 4],
    after: Millis,
) -> Result<BTreeSet<JobId>> {
    let insert =
        rows.into_iter().fold(sqlx::query(statements::INSERT_JOBS), |insert, rows| insert.bind(rows));
    let inserted = insert.bind(int(after)).fetch_all(db).await?;
    inserted.iter().map(|row| Ok(JobId(row.id("id")?))).collect()
}

/// Notes that workers were heard of.
pub(super) async fn touch(db: &mut Db, workers: &[WorkerId], now: Millis) -> Result<()> {
    let workers: Vec<_> = workers.iter().map(|worker| worker.0).collect();
    let seen = sqlx::query("UPDATE worker SET seen_at = $1 WHERE id = ANY($2) AND seen_at < $1");
    seen.bind(int(now)).bind(workers).execute(db).await?;
    Ok(())
}

/// Inserts scalars that are not there, sets series and runs: one way to the database and back.
pub(super) async fn save_reports(
    db: &mut Db,
    scalars: &[Scalar],
    series: &[SeriesChange],
    runs: &str,
) -> Result<Saved> {
    let (ids, steps, keys) = columns(scalars);
    let attempts: Vec<i64> = scalars.iter().map(|(_, _, attempt, _)| i64::from(*attempt)).collect();
    let save = sqlx::query(statements::SAVE_REPORTS).bind(ids).bind(steps).bind(attempts).bind(keys);
    let row = bind_series(save, series).bind(runs).fetch_one(db).await?;
    Ok(Saved { scalars: row.number("scalars")?, runs: row.number("runs")? })
}

/// The (series, step) of scalars that have other bits in the database.
pub(super) async fn differing_scalars(db: &mut Db, scalars: &[Scalar]) -> Result<Vec<(i64, u64)>> {
    let (series, steps, keys) = columns(scalars);
    let differ = sqlx::query(
        "SELECT DISTINCT metric.series_id, metric.step
         FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS sent (series_id, step, value)
         JOIN metric USING (series_id, step) WHERE metric.value <> sent.value",
    );
    let differ = differ.bind(series).bind(steps).bind(keys).fetch_all(db).await?;
    differ.iter().map(|row| Ok((row.try_get(0)?, row.number("step")?))).collect()
}

fn columns(scalars: &[Scalar]) -> (Vec<i64>, Vec<i64>, Vec<i64>) {
    let (pairs, keys): (Vec<_>, Vec<_>) =
        scalars.iter().map(|(series, step, _, key)| ((*series, int(*step)), key)).unzip();
    let (series, steps) = pairs.into_iter().unzip();
    (series, steps, keys)
}

/// Sets points, last step and last scalar of series.
pub(super) async fn save_series(db: &mut Db, changes: &[SeriesChange]) -> Result<()> {
    bind_series(sqlx::query(statements::SAVE_SERIES), changes).execute(db).await?;
    Ok(())
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Postgres, sqlx::postgres::PgArguments>;

pub(super) fn bind_series<'q>(query: Query<'q>, changes: &[SeriesChange]) -> Query<'q> {
    let [mut ids, mut points, mut steps, mut values] = [const { Vec::new() }; 4];
    for (id, count, step, value) in changes {
        ids.push(Some(*id));
        points.push(Some(int(*count)));
        steps.push(Some(int(*step)));
        values.push(*value);
    }
    query.bind(ids).bind(points).bind(steps).bind(values)
}

/// The first row, the last, and of each bucket of `width` steps the least and the greatest.
pub(super) async fn thinned(
    db: &mut Db,
    series: i64,
    (first, last): (u64, u64),
    width: Option<u64>,
) -> Result<Vec<Row>> {
    let thinned = sqlx::query(
        "(SELECT DISTINCT ON ((step - $2) / $4) step, attempt, value FROM metric
            WHERE $5 AND series_id = $1 AND step BETWEEN $2 AND $3 ORDER BY (step - $2) / $4, value, step)
         UNION ALL (SELECT DISTINCT ON ((step - $2) / $4) step, attempt, value FROM metric
            WHERE $5 AND series_id = $1 AND step BETWEEN $2 AND $3 ORDER BY (step - $2) / $4, value DESC, step)
         UNION ALL SELECT step, attempt, value FROM metric WHERE series_id = $1 AND step IN ($2, $3)",
    );
    let thinned = thinned.bind(series).bind(int(first)).bind(int(last)).bind(width.map_or(1, int));
    Ok(thinned.bind(width.is_some()).fetch_all(db).await?)
}

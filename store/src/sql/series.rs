//! Reading metrics.

use std::collections::BTreeMap;

use jobs::{Array, MetricKind, RunId, Value};
use sqlx::Row as _;

use super::{Db, Row, dialect, runs};
use crate::rows::{self, Columns as _, int};
use crate::{MetricQuery, RankQuery, Ranked, Result, Rows, Series, limits, thin};

pub(super) async fn all(db: &mut Db, run: RunId) -> Result<Vec<Series>> {
    runs::load(db, run).await?;
    let found = sqlx::query(
        "SELECT name, kind, points, last_step, last_value FROM series WHERE run_id = $1 AND points > 0 ORDER BY name",
    )
    .bind(run.0)
    .fetch_all(db)
    .await?;
    let series = |row: &Row| {
        Ok(Series {
            name: row.text("name")?,
            kind: rows::parse_word(row.text("kind")?)?,
            count: row.number("points")?,
            last_step: row.number("last_step")?,
            last: row.try_get::<Option<i64>, _>("last_value")?.map(thin::value),
        })
    };
    found.iter().map(series).collect()
}

/// Greatest and least keys of finite values: a NaN has no place among them.
const FINITE: [f64; 2] = [f64::MIN, f64::MAX];

pub(super) async fn ranked(db: &mut Db, query: &RankQuery) -> Result<Vec<Ranked>> {
    let [any, of_experiment, of_job] = if query.descending { GREATEST_FIRST } else { LEAST_FIRST };
    let sql = match query {
        RankQuery { job: Some(_), .. } => of_job,
        RankQuery { experiment: Some(_), .. } => of_experiment,
        _ => any,
    };
    let [least, most] = FINITE.map(thin::key);
    let found = sqlx::query(sql)
        .bind(rows::text(&query.metric))
        .bind(least)
        .bind(most)
        .bind(query.experiment.as_deref().map(rows::text))
        .bind(query.job.map(|job| job.0))
        .bind(i64::from(query.limit))
        .fetch_all(db)
        .await?;
    let ranked = |row: &Row| {
        let value = thin::value(row.try_get("ranked_value")?);
        Ok(Ranked { run: rows::run(row)?, value, step: row.number("ranked_step")? })
    };
    found.iter().map(ranked).collect()
}

/// Of runs that have ended and of those that go on (`migrations`, 7), what is ranked is narrow; the runs themselves are read
/// last, as many as are asked for. A filter that nobody asks for is not there: which index is best depends on it.
macro_rules! ranking {
    ($order:literal, $filter:literal) => {
        concat!(
            "SELECT run.*, best.value AS ranked_value, best.last_step AS ranked_step
             FROM (SELECT * FROM (
                     SELECT series.run_id, series.final_value AS value, series.last_step
                     FROM series JOIN run ON run.id = series.run_id JOIN job ON job.id = run.job_id
                     WHERE series.name = $1 AND series.final_value BETWEEN $2 AND $3
                     ",
            $filter,
            " ORDER BY series.final_value ",
            $order,
            ", series.run_id LIMIT $6) AS ended
                   UNION ALL
                   SELECT series.run_id, series.last_value, series.last_step
                   FROM series JOIN run ON run.id = series.run_id JOIN job ON job.id = run.job_id
                   WHERE series.name = $1 AND series.final_value IS NULL AND series.kind = 'scalar'
                     AND series.last_value BETWEEN $2 AND $3
                   ",
            $filter,
            " ORDER BY value ",
            $order,
            ", run_id LIMIT $6) AS best
             JOIN run ON run.id = best.run_id ORDER BY best.value ",
            $order,
            ", best.run_id"
        )
    };
}

/// Of a job, each run is asked for its series: a join might be planned the other way round, through the series of all jobs.
macro_rules! ranking_of_job {
    ($order:literal) => {
        concat!(
            "SELECT * FROM (
               SELECT run.*,
                 (SELECT last_value FROM series WHERE run_id = run.id AND name = $1 AND kind = 'scalar') AS ranked_value,
                 (SELECT last_step FROM series WHERE run_id = run.id AND name = $1) AS ranked_step
               FROM run
               WHERE job_id = $5 AND (SELECT experiment = coalesce($4, experiment) FROM job WHERE id = $5)) AS of_job
             WHERE ranked_value BETWEEN $2 AND $3 ORDER BY ranked_value ",
            $order,
            ", id LIMIT $6"
        )
    };
}

/// Rankings of all runs, of those of an experiment, and of those of a job.
macro_rules! rankings {
    ($order:literal) => {
        [ranking!($order, ""), ranking!($order, "AND job.experiment = $4"), ranking_of_job!($order)]
    };
}
const LEAST_FIRST: [&str; 3] = rankings!("ASC");
const GREATEST_FIRST: [&str; 3] = rankings!("DESC");

pub(super) async fn values(db: &mut Db, query: &MetricQuery) -> Result<Rows> {
    runs::load(db, query.run).await?;
    let found = sqlx::query("SELECT id, kind FROM series WHERE run_id = $1 AND name = $2")
        .bind(query.run.0)
        .bind(rows::text(&query.name))
        .fetch_optional(&mut *db)
        .await?;
    let Some(row) = found else { return Ok(Rows { sampled: false, total: 0, rows: Vec::new() }) };
    let range = Range {
        series: row.try_get("id")?,
        from: int(query.from),
        to: int(query.to),
        points: query.points.max(2),
    };
    match rows::parse_word(row.text("kind")?)? {
        MetricKind::Scalar => scalars(db, &range).await,
        kind => arrays(db, &range, kind).await,
    }
}

/// Steps `from ..= to` of a series.
struct Range {
    series: i64,
    from: i64,
    to: i64,
    points: u32,
}

async fn scalars(db: &mut Db, range: &Range) -> Result<Rows> {
    let row = sqlx::query(
        "SELECT count(*) AS total, coalesce(min(step), 0) AS first, coalesce(max(step), 0) AS last
         FROM metric WHERE series_id = $1 AND step BETWEEN $2 AND $3",
    )
    .bind(range.series)
    .bind(range.from)
    .bind(range.to)
    .fetch_one(&mut *db)
    .await?;
    let (total, first, last): (u64, u64, u64) =
        (row.number("total")?, row.number("first")?, row.number("last")?);
    if total <= u64::from(range.points) {
        let all = sqlx::query(
            "SELECT step, attempt, value FROM metric WHERE series_id = $1 AND step BETWEEN $2 AND $3 ORDER BY step",
        );
        let found = all.bind(range.series).bind(range.from).bind(range.to).fetch_all(db).await?;
        return Ok(Rows { sampled: false, total, rows: found.iter().map(scalar).collect::<Result<_>>()? });
    }
    let width = thin::bucket_width(first, last, range.points);
    let found = dialect::thinned(db, range.series, (first, last), width).await?;
    let by_step = found.iter().map(|row| scalar(row).map(|row| (row.0, row)));
    let rows = by_step.collect::<Result<BTreeMap<_, _>>>()?.into_values().collect();
    Ok(Rows { sampled: true, total, rows })
}

fn scalar(row: &Row) -> Result<(u64, u32, Value)> {
    Ok((row.number("step")?, row.number("attempt")?, Value::Scalar(thin::value(row.try_get("value")?))))
}

/// Arrays have no extremes to keep: the first ones are answered, and the caller asks on.
async fn arrays(db: &mut Db, range: &Range, kind: MetricKind) -> Result<Rows> {
    let counted = sqlx::query(
        "SELECT count(*) AS total FROM metric_blob WHERE series_id = $1 AND step BETWEEN $2 AND $3",
    );
    let counted = counted.bind(range.series).bind(range.from).bind(range.to).fetch_one(&mut *db).await?;
    let total = counted.number("total")?;
    let (mut rows, mut bytes, mut from) = (Vec::new(), 0, range.from);
    while rows.len() < range.points as usize && bytes < limits::ANSWER_BYTES {
        let next = sqlx::query(
            "SELECT step, attempt, dtype, shape, data FROM metric_blob
             WHERE series_id = $1 AND step BETWEEN $2 AND $3 ORDER BY step LIMIT 1",
        );
        let next = next.bind(range.series).bind(from).bind(range.to).fetch_optional(&mut *db).await?;
        let Some(row) = next else { break };
        let array = Array {
            kind,
            dtype: rows::parse_word(row.text("dtype")?)?,
            shape: rows::from_json(&row.text("shape")?)?,
            data: row.blob("data")?,
        };
        bytes += array.data.len();
        let step: u64 = row.number("step")?;
        rows.push((step, row.number("attempt")?, Value::Array(array)));
        from = int(step + 1);
    }
    Ok(Rows { sampled: (rows.len() as u64) < total, total, rows })
}

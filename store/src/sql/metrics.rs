//! Writing metrics: each (run, name, step) once, with the bits that came first.

use std::collections::BTreeMap;

use jobs::{Array, MetricPoint, Policy, Report, Value};
use sqlx::Row as _;

use super::{Db, Row, dialect};
use crate::rows::{self, Columns as _, int};
use crate::{Result, limits, thin};

/// One metric of the run, as it is and as the report changes it.
#[derive(Debug)]
struct Known {
    id: i64,
    kind: String,
    points: u64,
    last_step: u64,
    touched: bool,
}

/// Adds a report's metrics; answers the (name, step) of those that have other bits there already.
pub(super) async fn merge(db: &mut Db, report: &Report, policy: &Policy) -> Result<Vec<(String, u64)>> {
    if report.metrics.is_empty() {
        return Ok(Vec::new());
    }
    let mut series = known(db, report).await?;
    let mut violations = Vec::new();
    let mut scalars = Vec::new();
    for MetricPoint { name, step, value } in &report.metrics {
        let kind = rows::word(rows::kind_of(value))?;
        if !series.contains_key(name) {
            limits::check_totals(series.len() + 1, 0, policy)?;
            series.insert(name.clone(), insert_series(db, report, name, kind.clone()).await?);
        }
        let known = series.get_mut(name).expect("it was just made sure of");
        if known.kind != kind {
            violations.push((name.clone(), *step));
            continue;
        }
        known.touched = true;
        known.last_step = known.last_step.max(*step);
        match value {
            Value::Scalar(value) => scalars.push((known.id, *step, thin::key(*value))),
            Value::Array(array) => match insert_array(db, known.id, *step, report.attempt, array).await? {
                Insert::New => known.points += 1,
                Insert::Same => {}
                Insert::Other => violations.push((name.clone(), *step)),
            },
        }
    }
    let differ = insert_scalars(db, report.attempt, &scalars, &mut series).await?;
    let name = |id| series.iter().find(|(_, known)| known.id == id).map(|(name, _)| name.clone());
    violations.extend(differ.into_iter().filter_map(|(id, step)| Some((name(id)?, step))));
    limits::check_totals(series.len(), series.values().map(|known| known.points).sum(), policy)?;
    save(db, &series).await?;
    Ok(violations)
}

async fn known(db: &mut Db, report: &Report) -> Result<BTreeMap<String, Known>> {
    let found = sqlx::query("SELECT id, name, kind, points, last_step FROM series WHERE run_id = $1")
        .bind(report.run.0)
        .fetch_all(db)
        .await?;
    let known = |row: &Row| {
        let known = Known {
            id: row.number("id")?,
            kind: row.text("kind")?,
            points: row.number("points")?,
            last_step: row.number("last_step")?,
            touched: false,
        };
        Ok((row.text("name")?, known))
    };
    found.iter().map(known).collect()
}

async fn insert_series(db: &mut Db, report: &Report, name: &str, kind: String) -> Result<Known> {
    let row = sqlx::query(
        "INSERT INTO series (run_id, name, kind, points, last_step) VALUES ($1, $2, $3, 0, 0) RETURNING id",
    )
    .bind(report.run.0)
    .bind(name)
    .bind(&kind)
    .fetch_one(db)
    .await?;
    Ok(Known { id: row.try_get(0)?, kind, points: 0, last_step: 0, touched: true })
}

/// All scalars of a report in one statement; answers (series, step) of those with other bits there.
async fn insert_scalars(
    db: &mut Db,
    attempt: u32,
    scalars: &[(i64, u64, i64)],
    series: &mut BTreeMap<String, Known>,
) -> Result<Vec<(i64, u64)>> {
    if scalars.is_empty() {
        return Ok(Vec::new());
    }
    let inserted = dialect::insert_scalars(db, attempt, scalars).await?;
    if inserted == scalars.len() as u64 {
        for known in series.values_mut() {
            known.points += scalars.iter().filter(|(id, ..)| *id == known.id).count() as u64;
        }
        return Ok(Vec::new());
    }
    // Some were sent before, by an attempt that went on from an older checkpoint.
    for known in series.values_mut().filter(|known| scalars.iter().any(|(id, ..)| *id == known.id)) {
        let count = sqlx::query("SELECT count(*) AS points FROM metric WHERE series_id = $1").bind(known.id);
        known.points = count.fetch_one(&mut *db).await?.number("points")?;
    }
    dialect::differing_scalars(db, scalars).await
}

/// What became of a value.
enum Insert {
    New,
    Same,
    Other,
}

async fn insert_array(db: &mut Db, series: i64, step: u64, attempt: u32, array: &Array) -> Result<Insert> {
    let (dtype, shape) = (rows::word(array.dtype)?, rows::json(&array.shape)?);
    let inserted = sqlx::query(
        "INSERT INTO metric_blob (series_id, step, attempt, dtype, shape, data) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT DO NOTHING",
    )
    .bind(series)
    .bind(int(step))
    .bind(i64::from(attempt))
    .bind(&dtype)
    .bind(&shape)
    .bind(&array.data)
    .execute(&mut *db)
    .await?;
    if inserted.rows_affected() == 1 {
        return Ok(Insert::New);
    }
    let same = sqlx::query(
        "SELECT 1 FROM metric_blob WHERE series_id = $1 AND step = $2 AND dtype = $3 AND shape = $4 AND data = $5",
    )
    .bind(series)
    .bind(int(step))
    .bind(&dtype)
    .bind(&shape)
    .bind(&array.data)
    .fetch_optional(db)
    .await?;
    Ok(if same.is_some() { Insert::Same } else { Insert::Other })
}

async fn save(db: &mut Db, series: &BTreeMap<String, Known>) -> Result<()> {
    let touched = series.values().filter(|known| known.touched);
    let changes: Vec<_> = touched.map(|known| (known.id, known.points, known.last_step)).collect();
    dialect::save_series(db, &changes).await
}

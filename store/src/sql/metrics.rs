//! Writing metrics: each (run, name, step) once, with the bits that came first.

use std::collections::BTreeMap;

use jobs::{Array, MetricPoint, Policy, Report, RunId, Value};
use sqlx::Row as _;

use super::{Db, Row, dialect};
use crate::rows::{self, Columns as _, int};
use crate::{Result, limits, thin};

/// One metric of a run, as it is and as a report changes it.
#[derive(Debug)]
struct Known {
    id: i64,
    kind: String,
    points: u64,
    last_step: u64,
    /// The scalar at the last step.
    last: Option<i64>,
    touched: bool,
}

impl Known {
    /// Takes notice of a value. One at a later step than all others was not there before.
    fn notice(&mut self, step: u64, value: Option<i64>) {
        if step > self.last_step || (self.last.is_none() && step == self.last_step) {
            (self.last_step, self.last) = (step, value);
        }
        self.touched = true;
    }
}

/// The metrics of runs, by run and name.
type Metrics = BTreeMap<(RunId, String), Known>;

/// Adds the metrics of reports about different runs; answers the (name, step) of those that have other bits there already.
pub(super) async fn merge(
    db: &mut Db,
    reports: &[&Report],
    policy: &Policy,
) -> Result<BTreeMap<RunId, Vec<(String, u64)>>> {
    let reports: Vec<&Report> = reports.iter().copied().filter(|report| !report.metrics.is_empty()).collect();
    let mut violations = BTreeMap::new();
    if reports.is_empty() {
        return Ok(violations);
    }
    let mut series = known(db, &reports).await?;
    insert_series(db, &reports, &mut series, policy).await?;
    let mut scalars = Vec::new();
    for report in &reports {
        for MetricPoint { name, step, value } in &report.metrics {
            let known = series.get_mut(&(report.run, name.clone())).expect("it was just made sure of");
            let mut violation = known.kind != rows::word(rows::kind_of(value))?;
            if !violation {
                match value {
                    Value::Scalar(value) => {
                        known.notice(*step, Some(thin::key(*value)));
                        scalars.push((known.id, *step, report.attempt, thin::key(*value)));
                    }
                    Value::Array(array) => {
                        known.notice(*step, None);
                        match insert_array(db, known.id, *step, report.attempt, array).await? {
                            Insert::New => known.points += 1,
                            Insert::Same => {}
                            Insert::Other => violation = true,
                        }
                    }
                }
            }
            if violation {
                violations.entry(report.run).or_insert_with(Vec::new).push((name.clone(), *step));
            }
        }
    }
    for (id, step) in insert_scalars(db, &scalars, &mut series).await? {
        let found = series.iter().find(|(_, known)| known.id == id);
        let ((run, name), _) = found.ok_or_else(|| rows::broken("a metric vanished"))?;
        violations.entry(*run).or_default().push((name.clone(), step));
    }
    check_totals(&reports, &series, policy)?;
    save(db, &series).await?;
    Ok(violations)
}

async fn known(db: &mut Db, reports: &[&Report]) -> Result<Metrics> {
    let runs: Vec<RunId> = reports.iter().map(|report| report.run).collect();
    let known = |row: &Row| {
        let known = Known {
            id: row.number("id")?,
            kind: row.text("kind")?,
            points: row.number("points")?,
            last_step: row.number("last_step")?,
            last: row.try_get("last_value")?,
            touched: false,
        };
        Ok(((RunId(row.id("run_id")?), row.text("name")?), known))
    };
    dialect::series_of(db, &runs).await?.iter().map(known).collect()
}

/// Makes sure that there is a series for every metric.
async fn insert_series(
    db: &mut Db,
    reports: &[&Report],
    series: &mut Metrics,
    policy: &Policy,
) -> Result<()> {
    for report in reports {
        for MetricPoint { name, value, .. } in &report.metrics {
            let key = (report.run, name.clone());
            if series.contains_key(&key) {
                continue;
            }
            limits::check_totals(of_run(series, report.run).count() + 1, 0, policy)?;
            let kind = rows::word(rows::kind_of(value))?;
            let row = sqlx::query(
                "INSERT INTO series (run_id, name, kind, points, last_step) VALUES ($1, $2, $3, 0, 0) RETURNING id",
            )
            .bind(report.run.0)
            .bind(name)
            .bind(&kind)
            .fetch_one(&mut *db)
            .await?;
            let id = row.try_get(0)?;
            series.insert(key, Known { id, kind, points: 0, last_step: 0, last: None, touched: true });
        }
    }
    Ok(())
}

fn of_run(series: &Metrics, run: RunId) -> impl Iterator<Item = &Known> {
    series.range((run, String::new())..).take_while(move |((of, _), _)| *of == run).map(|(_, known)| known)
}

fn check_totals(reports: &[&Report], series: &Metrics, policy: &Policy) -> Result<()> {
    reports.iter().try_for_each(|report| {
        let points = of_run(series, report.run).map(|known| known.points).sum();
        limits::check_totals(of_run(series, report.run).count(), points, policy)
    })
}

/// All scalars in one statement; answers (series, step) of those with other bits there.
async fn insert_scalars(
    db: &mut Db,
    scalars: &[(i64, u64, u32, i64)],
    series: &mut Metrics,
) -> Result<Vec<(i64, u64)>> {
    if scalars.is_empty() {
        return Ok(Vec::new());
    }
    let mut sent = BTreeMap::<i64, u64>::new();
    scalars.iter().for_each(|(id, ..)| *sent.entry(*id).or_default() += 1);
    let inserted = dialect::insert_scalars(db, scalars).await?;
    if inserted == scalars.len() as u64 {
        for known in series.values_mut() {
            known.points += sent.get(&known.id).copied().unwrap_or(0);
        }
        return Ok(Vec::new());
    }
    // Some were sent before, by an attempt that went on from an older checkpoint.
    for known in series.values_mut().filter(|known| sent.contains_key(&known.id)) {
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

async fn save(db: &mut Db, series: &Metrics) -> Result<()> {
    let touched = series.values().filter(|known| known.touched);
    let changes: Vec<_> =
        touched.map(|known| (known.id, known.points, known.last_step, known.last)).collect();
    dialect::save_series(db, &changes).await
}

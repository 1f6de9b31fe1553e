//! Writing metrics: each (run, name, step) once, with the bits that came first.

use std::collections::{BTreeMap, BTreeSet};

use jobs::{Array, MetricPoint, Policy, Report, Run, RunId, Value};
use sqlx::Row as _;

use super::{Db, Row, bulk, dialect};
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

/// A scalar: series, step, attempt, key.
pub(in super::super) type Scalar = (i64, u64, u32, i64);
/// A series as it is after a change: id, points, last step, last scalar.
pub(in super::super) type SeriesChange = (i64, u64, u64, Option<i64>);

/// How much of what was sent was new, and how many runs were there.
pub(in super::super) struct Saved {
    pub(in super::super) scalars: u64,
    pub(in super::super) runs: u64,
}

/// What reports about different runs add, computed as if nothing of it had been sent before.
#[derive(Debug, Default)]
pub(super) struct Merge {
    series: Metrics,
    scalars: Vec<Scalar>,
    /// The (name, step) of values for which there are other bits.
    violations: BTreeMap<RunId, Vec<(String, u64)>>,
}

/// Finds the series of reports, or makes them, and stores their arrays; `known` are rows of `series`.
pub(super) async fn prepare(
    db: &mut Db,
    reports: &[&Report],
    known: &[Row],
    policy: &Policy,
) -> Result<Merge> {
    let mut merge = Merge { series: known.iter().map(of_row).collect::<Result<_>>()?, ..Merge::default() };
    insert_series(db, reports, &mut merge.series, policy).await?;
    for report in reports {
        for MetricPoint { name, step, value } in &report.metrics {
            let known = merge.series.get_mut(&(report.run, name.clone())).expect("it was just made sure of");
            let mut violation = known.kind != rows::word(rows::kind_of(value))?;
            if !violation {
                match value {
                    Value::Scalar(value) => {
                        known.notice(*step, Some(thin::key(*value)));
                        known.points += 1;
                        merge.scalars.push((known.id, *step, report.attempt, thin::key(*value)));
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
                merge.violations.entry(report.run).or_default().push((name.clone(), *step));
            }
        }
    }
    Ok(merge)
}

impl Merge {
    /// Stores scalars and series, and runs as they are now, in one statement or so; answers, run by run, the (name, step) of
    /// values that have other bits there already.
    pub(super) async fn store(
        mut self,
        db: &mut Db,
        reports: &[&Report],
        runs: &[&Run],
        policy: &Policy,
    ) -> Result<BTreeMap<RunId, Vec<(String, u64)>>> {
        if self.series.is_empty() {
            bulk::save_runs(db, runs).await?;
            return Ok(self.violations);
        }
        let saved = dialect::save_reports(db, &self.scalars, &self.changes(), &bulk::changed(runs)?).await?;
        bulk::check_saved(runs, saved.runs)?;
        if saved.scalars < self.scalars.len() as u64 {
            self.correct(db).await?;
        }
        check_totals(reports, &self.series, policy)?;
        Ok(self.violations)
    }

    fn changes(&self) -> Vec<SeriesChange> {
        let touched = self.series.values().filter(|known| known.touched);
        touched.map(|known| (known.id, known.points, known.last_step, known.last)).collect()
    }

    /// Some scalars were there: an attempt that went on from an older checkpoint sent them again.
    async fn correct(&mut self, db: &mut Db) -> Result<()> {
        let sent: BTreeSet<i64> = self.scalars.iter().map(|(id, ..)| *id).collect();
        for known in self.series.values_mut().filter(|known| sent.contains(&known.id)) {
            let count =
                sqlx::query("SELECT count(*) AS points FROM metric WHERE series_id = $1").bind(known.id);
            known.points = count.fetch_one(&mut *db).await?.number("points")?;
        }
        for (id, step) in dialect::differing_scalars(db, &self.scalars).await? {
            let found = self.series.iter().find(|(_, known)| known.id == id);
            let ((run, name), _) = found.ok_or_else(|| rows::broken("a metric vanished"))?;
            self.violations.entry(*run).or_default().push((name.clone(), step));
        }
        dialect::save_series(db, &self.changes()).await
    }
}

fn of_row(row: &Row) -> Result<((RunId, String), Known)> {
    let known = Known {
        id: row.number("id")?,
        kind: row.text("kind")?,
        points: row.number("points")?,
        last_step: row.number("last_step")?,
        last: row.try_get("last_value")?,
        touched: false,
    };
    Ok(((RunId(row.id("run_id")?), row.text("name")?), known))
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

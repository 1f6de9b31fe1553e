//! Plain reports, which renew their lease and add a few new values: one read and one write, and nothing is locked in between.
//!
//! Nearly all reports are plain. The write names the version of each run that was read, `xmin`, the transaction that wrote its
//! row. Whatever became of a run meanwhile, it is another version then: nothing of its report is written, and the report goes
//! the long way of all others, through a transaction that locks its run first.

use std::collections::{BTreeMap, BTreeSet};

use jobs::{Change, Directive, Lease, MetricKind, Policy, Report, Run, RunId, RunState, Value};
use sqlx::Row as _;
use uuid::Uuid;

use super::sql::{Reported, Scalar, SeriesChange};
use super::{Db, Row, statements};
use crate::rows::{self, Columns as _, int};
use crate::{Result, limits, thin};

/// A report with more values goes the long way: there they cost less, and the ways to the database hardly count.
const VALUES: usize = 64;

/// Takes the plain ones among reports of different runs; the others have no answer yet, and nothing of them is stored.
pub(super) async fn take(db: &mut Db, told: &[&Reported], policy: &Policy) -> Result<Vec<Option<Directive>>> {
    let known = read(db, told).await?;
    let considered: Vec<_> = told
        .iter()
        .map(|told| known.get(&told.report.run).and_then(|known| consider(told, known, policy)))
        .collect();
    let plain: Vec<&Plain> = considered.iter().flatten().filter(|plain| plain.is_new).collect();
    let saved = if plain.is_empty() { BTreeSet::new() } else { save(db, &plain).await? };
    let answer = |plain: Plain| (!plain.is_new || saved.contains(&plain.run.id)).then_some(plain.directive);
    Ok(considered.into_iter().map(|plain| plain.and_then(answer)).collect())
}

/// A run as it was read.
struct Known {
    run: Run,
    version: String,
    series: BTreeMap<String, Series>,
}

struct Series {
    id: i64,
    kind: MetricKind,
    points: u64,
    last_step: u64,
}

/// A plain report and what it makes of its run.
struct Plain {
    version: String,
    run: Run,
    lease: Lease,
    directive: Directive,
    scalars: Vec<Scalar>,
    series: Vec<SeriesChange>,
    /// Whether there is anything to store: a report that comes again is answered again.
    is_new: bool,
}

async fn read(db: &mut Db, told: &[&Reported]) -> Result<BTreeMap<RunId, Known>> {
    let ids: Vec<Uuid> = told.iter().map(|told| told.report.run.0).collect();
    let found = sqlx::query(statements::RUNS_WITH_SERIES).bind(ids).fetch_all(db).await?;
    found.iter().map(|row| known(row).map(|known| (known.run.id, known))).collect()
}

fn known(row: &Row) -> Result<Known> {
    type Told = (String, i64, MetricKind, u64, u64);
    let series: Vec<Told> = rows::from_json(&row.text("series")?)?;
    let series = series
        .into_iter()
        .map(|(name, id, kind, points, last_step)| (name, Series { id, kind, points, last_step }));
    Ok(Known { run: rows::run(row)?, version: row.text("version")?, series: series.collect() })
}

/// What becomes of a report if it is plain.
fn consider(told: &Reported, known: &Known, policy: &Policy) -> Option<Plain> {
    let Reported { report, now, .. } = told;
    if report.checkpoint.is_some() || report.outcome.is_some() || report.metrics.len() > VALUES {
        return None;
    }
    let next = jobs::apply(&known.run, &Change::Report(report.said()), *now, policy).ok()?;
    let RunState::Running(lease) = next.run.state.clone() else { return None };
    let (mut scalars, mut series) = (Vec::new(), Vec::new());
    if next.changed {
        if !next.log.is_empty() || !is_plain(&known.run, &next.run, &lease) {
            return None;
        }
        (scalars, series) = add(report, known, policy)?;
    }
    let (version, directive) = (known.version.clone(), next.directive?);
    Some(Plain { version, run: next.run, lease, directive, scalars, series, is_new: next.changed })
}

/// Whether nothing else changes than what [`save`] stores.
fn is_plain(before: &Run, after: &Run, Lease { expires_at, progress_at, .. }: &Lease) -> bool {
    let RunState::Running(lease) = &before.state else { return false };
    let lease = Lease { expires_at: *expires_at, progress_at: *progress_at, ..lease.clone() };
    let Run { next_seq, step, updated_at, .. } = *after;
    *after == Run { state: RunState::Running(lease), next_seq, step, updated_at, ..before.clone() }
}

/// The scalars of a report and what they make of their series, if there are these series and each value is at a later step than
/// all before: then it was not there.
fn add(report: &Report, known: &Known, policy: &Policy) -> Option<(Vec<Scalar>, Vec<SeriesChange>)> {
    limits::check_metrics(&report.metrics).ok()?;
    let (mut scalars, mut changes) = (Vec::new(), BTreeMap::<i64, SeriesChange>::new());
    for metric in &report.metrics {
        let Value::Scalar(value) = metric.value else { return None };
        let series = known.series.get(&metric.name).filter(|series| series.kind == MetricKind::Scalar)?;
        let (points, last_step) = changes
            .get(&series.id)
            .map_or((series.points, series.last_step), |(_, points, step, _)| (*points, *step));
        if points == 0 || metric.step <= last_step {
            return None;
        }
        scalars.push((series.id, metric.step, report.attempt, thin::key(value)));
        changes.insert(series.id, (series.id, points + 1, metric.step, Some(thin::key(value))));
    }
    let points = known.series.values().map(|series| series.points).sum::<u64>() + scalars.len() as u64;
    limits::check_totals(known.series.len(), points, policy).ok()?;
    Some((scalars, changes.into_values().collect()))
}

/// Stores the reports of runs that are as they were read; answers which these are.
async fn save(db: &mut Db, plain: &[&Plain]) -> Result<BTreeSet<RunId>> {
    let of = |number: fn(&Plain) -> u64| plain.iter().map(|plain| int(number(plain))).collect::<Vec<_>>();
    let ids: Vec<Uuid> = plain.iter().map(|plain| plain.run.id.0).collect();
    let versions: Vec<&str> = plain.iter().map(|plain| plain.version.as_str()).collect();
    let scalars = plain.iter().flat_map(|plain| plain.scalars.iter().map(|scalar| (plain.run.id.0, scalar)));
    let (mut runs, mut series, mut steps, mut attempts, mut keys) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (run, (id, step, attempt, key)) in scalars {
        runs.push(run);
        series.push(*id);
        steps.push(int(*step));
        attempts.push(i64::from(*attempt));
        keys.push(*key);
    }
    let changes: Vec<SeriesChange> = plain.iter().flat_map(|plain| plain.series.iter().copied()).collect();
    let save =
        sqlx::query(statements::SAVE_PLAIN).bind(ids).bind(versions).bind(of(|plain| plain.run.next_seq));
    let save = save.bind(of(|plain| plain.run.step)).bind(of(|plain| plain.lease.expires_at));
    let save = save.bind(of(|plain| plain.lease.progress_at)).bind(of(|plain| plain.run.updated_at));
    let save = save.bind(runs).bind(series).bind(steps).bind(attempts).bind(keys);
    let saved = super::dialect::bind_series(save, &changes).fetch_all(db).await?;
    saved.iter().map(|row| Ok(RunId(row.try_get(0)?))).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jobs::{Array, Dtype, MetricPoint, Millis};

    use super::super::{Postgres, PostgresOptions};
    use super::*;
    use crate::conformance::Cluster;
    use crate::conformance::fixture::{Bench, START, job_id, says, scalar, succeeded};
    use crate::{Store as _, Verb};

    /// A run that has told its progress and has a metric at step 10.
    async fn running() -> Option<(Arc<Postgres>, Bench, Run)> {
        let address = Cluster::shared()?.database().await;
        let store = Arc::new(Postgres::open(PostgresOptions::new(address)).await.expect("opens"));
        let bench = Bench::with_job(store.clone(), 1).await;
        let run = bench.granted(1, START).await;
        let metrics = vec![scalar("loss", 10, 1.0)];
        bench.report(Report { metrics, ..says(&run, 0, 10) }, START).await;
        Some((store, bench, run))
    }

    fn told(report: &Report, now: Millis) -> Reported {
        Reported { report: report.clone(), wrong_digest: false, now }
    }

    #[tokio::test]
    async fn what_is_not_plain_is_left_alone() {
        let Some((store, bench, run)) = running().await else { return };
        let mut db = store.reader().await.expect("a connection");
        let policy = store.policy;
        let plain =
            Report { metrics: vec![scalar("loss", 11, 2.0), scalar("loss", 12, 2.5)], ..says(&run, 1, 12) };
        let array = Array { kind: MetricKind::Vector, dtype: Dtype::F32, shape: vec![1], data: vec![0; 4] };
        let with = |metrics| Report { metrics, ..plain.clone() };
        let many = (11..=11 + VALUES as u64).map(|step| scalar("loss", step, 0.0)).collect();
        let others = [
            ("it ends", Report { outcome: succeeded(), ..plain.clone() }, START + 1),
            (
                "a checkpoint",
                Report { checkpoint: Some(bench.checkpoint(12, START).await), ..plain.clone() },
                START + 1,
            ),
            ("a metric nobody knows", with(vec![scalar("accuracy", 11, 2.0)]), START + 1),
            ("a step that may be there", with(vec![scalar("loss", 10, 1.0)]), START + 1),
            ("steps in disorder", with(vec![scalar("loss", 12, 2.0), scalar("loss", 11, 2.0)]), START + 1),
            (
                "another kind",
                with(vec![MetricPoint { name: "loss".into(), step: 11, value: Value::Array(array) }]),
                START + 1,
            ),
            ("much", with(many), START + 1),
            ("progress is told", plain.clone(), START + policy.progress_event_ms),
            ("refused: a number is missing", Report { seq: 2, ..plain.clone() }, START + 1),
            ("refused: another attempt", Report { attempt: 7, ..plain.clone() }, START + 1),
        ];
        for (why, report, now) in others {
            let answers = take(&mut db, &[&told(&report, now)], &policy).await.expect("answered");
            assert_eq!(answers, [None], "{why}");
        }
        assert_eq!(bench.run(run.id).await.next_seq, 1, "nothing was stored");

        let taken = take(&mut db, &[&told(&plain, START + 1)], &policy).await.expect("answered");
        let again = take(&mut db, &[&told(&plain, START + 1)], &policy).await.expect("answered");
        assert_eq!((taken.clone(), again), (vec![Some(Directive::Continue { lease_ms: 30_000 })], taken));
        let steps: Vec<u64> =
            bench.values(run.id, "loss").await.rows.iter().map(|(step, ..)| *step).collect();
        assert_eq!(steps, [10, 11, 12]);
        assert_eq!((bench.run(run.id).await.step, bench.run(run.id).await.next_seq), (12, 2));
    }

    #[tokio::test]
    async fn a_run_that_changed_meanwhile_is_not_written() {
        let Some((store, bench, run)) = running().await else { return };
        let mut db = store.reader().await.expect("a connection");
        let report = Report { metrics: vec![scalar("loss", 11, 2.0)], ..says(&run, 1, 11) };
        let told = told(&report, START + 1);
        let known = read(&mut db, &[&told]).await.expect("read");
        let plain = consider(&told, &known[&run.id], &store.policy).expect("it is plain");
        store.wish(job_id(1), Verb::Cancel, START + 1).await.expect("wished");
        assert!(save(&mut db, &[&plain]).await.expect("tried").is_empty());
        assert_eq!(bench.run(run.id).await.next_seq, 1);
        assert_eq!(bench.values(run.id, "loss").await.total, 1, "no value without its run");
        let answer = bench.report(report, START + 1).await;
        assert_eq!(answer, Directive::Stop(jobs::Stop::Cancelled), "the long way sees the wish");
        assert_eq!(bench.values(run.id, "loss").await.total, 2);
    }
}

//! Plain reports, which renew their lease and add a few new values: one write, and nothing is locked before.
//!
//! Nearly all reports are plain. The write names the version of each run that is known, `xmin`, the transaction that wrote its
//! row. Whatever became of a run meanwhile, it is another version then: nothing of its report is written, and the report goes
//! the long way of all others, through a transaction that locks its run first. So it does not matter how old knowledge is:
//! what this server wrote last it remembers, and only other runs are read.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hashlink::LruCache;
use jobs::{Change, Directive, Lease, MetricKind, Policy, Report, Run, RunId, RunState, Value};
use sqlx::Row as _;
use uuid::Uuid;

use super::sql::{Reported, Scalar, SeriesChange};
use super::{Db, Row, statements};
use crate::rows::{self, Columns as _, int};
use crate::{Result, limits, thin};

/// A report with more values goes the long way: there they cost less, and the ways to the database hardly count.
const VALUES: usize = 64;
/// So many runs are remembered, those that reported last; runs with more series never are.
const RUNS: usize = 4_096;
const SERIES: usize = 64;

/// A run as it is in its version.
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

/// Runs as this server wrote them last.
#[derive(Clone)]
pub(super) struct Remembered(Arc<Mutex<LruCache<RunId, Known>>>);

impl Default for Remembered {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(LruCache::new(RUNS))))
    }
}

impl fmt::Debug for Remembered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remembered").field("runs", &self.all().len()).finish()
    }
}

impl Remembered {
    fn all(&self) -> MutexGuard<'_, LruCache<RunId, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known of these runs, and known no longer: it is what they were before what is done with them now.
    fn take(&self, told: &[&Reported]) -> BTreeMap<RunId, Known> {
        let mut all = self.all();
        told.iter()
            .filter_map(|told| all.remove(&told.report.run).map(|known| (known.run.id, known)))
            .collect()
    }

    fn put(&self, known: Known) {
        if known.series.len() <= SERIES {
            self.all().insert(known.run.id, known);
        }
    }
}

/// Takes the plain ones among reports of different runs; the others have no answer yet, and nothing of them is stored.
pub(super) async fn take(
    db: &mut Db,
    told: &[&Reported],
    remembered: &Remembered,
    policy: &Policy,
) -> Result<Vec<Option<Directive>>> {
    let mut known = remembered.take(told);
    let unknown: Vec<Uuid> = told
        .iter()
        .map(|told| told.report.run)
        .filter(|run| !known.contains_key(run))
        .map(|run| run.0)
        .collect();
    if !unknown.is_empty() {
        known.extend(read(db, unknown).await?);
    }
    let plain = told.iter().filter_map(|told| consider(told, known.remove(&told.report.run)?, policy));
    let plain: Vec<Plain> = plain.collect();
    let mut saved = if plain.is_empty() { BTreeMap::new() } else { save(db, &plain).await? };
    let mut directives = BTreeMap::new();
    for Plain { known, directive, .. } in plain {
        if let Some(version) = saved.remove(&known.run.id) {
            directives.insert(known.run.id, directive);
            remembered.put(Known { version, ..known });
        }
    }
    Ok(told.iter().map(|told| directives.remove(&told.report.run)).collect())
}

/// A plain report and what it makes of its run.
struct Plain {
    /// The run as it is to be, and the version that it has until then.
    known: Known,
    lease: Lease,
    directive: Directive,
    scalars: Vec<Scalar>,
    series: Vec<SeriesChange>,
}

async fn read(db: &mut Db, ids: Vec<Uuid>) -> Result<BTreeMap<RunId, Known>> {
    let found = sqlx::query(statements::RUNS_WITH_SERIES).bind(ids).fetch_all(db).await?;
    found.iter().map(|row| known(row).map(|known| (known.run.id, known))).collect()
}

fn known(row: &Row) -> Result<Known> {
    type Told = (String, i64, MetricKind, u64, u64);
    let series: Vec<Told> = rows::from_json(&row.text("series")?)?;
    let series = series
        .into_iter()
        .map(|(name, id, kind, points, last_step)| (name, Series { id, kind, points, last_step }));
    let mut run = rows::run(row)?;
    run.spec.params = String::new(); // they may be long, and no report changes them
    Ok(Known { run, version: row.text("version")?, series: series.collect() })
}

/// What becomes of a report if it is plain. One that comes again is not: it is answered by what is, not by what is known.
fn consider(told: &Reported, mut known: Known, policy: &Policy) -> Option<Plain> {
    let Reported { report, now, .. } = told;
    if report.checkpoint.is_some() || report.outcome.is_some() || report.metrics.len() > VALUES {
        return None;
    }
    let next = jobs::apply(&known.run, &Change::Report(report.said()), *now, policy).ok()?;
    let RunState::Running(lease) = next.run.state.clone() else { return None };
    if !next.changed || !next.log.is_empty() || !is_plain(&known.run, &next.run, &lease) {
        return None;
    }
    let (scalars, series) = add(report, &mut known, policy)?;
    known.run = next.run;
    Some(Plain { known, lease, directive: next.directive?, scalars, series })
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
fn add(report: &Report, known: &mut Known, policy: &Policy) -> Option<(Vec<Scalar>, Vec<SeriesChange>)> {
    limits::check_metrics(&report.metrics).ok()?;
    let (mut scalars, mut changes) = (Vec::new(), BTreeMap::<i64, SeriesChange>::new());
    for metric in &report.metrics {
        let Value::Scalar(value) = metric.value else { return None };
        let series = known.series.get_mut(&metric.name)?;
        if series.kind != MetricKind::Scalar || series.points == 0 || metric.step <= series.last_step {
            return None;
        }
        (series.points, series.last_step) = (series.points + 1, metric.step);
        scalars.push((series.id, metric.step, report.attempt, thin::key(value)));
        changes.insert(series.id, (series.id, series.points, metric.step, Some(thin::key(value))));
    }
    let points = known.series.values().map(|series| series.points).sum::<u64>();
    limits::check_totals(known.series.len(), points, policy).ok()?;
    Some((scalars, changes.into_values().collect()))
}

/// Stores the reports of runs that are of the version that is known; answers these runs and their new version.
async fn save(db: &mut Db, plain: &[Plain]) -> Result<BTreeMap<RunId, String>> {
    let of = |number: fn(&Plain) -> u64| plain.iter().map(|plain| int(number(plain))).collect::<Vec<_>>();
    let ids: Vec<Uuid> = plain.iter().map(|plain| plain.known.run.id.0).collect();
    let versions: Vec<&str> = plain.iter().map(|plain| plain.known.version.as_str()).collect();
    let scalars =
        plain.iter().flat_map(|plain| plain.scalars.iter().map(|scalar| (plain.known.run.id.0, scalar)));
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
    let save = sqlx::query(statements::SAVE_PLAIN).bind(ids).bind(versions);
    let save = save.bind(of(|plain| plain.known.run.next_seq)).bind(of(|plain| plain.known.run.step));
    let save = save.bind(of(|plain| plain.lease.expires_at)).bind(of(|plain| plain.lease.progress_at));
    let save = save.bind(of(|plain| plain.known.run.updated_at));
    let save = save.bind(runs).bind(series).bind(steps).bind(attempts).bind(keys);
    let saved = super::dialect::bind_series(save, &changes).fetch_all(db).await?;
    saved.iter().map(|row| Ok((RunId(row.try_get("id")?), row.try_get("version")?))).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jobs::{Array, Dtype, MetricPoint, Millis};

    use super::super::{Postgres, PostgresOptions};
    use super::*;
    use crate::conformance::Cluster;
    use crate::conformance::fixture::{Bench, START, job, job_id, says, scalar, succeeded};
    use crate::{NewRun, Store as _, Verb};

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
        let (policy, none) = (store.policy, Remembered::default());
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
            let answers = take(&mut db, &[&told(&report, now)], &none, &policy).await.expect("answered");
            assert_eq!(answers, [None], "{why}");
        }
        assert_eq!(bench.run(run.id).await.next_seq, 1, "nothing was stored");

        let taken = take(&mut db, &[&told(&plain, START + 1)], &none, &policy).await.expect("answered");
        assert_eq!(taken, [Some(Directive::Continue { lease_ms: 30_000 })]);
        let again = take(&mut db, &[&told(&plain, START + 1)], &none, &policy).await.expect("answered");
        assert_eq!(again, [None], "it comes again");
        let steps: Vec<u64> =
            bench.values(run.id, "loss").await.rows.iter().map(|(step, ..)| *step).collect();
        assert_eq!(steps, [10, 11, 12]);
        assert_eq!((bench.run(run.id).await.step, bench.run(run.id).await.next_seq), (12, 2));
    }

    #[test]
    fn so_many_runs_are_remembered_and_none_with_many_series() {
        let remembered = Remembered::default();
        let mut new = job(1, u32::try_from(RUNS).expect("a small number") + 2).runs.into_iter();
        let mut put = |series: u64| {
            let NewRun { id, spec } = new.next().expect("one is left");
            let series_of = |id| Series { id, kind: MetricKind::Scalar, points: 1, last_step: 1 };
            let series = (0..series).map(|n| (n.to_string(), series_of(int(n)))).collect();
            remembered.put(Known { run: Run::new(id, job_id(1), spec, START), version: "1".into(), series });
            id
        };
        let (first, large, second) = (put(SERIES as u64), put(SERIES as u64 + 1), put(1));
        let known = |run| remembered.all().contains_key(&run);
        assert!(known(first) && known(second) && !known(large));
        for _ in 2..=RUNS {
            put(1);
        }
        assert_eq!(remembered.all().len(), RUNS);
        assert!(known(second) && !known(first), "the one that reported longest ago makes room");
    }

    #[tokio::test]
    async fn a_run_that_changed_meanwhile_is_not_written() {
        let Some((store, bench, run)) = running().await else { return };
        let mut db = store.reader().await.expect("a connection");
        let told = |seq| Reported {
            report: Report { metrics: vec![scalar("loss", 10 + seq, 1.0)], ..says(&run, seq, 10 + seq) },
            wrong_digest: false,
            now: START + seq,
        };
        let (remembered, policy) = (Remembered::default(), store.policy);
        for seq in 1..=2 {
            let taken = take(&mut db, &[&told(seq)], &remembered, &policy).await.expect("answered");
            assert_eq!(taken, [Some(Directive::Continue { lease_ms: 30_000 })]);
            assert!(remembered.all().contains_key(&run.id), "the next one reads nothing");
        }
        store.wish(job_id(1), Verb::Cancel, START + 3).await.expect("wished");
        assert_eq!(take(&mut db, &[&told(3)], &remembered, &policy).await.expect("answered"), [None]);
        assert!(!remembered.all().contains_key(&run.id), "what was known is no longer so");
        assert_eq!(bench.run(run.id).await.next_seq, 3);
        assert_eq!(bench.values(run.id, "loss").await.total, 3, "no value without its run");
        let answer = bench.report(told(3).report, START + 3).await;
        assert_eq!(answer, Directive::Stop(jobs::Stop::Cancelled), "the long way sees the wish");
        assert_eq!(bench.values(run.id, "loss").await.total, 4);
    }
}

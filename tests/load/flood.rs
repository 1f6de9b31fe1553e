//! A flood of metrics: more than the server can take is slowed down and never dropped, and who has little to say is heard
//! all the same.

use std::{collections::BTreeMap, path::Path, time::Duration};

use futures::future::join_all;
use proto::v1;
use store::conformance::Cluster;
use tokio::{
    task::JoinHandle,
    time::{Instant, interval},
};
use tonic::Code;

use crate::{
    checker::Records,
    support::{Attempt, Bits, Client, Puppet, Random, Service, Times, digits_job, times},
};

const SEED: u64 = 19;
const WORKERS: u64 = 8;
const NAMES: [&str; 4] = ["loss", "score", "energy", "rate"];
/// Of each name in a report: 5,000 points in all, as many as a report may have.
const STEPS: u64 = 1_250;
/// Four of them a second are 20,000 points.
const EVERY: Duration = Duration::from_millis(250);
/// What the worker that has little to say reports.
const HEARTBEAT: Duration = Duration::from_millis(100);
const HEARTBEAT_P99: Duration = Duration::from_secs(1);
/// Rows that one answer gives without leaving any out.
const WINDOW: u64 = 5_000;

/// A whole number, so that sums are exact.
fn value(name: usize, step: u64) -> f64 {
    ((7 * step + name as u64) % 1_000) as f64
}

fn points(first: u64) -> Vec<v1::MetricPoint> {
    let steps = first + 1..=first + STEPS;
    let point = |step: u64, n: usize, name: &str| v1::MetricPoint {
        name: name.to_owned(),
        step,
        value: Some(v1::metric_point::Value::Scalar(value(n, step))),
    };
    steps.flat_map(|step| NAMES.iter().enumerate().map(move |(n, name)| point(step, n, name))).collect()
}

/// What a worker did beside sending each report once.
#[derive(Debug, Default)]
struct Mischief {
    again: u64,
    too_early: u64,
    late: u64,
}

/// Offers 20,000 points a second: each report one to three times at once, some before their turn, some long after it.
async fn flood(mut attempt: Attempt, reports: u64, mut random: Random) -> (Attempt, Mischief) {
    let (mut mischief, mut last) = (Mischief::default(), None);
    let mut tick = interval(EVERY);
    for n in 0..reports {
        tick.tick().await;
        let step = (n + 1) * STEPS;
        let report = attempt.report(step, points(n * STEPS));
        if random.below(4) == 0 {
            let early = v1::ReportRequest { seq: report.seq + 1, ..report.clone() };
            let refused = attempt.send(early).await.expect_err("a report is missing before this one");
            assert_eq!(refused.code(), Code::OutOfRange, "{refused}");
            mischief.too_early += 1;
        }
        let copies = 1 + random.below(3);
        mischief.again += copies - 1;
        for answer in join_all((0..copies).map(|_| attempt.send(report.clone()))).await {
            answer.expect("each copy is answered alike");
        }
        attempt.said(step);
        if let Some(late) = last.filter(|_| random.below(4) == 0) {
            attempt.send(late).await.expect("it was taken before, and is answered again");
            mischief.late += 1;
        }
        last = Some(report);
    }
    (attempt, mischief)
}

/// Reports that it lives until the others are done; answers how long each report took.
async fn beat(
    mut attempt: Attempt,
    flooding: &[JoinHandle<(Attempt, Mischief)>],
) -> (Attempt, Vec<Duration>) {
    let (mut times, mut tick) = (Vec::new(), interval(HEARTBEAT));
    while !flooding.iter().all(JoinHandle::is_finished) {
        tick.tick().await;
        let began = Instant::now();
        let report = attempt.report(attempt.step, Vec::new());
        attempt.say(report).await;
        times.push(began.elapsed());
    }
    (attempt, times)
}

/// Count and sum of every metric of a run, as the API has them.
async fn read(client: &Client, run: &str, steps: u64) -> BTreeMap<String, (u64, f64)> {
    let listed = client.get(&format!("/runs/{run}/metrics")).await;
    let mut found = BTreeMap::new();
    for entry in listed["metrics"].as_array().expect("a list") {
        let name = entry["name"].as_str().expect("a name").to_owned();
        let mut sum = 0.0;
        for from in (1..=steps).step_by(WINDOW as usize) {
            let to = from + WINDOW - 1;
            let page =
                client.get(&format!("/runs/{run}/metrics/{name}?from={from}&to={to}&points={WINDOW}")).await;
            assert_eq!(page["sampled"], false, "nothing is left out");
            sum +=
                page["rows"].as_array().into_iter().flatten().filter_map(|row| row[1].as_f64()).sum::<f64>();
        }
        found.insert(name, (entry["count"].as_u64().expect("a count"), sum));
    }
    found
}

/// The same by the rows of the database; a step that is there twice counts twice.
fn stored(records: &Records, run: &str) -> BTreeMap<String, (u64, f64)> {
    let mut found = BTreeMap::<String, (u64, f64)>::new();
    for metric in &records.runs[run].metrics {
        let Bits::Scalar(bits) = metric.bits else { panic!("all of them are numbers") };
        let (count, sum) = found.entry(metric.name.clone()).or_default();
        (*count, *sum) = (*count + 1, *sum + f64::from_bits(bits));
    }
    found
}

fn expected(steps: u64) -> BTreeMap<String, (u64, f64)> {
    let sum = |n: usize| (1..=steps).map(|step| value(n, step)).sum();
    NAMES.iter().enumerate().map(|(n, name)| ((*name).to_owned(), (steps, sum(n)))).collect()
}

async fn play(reports: u64, postgres: Option<&str>) {
    let settings: Vec<_> = postgres.map(|address| ("VESICLE_DATABASE", address)).into_iter().collect();
    let mut service = Service::start_with(&settings).await;
    let client = service.client.clone();
    client.submit(&digits_job(WORKERS as u32 + 1, 10_000, 1), "flood").await;
    let mut attempts = Vec::new();
    for _ in 0..=WORKERS {
        attempts.push(Puppet::connect(&client.server).await.lease().await);
    }
    let idle = attempts.pop().expect("one more than flood");
    let began = Instant::now();
    let flooding = attempts
        .into_iter()
        .enumerate()
        .map(|(n, attempt)| tokio::spawn(flood(attempt, reports, Random::seeded(SEED + n as u64))));
    let flooding: Vec<_> = flooding.collect();
    let (idle, times) = beat(idle, &flooding).await;
    let took = began.elapsed();
    idle.fail().await;

    let (mut runs, mut mischief) = (Vec::new(), Mischief::default());
    for flooded in flooding {
        let (attempt, Mischief { again, too_early, late }) = flooded.await.expect("every report is taken");
        runs.push(attempt.run.clone());
        attempt.fail().await;
        mischief.again += again;
        mischief.too_early += too_early;
        mischief.late += late;
    }
    let (times, sent) = (Times::of(times), WORKERS * reports * STEPS * NAMES.len() as u64);
    eprintln!(
        "{sent} points in {:.1} s, {:.0} a second; {mischief:?}; {} heartbeats: p50 {:?}, p99 {:?}, longest {:?}",
        took.as_secs_f64(),
        sent as f64 / took.as_secs_f64(),
        times.count(),
        times.percentile(50),
        times.percentile(99),
        times.longest()
    );
    assert!(times.percentile(99) <= HEARTBEAT_P99, "p99 {:?}", times.percentile(99));
    assert!(mischief.again > 0 && mischief.too_early > 0 && mischief.late > 0, "{mischief:?}");
    assert_eq!(client.telemetry("vesicle_lease_expired_total").await, 0.0, "nobody lost a lease");
    let gaps = client.telemetry(r#"vesicle_reports_refused_total{reason="REPORT_GAP"}"#).await;
    assert_eq!(gaps, mischief.too_early as f64);

    let expected = expected(reports * STEPS);
    for run in &runs {
        assert_eq!(read(&client, run, reports * STEPS).await, expected, "run {run} by the API");
    }
    let database = service.database().await;
    service.stop_server().await;
    check(&database, &runs, &expected).await;
}

async fn check(database: &Path, runs: &[String], expected: &BTreeMap<String, (u64, f64)>) {
    let mut records = Records::read(database).await;
    for run in runs {
        assert_eq!(&stored(&records, run), expected, "run {run} in the database");
    }
    // Negative control: a lost row is seen.
    let rows = records.runs.values_mut().find(|run| !run.metrics.is_empty()).map(|run| run.metrics.pop());
    assert!(rows.flatten().is_some());
    assert!(runs.iter().any(|run| &stored(&records, run) != expected));
}

/// Of each worker: 320,000 points in all, or 4,800,000 in half a minute.
fn reports() -> u64 {
    times(8, 120)
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_workers_that_flood_the_server_lose_nothing_and_starve_nobody() {
    play(reports(), None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_on_postgres() {
    let Some(cluster) = Cluster::shared() else { return };
    play(reports(), Some(&cluster.database().await)).await;
}

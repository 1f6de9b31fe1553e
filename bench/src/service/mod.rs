//! The service next to a tracking server: durable metrics, jobs, lists, start and memory, on one database each.

mod load;
mod mlflow;
mod ours;
mod postgres;
mod process;

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use async_trait::async_trait;
use futures::future::BoxFuture;

use crate::{
    floors::Floors,
    line::{Line, Report},
    ratio::{Rates, median},
    select::Selection,
};
use load::Load;

/// Clients of the cases with many.
const CLIENTS: usize = 16;
/// One turn of a side.
const TURN: Duration = Duration::from_secs(4);
/// Values of one call with many.
const BATCH: usize = 1_000;
/// Searches of one turn: short ones more often.
const NEWEST: usize = 25;
const ORDERED: usize = 5;
/// Runs in the database when it is searched.
const RUNS: usize = 10_000;

/// What both sides keep their rows in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Database {
    /// A file; ours at synchronous = FULL.
    Sqlite,
    /// A server of its own, with the settings it comes with.
    Postgres,
}

impl Database {
    const ALL: [Self; 2] = [Self::Sqlite, Self::Postgres];

    fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// Cases with a ratio, and what ours must not exceed in milliseconds, seconds or MiB whatever the peer does.
const CASES: [(&str, &str, Option<f64>); 9] = [
    ("single-post-16", "values/s", None),
    ("single-post-p50", "ms", Some(2.0)),
    ("single-post-p99", "ms", Some(10.0)),
    ("batch-1000", "values/s", None),
    ("create-16", "jobs/s", None),
    ("newest-100", "ms", None),
    ("ordered-1000", "ms", None),
    ("ready", "s", Some(0.3)),
    ("memory", "MiB", Some(80.0)),
];

#[cfg(test)]
/// Every comparison: its name and its peer.
pub(crate) fn comparisons() -> Vec<(String, &'static str)> {
    let named = |database: Database| CASES.map(|(case, ..)| (bench(database, case), mlflow::NAME));
    Database::ALL.into_iter().flat_map(named).collect()
}

fn bench(database: Database, case: &str) -> String {
    format!("service/{}/{case}", database.name())
}

/// One of the two servers, at work.
#[async_trait]
trait Side: Send + Sync {
    /// What it is.
    fn name(&self) -> &'static str;

    /// A client with a run of its own to post to.
    async fn client(&self) -> anyhow::Result<Box<dyn Client>>;

    /// Reads the newest 100 runs; gives the answer as it came.
    async fn newest(&self) -> anyhow::Result<String>;

    /// Reads 1,000 runs by a metric, the least first.
    async fn ordered(&self) -> anyhow::Result<String>;

    /// The process and all its children.
    fn process(&self) -> &process::Process;
}

/// Somebody with a connection.
#[async_trait]
trait Client: Send {
    /// Posts this many values in one call; they are durable when it returns.
    async fn post(&mut self, values: usize) -> anyhow::Result<()>;

    /// Makes a job, which has one run.
    async fn create(&mut self) -> anyhow::Result<()>;

    /// Makes a job whose run has one value, and ends it.
    async fn create_with(&mut self, value: f64) -> anyhow::Result<()>;

    /// Values that the server has of this client's run, which nobody shall go on with.
    async fn leave(&mut self) -> anyhow::Result<u64>;
}

/// Runs what is selected.
///
/// # Errors
/// If a server cannot be had or does not do what it is asked to.
pub(crate) fn run(
    selection: &Selection,
    floors: &Floors,
    pairs: u32,
    report: &mut Report,
) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    for database in Database::ALL {
        if CASES.iter().any(|(case, ..)| selection.wants(&bench(database, case))) {
            let lines = runtime.block_on(compare(database, selection, pairs))?;
            for mut line in lines.into_iter().filter(|line| selection.wants(&line.bench)) {
                let floor = || floors.of(&line.bench, mlflow::NAME, kernels::Level::detected());
                line.floor = line.peer.and_then(|_| floor());
                report.push(line);
            }
        }
    }
    Ok(())
}

/// What was measured of one case, pair by pair.
#[derive(Default)]
struct Measured {
    rates: Rates,
    valid: bool,
}

async fn compare(database: Database, selection: &Selection, pairs: u32) -> anyhow::Result<Vec<Line>> {
    let cluster = match database {
        Database::Sqlite => None,
        Database::Postgres => Some(postgres::Cluster::start()?),
    };
    let (ours, ours_ready) = timed(ours::Ours::start(cluster.as_ref())).await?;
    let theirs = match selection.skips(mlflow::NAME) {
        true => None,
        false => Some(timed(mlflow::Mlflow::start(cluster.as_ref())).await?),
    };
    let (mut lines, mut is_filled) = (Vec::new(), false);
    let theirs_side = theirs.as_ref().map(|(side, _)| side as &dyn Side);
    for side in [Some(&ours as &dyn Side), theirs_side].into_iter().flatten() {
        side.process().until_settled().await?;
    }
    for (case, unit, most) in CASES {
        let name = bench(database, case);
        if !selection.wants(&name) {
            continue;
        }
        eprintln!("{name}");
        let measured = match case {
            "ready" => once(ours_ready, theirs.as_ref().map(|(_, ready)| *ready)),
            "memory" => {
                let peer = theirs_side.map(|side| side.process().memory_mib()).transpose()?;
                once(ours.process().memory_mib()?, peer)
            }
            case => pairs_of(case, &ours, theirs_side, pairs, &mut is_filled)
                .await
                .with_context(|| name.clone())?,
        };
        lines.push(line(name, unit, most, measured));
    }
    Ok(lines)
}

async fn timed<T>(start: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<(T, f64)> {
    let began = Instant::now();
    let side = start.await?;
    Ok((side, began.elapsed().as_secs_f64()))
}

/// A figure that is taken once, of which less is better.
fn once(ours: f64, peer: Option<f64>) -> Measured {
    Measured { rates: Rates { ours: vec![ours], peer: peer.into_iter().collect() }, valid: true }
}

/// A case, ours and theirs in turn.
async fn pairs_of(
    case: &str,
    ours: &dyn Side,
    theirs: Option<&dyn Side>,
    pairs: u32,
    is_filled: &mut bool,
) -> anyhow::Result<Measured> {
    let mut measured = Measured { valid: true, ..Measured::default() };
    if matches!(case, "newest-100" | "ordered-1000") && !*is_filled {
        fill(ours).await?;
        if let Some(theirs) = theirs {
            fill(theirs).await?;
        }
        *is_filled = true;
    }
    for _ in 0..pairs {
        measured.rates.ours.push(turn(case, ours, &mut measured.valid).await?);
        if let Some(theirs) = theirs {
            measured.rates.peer.push(turn(case, theirs, &mut measured.valid).await?);
        }
    }
    Ok(measured)
}

/// One turn of one side.
async fn turn(case: &str, side: &dyn Side, valid: &mut bool) -> anyhow::Result<f64> {
    let (clients, values) = match case {
        "single-post-16" => (CLIENTS, 1),
        "batch-1000" => (CLIENTS, BATCH),
        "create-16" => (CLIENTS, 0),
        _ => (1, 1),
    };
    match case {
        "newest-100" => return search(NEWEST, 100, valid, || side.newest()).await,
        "ordered-1000" => return search(ORDERED, 1_000, valid, || side.ordered()).await,
        _ => {}
    }
    let Load { calls, seconds, latencies_ms, is_kept } = load::drive(side, clients, values, TURN).await?;
    *valid &= is_kept;
    let at = |share: f64| latencies_ms[((latencies_ms.len() - 1) as f64 * share).round() as usize];
    Ok(match case {
        "single-post-p50" => at(0.5),
        "single-post-p99" => at(0.99),
        _ => (calls * values.max(1)) as f64 / seconds,
    })
}

/// Half of so many searches take no longer, in ms, to the last byte of the answer. What it says is looked at when nobody is
/// timed, for that would be time of ours in both columns.
async fn search<'a>(
    times: usize,
    entries: usize,
    valid: &mut bool,
    ask: impl Fn() -> BoxFuture<'a, anyhow::Result<String>>,
) -> anyhow::Result<f64> {
    let mut took = Vec::with_capacity(times);
    for _ in 0..times {
        let began = Instant::now();
        let page = ask().await?;
        took.push(began.elapsed().as_secs_f64() * 1e3);
        let page: serde_json::Value = serde_json::from_str(&page)?;
        let listed = page.get("jobs").or(page.get("runs")).and_then(|listed| listed.as_array());
        *valid &= listed.is_some_and(|listed| listed.len() == entries);
    }
    Ok(median(&took))
}

/// Makes runs until the database has enough to search.
async fn fill(side: &dyn Side) -> anyhow::Result<()> {
    let mut clients = Vec::new();
    for of in 0..CLIENTS {
        let mut client = side.client().await?;
        clients.push(tokio::spawn(async move {
            for n in 0..RUNS / CLIENTS {
                // Values in no order: neither side finds them sorted.
                client.create_with(((n * 7919 + of * 104_729) % 99_991) as f64).await?;
            }
            anyhow::Ok(())
        }));
    }
    for client in clients {
        client.await??;
    }
    Ok(())
}

/// Of times and memory less is better, so their ratio is the peer's to ours.
fn line(name: String, unit: &'static str, most: Option<f64>, measured: Measured) -> Line {
    let Measured { rates, valid } = measured;
    let ours = median(&rates.ours);
    let valid = valid && most.is_none_or(|most| ours <= most);
    if rates.peer.is_empty() {
        return Line::alone(name, ours, unit, valid);
    }
    let is_less_better = !unit.ends_with("/s");
    let (a, b) = if is_less_better { (rates.peer, rates.ours) } else { (rates.ours, rates.peer) };
    let summary = Rates { ours: a, peer: b }.summary();
    let (ours, peer) =
        if is_less_better { (summary.peer, summary.ours) } else { (summary.ours, summary.peer) };
    Line {
        peer: Some(peer),
        peer_name: Some(mlflow::NAME.to_owned()),
        ratio: Some(summary.ratio),
        ratio_min: Some(summary.least),
        ratio_max: Some(summary.greatest),
        ..Line::alone(name, ours, unit, valid)
    }
}

/// The body of an answer that must be a success.
async fn body(response: reqwest::Response) -> anyhow::Result<String> {
    let (status, url) = (response.status(), response.url().clone());
    let body = response.text().await?;
    ensure!(status.is_success(), "{url} answered {status}: {}", body.chars().take(300).collect::<String>());
    Ok(body)
}

/// The same, read.
async fn answered(response: reqwest::Response) -> anyhow::Result<serde_json::Value> {
    Ok(serde_json::from_str(&body(response).await?)?)
}

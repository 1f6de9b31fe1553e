//! Everybody comes back after the server died: soon, and not all at once.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value as Json, json};
use tokio::{task::JoinHandle, time::Instant};
use tokio_util::sync::CancellationToken;

use super::listener::Listener;
use crate::support::{Client, PROMPT, Service, times, until};

/// Leases as long as they are by default: a restart takes none away from a worker that comes back. A report a second that
/// carries little: a run soon waits for what it has found to be taken, and costs nothing meanwhile.
const SETTINGS: [(&str, &str); 5] = [
    ("VESICLE_LEASE_MS", "30000"),
    ("VESICLE_RESTART_GRACE_MS", "30000"),
    ("VESICLE_MAX_CONNECTIONS_PER_ADDRESS", "2048"),
    ("VESICLE_REPORT_MIN_MS", "1000"),
    ("VESICLE_MAX_REPORT_POINTS", "20"),
];
/// Until everybody is back.
const BACK: Duration = Duration::from_secs(30);
/// Connections of any second.
const RATE: u64 = 100;
const SECOND: Duration = Duration::from_secs(1);
/// Between two counts.
const LOOK_EVERY: Duration = Duration::from_millis(50);

struct Herd {
    listeners: u64,
    /// Each with a run. It is not the computing that is tested.
    workers: u32,
}

/// How connections came in after the restart.
#[derive(Debug)]
struct Return {
    /// When everybody was there again.
    took: Duration,
    /// Most connections of any second.
    rate: u64,
}

/// A worker as users run it, but within this process: its own way to come back is what is tested.
fn worker(service: &Service, n: u32, stop: &CancellationToken) -> JoinHandle<()> {
    let config = worker::Config {
        server: service.client.server.clone(),
        slots: 1,
        gang: gang::Gang::Alone,
        memory_bytes: 8 << 30,
        cache_dir: service.folder().join("cache"),
        labels: Default::default(),
        name: format!("herd-{n}"),
    };
    let stop = stop.clone();
    tokio::spawn(async move {
        worker::run(config, worker::Witness::default(), stop).await.expect("the server takes it")
    })
}

/// Runs that take longer than the test: nobody has to come for new work.
fn long_job(runs: u32) -> Json {
    json!({
        "experiment": "rbse",
        "params": {"hidden_units": 1, "epochs": 10_000, "train_images": 20, "batch": 20, "test_images": 10, "cd_k": 1},
        "seeds": {"from": 1, "count": runs},
        "every": 1,
    })
}

async fn count(client: &Client, name: &str) -> u64 {
    client.telemetry(name).await as u64
}

/// Of how many that the server lists at this path something was heard since then.
async fn heard_of(client: &Client, path: &str, list: &str, field: &str, since: Timestamp) -> u64 {
    let page = client.get(path).await;
    let heard = |entry: &&Json| {
        let at = entry[field].as_str().and_then(|at| at.parse::<Timestamp>().ok());
        at.is_some_and(|at| at > since)
    };
    page[list].as_array().expect("a list").iter().filter(heard).count() as u64
}

/// Watches how everybody comes back to a server that has just begun to listen; nobody was heard `since`.
async fn watch(client: &Client, job: &str, herd: &Herd, since: Timestamp) -> Return {
    let began = Instant::now();
    let (all, runs) =
        ([herd.listeners, herd.workers.into(), herd.workers.into()], format!("/jobs/{job}/runs"));
    let mut counts = vec![(Duration::ZERO, 0)];
    loop {
        counts.push((began.elapsed(), count(client, "vesicle_connections_total").await));
        let back = [
            count(client, "vesicle_event_streams").await,
            heard_of(client, "/workers", "workers", "seen_at", since).await,
            heard_of(client, &runs, "runs", "updated_at", since).await,
        ];
        if back == all {
            break;
        }
        assert!(began.elapsed() < BACK, "{back:?} of {all:?} listeners, workers and runs are back in time");
        tokio::time::sleep(LOOK_EVERY).await;
    }
    let within = |from: Duration| counts.iter().take_while(move |(at, _)| *at < from + SECOND).last();
    let in_a_second = |(at, before): &(Duration, u64)| within(*at).map_or(0, |(_, after)| after - before);
    let rate = counts.iter().map(in_a_second).max().unwrap_or_default();
    Return { took: began.elapsed(), rate }
}

/// Kills the server when everybody is there; `wait` is what listeners make of what they were told.
async fn play(herd: &Herd, wait: fn(Duration) -> Duration) -> Return {
    let mut service = Service::start_with(&SETTINGS).await;
    let job = service.client.submit(&long_job(herd.workers), "herd").await;
    let stop = CancellationToken::new();
    let workers: Vec<_> = (0..herd.workers).map(|n| worker(&service, n, &stop)).collect();
    let (port, name) = (service.port(), job.clone());
    let listen = move |_| {
        let mut listener = Listener::new(port, &name);
        tokio::spawn(async move { listener.follow(wait, |_| {}).await })
    };
    let listeners: Vec<_> = (0..herd.listeners).map(listen).collect();
    until("everybody is there", 3 * PROMPT, async || {
        let client = &service.client;
        let running = count(client, r#"vesicle_runs{state="running"}"#).await;
        let workers = count(client, "vesicle_workers").await;
        let listen = count(client, "vesicle_event_streams").await;
        ([running, workers, listen] == [herd.workers.into(), herd.workers.into(), herd.listeners])
            .then_some(())
    })
    .await;

    service.kill_server().await;
    // Who comes back while the server is not known to listen is back.
    let killed = Timestamp::now();
    service.start_server().await;
    let back = watch(&service.client, &job, herd, killed).await;
    eprintln!(
        "{} listeners and {} workers with a run each are back after {:.1} s; at most {} connections in a second",
        herd.listeners,
        herd.workers,
        back.took.as_secs_f64(),
        back.rate
    );
    assert_eq!(count(&service.client, "vesicle_lease_expired_total").await, 0);
    let runs = service.client.runs(&job).await;
    assert_eq!(runs.len(), herd.workers as usize);
    assert!(runs.iter().all(|run| run["attempt"] == 1 && run["state"] == "running"), "nobody lost a lease");
    assert!(listeners.iter().all(|listener| !listener.is_finished()), "no listener has panicked");
    listeners.iter().for_each(JoinHandle::abort);
    workers.iter().for_each(JoinHandle::abort);
    back
}

#[tokio::test(flavor = "multi_thread")]
async fn a_herd_comes_back_one_after_the_other() {
    let herd = times(Herd { listeners: 250, workers: 6 }, Herd { listeners: 500, workers: 50 });
    let told = play(&herd, |wait| wait).await;
    assert!(told.rate <= RATE, "{told:?}");
    // Negative control: listeners that come back whenever they like do so all at once.
    let wild = play(&herd, |_| Duration::from_millis(20)).await;
    assert!(wild.rate > RATE, "{wild:?}");
}

//! Users in the storm: one who sends jobs as long as there is too little to do, and streams that follow each job.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use reqwest::StatusCode;
use serde_json::{Value as Json, json};
use tokio::task::JoinHandle;

use super::logs::Logs;
use crate::support::{Client, digits_job, text};

/// Between two looks, and two tries.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Runs of a job.
pub(super) const RUNS: u32 = 10;
/// Below so many open runs the next job is sent.
const LOW: usize = 8;
/// Jobs share their seeds, so that what is undisturbed need not be computed for each of them.
const SEEDS: [u64; 2] = [1, 11];
const EPOCHS: u32 = 2;
/// Steps of a run.
pub(super) const STEPS: u64 = 65 * EPOCHS as u64;
const SWEEPS: u32 = 250;

/// The users of a round, and what they know.
pub(super) struct Clients {
    client: Client,
    pub(super) logs: Arc<Logs>,
    streams: Mutex<Vec<JoinHandle<()>>>,
    /// Keys that were answered, with the job of the answer.
    answered: Mutex<Vec<(String, String)>>,
    sent: AtomicUsize,
    enough: AtomicBool,
}

impl Clients {
    /// Users that reach a server at `address`.
    pub(super) fn new(address: &str) -> Arc<Self> {
        Arc::new(Self {
            client: Client::new(address),
            logs: Arc::default(),
            streams: Mutex::default(),
            answered: Mutex::default(),
            sent: AtomicUsize::new(0),
            enough: AtomicBool::new(false),
        })
    }

    /// Sends job after job until there is [enough](Self::enough), and `least` runs in all.
    pub(super) async fn keep_busy(self: Arc<Self>, least: usize) {
        for n in 0.. {
            while self.sent.load(Ordering::Relaxed) >= self.logs.ended() + LOW && !self.is_enough() {
                tokio::time::sleep(LOOK_EVERY).await;
            }
            if self.is_enough() && self.sent.load(Ordering::Relaxed) >= least {
                return;
            }
            self.insist(&job(n), &format!("job-{n}")).await;
        }
    }

    fn is_enough(&self) -> bool {
        self.enough.load(Ordering::Relaxed)
    }

    /// No more is needed than what was promised.
    pub(super) fn enough(&self) {
        self.enough.store(true, Ordering::Relaxed);
    }

    /// Sends a job under a key until it is answered, whatever happens to the answers.
    async fn insist(&self, spec: &Json, key: &str) {
        loop {
            if let Ok((status, answer)) = self.client.try_submit(spec, key).await {
                if status.is_success() {
                    return self.took(spec, key, &answer);
                }
                let passes = matches!(
                    status,
                    StatusCode::SERVICE_UNAVAILABLE | StatusCode::CONFLICT | StatusCode::INSUFFICIENT_STORAGE
                );
                assert!(passes, "{status}: {answer}");
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Sends a job once; the status of the answer, if one came.
    pub(super) async fn send(&self, spec: &Json, key: &str) -> Option<StatusCode> {
        let (status, answer) = self.client.try_submit(spec, key).await.ok()?;
        if status.is_success() {
            self.took(spec, key, &answer);
        }
        Some(status)
    }

    /// A job was answered: it is followed from now on.
    fn took(&self, spec: &Json, key: &str, answer: &Json) {
        let job = text(answer, "id");
        let runs = spec["seeds"]["count"].as_u64().expect("the jobs of the storm count their seeds");
        self.sent.fetch_add(runs as usize, Ordering::Relaxed);
        let (logs, client) = (Arc::clone(&self.logs), self.client.clone());
        let (known, followed) = (job.clone(), job.clone());
        let stream = tokio::spawn(async move { logs.follow(client, followed).await });
        self.streams.lock().expect("nothing panics while the lock is held").push(stream);
        self.answered.lock().expect("nothing panics while the lock is held").push((key.to_owned(), known));
    }

    /// Waits until every job has ended before the eyes of its stream.
    ///
    /// # Panics
    /// If nothing happens for `quiet` while jobs are open.
    pub(super) async fn until_all_ended(&self, quiet: Duration) {
        let streams = std::mem::take(&mut *self.streams.lock().expect("nothing panics while it is held"));
        let (mut events, mut since) = (0, Instant::now());
        while !streams.iter().all(JoinHandle::is_finished) {
            let now = self.logs.events();
            if now > events {
                (events, since) = (now, Instant::now());
            }
            assert!(since.elapsed() < quiet, "jobs are open, and nothing has happened for {quiet:?}");
            tokio::time::sleep(LOOK_EVERY).await;
        }
        for stream in streams {
            stream.await.expect("no stream panics");
        }
    }

    /// What was answered.
    pub(super) fn answered(&self) -> Vec<(String, String)> {
        self.answered.lock().expect("nothing panics while the lock is held").clone()
    }

    /// All runs of all jobs as a server lists them, by the bits that they must give: params and seed.
    pub(super) async fn runs_at(&self, server: &Client) -> BTreeMap<String, Vec<Json>> {
        let mut runs: BTreeMap<String, Vec<Json>> = BTreeMap::new();
        for (_, job) in self.answered() {
            for run in server.runs(&job).await {
                runs.entry(format!("{} {}", run["params"], run["seed"])).or_default().push(run);
            }
        }
        runs
    }
}

/// Jobs differ in what must not make a difference.
fn job(n: usize) -> Json {
    let mut job = digits_job(RUNS, EPOCHS, SWEEPS);
    job["seeds"] = json!({"from": SEEDS[n % SEEDS.len()], "count": RUNS});
    job["checkpoint_every_steps"] = json!([5, 10, 20][n % 3]);
    job["name"] = json!(format!("storm {n}"));
    job
}

/// A job of one short run.
pub(super) fn small_job() -> Json {
    digits_job(1, 1, 1)
}

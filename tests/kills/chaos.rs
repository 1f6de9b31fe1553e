//! Kills, with what the killer knows of each.

use std::{path::PathBuf, sync::Arc, time::Duration};

use serde_json::Value as Json;
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::{
    checker::History,
    faults::logs::{Held, Logs},
    support::{Child, PROMPT, Proxy, Random, Seen, Service, undisturbed, until},
};

/// A kill waits for a step of the run below this one, so that runs die at all ages.
const LATEST_STEP: u64 = 90;

/// What is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// A worker, its run on the way.
    Worker,
    /// The server while a report is in flight.
    Server,
    /// The server while a report is in flight, and the worker that sent it.
    ServerAndWorker,
}

/// A kill of the server while a report was in flight: passed on by the proxy, the answer not passed back.
#[derive(Debug)]
pub(super) struct InFlight {
    pub(super) run: String,
    pub(super) attempt: u64,
    /// The worker, if it was killed too.
    pub(super) worker: Option<u32>,
}

/// Everything that is known after the last kill.
#[derive(Debug)]
pub(super) struct Kills {
    pub(super) job: String,
    pub(super) history: History,
    pub(super) database: PathBuf,
    /// Process ids of workers.
    pub(super) workers: Vec<u32>,
    pub(super) in_flight: Vec<InFlight>,
    /// Where the database lies.
    _folder: TempDir,
}

/// A worker and its way to the server.
struct Post {
    proxy: Proxy,
    /// None between a kill and the next start.
    worker: Option<Child>,
}

impl Post {
    /// SIGKILL; answers the process id that it had.
    async fn kill_worker(&mut self) -> u32 {
        let worker = self.worker.take().expect("a killed worker is replaced at once");
        let pid = worker.pid();
        worker.kill().await;
        pid
    }

    /// Forgets what was on its way, and starts a worker if there is none.
    fn restore(&mut self, service: &Service) {
        self.proxy.sever();
        self.worker.get_or_insert_with(|| service.worker_at(&self.proxy.url));
    }
}

/// A service under fire.
pub(super) struct Chaos {
    posts: Vec<Post>,
    service: Service,
    logs: Arc<Logs>,
    watching: JoinHandle<()>,
    random: Random,
    job: String,
    history: History,
    workers: Vec<u32>,
    in_flight: Vec<InFlight>,
}

impl Chaos {
    /// Submits the job, computes what it gives undisturbed, and starts two workers.
    pub(super) async fn begin(spec: &Json, random: Random) -> Self {
        let service = Service::start().await;
        let key = "kills";
        let job = service.client.submit(spec, key).await;
        let runs = service.client.runs(&job).await;
        let undisturbed = undisturbed(spec, &runs, service.folder()).await;
        let history = History { answered: vec![(key.to_owned(), job.clone())], undisturbed };
        let logs = Arc::new(Logs::default());
        let (follower, client, followed) = (Arc::clone(&logs), service.client.clone(), job.clone());
        let watching = tokio::spawn(async move { follower.follow(client, followed).await });
        let mut posts = Vec::new();
        for _ in 0..2 {
            let proxy = service.proxy().await;
            let worker = Some(service.worker_at(&proxy.url));
            posts.push(Post { proxy, worker });
        }
        let (workers, in_flight) = (Vec::new(), Vec::new());
        Self { posts, service, logs, watching, random, job, history, workers, in_flight }
    }

    pub(super) async fn steps(&self) -> u64 {
        let runs = self.service.client.runs(&self.job).await;
        runs.iter().filter_map(|run| run["steps"].as_u64()).min().expect("the job has runs")
    }

    /// Kills as soon as there is something worth killing; `false` when the job has ended.
    pub(super) async fn inflict(&mut self, fault: Fault) -> bool {
        let n = self.random.below(self.posts.len() as u64) as usize;
        let step = self.random.below(LATEST_STEP);
        while let Some(held) = self.victim(n, step).await {
            let hit = match fault {
                Fault::Worker => self.kill_worker(n).await,
                Fault::Server | Fault::ServerAndWorker => self.kill_server(n, held, fault).await,
            };
            if hit {
                return true;
            }
        }
        false
    }

    /// The run that worker `n` is at, once it has brought the run further, at least to `step`, and is not about to
    /// end it.
    async fn victim(&self, n: usize, step: u64) -> Option<Held> {
        let three_quarters = self.steps().await * 3 / 4;
        until("a worker has a run on its way", PROMPT, async || {
            let worker = self.posts[n].worker.as_ref().expect("a killed worker is replaced at once");
            let held = worker.worker_id().and_then(|id| self.logs.held_by(&id, three_quarters));
            match held.filter(|held| held.checkpoint >= step) {
                Some(held) => Some(Some(held)),
                None => self.logs.has_ended(&self.job).then_some(None),
            }
        })
        .await
    }

    async fn kill_worker(&mut self, n: usize) -> bool {
        self.workers.push(self.posts[n].kill_worker().await);
        self.posts[n].restore(&self.service);
        true
    }

    /// Kills the server between a report and its answer; `false` when the run was over before there was one: whoever
    /// watches learns of things late.
    async fn kill_server(&mut self, n: usize, held: Held, fault: Fault) -> bool {
        let proxy = &self.posts[n].proxy;
        proxy.withhold_answers();
        // Either at once, when the server may not have stored it, or after it has answered and nobody heard.
        let answered = self.random.coin();
        let run = held.run.clone();
        let what = format!("a report of run {run} is in flight (withheld: {answered})");
        let is_there = until(&what, PROMPT, async || match proxy.unanswered(&run) {
            Some(call) => (call.answered || !answered).then_some(true),
            None => (!self.logs.goes_on(&held)).then_some(false),
        })
        .await;
        if !is_there {
            self.posts[n].restore(&self.service);
            return false;
        }
        self.service.kill_server().await;
        // Only now it is certain that the answer never came.
        let in_flight = proxy.unanswered(&run).is_some();
        let mut worker = None;
        if fault == Fault::ServerAndWorker {
            worker = Some(self.posts[n].kill_worker().await);
            self.workers.extend(worker);
        }
        for post in &mut self.posts {
            post.restore(&self.service);
        }
        self.service.start_server().await;
        if in_flight {
            self.in_flight.push(InFlight { run: held.run, attempt: held.attempt, worker });
        }
        true
    }

    /// Waits for the end of the job, lets everything go, and keeps the database.
    pub(super) async fn end(mut self, within: Duration) -> (Kills, Vec<Seen>) {
        self.service.client.until_job_is(&self.job, "succeeded", within).await;
        self.watching.await.expect("a watcher does not panic");
        let seen = self.logs.all().remove(&self.job).expect("it was followed");
        for post in self.posts {
            let worker = post.worker.expect("a killed worker is replaced at once");
            let status = worker.terminate(PROMPT).await;
            assert!(status.success(), "a worker ended with {status}");
        }
        self.service.stop_server().await;
        let folder = TempDir::with_prefix("vesicle-e2e-").expect("there is a place for temporary files");
        let database = folder.path().join("vesicle.db");
        std::fs::copy(self.service.database().await, &database).expect("the database is one file at rest");
        let Self { job, history, workers, in_flight, .. } = self;
        (Kills { job, history, database, workers, in_flight, _folder: folder }, seen)
    }
}

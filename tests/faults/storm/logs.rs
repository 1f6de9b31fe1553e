//! What clients saw: the log of every job, as its stream brought it. The storm is directed by nothing else.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::StreamExt;

use crate::support::{Client, Seen};

/// A run as whoever watches its job knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) run: String,
    pub(crate) attempt: u64,
    /// The worker that has it.
    worker: String,
    /// Step of the checkpoint that this attempt brought; 0 before.
    pub(crate) checkpoint: u64,
    /// Whether the attempt goes on.
    open: bool,
}

/// The logs of all jobs so far.
#[derive(Debug, Default)]
pub(crate) struct Logs {
    jobs: Mutex<BTreeMap<String, Vec<Seen>>>,
    /// Connections that streams have made.
    connections: AtomicUsize,
}

impl Logs {
    /// Follows a job to its end, resuming after every break.
    pub(crate) async fn follow(&self, client: Client, job: String) {
        self.jobs().entry(job.clone()).or_default();
        loop {
            let after = self.jobs()[&job].last().map(|event| event.seq);
            let mut events = std::pin::pin!(client.events(&job, after).await);
            let mut begun = false;
            while let Some(event) = events.next().await {
                if !std::mem::replace(&mut begun, true) {
                    self.connections.fetch_add(1, Ordering::Relaxed);
                }
                let is_last = event.kind == "job_ended";
                self.jobs().entry(job.clone()).or_default().push(event);
                if is_last {
                    return;
                }
            }
            // A server that is away refuses at once.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// How often a stream began to bring events: once a job, and again after each break.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// Everything that has happened, as far as anybody was told.
    pub(crate) fn events(&self) -> usize {
        self.jobs().values().map(Vec::len).sum()
    }

    /// Runs that have ended.
    pub(crate) fn ended(&self) -> usize {
        self.jobs().values().flatten().filter(|event| event.kind == "run_ended").count()
    }

    /// The log of each job.
    pub(crate) fn all(&self) -> BTreeMap<String, Vec<Seen>> {
        self.jobs().clone()
    }

    /// The attempt that a worker is at, once it has stored a checkpoint below `step`: it has brought the run further
    /// and is not about to end it.
    pub(crate) fn held_by(&self, worker: &str, step: u64) -> Option<Held> {
        let is_worth_it =
            |held: &Held| held.open && held.worker == worker && (1..step).contains(&held.checkpoint);
        self.attempts().into_values().find(is_worth_it)
    }

    /// The number of the last attempt at a run.
    pub(crate) fn attempt(&self, run: &str) -> u64 {
        self.attempts().get(run).map_or(0, |held| held.attempt)
    }

    /// Whether an attempt goes on, as far as anybody was told.
    pub(crate) fn goes_on(&self, held: &Held) -> bool {
        self.attempts().get(&held.run).is_some_and(|now| now.open && now.attempt == held.attempt)
    }

    /// Whether a run has ended, as far as anybody was told.
    pub(crate) fn is_over(&self, run: &str) -> bool {
        let ended = |event: &Seen| event.kind == "run_ended" && event.body["run"] == run;
        self.jobs().values().flatten().any(ended)
    }

    /// Whether a job has ended, as far as anybody was told.
    pub(crate) fn has_ended(&self, job: &str) -> bool {
        self.jobs().get(job).is_some_and(|log| !is_open(log))
    }

    /// By run.
    fn attempts(&self) -> BTreeMap<String, Held> {
        let mut attempts = BTreeMap::new();
        for event in self.jobs().values().filter(|log| is_open(log)).flatten() {
            let Some(run) = event.body["run"].as_str() else { continue };
            let number = |field: &str| event.body[field].as_u64().unwrap_or_default();
            if event.kind == "run_started" {
                let worker = event.body["worker"].as_str().unwrap_or_default().to_owned();
                let attempt = number("attempt");
                let begun = Held { run: run.to_owned(), attempt, worker, checkpoint: 0, open: true };
                attempts.insert(run.to_owned(), begun);
            } else if let Some(held) = attempts.get_mut(run) {
                match event.kind.as_str() {
                    "checkpoint_stored" => held.checkpoint = number("step"),
                    "run_requeued" | "run_ended" => held.open = false,
                    _ => {}
                }
            }
        }
        attempts
    }

    fn jobs(&self) -> MutexGuard<'_, BTreeMap<String, Vec<Seen>>> {
        self.jobs.lock().expect("nothing panics while the lock is held")
    }
}

fn is_open(log: &[Seen]) -> bool {
    log.last().is_none_or(|event| event.kind != "job_ended")
}

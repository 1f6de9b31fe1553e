//! What kills did, from the log of the job: not what they were meant to do.

use std::collections::BTreeSet;

use super::chaos::Kills;
use crate::{checker::Records, support::Seen};

/// Kills that count.
#[derive(Debug)]
pub(super) struct Evidence {
    /// Kills of workers that each ended an attempt whose run had a checkpoint, neither at its start nor at its end,
    /// and went on from there.
    pub(super) ended_attempts: usize,
    /// Kills of the server with a report in flight.
    pub(super) in_flight: usize,
    /// Those of them that ended the attempt of the report.
    pub(super) in_flight_and_ended: usize,
}

/// An attempt that ended because its worker was killed.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Ended {
    run: String,
    attempt: u64,
    worker: u32,
}

impl Evidence {
    pub(super) fn of(records: &Records, kills: &Kills) -> Self {
        let ended = ended_attempts(records, &kills.workers);
        // A worker is killed once: as many workers, as many kills.
        let workers: BTreeSet<_> = ended.iter().map(|ended| ended.worker).collect();
        let with_worker = kills.in_flight.iter().filter(|kill| {
            kill.worker.is_some_and(|worker| {
                ended.contains(&Ended { run: kill.run.clone(), attempt: kill.attempt, worker })
            })
        });
        Self {
            ended_attempts: workers.len(),
            in_flight: kills.in_flight.len(),
            in_flight_and_ended: with_worker.count(),
        }
    }
}

fn ended_attempts(records: &Records, killed: &[u32]) -> BTreeSet<Ended> {
    let mut ended = BTreeSet::new();
    for (id, run) in &records.runs {
        let (mut checkpoint, mut worker) = (0, None);
        let mut lost: Option<Ended> = None;
        for event in records.events_of(id) {
            match event.kind.as_str() {
                "checkpoint_stored" => checkpoint = checkpoint.max(event.number("step").unwrap_or_default()),
                "run_started" => {
                    let went_on = event.number("from_step") == Some(checkpoint);
                    let next = lost.take().filter(|lost| went_on && event.attempt() == lost.attempt + 1);
                    ended.extend(next);
                    let id = event.body["worker"].as_str().unwrap_or_default();
                    let name = records.workers.get(id).map_or("", String::as_str);
                    worker = name.rsplit(':').next().and_then(|pid| pid.parse().ok());
                }
                // `server_restart` when the server was killed with the worker.
                "run_requeued"
                    if ["lost", "server_restart"].iter().any(|class| event.body["class"] == *class)
                        && (1..run.steps).contains(&checkpoint) =>
                {
                    lost = worker.filter(|worker| killed.contains(worker)).map(|worker| Ended {
                        run: id.clone(),
                        attempt: event.attempt(),
                        worker,
                    });
                }
                _ => {}
            }
        }
    }
    ended
}

/// A client that followed the job all the while saw every event once, in order.
pub(crate) fn assert_seen_all(records: &Records, job: &str, seen: &[Seen]) {
    let stored = &records.jobs[job].events;
    let stored: Vec<_> = stored.iter().map(|event| (event.seq, event.kind.as_str())).collect();
    let seen: Vec<_> = seen.iter().map(|event| (event.seq, event.kind.as_str())).collect();
    assert_eq!(seen, stored, "what a client saw and what the log says");
}

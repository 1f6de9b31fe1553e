//! A server that checks what it is told and does as the test says.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use async_trait::async_trait;
use jobs::{
    CheckpointRef, DatasetHash, Directive, MetricPoint, Outcome, Report, RunId, Stop, WorkerId, WorkerInfo,
};
use tokio::{sync::Notify, time::Instant};

use crate::coordinator::{Coordinator, Free, Lease, Refusal, Terms};

/// What the puppet knows and how it behaves; tests read and change it.
#[derive(Default)]
pub(crate) struct State {
    /// Reports taken, in order, with the time of each.
    pub(crate) reports: Vec<(Instant, Report)>,
    /// Chunks by checkpoint.
    pub(crate) chunks: HashMap<[u8; 32], BTreeMap<u32, Vec<u8>>>,
    pub(crate) datasets: HashMap<DatasetHash, Vec<u8>>,
    /// Data sets asked for.
    pub(crate) downloads: u32,
    /// Checkpoints asked for.
    pub(crate) fetched: u32,
    pub(crate) leases: VecDeque<Lease>,
    /// What each question for work said.
    pub(crate) asked: Vec<Free>,
    pub(crate) registered: Vec<WorkerInfo>,
    /// Whether every call fails as if nobody listened.
    pub(crate) is_away: bool,
    /// Calls that found nobody.
    pub(crate) missed: u32,
    /// Whether a report is taken and its answer lost, as when a connection breaks at the wrong moment.
    pub(crate) lose_answers: u32,
    /// Whether chunks are kept waiting.
    pub(crate) hold_chunks: bool,
    /// So many calls that bring chunks are broken off.
    pub(crate) break_parts: u32,
    /// How many chunks each of the others brought.
    pub(crate) parts: Vec<usize>,
    pub(crate) wish: HashMap<RunId, Stop>,
    /// Runs whose attempt is not the current one any more.
    pub(crate) stale: Vec<RunId>,
    next_seq: HashMap<(RunId, u32), u64>,
}

/// The server of a test.
#[derive(Default)]
pub(crate) struct Puppet {
    state: Mutex<State>,
    changed: Notify,
}

impl Puppet {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("a test failed while it held the puppet")
    }

    /// Changes how it behaves.
    pub(crate) fn set(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.changed.notify_waiters();
    }

    /// Waits until a condition holds. The deadline is real time, also where a test's time stands still.
    pub(crate) async fn until<T>(&self, what: &str, mut met: impl FnMut(&State) -> Option<T>) -> T {
        let began = std::time::Instant::now();
        loop {
            if let Some(value) = met(&self.state()) {
                return value;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "waited in vain: {what}");
            // Conditions may depend on more than the puppet: look again soon.
            let _ = tokio::time::timeout(Duration::from_millis(5), self.changed.notified()).await;
        }
    }

    /// Every metric point, in the order it came in.
    pub(crate) fn points(&self) -> Vec<MetricPoint> {
        self.state().reports.iter().flat_map(|(_, report)| report.metrics.clone()).collect()
    }

    pub(crate) fn outcome(&self) -> Option<Outcome> {
        self.state().reports.iter().find_map(|(_, report)| report.outcome.clone())
    }

    pub(crate) fn checkpoints(&self) -> Vec<CheckpointRef> {
        self.state().reports.iter().filter_map(|(_, report)| report.checkpoint.clone()).collect()
    }

    fn reach(&self) -> Result<MutexGuard<'_, State>, Refusal> {
        let mut state = self.state();
        if state.is_away {
            state.missed += 1;
            return Err(Refusal::Unreachable("nobody is there".into()));
        }
        Ok(state)
    }
}

#[async_trait]
impl Coordinator for Puppet {
    async fn register(&self, worker: &WorkerInfo) -> Result<Terms, Refusal> {
        self.reach()?.registered.push(worker.clone());
        self.changed.notify_waiters();
        Ok(super::stage::TERMS)
    }

    async fn acquire(&self, _: WorkerId, free: Free) -> Result<Option<Lease>, Refusal> {
        let mut is_first = true;
        loop {
            let changed = self.changed.notified();
            {
                let mut state = self.reach()?;
                if is_first {
                    state.asked.push(free);
                    is_first = false;
                }
                if let Some(lease) = state.leases.pop_front() {
                    return Ok(Some(lease));
                }
            }
            changed.await;
        }
    }

    async fn report(&self, report: &Report) -> Result<Directive, Refusal> {
        let answer = {
            let mut state = self.reach()?;
            if state.stale.contains(&report.run) {
                Err(Refusal::Stale { current: (report.attempt + 1).to_string() })
            } else {
                state.take(report);
                match state.lose_answers {
                    0 => Ok(match state.wish.get(&report.run) {
                        Some(stop) => Directive::Stop(*stop),
                        None => Directive::Continue { lease_ms: 30_000 },
                    }),
                    _ => {
                        state.lose_answers -= 1;
                        state.missed += 1;
                        Err(Refusal::Unreachable("the connection broke".into()))
                    }
                }
            }
        };
        self.changed.notify_waiters();
        answer
    }

    async fn put_checkpoint(&self, digest: [u8; 32], first: u32, part: &[u8]) -> Result<(), Refusal> {
        loop {
            let changed = self.changed.notified();
            {
                let mut state = self.reach()?;
                if state.break_parts > 0 {
                    state.break_parts -= 1;
                    return Err(Refusal::Unreachable("the connection broke".into()));
                }
                if !state.hold_chunks {
                    let chunks = (first..).zip(part.chunks(1 << 20).map(<[u8]>::to_vec));
                    state.parts.push(part.len().div_ceil(1 << 20));
                    state.chunks.entry(digest).or_default().extend(chunks);
                    return Ok(());
                }
            }
            changed.await;
        }
    }

    async fn get_checkpoint(&self, checkpoint: &CheckpointRef) -> Result<Vec<u8>, Refusal> {
        let mut state = self.reach()?;
        state.fetched += 1;
        let bytes = state.checkpoint(&checkpoint.digest);
        bytes.ok_or_else(|| Refusal::Missing("there is no such checkpoint".into()))
    }

    async fn get_dataset(&self, hash: DatasetHash, _: u64) -> Result<Vec<u8>, Refusal> {
        let mut state = self.reach()?;
        state.downloads += 1;
        state.datasets.get(&hash).cloned().ok_or_else(|| Refusal::Missing("there is no such data set".into()))
    }
}

impl State {
    /// The content of a checkpoint, if all its chunks are there.
    pub(crate) fn checkpoint(&self, digest: &[u8; 32]) -> Option<Vec<u8>> {
        Some(self.chunks.get(digest)?.values().flatten().copied().collect())
    }

    /// As the store does: the same number again changes nothing, and nothing may be left out or go back.
    fn take(&mut self, report: &Report) {
        let next = self.next_seq.entry((report.run, report.attempt)).or_default();
        if report.seq < *next {
            let first = self.reports.iter().find(|(_, taken)| {
                (taken.run, taken.attempt, taken.seq) == (report.run, report.attempt, report.seq)
            });
            assert_eq!(first.map(|(_, taken)| taken), Some(report), "a report sent again says the same");
            return;
        }
        assert_eq!(report.seq, *next, "reports come without gaps");
        *next += 1;
        let earlier = self.reports.iter().rev().map(|(_, taken)| taken);
        if let Some(last) =
            earlier.into_iter().find(|taken| (taken.run, taken.attempt) == (report.run, report.attempt))
        {
            assert!(report.step >= last.step, "step {} after step {}", report.step, last.step);
            assert_eq!(last.outcome, None, "an attempt that ended says nothing more");
        }
        assert!(
            report.metrics.iter().all(|point| point.step <= report.step),
            "metrics of steps not reached yet"
        );
        let wire = proto::v1::ReportRequest::from(report.clone());
        assert!(prost_len(&wire) < 4 << 20, "a report is {} bytes", prost_len(&wire));
        assert_eq!(
            Report::try_from(wire).as_ref().map(|taken| taken.seq),
            Ok(report.seq),
            "the server takes it"
        );
        if let Some(checkpoint) = &report.checkpoint {
            let bytes =
                self.checkpoint(&checkpoint.digest).expect("chunks come before the report that names them");
            assert_eq!(*blake3::hash(&bytes).as_bytes(), checkpoint.digest);
            assert_eq!(bytes.len() as u64, checkpoint.bytes);
            assert!(checkpoint.step <= report.step);
        }
        self.reports.push((Instant::now(), report.clone()));
    }
}

/// Registers some worker.
pub(crate) async fn terms(coordinator: &dyn Coordinator) -> Result<Terms, Refusal> {
    let worker = WorkerInfo {
        id: WorkerId(uuid::Uuid::from_u128(1)),
        name: "test:1".into(),
        build: "0.1.0".into(),
        catalogue: Vec::new(),
        slots: 1,
        memory_bytes: 1,
        labels: BTreeMap::new(),
        seen_at: 0,
    };
    coordinator.register(&worker).await
}

fn prost_len(message: &impl prost::Message) -> usize {
    message.encoded_len()
}

//! What a test needs to run attempts.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use experiments::{CATALOGUE, CanonicalParams, Data, Kind, Setup, Simulation, Source, digits8x8};
use jobs::{CheckpointRef, DatasetHash, JobId, MetricPoint, NonFinite, RunId, Stop};
use serde_json::{Value as Json, json};
use tempfile::TempDir;
use tokio::{sync::oneshot, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use super::{
    puppet::{Puppet, State},
    toy::{Probe, TOY, undisturbed},
};
use crate::{
    convert,
    coordinator::{Lease, Terms},
    datasets::Datasets,
    memory::Memory,
    runner::{Shared, attempt},
    sources::Sources,
    witness::Witness,
};

/// Short enough for tests, and long enough to carry several things at once.
pub(crate) const TERMS: Terms = Terms {
    report_min_ms: 2,
    report_max_ms: 50,
    checkpoint_ms: 30_000,
    max_checkpoint_bytes: 512 << 20,
    max_report_points: proto::POINTS_LIMIT,
};

/// Memory of the worker.
pub(crate) const MEMORY: u64 = 1 << 30;

/// A worker's shared parts, with a puppet for a server and a clock that the test moves.
pub(crate) struct Stage {
    pub(crate) puppet: Arc<Puppet>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) drain: CancellationToken,
    dir: TempDir,
    clock_ms: Arc<AtomicU64>,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let puppet = Arc::new(Puppet::default());
        let dir = TempDir::new().expect("a folder for the test");
        let clock_ms = Arc::new(AtomicU64::new(0));
        let time = clock_ms.clone();
        let shared = Shared {
            gang: gang::Gang::Alone,
            witness: Witness::default(),
            coordinator: puppet.clone(),
            catalogue: Box::leak(CATALOGUE.iter().chain(TOY).copied().collect::<Vec<_>>().into_boxed_slice()),
            datasets: Datasets::open(dir.path().join("datasets")).expect("a folder for the test"),
            sources: Sources::open(dir.path().join("checkpoints")).expect("a folder for the test"),
            memory: Memory::new(MEMORY),
            clock: Arc::new(move || Duration::from_millis(time.load(Ordering::Relaxed))),
        };
        Self { puppet, shared: Arc::new(shared), drain: CancellationToken::new(), dir, clock_ms }
    }

    /// A folder that goes away with the stage.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Lets wall time pass, for those who look at it.
    pub(crate) fn pass(&self, time: Duration) {
        self.clock_ms.fetch_add(time.as_millis() as u64, Ordering::Relaxed);
    }

    /// Begins an attempt.
    pub(crate) fn begin(&self, lease: Lease) -> JoinHandle<()> {
        let (planned, _) = oneshot::channel();
        tokio::spawn(attempt(self.shared.clone(), lease, TERMS, planned, self.drain.clone()))
    }

    /// Waits until a toy is at its gate and the server knows how far it is.
    pub(crate) async fn held(&self, probe: &Probe, step: u64) {
        let is_told = |state: &State| state.reports.last().is_some_and(|(_, report)| report.step == step);
        let is_held = |state: &State| is_told(state) && probe.get().held > 0 && probe.get().step == step;
        self.puppet.until("the toy is at its gate", |state| is_held(state).then_some(())).await;
    }

    /// Tells the worker what a user wants, and waits until it has heard.
    pub(crate) async fn wish(&self, lease: &Lease, stop: Stop) {
        self.puppet.set(|state| {
            state.wish.insert(lease.run, stop);
        });
        self.two_more_reports().await;
    }

    /// Tells the worker to go away, and waits until its runs have heard.
    pub(crate) async fn drain(&self) {
        self.drain.cancel();
        self.two_more_reports().await;
    }

    /// Waits for two more reports of every run: when the second comes, what was said before the first is obeyed.
    pub(crate) async fn two_more_reports(&self) {
        let count = |state: &State| {
            let runs = state.reports.iter().map(|(_, report)| report.run);
            runs.fold(BTreeMap::new(), |mut count, run| {
                *count.entry(run).or_insert(0) += 1;
                count
            })
        };
        let before = count(&self.puppet.state());
        let enough = |state: &State| {
            let now = count(state);
            before.iter().all(|(run, reports)| now[run] >= reports + 2)
        };
        self.puppet.until("two more reports", |state| enough(state).then_some(())).await;
    }

    /// Runs an attempt to its end.
    pub(crate) async fn play(&self, lease: Lease) {
        ended(self.begin(lease)).await;
    }
}

/// Waits for an attempt to end by itself.
pub(crate) async fn ended(attempt: JoinHandle<()>) {
    let ended = tokio::time::timeout(Duration::from_secs(60), attempt).await;
    ended.expect("the attempt ends within a minute").expect("the attempt does not panic");
}

/// A lease of a toy with these params, watched by the probe of this name. It observes every step.
pub(crate) fn toy(probe: &str, mut params: Json) -> (Lease, Arc<Probe>) {
    params["probe"] = json!(probe);
    (lease("toy", params.to_string(), None), Probe::named(probe))
}

/// A lease of an experiment of the catalogue, small enough for a test, on the built-in digits.
pub(crate) fn digits(experiment: &str, puppet: &Puppet) -> Lease {
    let small =
        json!({"hidden_units": 12, "batch": 50, "epochs": 3, "train_images": 500, "test_images": 100});
    let kind = find(experiment);
    let overrides = small.as_object().expect("an object");
    let params = kind.resolve(None, overrides).expect("these params are good");
    let content = digits8x8().encode();
    let hash = DatasetHash(*blake3::hash(&content).as_bytes());
    puppet.set(|state| {
        state.datasets.insert(hash, content);
    });
    let version = kind.version();
    Lease { version, every: Some(5), ..lease(experiment, params.as_str().to_owned(), Some(hash)) }
}

fn lease(experiment: &str, params: String, dataset: Option<DatasetHash>) -> Lease {
    Lease {
        run: RunId(uuid::Uuid::now_v7()),
        job: JobId(uuid::Uuid::now_v7()),
        attempt: 1,
        experiment: experiment.to_owned(),
        version: 1,
        params,
        seed: 7,
        dataset,
        every: Some(1),
        checkpoint_every_steps: None,
        checkpoint: None,
        sources: Vec::new(),
        lease_ms: 30_000,
        on_nonfinite: NonFinite::Fail,
        wall_s: 60,
    }
}

/// The next attempt of the same run, from a checkpoint.
pub(crate) fn again(lease: &Lease, checkpoint: CheckpointRef) -> Lease {
    Lease { attempt: lease.attempt + 1, checkpoint: Some(checkpoint), ..lease.clone() }
}

/// Metrics and digest of the run when nothing disturbs it.
pub(crate) fn expected(lease: &Lease) -> (Vec<MetricPoint>, String) {
    let (metrics, digest) = undisturbed(start(lease));
    (metrics.into_iter().map(convert::metric_point).collect(), digest.to_string())
}

/// The run as it begins, without a worker; it builds on no other.
pub(crate) fn start(lease: &Lease) -> Box<dyn Simulation> {
    start_from(lease, Vec::new())
}

/// The run as it begins, without a worker.
pub(crate) fn start_from(lease: &Lease, sources: Vec<Source>) -> Box<dyn Simulation> {
    let data = if lease.dataset.is_some() { digits8x8() } else { Data::None };
    let params = CanonicalParams::from_stored(lease.params.clone());
    let setup = Setup { params, seed: lease.seed, data, sources, every: lease.every };
    find(&lease.experiment).start(setup).expect("it starts")
}

fn find(experiment: &str) -> &'static dyn Kind {
    let mut kinds = CATALOGUE.iter().chain(TOY);
    *kinds.find(|kind| kind.name() == experiment).expect("it is in the catalogue")
}

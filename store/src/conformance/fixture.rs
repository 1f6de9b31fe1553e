//! Jobs, workers and reports for the cases.

use std::collections::BTreeMap;
use std::sync::Arc;

use jobs::{
    Capability, CheckpointRef, Class, Directive, JobId, JobSpec, Keep, Limits, MetricPoint, Millis,
    NonFinite, Outcome, Report, Run, RunId, RunSpec, RunState, Seeds, Value, WorkerId, WorkerInfo,
};
use uuid::Uuid;

use crate::{AcquireRequest, Chunk, Collect, Granted, MetricQuery, NewJob, NewRun, Result, Rows, Store};

/// When a case begins.
pub(crate) const START: Millis = 1_000_000;
/// Time to live of the leases.
pub(crate) const TTL: u64 = 30_000;
/// Steps of every run.
pub(crate) const STEPS: u64 = 1_000;

/// A store with shorthands.
pub(crate) struct Bench {
    pub(crate) store: Arc<dyn Store>,
}

impl Bench {
    pub(crate) async fn with_job(store: Arc<dyn Store>, runs: u32) -> Self {
        let bench = Self { store };
        bench.submit(job(1, runs)).await;
        bench
    }

    pub(crate) async fn submit(&self, job: NewJob) {
        let submitted = self.store.submit(job).await.expect("a good job is stored");
        assert!(submitted.created);
    }

    pub(crate) async fn acquire(&self, who: u128, now: Millis) -> Option<Granted> {
        self.store.acquire(asks(worker(who), now)).await.expect("acquire answers")
    }

    pub(crate) async fn granted(&self, who: u128, now: Millis) -> Run {
        self.acquire(who, now).await.expect("a run waits").run
    }

    pub(crate) async fn report(&self, report: Report, now: Millis) -> Directive {
        self.store.report(report, now).await.expect("a good report is taken")
    }

    pub(crate) async fn run(&self, id: RunId) -> Run {
        self.store.run(id).await.expect("a run can be read").expect("the run is there")
    }

    pub(crate) async fn events(&self) -> Vec<&'static str> {
        let events = self.store.events(job_id(1), 0, 1_000).await.expect("events can be read");
        assert!(
            events.iter().map(|event| event.seq).eq(1..=events.len() as u64),
            "numbered from 1 without gaps"
        );
        events.iter().map(|event| event.kind.name()).collect()
    }

    /// Puts the chunks of a checkpoint.
    pub(crate) async fn checkpoint(&self, step: u64, now: Millis) -> CheckpointRef {
        let bytes = format!("state at step {step}").into_bytes();
        let digest = *blake3::hash(&bytes).as_bytes();
        let length = bytes.len() as u64;
        let (first, second) = bytes.split_at(5);
        let chunks =
            [first, second].into_iter().zip(0..).map(|(bytes, n)| Chunk { n, bytes: bytes.to_vec() });
        self.store.put_chunks(digest, chunks.collect(), now).await.expect("chunks are stored");
        CheckpointRef { step, digest, bytes: length }
    }

    /// Collects what nothing names since `before`; answers how many chunks went.
    pub(crate) async fn collect(&self, before: Millis) -> u64 {
        let what = Collect { before, final_only: false, dry_run: false, now: before };
        self.store.collect(what).await.expect("collected").chunks
    }

    /// Steps of the checkpoints of a run, newest first.
    pub(crate) async fn kept(&self, run: RunId) -> Vec<u64> {
        self.store.checkpoints(run).await.expect("readable").iter().map(|one| one.step).collect()
    }

    pub(crate) async fn values(&self, run: RunId, name: &str) -> Rows {
        self.values_to(run, name, 5_000).await.expect("metrics can be read")
    }

    pub(crate) async fn values_to(&self, run: RunId, name: &str, points: u32) -> Result<Rows> {
        self.store.metrics(MetricQuery { run, name: name.into(), from: 0, to: u64::MAX, points }).await
    }
}

pub(crate) fn job_id(n: u128) -> JobId {
    JobId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + n))
}

pub(crate) fn run_id(job: u128, index: u32) -> RunId {
    RunId(Uuid::from_u128(0x0190_0000_0000_7000_9000_0000_0000_0000 + job * 10_000 + u128::from(index)))
}

pub(crate) fn job(n: u128, runs: u32) -> NewJob {
    let run = |index| NewRun {
        id: run_id(n, index),
        spec: RunSpec {
            index,
            params: r#"{"tau_ms":0.1}"#.into(),
            seed: u64::from(index),
            steps: STEPS,
            memory_bytes: 1_000,
        },
    };
    let spec = JobSpec {
        name: Some(format!("job {n}")),
        experiment: "rbse".into(),
        version: Some(1),
        preset: None,
        params: serde_json::Map::new(),
        sweep: None,
        seeds: Seeds::default(),
        dataset: None,
        from: Vec::new(),
        labels: BTreeMap::new(),
        requires: BTreeMap::new(),
        priority: 0,
        every: None,
        checkpoint_every_steps: None,
        keep: Keep::default(),
        limits: Limits::default(),
        on_nonfinite: NonFinite::Fail,
    };
    let now = START + u64::try_from(n).expect("a small number");
    NewJob {
        id: job_id(n),
        spec,
        dataset: None,
        from: Vec::new(),
        runs: (0..runs).map(run).collect(),
        idempotency: None,
        now,
    }
}

pub(crate) fn worker(n: u128) -> WorkerInfo {
    WorkerInfo {
        id: WorkerId(Uuid::from_u128(n)),
        name: format!("worker {n}"),
        build: "1".into(),
        catalogue: vec![Capability { experiment: "rbse".into(), version: 1 }],
        slots: 2,
        memory_bytes: 1 << 30,
        labels: BTreeMap::from([("zone".into(), "a".into())]),
        seen_at: START,
    }
}

pub(crate) fn asks(worker: WorkerInfo, now: Millis) -> AcquireRequest {
    AcquireRequest { free_memory: worker.memory_bytes, worker, now, ttl_ms: TTL }
}

/// A report of `run`'s current attempt.
pub(crate) fn says(run: &Run, seq: u64, step: u64) -> Report {
    Report {
        run: run.id,
        attempt: run.attempt,
        seq,
        step,
        metrics: Vec::new(),
        checkpoint: None,
        outcome: None,
    }
}

pub(crate) fn scalar(name: &str, step: u64, value: f64) -> MetricPoint {
    MetricPoint { name: name.into(), step, value: Value::Scalar(value) }
}

pub(crate) fn succeeded() -> Option<Outcome> {
    Some(Outcome::Succeeded { digest: "d".repeat(64) })
}

pub(crate) fn failed(class: Class) -> Option<Outcome> {
    Some(Outcome::Failed { class, message: "it broke".into() })
}

pub(crate) fn expires_at(run: &Run) -> Millis {
    match &run.state {
        RunState::Running(lease) => lease.expires_at,
        state => panic!("run is {}, not running", state.name()),
    }
}

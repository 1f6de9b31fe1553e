//! Answers of the store as messages for users.

use jobs::{Job, Millis, Run, RunState, WorkerInfo};
use proto::v1;
use serde_json::json;
use store::{Dataset, Series};

use crate::{act::state_name, fault::Fault, rest::body, waiting::waiting_for};

pub(super) fn job(job: Job) -> Result<v1::Job, Fault> {
    let counts = job.counts;
    Ok(v1::Job {
        id: job.id.to_string(),
        name: job.spec.name.clone().unwrap_or_default(),
        experiment: job.spec.experiment.clone(),
        version: job.spec.version.unwrap_or(1),
        state: state_name(counts.state()).to_owned(),
        runs: Some(v1::RunCounts {
            queued: counts.queued,
            running: counts.running,
            paused: counts.paused,
            succeeded: counts.succeeded,
            failed: counts.failed,
            cancelled: counts.cancelled,
        }),
        spec_json: serde_json::to_string(&job.spec).map_err(Fault::internal)?,
        dataset: job.dataset.map(|hash| hash.to_string()).unwrap_or_default(),
        created_at_ms: job.created_at,
        ended_at_ms: job.ended_at.unwrap_or(0),
        last_seq: job.last_seq,
        from: job.from.into_iter().map(source).collect(),
    })
}

fn source(source: jobs::JobSource) -> v1::JobSource {
    v1::JobSource {
        name: source.name,
        run_id: source.run.to_string(),
        checkpoint: Some(source.checkpoint.into()),
    }
}

pub(super) fn run(run: Run, job: &Job, live: &[WorkerInfo], now: Millis) -> v1::Run {
    let waiting_for = waiting_for(&run, job, live, now).unwrap_or_default();
    let (digest, failure_class, failure_message) = match &run.state {
        RunState::Succeeded { digest } => (digest.clone(), String::new(), String::new()),
        RunState::Failed { class, message } => (String::new(), class.name().to_owned(), message.clone()),
        _ => Default::default(),
    };
    v1::Run {
        id: run.id.to_string(),
        job_id: run.job.to_string(),
        index: run.spec.index,
        state: run.state.name().to_owned(),
        attempt: run.attempt,
        seed: run.spec.seed,
        params_json: run.spec.params,
        step: run.step,
        steps: run.spec.steps,
        checkpoint_step: run.checkpoint_step.unwrap_or(0),
        digest,
        failure_class,
        failure_message,
        waiting_for,
        memory_bytes: run.spec.memory_bytes,
        updated_at_ms: run.updated_at,
    }
}

pub(super) fn event(event: &jobs::Event) -> Result<v1::WatchJobResponse, Fault> {
    Ok(v1::WatchJobResponse {
        seq: event.seq,
        at_ms: event.at,
        kind: event.kind.name().to_owned(),
        payload_json: serde_json::to_string(&body::Event::from(event)).map_err(Fault::internal)?,
    })
}

pub(super) fn series(series: Series, unit: &str) -> v1::Series {
    v1::Series {
        name: series.name,
        kind: v1::MetricKind::from(series.kind).into(),
        unit: unit.to_owned(),
        count: series.count,
        last_step: series.last_step,
        last: series.last,
    }
}

pub(super) fn ranked(ranked: store::Ranked) -> v1::RankedRun {
    let store::Ranked { run, value, step } = ranked;
    v1::RankedRun {
        id: run.id.to_string(),
        job_id: run.job.to_string(),
        index: run.spec.index,
        seed: run.spec.seed,
        params_json: run.spec.params,
        value,
        step,
    }
}

pub(super) fn experiment(kind: &'static dyn experiments::Kind) -> v1::Experiment {
    let body = body::Experiment::from(kind);
    v1::Experiment {
        name: body.name.to_owned(),
        version: body.version,
        summary: body.summary.to_owned(),
        schema_json: body.schema.to_string(),
        defaults_json: body.defaults.to_string(),
        presets_json: json!(body.presets).to_string(),
        metrics: kind.metrics().iter().map(metric_spec).collect(),
        forkable: body.forkable.iter().map(ToString::to_string).collect(),
        readme: body.readme.to_owned(),
    }
}

fn metric_spec(spec: &experiments::MetricSpec) -> v1::MetricSpec {
    v1::MetricSpec {
        name: spec.name.to_owned(),
        unit: spec.unit.to_owned(),
        kind: v1::MetricKind::from(crate::rest::metrics::kind_of(spec)).into(),
        meaning: spec.meaning.to_owned(),
    }
}

pub(super) fn dataset(dataset: Dataset) -> v1::Dataset {
    v1::Dataset {
        hash: dataset.hash.to_string(),
        names: dataset.names,
        kind: dataset.kind,
        shape_json: dataset.shape,
        attribution: dataset.attribution.unwrap_or_default(),
        bytes: dataset.bytes,
        created_at_ms: dataset.created_at,
    }
}

pub(super) fn worker(worker: WorkerInfo) -> v1::Worker {
    let can = |can: &jobs::Capability| format!("{} v{}", can.experiment, can.version);
    v1::Worker {
        experiments: worker.catalogue.iter().map(can).collect(),
        id: worker.id.to_string(),
        name: worker.name,
        build: worker.build,
        slots: worker.slots,
        memory_bytes: worker.memory_bytes,
        labels: worker.labels.into_iter().collect(),
        seen_at_ms: worker.seen_at,
    }
}

/// A checkpoint as the store has it.
pub(super) fn checkpoint(checkpoint: store::StoredCheckpoint) -> v1::Checkpoint {
    let store::StoredCheckpoint { step, attempt, digest, bytes, at, score, pinned } = checkpoint;
    v1::Checkpoint { step, digest: digest.to_vec(), bytes, attempt, stored_at_ms: at, score, pinned }
}

/// What was removed, or would be.
pub(super) fn collected(collected: store::Collected) -> v1::CollectGarbageResponse {
    let store::Collected { checkpoints, checkpoint_bytes, chunks, chunk_bytes } = collected;
    v1::CollectGarbageResponse { checkpoints, checkpoint_bytes, chunks, chunk_bytes }
}

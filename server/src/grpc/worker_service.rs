//! What workers ask: work, and that their reports be taken.

use std::pin::Pin;

use futures::Stream;
use jobs::{Class, Directive, Outcome, Report, RunState, Stop, WorkerId, WorkerInfo};
use proto::v1::{self, worker_service_server::WorkerService};
use store::{AcquireRequest, Granted};
use tokio::time::{Instant, sleep, sleep_until};
use tonic::{Request, Response, Status, Streaming};

use super::{
    checkpoints::{self, Source, chunks},
    status::reply,
};
use crate::{
    app::{App, BUILD},
    checkpoints::{reference, refused, whole},
    config::millis,
    fault::{Fault, Kind},
};

/// How long a worker that registered may be silent before it has to register again.
const FORGOTTEN_MS: u64 = 24 * 3_600_000;

/// Answers workers.
#[derive(Clone)]
pub(super) struct WorkerAnswers(pub(super) App);

type Answers<M> = Pin<Box<dyn Stream<Item = Result<M, Status>> + Send>>;

#[tonic::async_trait]
impl WorkerService for WorkerAnswers {
    async fn register(
        &self,
        request: Request<v1::RegisterRequest>,
    ) -> Result<Response<v1::RegisterResponse>, Status> {
        reply(register(&self.0, request.into_inner()).await)
    }

    async fn acquire(
        &self,
        request: Request<v1::AcquireRequest>,
    ) -> Result<Response<v1::AcquireResponse>, Status> {
        reply(acquire(&self.0, request.into_inner()).await)
    }

    async fn report(
        &self,
        request: Request<v1::ReportRequest>,
    ) -> Result<Response<v1::ReportResponse>, Status> {
        reply(report(&self.0, request.into_inner()).await)
    }

    async fn put_chunk(
        &self,
        request: Request<Streaming<v1::PutChunkRequest>>,
    ) -> Result<Response<v1::PutChunkResponse>, Status> {
        let stored = checkpoints::put(&self.0, request.into_inner()).await;
        reply(stored.map(|stored| v1::PutChunkResponse { stored }))
    }

    type GetCheckpointStream = Answers<v1::GetCheckpointResponse>;

    async fn get_checkpoint(
        &self,
        request: Request<v1::GetCheckpointRequest>,
    ) -> Result<Response<Self::GetCheckpointStream>, Status> {
        let app = self.0.clone();
        let answer = async {
            let digest = proto::hash("digest", &request.into_inner().digest)?;
            chunks(app, Source::Checkpoint(digest), |chunk| v1::GetCheckpointResponse { chunk }).await
        };
        reply(answer.await.map(|stream| Box::pin(stream) as Self::GetCheckpointStream))
    }

    type GetDatasetStream = Answers<v1::GetDatasetResponse>;

    async fn get_dataset(
        &self,
        request: Request<v1::GetDatasetRequest>,
    ) -> Result<Response<Self::GetDatasetStream>, Status> {
        let app = self.0.clone();
        let answer = async {
            let hash = proto::id("dataset", &request.into_inner().dataset)?;
            chunks(app, Source::Dataset(hash), |chunk| v1::GetDatasetResponse { chunk }).await
        };
        reply(answer.await.map(|stream| Box::pin(stream) as Self::GetDatasetStream))
    }
}

async fn register(app: &App, request: v1::RegisterRequest) -> Result<v1::RegisterResponse, Fault> {
    let worker = proto::worker_info(request, app.now().await?)?;
    let (id, name) = (worker.id, worker.name.clone());
    app.store.register(worker).await?;
    tracing::info!(worker.id = %id, worker.name = %name, "worker {name} registered");
    Ok(v1::RegisterResponse {
        build: BUILD.to_owned(),
        lease_ms: app.config.lease_ms,
        report_min_ms: app.config.report_min_ms,
        report_max_ms: app.config.report_max_ms,
        checkpoint_ms: app.config.checkpoint_ms,
        max_checkpoint_bytes: app.config.max_checkpoint_bytes,
        max_report_points: app.config.max_report_points.max(1),
    })
}

async fn acquire(app: &App, request: v1::AcquireRequest) -> Result<v1::AcquireResponse, Fault> {
    let id: WorkerId = proto::id("worker_id", &request.worker_id)?;
    if request.free_slots == 0 {
        return Err(Fault::invalid_field("free_slots", "`free_slots` is 0; it must be at least 1"));
    }
    let worker = known_worker(app, id).await?;
    let end = Instant::now() + millis(app.config.acquire_wait_ms);
    let mut bell = app.bell.work();
    loop {
        app.accepts_work()?;
        let ask = AcquireRequest {
            worker: worker.clone(),
            free_memory: request.free_memory_bytes,
            now: app.now().await?,
            ttl_ms: app.config.lease_ms,
        };
        // Rings from here on are heard below, so none falls between asking and waiting.
        bell.mark_unchanged();
        if let Some(granted) = app.store.acquire(ask).await? {
            app.telemetry.acquired(true);
            return Ok(v1::AcquireResponse { lease: Some(lease(app, granted).await?) });
        }
        tokio::select! {
            _ = bell.changed() => {}
            () = sleep(millis(app.config.acquire_poll_ms)) => {}
            () = app.drain.cancelled() => {}
            () = sleep_until(end) => {
                app.telemetry.acquired(false);
                return Ok(v1::AcquireResponse { lease: None });
            }
        }
    }
}

async fn known_worker(app: &App, id: WorkerId) -> Result<WorkerInfo, Fault> {
    let since = app.now().await?.saturating_sub(FORGOTTEN_MS);
    let worker = app.store.workers(since).await?.into_iter().find(|worker| worker.id == id);
    worker.ok_or_else(|| {
        Fault::new(Kind::NotRegistered, format!("worker {id} is not known; it must register first"))
    })
}

/// Everything the worker needs, with a checkpoint that was found whole.
async fn lease(app: &App, granted: Granted) -> Result<v1::Lease, Fault> {
    let Granted { run, job, checkpoint } = granted;
    app.attempts.open(&run);
    let checkpoint = if checkpoint.is_some() { whole(app, run.id, None).await? } else { None };
    app.bell.ring_job(job.id);
    let (id, attempt) = (run.id, run.attempt);
    let from_step = checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.step);
    tracing::info!(run.id = %id, attempt, from_step, "run {id} leased, attempt {attempt} from step {from_step}");
    let lease_ms = match &run.state {
        RunState::Running(lease) => lease.ttl_ms,
        _ => app.config.lease_ms,
    };
    Ok(v1::Lease {
        run_id: id.to_string(),
        job_id: job.id.to_string(),
        attempt,
        experiment: job.spec.experiment.clone(),
        version: job.spec.version.unwrap_or(1),
        params: run.spec.params,
        seed: run.spec.seed,
        dataset: job.dataset.map(|hash| hash.to_string()).unwrap_or_default(),
        every: job.spec.every.unwrap_or(0),
        checkpoint_every_steps: job.spec.checkpoint_every_steps.unwrap_or(0),
        checkpoint: checkpoint.map(|checkpoint| reference(&checkpoint).into()),
        lease_ms,
        fail_on_nonfinite: job.spec.on_nonfinite == jobs::NonFinite::Fail,
        wall_s: job.spec.limits.wall_s,
        sources: job.from.into_iter().map(lease_source).collect(),
    })
}

fn lease_source(source: jobs::JobSource) -> v1::LeaseSource {
    v1::LeaseSource { name: source.name, checkpoint: Some(source.checkpoint.into()) }
}

async fn report(app: &App, request: v1::ReportRequest) -> Result<v1::ReportResponse, Fault> {
    let (points, most) = (request.metrics.len(), app.config.max_report_points.max(1) as usize);
    if points > most {
        let detail = format!("`metrics` is {points} points; it must be at most {most}");
        return Err(Fault::invalid_field("metrics", detail));
    }
    let report = Report::try_from(request)?;
    let (run, attempt, seq, step) = (report.run, report.attempt, report.seq, report.step);
    let outcome = report.outcome.clone();
    if let Some(Outcome::Failed { class: Class::CheckpointRefused, message }) = &outcome {
        refused(app, &report, message).await?;
    }
    let directive = app.store.report(report, app.now().await?).await.map_err(|error| {
        let fault = Fault::from(error);
        let reason = fault.kind.row().code;
        let current =
            fault.facts.iter().find(|(name, _)| *name == "current").map(|(_, value)| value.as_str());
        app.telemetry.report_refused(reason);
        tracing::warn!(run.id = %run, attempt, seq, current, "report refused: {reason}");
        fault
    })?;
    let job = match app.attempts.job(run) {
        Some(job) => Some(job),
        None => remember(app, run).await?,
    };
    app.telemetry.reported(app.attempts.advance(run, attempt, step), points);
    let violated = directive == Directive::Stop(Stop::LeaseLost);
    if violated || outcome.is_some() {
        close(app, run, violated, outcome);
    }
    if let Some(job) = job {
        app.bell.ring_job(job);
    }
    Ok(directive.into())
}

/// An attempt that an earlier process of the server granted.
async fn remember(app: &App, run: jobs::RunId) -> Result<Option<jobs::JobId>, Fault> {
    let Some(run) = app.store.run(run).await? else { return Ok(None) };
    if matches!(run.state, RunState::Running(_)) {
        app.attempts.open(&run);
    }
    Ok(Some(run.job))
}

/// The attempt is over: another run may fit now, perhaps this one again.
fn close(app: &App, run: jobs::RunId, violated: bool, outcome: Option<Outcome>) {
    let was_open = app.attempts.close(run);
    if violated && was_open {
        app.telemetry.determinism_violated();
        tracing::error!(run.id = %run, "run {run} gave other bits than before");
    }
    if let Some(outcome) = outcome {
        tracing::info!(run.id = %run, ?outcome, "attempt of run {run} ended");
    }
    app.bell.ring_work();
}

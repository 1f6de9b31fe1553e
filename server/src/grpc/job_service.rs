//! What users ask, over gRPC; each call is also an operation of REST.

use std::pin::Pin;

use bytes::Bytes;
use experiments::{CATALOGUE, find};
use futures::{Stream, StreamExt, stream};
use jobs::MetricPoint;
use proto::v1::{
    self, get_run_checkpoint_response::Part as CheckpointPart, job_service_server::JobService,
    put_dataset_request::Part,
};
use store::{MetricQuery, Page, Verb};
use tonic::{Request, Response, Status, Streaming};

use super::{
    convert,
    status::{broken_off, reply, status},
};
use crate::{
    act::act,
    app::{App, cut},
    checkpoints,
    events::events,
    fault::Fault,
    rest::{
        answer::page_size,
        datasets::dataset,
        jobs::{job_cursor, run_cursor},
        metrics::{POINTS, declared, no_metric},
        runs::ranking,
    },
    submit::submit,
    upload::{About, File, Upload},
};

/// Answers users.
#[derive(Clone)]
pub(super) struct JobAnswers(pub(super) App);

#[tonic::async_trait]
impl JobService for JobAnswers {
    async fn submit_job(
        &self,
        request: Request<v1::SubmitJobRequest>,
    ) -> Result<Response<v1::SubmitJobResponse>, Status> {
        reply(self.submit(request.into_inner()).await)
    }

    async fn get_job(
        &self,
        request: Request<v1::GetJobRequest>,
    ) -> Result<Response<v1::GetJobResponse>, Status> {
        let job = self.0.job(&request.into_inner().id).await.and_then(convert::job);
        reply(job.map(|job| v1::GetJobResponse { job: Some(job) }))
    }

    async fn list_jobs(
        &self,
        request: Request<v1::ListJobsRequest>,
    ) -> Result<Response<v1::ListJobsResponse>, Status> {
        reply(self.jobs(request.into_inner()).await)
    }

    async fn cancel_job(
        &self,
        request: Request<v1::CancelJobRequest>,
    ) -> Result<Response<v1::CancelJobResponse>, Status> {
        let job = self.act(&request.into_inner().id, Verb::Cancel).await;
        reply(job.map(|job| v1::CancelJobResponse { job: Some(job) }))
    }

    async fn pause_job(
        &self,
        request: Request<v1::PauseJobRequest>,
    ) -> Result<Response<v1::PauseJobResponse>, Status> {
        let job = self.act(&request.into_inner().id, Verb::Pause).await;
        reply(job.map(|job| v1::PauseJobResponse { job: Some(job) }))
    }

    async fn resume_job(
        &self,
        request: Request<v1::ResumeJobRequest>,
    ) -> Result<Response<v1::ResumeJobResponse>, Status> {
        let job = self.act(&request.into_inner().id, Verb::Resume).await;
        reply(job.map(|job| v1::ResumeJobResponse { job: Some(job) }))
    }

    async fn get_run(
        &self,
        request: Request<v1::GetRunRequest>,
    ) -> Result<Response<v1::GetRunResponse>, Status> {
        reply(self.run(&request.into_inner().id).await)
    }

    async fn list_runs(
        &self,
        request: Request<v1::ListRunsRequest>,
    ) -> Result<Response<v1::ListRunsResponse>, Status> {
        reply(self.runs(request.into_inner()).await)
    }

    async fn rank_runs(
        &self,
        request: Request<v1::RankRunsRequest>,
    ) -> Result<Response<v1::RankRunsResponse>, Status> {
        let v1::RankRunsRequest { metric, experiment, job_id, descending, limit } = request.into_inner();
        let some = |text: String| (!text.is_empty()).then_some(text);
        let ranked = ranking(&self.0, metric, some(experiment), some(job_id), descending, given(limit)).await;
        let runs = ranked.map_err(status)?.into_iter().map(convert::ranked).collect();
        Ok(Response::new(v1::RankRunsResponse { runs }))
    }

    async fn list_run_checkpoints(
        &self,
        request: Request<v1::ListRunCheckpointsRequest>,
    ) -> Result<Response<v1::ListRunCheckpointsResponse>, Status> {
        let run = self.0.run(&request.into_inner().run_id).await.map_err(status)?;
        let checkpoints = self.0.store.checkpoints(run.id).await.map_err(|error| status(error.into()))?;
        let checkpoints = checkpoints.into_iter().map(convert::checkpoint).collect();
        Ok(Response::new(v1::ListRunCheckpointsResponse { checkpoints }))
    }

    async fn pin_run_checkpoint(
        &self,
        request: Request<v1::PinRunCheckpointRequest>,
    ) -> Result<Response<v1::PinRunCheckpointResponse>, Status> {
        let v1::PinRunCheckpointRequest { run_id, step } = request.into_inner();
        let pinned = checkpoints::pin(&self.0, &run_id, step, true).await;
        reply(pinned.map(|one| v1::PinRunCheckpointResponse { checkpoint: Some(convert::checkpoint(one)) }))
    }

    async fn unpin_run_checkpoint(
        &self,
        request: Request<v1::UnpinRunCheckpointRequest>,
    ) -> Result<Response<v1::UnpinRunCheckpointResponse>, Status> {
        let v1::UnpinRunCheckpointRequest { run_id, step } = request.into_inner();
        let pinned = checkpoints::pin(&self.0, &run_id, step, false).await;
        reply(pinned.map(|one| v1::UnpinRunCheckpointResponse { checkpoint: Some(convert::checkpoint(one)) }))
    }

    async fn collect_garbage(
        &self,
        request: Request<v1::CollectGarbageRequest>,
    ) -> Result<Response<v1::CollectGarbageResponse>, Status> {
        let v1::CollectGarbageRequest { dry_run, final_only, older_than_s } = request.into_inner();
        let collected = checkpoints::collect(&self.0, dry_run, final_only, older_than_s).await;
        reply(collected.map(convert::collected))
    }

    type GetRunCheckpointStream =
        Pin<Box<dyn Stream<Item = Result<v1::GetRunCheckpointResponse, Status>> + Send>>;

    async fn get_run_checkpoint(
        &self,
        request: Request<v1::GetRunCheckpointRequest>,
    ) -> Result<Response<Self::GetRunCheckpointStream>, Status> {
        let v1::GetRunCheckpointRequest { run_id, step } = request.into_inner();
        let run = self.0.run(&run_id).await.map_err(status)?;
        let checkpoint = checkpoints::wanted(&self.0, &run, step).await.map_err(status)?;
        let about = CheckpointPart::About(checkpoints::reference(&checkpoint).into());
        let chunks = checkpoints::chunks(self.0.clone(), checkpoint.digest).zip(stream::iter(0..));
        let chunks = chunks
            .map(|(bytes, n)| Ok(CheckpointPart::Chunk(v1::Chunk { n, bytes: bytes.map_err(status)? })));
        let parts = stream::iter([Ok(about)]).chain(chunks);
        let messages = parts.map(|part| part.map(|part| v1::GetRunCheckpointResponse { part: Some(part) }));
        Ok(Response::new(Box::pin(messages)))
    }

    type WatchJobStream = Pin<Box<dyn Stream<Item = Result<v1::WatchJobResponse, Status>> + Send>>;

    async fn watch_job(
        &self,
        request: Request<v1::WatchJobRequest>,
    ) -> Result<Response<Self::WatchJobStream>, Status> {
        let v1::WatchJobRequest { id, after_seq } = request.into_inner();
        let job = self.0.job(&id).await.map_err(status)?;
        let events = events(self.0.clone(), job.id, after_seq).map_err(status)?;
        let messages = events.map(|event| event.and_then(|event| convert::event(&event)).map_err(status));
        Ok(Response::new(Box::pin(messages)))
    }

    async fn list_metrics(
        &self,
        request: Request<v1::ListMetricsRequest>,
    ) -> Result<Response<v1::ListMetricsResponse>, Status> {
        reply(self.series(&request.into_inner().run_id).await)
    }

    async fn query_metrics(
        &self,
        request: Request<v1::QueryMetricsRequest>,
    ) -> Result<Response<v1::QueryMetricsResponse>, Status> {
        reply(self.metrics(request.into_inner()).await)
    }

    async fn list_experiments(
        &self,
        _: Request<v1::ListExperimentsRequest>,
    ) -> Result<Response<v1::ListExperimentsResponse>, Status> {
        let experiments = CATALOGUE.iter().copied().map(convert::experiment).collect();
        Ok(Response::new(v1::ListExperimentsResponse { experiments }))
    }

    async fn get_experiment(
        &self,
        request: Request<v1::GetExperimentRequest>,
    ) -> Result<Response<v1::GetExperimentResponse>, Status> {
        let name = request.into_inner().name;
        let none = || Fault::not_found(format!("there is no experiment `{}`", cut(&name)));
        let found = find(&name).map(convert::experiment).ok_or_else(none);
        reply(found.map(|experiment| v1::GetExperimentResponse { experiment: Some(experiment) }))
    }

    async fn list_datasets(
        &self,
        _: Request<v1::ListDatasetsRequest>,
    ) -> Result<Response<v1::ListDatasetsResponse>, Status> {
        let datasets = self.0.store.datasets().await.map_err(|error| status(error.into()))?;
        let datasets = datasets.into_iter().map(convert::dataset).collect();
        Ok(Response::new(v1::ListDatasetsResponse { datasets }))
    }

    async fn get_dataset_info(
        &self,
        request: Request<v1::GetDatasetInfoRequest>,
    ) -> Result<Response<v1::GetDatasetInfoResponse>, Status> {
        let found = dataset(&self.0, &request.into_inner().name).await.map(convert::dataset);
        reply(found.map(|dataset| v1::GetDatasetInfoResponse { dataset: Some(dataset) }))
    }

    async fn put_dataset(
        &self,
        request: Request<Streaming<v1::PutDatasetRequest>>,
    ) -> Result<Response<v1::PutDatasetResponse>, Status> {
        reply(put_dataset(&self.0, request.into_inner()).await)
    }

    async fn list_workers(
        &self,
        _: Request<v1::ListWorkersRequest>,
    ) -> Result<Response<v1::ListWorkersResponse>, Status> {
        let workers = self.live_workers().await.map_err(status)?;
        let workers = workers.into_iter().map(convert::worker).collect();
        Ok(Response::new(v1::ListWorkersResponse { workers }))
    }
}

impl JobAnswers {
    async fn submit(&self, request: v1::SubmitJobRequest) -> Result<v1::SubmitJobResponse, Fault> {
        let key = Some(request.idempotency_key).filter(|key| !key.is_empty());
        let limit = self.0.config.max_json_bytes;
        if request.spec_json.len() > limit {
            let detail = format!("`spec_json` is too large; it must be at most {limit} bytes");
            return Err(Fault::new(crate::fault::Kind::TooLarge, detail));
        }
        let submitted = submit(&self.0, Bytes::from(request.spec_json), key).await?;
        Ok(v1::SubmitJobResponse { created: submitted.created, job: Some(convert::job(submitted.job)?) })
    }

    async fn act(&self, id: &str, verb: Verb) -> Result<v1::Job, Fault> {
        act(&self.0, id, verb).await.and_then(convert::job)
    }

    async fn jobs(&self, request: v1::ListJobsRequest) -> Result<v1::ListJobsResponse, Fault> {
        let token = Some(request.page_token.as_str()).filter(|token| !token.is_empty());
        let page = Page { after: job_cursor(token)?, limit: self.page_size(request.page_size)? };
        let page = self.0.store.jobs(page).await?;
        let next_page_token = page.jobs.last().filter(|_| page.more).map(|job| job.id.to_string());
        let jobs = page.jobs.into_iter().map(convert::job).collect::<Result<_, _>>()?;
        Ok(v1::ListJobsResponse { jobs, next_page_token: next_page_token.unwrap_or_default() })
    }

    async fn run(&self, id: &str) -> Result<v1::GetRunResponse, Fault> {
        let run = self.0.run(id).await?;
        let job = self.0.job_of(&run).await?;
        let (live, now) = (self.live_workers().await?, self.0.now().await?);
        Ok(v1::GetRunResponse { run: Some(convert::run(run, &job, &live, now)) })
    }

    async fn runs(&self, request: v1::ListRunsRequest) -> Result<v1::ListRunsResponse, Fault> {
        let job = self.0.job(&request.job_id).await?;
        let token = Some(request.page_token.as_str()).filter(|token| !token.is_empty());
        let page = Page { after: run_cursor(token)?, limit: self.page_size(request.page_size)? };
        let page = self.0.store.runs(job.id, page).await?;
        let next_page_token = page.runs.last().filter(|_| page.more).map(|run| run.spec.index.to_string());
        let (live, now) = (self.live_workers().await?, self.0.now().await?);
        let runs = page.runs.into_iter().map(|run| convert::run(run, &job, &live, now)).collect();
        Ok(v1::ListRunsResponse { runs, next_page_token: next_page_token.unwrap_or_default() })
    }

    async fn series(&self, run: &str) -> Result<v1::ListMetricsResponse, Fault> {
        let run = self.0.run(run).await?;
        let job = self.0.job_of(&run).await?;
        let series = self.0.series(&job, &run).await?.into_iter().map(|series| {
            let unit = declared(&job, &series.name).map_or("", |spec| spec.unit);
            convert::series(series, unit)
        });
        Ok(v1::ListMetricsResponse { series: series.collect() })
    }

    async fn metrics(&self, request: v1::QueryMetricsRequest) -> Result<v1::QueryMetricsResponse, Fault> {
        let v1::QueryMetricsRequest { run_id, name, from, to, points } = request;
        if points != 0 && !(2..=5_000).contains(&points) {
            return Err(Fault::invalid_field(
                "points",
                format!("`points` is {points}; it must be 2 to 5000"),
            ));
        }
        let run = self.0.run(&run_id).await?;
        let job = self.0.job_of(&run).await?;
        let is_stored = self.0.store.series(run.id).await?.iter().any(|series| series.name == name);
        if !is_stored && declared(&job, &name).is_none() {
            return Err(no_metric(&job, &name));
        }
        let points = if points == 0 { POINTS } else { points };
        let to = if to == 0 { u64::MAX } else { to };
        let found =
            self.0.store.metrics(MetricQuery { run: run.id, name: name.clone(), from, to, points }).await?;
        let rows = found
            .rows
            .into_iter()
            .map(|(step, _, value)| MetricPoint { name: name.clone(), step, value }.into());
        Ok(v1::QueryMetricsResponse { sampled: found.sampled, total: found.total, rows: rows.collect() })
    }

    fn page_size(&self, asked: u32) -> Result<u32, Fault> {
        page_size("page_size", given(asked), &self.0.config)
    }

    async fn live_workers(&self) -> Result<Vec<jobs::WorkerInfo>, Fault> {
        let since = self.0.now().await?.saturating_sub(self.0.config.worker_live_ms());
        Ok(self.0.store.workers(since).await?)
    }
}

/// A number that says nothing when it is 0.
fn given(number: u32) -> Option<u32> {
    (number != 0).then_some(number)
}

async fn put_dataset(
    app: &App,
    mut parts: Streaming<v1::PutDatasetRequest>,
) -> Result<v1::PutDatasetResponse, Fault> {
    let mut upload = Upload::begin(app).await?;
    let mut about = None;
    while let Some(message) = parts.message().await.map_err(broken_off)? {
        match (message.part, &about) {
            (Some(Part::Header(header)), None) => about = Some(read_header(header)?),
            (Some(Part::Data(data)), Some(_)) => upload.push(file(data.file)?, &data.bytes)?,
            _ => return Err(Fault::malformed("a header must come first, and once; then the files")),
        }
    }
    let about = about.ok_or_else(|| Fault::malformed("there is no header; it must come first"))?;
    let stored = upload.finish(about).await?;
    Ok(v1::PutDatasetResponse { created: stored.created, dataset: Some(convert::dataset(stored)) })
}

fn read_header(header: v1::DatasetHeader) -> Result<About, Fault> {
    let wrong = |_| Fault::invalid_field("max", format!("`max` is {}; it must be 1 to 255", header.max));
    let max = if header.max == 0 { None } else { Some(u8::try_from(header.max).map_err(wrong)?) };
    Ok(About { name: Some(header.name), max, attribution: Some(header.attribution) })
}

fn file(number: i32) -> Result<File, Fault> {
    match v1::DatasetFile::try_from(number) {
        Ok(v1::DatasetFile::Images) => Ok(File::Images),
        Ok(v1::DatasetFile::Labels) => Ok(File::Labels),
        Ok(v1::DatasetFile::TestImages) => Ok(File::TestImages),
        Ok(v1::DatasetFile::TestLabels) => Ok(File::TestLabels),
        Ok(v1::DatasetFile::Bif) => Ok(File::Bif),
        Ok(v1::DatasetFile::Table) => Ok(File::Table),
        Ok(v1::DatasetFile::Audio) => Ok(File::Audio),
        _ => Err(Fault::invalid_field("file", format!("`file` is {number}; it must be one of the files"))),
    }
}

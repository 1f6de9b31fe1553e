//! `/jobs`.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use jobs::JobId;
use store::{Page, Verb};

use super::{
    answer::{Part, accepted, etag, tagged},
    body::{Job, Jobs, Run, Runs},
    extract::{JsonBytes, Path, Query},
};
use crate::{act::act, app::App, fault::Fault, submit::submit};

/// Submits a job.
///
/// Everything is checked before anything is stored; all errors come in one answer. With an `Idempotency-Key` the
/// same body makes one job however often it is sent; the same key with another body is refused.
#[utoipa::path(
    post, path = "/jobs", operation_id = "submit_job", tag = "jobs",
    params(("Idempotency-Key" = Option<String>, Header, description = "Names this submission",
            min_length = 1, max_length = 128, pattern = "^[!-~]+$", nullable = false)),
    request_body(content = Object, content_type = "application/json"),
    responses(
        (status = 201, body = Job, description = "Accepted",
         headers(("location" = String, description = "Path of the job"), ("etag" = String))),
        (status = 200, body = Job, description = "The same key and body made this job before",
         headers(("location" = String), ("etag" = String))),
        (status = 413), (status = 415), (status = 422), (status = 507),
    ),
)]
pub(super) async fn submit_job(
    State(app): State<App>,
    headers: HeaderMap,
    JsonBytes(body): JsonBytes,
) -> Result<Response, Fault> {
    let key = match headers.get("idempotency-key") {
        None => None,
        Some(key) => {
            let not_ascii = |_| Fault::malformed("Idempotency-Key must be visible ASCII characters");
            Some(key.to_str().map_err(not_ascii)?.to_owned())
        }
    };
    let submitted = submit(&app, body, key).await?;
    let status = if submitted.created { StatusCode::CREATED } else { StatusCode::OK };
    let job = Job::from(submitted.job);
    let bytes = serde_json::to_vec(&job).map_err(Fault::internal)?;
    let location = format!("/api/v1/jobs/{}", job.id());
    let mut response = (status, Json(job)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::ETAG, etag(&bytes));
    headers.insert(header::LOCATION, HeaderValue::from_str(&location).map_err(Fault::internal)?);
    Ok(response)
}

/// Lists jobs, newest first.
#[utoipa::path(
    get, path = "/jobs", operation_id = "list_jobs", tag = "jobs",
    params(Part, ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before",
                  format = Uuid, nullable = false)),
    responses((status = 200, body = Jobs, description = "A page of jobs"), (status = 304)),
)]
pub(super) async fn list_jobs(
    State(app): State<App>,
    headers: HeaderMap,
    Query(part): Query<Part>,
) -> Result<Response, Fault> {
    let page = app
        .store
        .jobs(Page { after: job_cursor(part.cursor.as_deref())?, limit: part.limit(&app.config)? })
        .await?;
    let next_cursor = page.jobs.last().filter(|_| page.more).map(|job| job.id.to_string());
    tagged(&headers, &Jobs { jobs: page.jobs.into_iter().map(Job::from).collect(), next_cursor })
}

/// Reads a job.
#[utoipa::path(
    get, path = "/jobs/{id}", operation_id = "get_job", tag = "jobs", params(super::JobPath),
    responses((status = 200, body = Job, description = "The job"), (status = 304), (status = 404), (status = 409)),
)]
pub(super) async fn get_job(
    State(app): State<App>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, Fault> {
    tagged(&headers, &Job::from(app.job(&id).await?))
}

/// Cancels the runs of a job that have not ended.
#[utoipa::path(
    post, path = "/jobs/{id}/cancel", operation_id = "cancel_job", tag = "jobs", params(super::JobPath),
    responses((status = 202, body = Job, description = "On its way"), (status = 404), (status = 409), (status = 507)),
)]
pub(super) async fn cancel_job(State(app): State<App>, Path(id): Path<String>) -> Result<Response, Fault> {
    Ok(accepted(Job::from(act(&app, &id, Verb::Cancel).await?)))
}

/// Puts the runs of a job aside; running ones keep their state in a checkpoint.
#[utoipa::path(
    post, path = "/jobs/{id}/pause", operation_id = "pause_job", tag = "jobs", params(super::JobPath),
    responses((status = 202, body = Job, description = "On its way"), (status = 404), (status = 409), (status = 507)),
)]
pub(super) async fn pause_job(State(app): State<App>, Path(id): Path<String>) -> Result<Response, Fault> {
    Ok(accepted(Job::from(act(&app, &id, Verb::Pause).await?)))
}

/// Queues the paused runs of a job again.
#[utoipa::path(
    post, path = "/jobs/{id}/resume", operation_id = "resume_job", tag = "jobs", params(super::JobPath),
    responses((status = 202, body = Job, description = "On its way"), (status = 404), (status = 409), (status = 507)),
)]
pub(super) async fn resume_job(State(app): State<App>, Path(id): Path<String>) -> Result<Response, Fault> {
    Ok(accepted(Job::from(act(&app, &id, Verb::Resume).await?)))
}

/// Lists the runs of a job by index.
#[utoipa::path(
    get, path = "/jobs/{id}/runs", operation_id = "list_runs", tag = "runs",
    params(super::JobPath, Part,
           ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before",
            pattern = "^[0-9]{1,9}$", nullable = false)),
    responses(
        (status = 200, body = Runs, description = "A page of runs"), (status = 304), (status = 404), (status = 409)
    ),
)]
pub(super) async fn list_runs(
    State(app): State<App>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Query(part): Query<Part>,
) -> Result<Response, Fault> {
    let job = app.job(&id).await?;
    let page = app
        .store
        .runs(job.id, Page { after: run_cursor(part.cursor.as_deref())?, limit: part.limit(&app.config)? })
        .await?;
    let next_cursor = page.runs.last().filter(|_| page.more).map(|run| run.spec.index.to_string());
    let now = app.now().await?;
    let live = app.store.workers(now.saturating_sub(app.config.worker_live_ms())).await?;
    let mut runs = Vec::with_capacity(page.runs.len());
    for run in page.runs {
        let series = app.series(&job, &run).await?;
        runs.push(Run::new(run, &job, &series, &live, now));
    }
    tagged(&headers, &Runs { runs, next_cursor })
}

/// Cursor of a list of jobs: the id of the last one seen.
pub(crate) fn job_cursor(cursor: Option<&str>) -> Result<Option<JobId>, Fault> {
    let wrong = |_| Fault::malformed("`cursor` must be the `next_cursor` of a page of jobs");
    cursor.map(|cursor| cursor.parse().map_err(wrong)).transpose()
}

/// Cursor of a list of runs: the index of the last one seen.
pub(crate) fn run_cursor(cursor: Option<&str>) -> Result<Option<u32>, Fault> {
    let wrong = |_| Fault::malformed("`cursor` must be the `next_cursor` of a page of runs");
    cursor.map(|cursor| cursor.parse().map_err(wrong)).transpose()
}

//! `/runs`.

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};
use futures::TryStreamExt;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    answer::{at_most, page_size, tagged},
    body::{Checkpoint, Checkpoints, Garbage, Ranked, Ranking, Run},
    extract::{Path, Query},
};
use crate::{
    app::{App, cut},
    checkpoints,
    fault::Fault,
};

/// Which checkpoint.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct At {
    /// Step of the checkpoint; the newest when absent.
    #[param(minimum = 0, maximum = 9_007_199_254_740_991_u64, nullable = false)]
    step: Option<u64>,
}

/// By which metric, and which runs.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct By {
    /// The metric, which must be one number.
    #[param(min_length = 1, max_length = 64, pattern = "^[a-z][a-z0-9_-]*$")]
    metric: String,
    /// Only runs of this experiment.
    #[param(min_length = 1, max_length = 64, pattern = "^[a-z][a-z0-9_-]*$", nullable = false)]
    experiment: Option<String>,
    /// Only runs of this job: its id, or its first 6 or more digits.
    #[param(min_length = 6, max_length = 36, pattern = "^[0-9a-f-]+$", nullable = false)]
    job: Option<String>,
    /// Greatest first.
    #[serde(default)]
    #[param(default = false)]
    descending: bool,
    /// At most so many.
    #[param(minimum = 1, maximum = 1_000, default = 100, nullable = false)]
    limit: Option<u32>,
}

/// Ranks runs of all jobs by the last value of a metric; runs that have no finite one are left out.
#[utoipa::path(
    get, path = "/runs", operation_id = "rank_runs", tag = "runs", params(By),
    responses((status = 200, body = Ranking, description = "The first of them"), (status = 304), (status = 404), (status = 409)),
)]
pub(super) async fn rank_runs(
    State(app): State<App>,
    headers: HeaderMap,
    Query(by): Query<By>,
) -> Result<Response, Fault> {
    let By { metric, experiment, job, descending, limit } = by;
    let runs = ranking(&app, metric, experiment, job, descending, limit).await?;
    tagged(&headers, &Ranking { runs: runs.into_iter().map(Ranked::from).collect() })
}

/// The first runs by a metric.
pub(crate) async fn ranking(
    app: &App,
    metric: String,
    experiment: Option<String>,
    job: Option<String>,
    descending: bool,
    limit: Option<u32>,
) -> Result<Vec<store::Ranked>, Fault> {
    let limit = page_size("limit", limit, &app.config)?;
    check_name("metric", &metric)?;
    experiment.as_deref().map_or(Ok(()), |name| check_name("experiment", name))?;
    let job = match job {
        Some(job) => Some(app.job(&job).await?.id),
        None => None,
    };
    Ok(app.store.ranked(store::RankQuery { metric, experiment, job, descending, limit }).await?)
}

/// A name of a metric or an experiment.
fn check_name(field: &str, name: &str) -> Result<(), Fault> {
    let mut letters = name.bytes();
    let begins = letters.next().is_some_and(|b| b.is_ascii_lowercase());
    let goes_on = letters.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-');
    if begins && goes_on && name.len() <= 64 {
        return Ok(());
    }
    let rule = "it must be 1 to 64 of a-z, 0-9, _ and -, beginning with a letter";
    Err(Fault::malformed(format!("`{field}` is `{}`; {rule}", cut(name))))
}

/// Reads a run.
#[utoipa::path(
    get, path = "/runs/{id}", operation_id = "get_run", tag = "runs", params(super::RunPath),
    responses((status = 200, body = Run, description = "The run"), (status = 304), (status = 404), (status = 409)),
)]
pub(super) async fn get_run(
    State(app): State<App>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, Fault> {
    let run = app.run(&id).await?;
    let job = app.job_of(&run).await?;
    let series = app.series(&job, &run).await?;
    let now = app.now().await?;
    let live = app.store.workers(now.saturating_sub(app.config.worker_live_ms())).await?;
    tagged(&headers, &Run::new(run, &job, &series, &live, now))
}

/// Lists the checkpoints of a run that are kept, newest first.
#[utoipa::path(
    get, path = "/runs/{id}/checkpoints", operation_id = "list_checkpoints", tag = "runs", params(super::RunPath),
    responses((status = 200, body = Checkpoints, description = "Its checkpoints"), (status = 304), (status = 404), (status = 409)),
)]
pub(super) async fn list_checkpoints(
    State(app): State<App>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, Fault> {
    let run = app.run(&id).await?;
    let checkpoints = app.store.checkpoints(run.id).await?.into_iter().map(Checkpoint::from).collect();
    tagged(&headers, &Checkpoints { checkpoints })
}

/// Pins a checkpoint of a run: it is kept whatever the job keeps.
#[utoipa::path(
    post, path = "/runs/{id}/checkpoints/{step}/pin", operation_id = "pin_checkpoint", tag = "runs", params(super::CheckpointPath),
    responses((status = 200, body = Checkpoint, description = "The checkpoint"), (status = 404), (status = 409), (status = 507)),
)]
pub(super) async fn pin_checkpoint(
    State(app): State<App>,
    Path((id, step)): Path<(String, u64)>,
) -> Result<Json<Checkpoint>, Fault> {
    Ok(Json(checkpoints::pin(&app, &id, step, true).await?.into()))
}

/// Leaves a checkpoint to the rule of its job again; if that does not keep it, it is forgotten.
#[utoipa::path(
    post, path = "/runs/{id}/checkpoints/{step}/unpin", operation_id = "unpin_checkpoint", tag = "runs", params(super::CheckpointPath),
    responses((status = 200, body = Checkpoint, description = "The checkpoint"), (status = 404), (status = 409), (status = 507)),
)]
pub(super) async fn unpin_checkpoint(
    State(app): State<App>,
    Path((id, step)): Path<(String, u64)>,
) -> Result<Json<Checkpoint>, Fault> {
    Ok(Json(checkpoints::pin(&app, &id, step, false).await?.into()))
}

/// What is removed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct What {
    /// Count only.
    #[serde(default)]
    #[param(default = false)]
    dry_run: bool,
    /// Also the checkpoints of runs that have ended: all but the final one, pinned ones and those that jobs build on.
    #[serde(default)]
    #[param(default = false)]
    final_only: bool,
    /// Chunks go that came, and lost their name, longer ago; the server's setting when absent.
    #[param(minimum = 60, maximum = 9_007_199_254_740_991_u64, nullable = false)]
    older_than_s: Option<u64>,
}

/// Removes what nothing names any more; the server does so by itself as well.
#[utoipa::path(
    post, path = "/gc", operation_id = "collect_garbage", tag = "runs", params(What),
    responses((status = 200, body = Garbage, description = "What was removed, or would be"), (status = 507)),
)]
pub(super) async fn collect_garbage(
    State(app): State<App>,
    Query(what): Query<What>,
) -> Result<Json<Garbage>, Fault> {
    let What { dry_run, final_only, older_than_s } = what;
    let older_than_s = older_than_s.map(|age| at_most("older_than_s", age)).transpose()?;
    Ok(Json(checkpoints::collect(&app, dry_run, final_only, older_than_s).await?.into()))
}

/// Reads a checkpoint of a run: the file that `vesicle run --from` and `--resume-from` take.
///
/// Its `ETag` is its BLAKE3. What is kept is up to the job (`keep`); pinned ones and those that jobs build on are.
#[utoipa::path(
    get, path = "/runs/{id}/checkpoint", operation_id = "get_checkpoint", tag = "runs", params(super::RunPath, At),
    responses(
        (status = 200, description = "Its bytes", content_type = "application/octet-stream", body = Object,
         headers(("etag" = String), ("content-disposition" = String))),
        (status = 404), (status = 409),
    ),
)]
pub(super) async fn get_checkpoint(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(at): Query<At>,
) -> Result<Response, Fault> {
    let step = at.step.map(|step| at_most("step", step)).transpose()?;
    let run = app.run(&id).await?;
    let job = app.job_of(&run).await?;
    let checkpoint = checkpoints::wanted(&app, &run, step).await?;
    let etag = format!("\"{}\"", blake3::Hash::from_bytes(checkpoint.digest).to_hex());
    let name = format!("{}-{}-step-{}.ckpt", job.spec.experiment, run.id, checkpoint.step);
    let attachment = format!("attachment; filename=\"{name}\"");
    // A chunk that is lost on the way breaks the connection off before the announced length.
    let chunks =
        checkpoints::chunks(app, checkpoint.digest).map_err(|fault| std::io::Error::other(fault.detail));
    let mut response = Response::new(Body::from_stream(chunks));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::CONTENT_LENGTH, checkpoint.bytes.into());
    headers.insert(header::ETAG, HeaderValue::from_str(&etag).map_err(Fault::internal)?);
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_str(&attachment).map_err(Fault::internal)?);
    Ok(response)
}

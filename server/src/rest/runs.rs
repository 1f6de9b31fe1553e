//! `/runs`.

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};
use futures::TryStreamExt;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    answer::{at_most, tagged},
    body::{Checkpoint, Checkpoints, Run},
    extract::{Path, Query},
};
use crate::{app::App, checkpoints, fault::Fault};

/// Which checkpoint.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct At {
    /// Step of the checkpoint; the newest when absent.
    #[param(minimum = 0, maximum = 9_007_199_254_740_991_u64, nullable = false)]
    step: Option<u64>,
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
    let now = app.clock.now();
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
    let checkpoints = checkpoints::all(&app, run.id).await?.into_iter().map(Checkpoint::from).collect();
    tagged(&headers, &Checkpoints { checkpoints })
}

/// Reads a checkpoint of a run: the file that `vesicle run --from` and `--resume-from` take.
///
/// Its `ETag` is its BLAKE3. The two newest are kept, and those that jobs build on.
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

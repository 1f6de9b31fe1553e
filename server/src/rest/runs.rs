//! `/runs`.

use axum::{extract::State, http::HeaderMap, response::Response};

use super::{answer::tagged, body::Run, extract::Path};
use crate::{app::App, fault::Fault};

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

//! `/workers`.

use axum::{extract::State, http::HeaderMap, response::Response};

use super::{
    answer::tagged,
    body::{Worker, Workers},
};
use crate::{app::App, fault::Fault};

/// How long a worker that went away is still shown.
const DAY_MS: u64 = 24 * 3_600_000;

/// Lists the workers heard of in the last day.
#[utoipa::path(
    get, path = "/workers", operation_id = "list_workers", tag = "workers",
    responses((status = 200, body = Workers, description = "The workers"), (status = 304)),
)]
pub(super) async fn list_workers(State(app): State<App>, headers: HeaderMap) -> Result<Response, Fault> {
    let now = app.now().await?;
    let live_since = now.saturating_sub(app.config.worker_live_ms());
    let workers = app.store.workers(now.saturating_sub(DAY_MS)).await?.into_iter();
    tagged(&headers, &Workers { workers: workers.map(|worker| Worker::new(worker, live_since)).collect() })
}

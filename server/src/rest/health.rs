//! Health, version, telemetry: what operators ask.

use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};

use super::body::{Status, Version};
use crate::{
    app::{App, BUILD},
    fault::Fault,
};

/// The process is there.
pub(super) async fn healthz() -> Json<Status> {
    Json(Status { status: "ok", disk: None })
}

/// It can take work: the store answers and no drain has begun. A full disk is said, not a reason: reading goes on.
pub(super) async fn readyz(State(app): State<App>) -> Result<Json<Status>, Fault> {
    app.accepts_work()?;
    app.store.ping().await?;
    Ok(Json(Status { status: "ready", disk: app.room()?.map(|(_, room)| room.name()) }))
}

/// Telemetry in the text format of Prometheus.
pub(super) async fn telemetry(State(app): State<App>) -> Result<Response, Fault> {
    let runs = app.store.run_counts().await?;
    let live = app.store.workers(app.now().await?.saturating_sub(app.config.worker_live_ms())).await?.len();
    if let Some((space, _)) = app.room()? {
        app.telemetry.disk(space);
    }
    let text = app.telemetry.render(runs, live).map_err(Fault::internal)?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}

/// Says name and version of the program.
#[utoipa::path(
    get, path = "/version", operation_id = "get_version", tag = "service",
    responses((status = 200, body = Version, description = "Name and version")),
)]
pub(super) async fn version() -> Json<Version> {
    Json(Version { name: "vesicle", version: BUILD })
}

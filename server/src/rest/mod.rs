//! REST: all routes on one page.

pub(crate) mod answer;
pub(crate) mod body;
pub(crate) mod datasets;
mod error;
mod events;
pub(crate) mod experiments;
mod extract;
mod gate;
mod health;
pub(crate) mod jobs;
pub(crate) mod metrics;
mod openapi;
mod page;
pub(crate) mod runs;
mod workers;
mod writes;

use axum::{
    Router,
    http::HeaderMap,
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::App,
    fault::{Fault, Kind},
    grpc,
};

pub use openapi::openapi_json;

/// Where the API begins.
const BASE: &str = "/api/v1";

/// The operations that are described.
fn api() -> OpenApiRouter<App> {
    let operations = OpenApiRouter::new()
        .routes(routes!(jobs::submit_job, jobs::list_jobs))
        .routes(routes!(jobs::get_job))
        .routes(routes!(jobs::cancel_job))
        .routes(routes!(jobs::pause_job))
        .routes(routes!(jobs::resume_job))
        .routes(routes!(jobs::list_runs))
        .routes(routes!(events::watch_job))
        .routes(routes!(runs::rank_runs))
        .routes(routes!(runs::get_run))
        .routes(routes!(runs::list_checkpoints))
        .routes(routes!(runs::pin_checkpoint))
        .routes(routes!(runs::unpin_checkpoint))
        .routes(routes!(runs::get_checkpoint))
        .routes(routes!(runs::collect_garbage))
        .routes(routes!(metrics::list_metrics))
        .routes(routes!(metrics::query_metrics))
        .routes(routes!(experiments::list_experiments))
        .routes(routes!(experiments::get_experiment))
        .routes(routes!(datasets::list_datasets, datasets::put_dataset))
        .routes(routes!(datasets::get_dataset))
        .routes(routes!(workers::list_workers))
        .routes(routes!(health::version))
        .routes(routes!(openapi::get_openapi));
    OpenApiRouter::with_openapi(openapi::about()).nest(BASE, operations)
}

/// Everything on the one port: REST, gRPC, the page.
pub(crate) fn router(app: App) -> Router {
    let rest: Router<App> = api()
        .split_for_parts()
        .0
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::telemetry))
        .route("/", get(page::page))
        .route("/page.js", get(page::script))
        .route("/page.css", get(page::style));
    rest.method_not_allowed_fallback(async || Fault::new(Kind::NoSuchMethod, "this path takes other methods"))
        .with_state(app.clone())
        // gRPC would answer an unknown path with 200.
        .merge(grpc::router(&app).reset_fallback())
        .fallback(nothing_here)
        .layer(middleware::from_fn_with_state(app, gate::gate))
}

async fn nothing_here(headers: HeaderMap) -> Response {
    if grpc::is_grpc(&headers) {
        return grpc::unknown_service();
    }
    Fault::not_found("there is nothing at this path").into_response()
}

/// Names a job.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "only its description is used")]
struct JobPath {
    /// Id of the job, or its first 6 or more digits.
    #[param(pattern = "^[0-9a-fA-F-]{6,36}$")]
    id: String,
}

/// Names a run.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "only its description is used")]
struct RunPath {
    /// Id of the run, or its first 6 or more digits.
    #[param(pattern = "^[0-9a-fA-F-]{6,36}$")]
    id: String,
}

/// Names a checkpoint of a run.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "only its description is used")]
struct CheckpointPath {
    /// Id of the run, or its first 6 or more digits.
    #[param(pattern = "^[0-9a-fA-F-]{6,36}$")]
    id: String,
    /// Step of the checkpoint.
    #[param(minimum = 0, maximum = 9_007_199_254_740_991_u64)]
    step: u64,
}

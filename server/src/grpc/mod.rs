//! gRPC: the service of workers, the service of users, health and reflection.

mod checkpoints;
mod convert;
mod job_service;
mod status;
mod worker_service;

use axum::{
    Router,
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use proto::v1::{job_service_server::JobServiceServer, worker_service_server::WorkerServiceServer};
use tonic::{server::NamedService, service::Routes};
use tonic_health::server::{HealthReporter, health_reporter};

use crate::{
    app::App,
    fault::{Fault, Kind},
};
use job_service::JobAnswers;
use worker_service::WorkerAnswers;

pub(crate) use status::status;

/// All services as routes.
pub(crate) fn router(app: &App) -> Router {
    let most = app.config.max_message_bytes;
    let workers = WorkerServiceServer::new(WorkerAnswers(app.clone())).max_decoding_message_size(most);
    let jobs = JobServiceServer::new(JobAnswers(app.clone())).max_decoding_message_size(most);
    let (reporter, health) = health_reporter();
    tokio::spawn(report_health(reporter, app.clone()));
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(proto::DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()
        .expect("the descriptors are made by the build");
    Routes::new(workers)
        .add_service(jobs)
        .add_service(health)
        .add_service(reflection)
        .into_axum_router()
        .layer(middleware::from_fn(only_grpc))
}

/// Whether a request speaks gRPC.
pub(crate) fn is_grpc(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"))
}

/// The answer to a gRPC call of a service that is not here.
pub(crate) fn unknown_service() -> Response {
    tonic::Status::unimplemented("there is no such service").into_http()
}

/// The paths of gRPC take POST and gRPC messages; everything else gets the answer of REST.
async fn only_grpc(request: Request, next: Next) -> Response {
    if request.method() != Method::POST {
        let mut response =
            Fault::new(Kind::NoSuchMethod, "this path takes gRPC calls, which are POST").into_response();
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
        return response;
    }
    if !is_grpc(request.headers()) {
        return Fault::new(Kind::UnsupportedMedia, "Content-Type must be application/grpc").into_response();
    }
    let mut response = next.run(request).await;
    status::too_large_is_exhausted(&mut response);
    response
}

/// Serving until a drain begins.
async fn report_health(reporter: HealthReporter, app: App) {
    const SERVICES: [&str; 3] =
        ["", WorkerServiceServer::<WorkerAnswers>::NAME, JobServiceServer::<JobAnswers>::NAME];
    for service in SERVICES {
        reporter.set_service_status(service, tonic_health::ServingStatus::Serving).await;
    }
    app.drain.cancelled().await;
    for service in SERVICES {
        reporter.set_service_status(service, tonic_health::ServingStatus::NotServing).await;
    }
}

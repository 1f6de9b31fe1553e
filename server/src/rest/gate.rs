//! What every request passes: who it is addressed to, how long it may take, how its errors look, that it is counted.

use std::any::Any;

use axum::{
    body::Body,
    extract::{MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, Method, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures::FutureExt;
use tokio::time::timeout;
use tower_http::timeout::TimeoutBody;

use super::{error::problem, writes::is_write};
use crate::{
    app::App,
    config::millis,
    fault::{Fault, Kind},
    grpc,
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The outermost layer.
pub(super) async fn gate(State(app): State<App>, request: Request, next: Next) -> Response {
    let began = app.clock.uptime();
    let id = app.clock.id().to_string();
    let path = request.uri().path().to_owned();
    let method = method_name(request.method());
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str).to_owned();
    let is_grpc = grpc::is_grpc(request.headers());

    let mut response = answer(&app, request, next, is_grpc).await;
    if let Some(fault) = response.extensions_mut().remove::<Fault>() {
        let headers = std::mem::take(response.headers_mut());
        response =
            if is_grpc { grpc::status(fault).into_http() } else { problem(fault, headers, &path, &id) };
    }
    let status = response.status().as_u16();
    let took = app.clock.uptime() - began;
    app.telemetry.served(&route, method, status, took);
    tracing::debug!(request.id = %id, method, path, status, took_us = took.as_micros() as u64, "{method} {path} {status}");

    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, HeaderValue::from_str(&id).expect("a UUID is visible ASCII"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

async fn answer(app: &App, request: Request, next: Next, is_grpc: bool) -> Response {
    if !app.config.insecure_listen
        && let Err(fault) = check_host(&request)
    {
        return fault.into_response();
    }
    if is_write(&request, is_grpc)
        && let Err(fault) = app.has_room_to_write()
    {
        return fault.into_response();
    }
    // Uploads and gRPC calls may take long; they are bounded by pauses within their bodies and by their own waits.
    let is_bounded = !is_grpc && !is_upload(&request);
    let idle = millis(app.config.body_idle_ms);
    let request = request.map(|body| Body::new(TimeoutBody::new(idle, Box::pin(body))));
    let answer = std::panic::AssertUnwindSafe(next.run(request)).catch_unwind();
    let answered = if is_bounded {
        match timeout(millis(app.config.request_timeout_ms), answer).await {
            Ok(answered) => answered,
            Err(_) => {
                return Fault::new(Kind::TooSlow, "the answer took too long; try again").into_response();
            }
        }
    } else {
        answer.await
    };
    answered.unwrap_or_else(|panic| {
        app.telemetry.panicked();
        Fault::internal(format!("panic: {}", panic_message(panic.as_ref()))).into_response()
    })
}

/// Refuses requests that were meant for another host: a page of another site that rebinds its name to loopback.
fn check_host(request: &Request) -> Result<(), Fault> {
    let header = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = request.uri().authority().map(Authority::as_str).or(header).unwrap_or_default();
    let name = match host.parse::<Authority>() {
        Ok(authority) => authority.host().to_ascii_lowercase(),
        Err(_) => String::new(),
    };
    if ["localhost", "127.0.0.1", "[::1]"].contains(&name.as_str()) {
        return Ok(());
    }
    let host = crate::app::cut(host);
    Err(Fault::new(Kind::Misdirected, format!("Host is `{host}`; it must be localhost, 127.0.0.1 or [::1]")))
}

fn is_upload(request: &Request) -> bool {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    request.method() == Method::POST && kind.is_some_and(|kind| kind.starts_with("multipart/form-data"))
}

/// A label of few values: methods are whatever a client writes.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a message")
}

#[cfg(test)]
mod tests {
    use std::{future::pending, sync::Arc};

    use axum::{Router, middleware::from_fn_with_state, routing::get};
    use http_body_util::BodyExt;
    use jobs::Policy;
    use store::{Memory, StoreError};
    use tower::ServiceExt;

    use super::*;
    use crate::Config;

    /// Status, `Retry-After` and body of the answer to a handler that went wrong.
    async fn gone_wrong(path: &str) -> (u16, Option<String>, String) {
        let config = Config { request_timeout_ms: 30, ..Config::default() };
        let app = App::new(config, Arc::new(Memory::new(Policy::default())));
        let panics = async || {
            if true {
                panic!("the secret is 42");
            }
        };
        let router = Router::new()
            .route("/panics", get(panics))
            .route("/hangs", get(pending::<()>))
            .route("/busy", get(async || Fault::from(StoreError::Busy)))
            .route("/full", get(async || Fault::from(StoreError::Full)))
            .layer(from_fn_with_state(app, gate));
        let request =
            Request::get(path).header(header::HOST, "localhost").body(Body::empty()).expect("a request");
        let response = router.oneshot(request).await.expect("answers");
        let retry = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
        let (status, retry) = (response.status().as_u16(), retry.map(str::to_owned));
        let body = response.into_body().collect().await.expect("is read").to_bytes();
        (status, retry, String::from_utf8_lossy(&body).into_owned())
    }

    #[tokio::test]
    async fn a_panic_tells_the_client_an_id_and_not_the_cause() {
        let (status, _, body) = gone_wrong("/panics").await;
        assert_eq!(status, 500);
        assert!(body.contains("internal error ") && !body.contains("secret"), "{body}");
    }

    #[tokio::test]
    async fn an_answer_that_takes_too_long_is_given_up() {
        let (status, retry, body) = gone_wrong("/hangs").await;
        assert_eq!((status, retry.as_deref()), (503, Some("1")));
        assert!(body.contains("too_slow"), "{body}");
    }

    #[tokio::test]
    async fn a_busy_store_is_503_and_a_full_one_507() {
        let (status, retry, _) = gone_wrong("/busy").await;
        assert_eq!((status, retry.as_deref()), (503, Some("1")));
        assert_eq!(gone_wrong("/full").await.0, 507);
    }
}

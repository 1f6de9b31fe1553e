//! What the tests share: a router without a socket, a server on a loopback port, and a worker's part.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, StatusCode, header},
};
use http_body_util::BodyExt;
use jobs::{Capability, JobId, MetricPoint, Policy, Report, Run, Value, WorkerId, WorkerInfo};
use serde_json::{Value as Json, json};
use store::{AcquireRequest, Granted, Memory, Page};
use tower::ServiceExt;
use uuid::Uuid;

use crate::{Config, Running, app::App, builtin, rest};

/// A server without a socket.
pub(super) struct Bench {
    pub(super) app: App,
    router: Router,
}

/// An answer with its body read.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) bytes: Vec<u8>,
}

impl Answer {
    pub(super) fn json(&self) -> Json {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Checks that it is a problem of this status and code, and gives it.
    pub(super) fn problem(&self, status: u16, code: &str) -> Json {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!((&problem["status"], &problem["code"]), (&json!(status), &json!(code)));
        assert!(!problem["request_id"].as_str().unwrap_or_default().is_empty(), "{problem}");
        problem
    }
}

/// Settings whose waits are short.
pub(super) fn quick() -> Config {
    Config {
        listen: ([127, 0, 0, 1], 0).into(),
        acquire_wait_ms: 200,
        event_poll_ms: 50,
        drain_ms: 2_000,
        ..Config::default()
    }
}

impl Bench {
    pub(super) async fn new() -> Self {
        Self::with(quick()).await
    }

    pub(super) async fn with(config: Config) -> Self {
        let app = App::new(config, Arc::new(Memory::new(Policy::default())));
        builtin::put(&app).await.expect("an empty store takes it");
        Self { router: rest::router(app.clone()), app }
    }

    /// Sends a request as it is.
    pub(super) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.expect("a router always answers");
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("the body ends well").to_bytes().to_vec();
        Answer { status: parts.status, headers: parts.headers, bytes }
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[]).await
    }

    pub(super) async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::get(path).header(header::HOST, "localhost");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::empty()).expect("a request")).await
    }

    pub(super) async fn post(&self, path: &str, body: impl Into<Body>) -> Answer {
        self.post_with(path, body, &[("content-type", "application/json")]).await
    }

    pub(super) async fn post_with(
        &self,
        path: &str,
        body: impl Into<Body>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = Request::post(path).header(header::HOST, "127.0.0.1:7717");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(body.into()).expect("a request")).await
    }

    /// Submits a job that must be taken; gives it.
    pub(super) async fn submit(&self, spec: Json) -> Json {
        let answer = self.post("/api/v1/jobs", spec.to_string()).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
        answer.json()
    }

    /// A job with one run and its id.
    pub(super) async fn small_job(&self) -> (JobId, Run) {
        let job = self.submit(small_spec()).await;
        let id: JobId = text(&job["id"]).parse().expect("an id");
        let mut page = self.app.store.runs(id, Page { after: None, limit: 1 }).await.expect("has runs");
        (id, page.runs.remove(0))
    }

    /// Takes a lease as a worker would.
    pub(super) async fn lease(&self) -> Granted {
        self.app.store.register(worker()).await.expect("registers");
        let request = AcquireRequest {
            worker: worker(),
            free_memory: 8 << 30,
            now: self.app.now().await.expect("there is a clock"),
            ttl_ms: 30_000,
        };
        self.app.store.acquire(request).await.expect("the store answers").expect("there is work")
    }

    /// Reports as a worker would.
    pub(super) async fn report(&self, report: Report) {
        self.app
            .store
            .report(report, self.app.now().await.expect("there is a clock"))
            .await
            .expect("is taken");
    }
}

/// The smallest job.
pub(super) fn small_spec() -> Json {
    json!({"name": "small", "experiment": "rbm", "params": {"hidden_units": 8, "epochs": 1}, "seeds": [7]})
}

pub(super) fn text(value: &Json) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

/// A worker that can run everything.
pub(super) fn worker() -> WorkerInfo {
    let can = |kind: &&dyn experiments::Kind| Capability {
        experiment: kind.name().into(),
        version: kind.version(),
    };
    WorkerInfo {
        id: WorkerId(Uuid::from_u128(1)),
        name: "test:1".into(),
        build: "0".into(),
        catalogue: experiments::CATALOGUE.iter().map(can).collect(),
        slots: 4,
        memory_bytes: 8 << 30,
        labels: [("room".to_owned(), "one".to_owned())].into(),
        seen_at: crate::clock::Clock::start().now(),
    }
}

/// A report without metrics.
pub(super) fn plain_report(run: &Run, seq: u64, step: u64) -> Report {
    Report {
        run: run.id,
        attempt: run.attempt,
        seq,
        step,
        metrics: Vec::new(),
        checkpoint: None,
        outcome: None,
    }
}

/// One number at a step.
pub(super) fn point(name: &str, step: u64, value: f64) -> MetricPoint {
    MetricPoint { name: name.into(), step, value: Value::Scalar(value) }
}

/// A server on a free loopback port.
pub(super) async fn serve(config: Config) -> Running {
    crate::start(config, Arc::new(Memory::new(Policy::default()))).await.expect("starts")
}

/// Waits for what must come soon; a test that hangs fails.
pub(super) async fn soon<F: Future>(what: &str, future: F) -> F::Output {
    let waited = tokio::time::timeout(Duration::from_secs(20), future).await;
    waited.unwrap_or_else(|_| panic!("waited in vain for {what}"))
}

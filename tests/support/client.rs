//! A client of the REST API that knows nothing but the contract.

use std::time::Duration;

use eventsource_stream::Eventsource;
use futures::{Stream, StreamExt};
use reqwest::{Method, Response, StatusCode};
use serde_json::Value as Json;

use super::until;

/// Longer than any answer takes, shorter than any test.
const ANSWER: Duration = Duration::from_secs(20);

/// One entry of a job's log as a stream carried it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Seen {
    pub(crate) seq: u64,
    pub(crate) kind: String,
    pub(crate) body: Json,
}

/// A client of one server.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    pub(crate) server: String,
}

impl Client {
    pub(crate) fn new(server: &str) -> Self {
        let http = reqwest::Client::builder().no_proxy().read_timeout(ANSWER).build();
        Self { http: http.expect("a client without TLS has nothing to fail on"), server: server.to_owned() }
    }

    /// Asks for `path`, from the root of the server.
    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}{path}", self.server))
    }

    /// Reads `path` below `/api/v1`.
    pub(crate) async fn get(&self, path: &str) -> Json {
        let path = format!("/api/v1{path}");
        let request = self.request(Method::GET, &path).header("accept", "application/json");
        let response = request.send().await.unwrap_or_else(|error| panic!("GET {path}: {error:?}"));
        assert_eq!(response.status(), StatusCode::OK, "GET {path}");
        json(response).await
    }

    /// Posts to `path` below `/api/v1` and expects `status`.
    pub(crate) async fn post(&self, path: &str, status: StatusCode) -> Json {
        let path = format!("/api/v1{path}");
        let response = self.request(Method::POST, &path).send().await;
        let response = response.unwrap_or_else(|error| panic!("POST {path}: {error:?}"));
        let found = response.status();
        let body = json(response).await;
        assert_eq!(found, status, "POST {path}: {body}");
        body
    }

    /// Posts a job; answers status and body.
    pub(crate) async fn try_submit(&self, spec: &Json, key: &str) -> reqwest::Result<(StatusCode, Json)> {
        let request = self.request(Method::POST, "/api/v1/jobs").header("idempotency-key", key).json(spec);
        let response = request.send().await?;
        Ok((response.status(), response.json().await?))
    }

    /// Posts a job that must be taken; answers its id.
    pub(crate) async fn submit(&self, spec: &Json, key: &str) -> String {
        let (status, job) = self.try_submit(spec, key).await.expect("the server answers");
        assert_eq!(status, StatusCode::CREATED, "{job}");
        text(&job, "id")
    }

    pub(crate) async fn job(&self, job: &str) -> Json {
        self.get(&format!("/jobs/{job}")).await
    }

    /// All runs of a job, by index.
    pub(crate) async fn runs(&self, job: &str) -> Vec<Json> {
        let page = self.get(&format!("/jobs/{job}/runs?limit=500")).await;
        page["runs"].as_array().expect("a page of runs").clone()
    }

    /// Waits until a job is in `state`.
    pub(crate) async fn until_job_is(&self, job: &str, state: &str, within: Duration) -> Json {
        until(&format!("job {job} is {state}"), within, async || {
            let now = self.job(job).await;
            (now["state"] == state).then_some(now)
        })
        .await
    }

    /// The log of a job as one connection gives it, from the event after `after` on.
    ///
    /// A connection that breaks ends the stream, as its polite end does: only whole events are answered.
    pub(crate) async fn events(&self, job: &str, after: Option<u64>) -> impl Stream<Item = Seen> + use<> {
        let mut request = self.request(Method::GET, &format!("/api/v1/jobs/{job}/events"));
        request = request.header("accept", "text/event-stream");
        if let Some(after) = after {
            request = request.header("last-event-id", after.to_string());
        }
        let response = request.send().await.ok().filter(|response| response.status() == StatusCode::OK);
        let bytes = futures::stream::iter(response).flat_map(Response::bytes_stream);
        let whole = bytes.eventsource().take_while(|event| std::future::ready(event.is_ok()));
        whole.filter_map(|event| async move {
            let event = event.expect("errors end the stream before");
            let seq = event.id.parse().ok()?;
            let body = serde_json::from_str(&event.data).expect("the data of an event is JSON");
            Some(Seen { seq, kind: event.event, body })
        })
    }

    /// A value of `/metrics`; 0 while it is not there.
    pub(crate) async fn telemetry(&self, name_and_labels: &str) -> f64 {
        let response = self.request(Method::GET, "/metrics").send().await.expect("the server answers");
        let page = response.text().await.expect("the telemetry is text");
        let line = page.lines().find_map(|line| line.strip_prefix(name_and_labels)?.strip_prefix(' '));
        line.map_or(0.0, |value| value.parse().expect("a value of the telemetry is a number"))
    }
}

/// The body of an answer as JSON.
pub(crate) async fn json(response: Response) -> Json {
    let text = response.text().await.expect("the whole answer comes");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("no JSON ({error}): {text}"))
}

/// A field that is text.
pub(crate) fn text(value: &Json, field: &str) -> String {
    value[field].as_str().unwrap_or_else(|| panic!("no text `{field}` in {value}")).to_owned()
}

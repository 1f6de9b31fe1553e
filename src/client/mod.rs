//! The client of the REST API: every subcommand that talks to a server goes through it.
//!
//! All calls are safe to repeat — reads by nature, submissions by their idempotency key, verbs and uploads because
//! the server takes a repetition as done — so one rule of patience covers them all.

mod error;
mod follow;
mod log;
mod resolve;
mod retry;
mod wire;

use std::time::{Duration, Instant};

use reqwest::{RequestBuilder, Response, header};
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

pub(crate) use error::ClientError;
pub(crate) use follow::{Follow, JobEvent};
pub(crate) use resolve::Found;
pub(crate) use wire::{Dataset, Experiment, Job, Rows, Run, Worker, scalar};

use retry::{Attempt, Patience};

/// Answer of the client.
pub(crate) type Result<T> = std::result::Result<T, ClientError>;

/// A server to talk to.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    server: String,
    patience: Patience,
}

impl Client {
    /// For one-off commands: a server that does not answer is reported within a second.
    ///
    /// # Errors
    /// If `server` is not an `http://` address.
    pub(crate) fn new(server: &str) -> Result<Self> {
        let bad = |rule: &str| ClientError::BadAddress { server: server.to_owned(), rule: rule.to_owned() };
        let url = reqwest::Url::parse(server).map_err(|_| bad("it must look like http://127.0.0.1:7717"))?;
        if url.scheme() != "http" || url.host_str().is_none() {
            return Err(bad("it must begin with http:// and name a host"));
        }
        let http = reqwest::Client::builder()
            .user_agent(concat!("vesicle/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(5))
            // Streams send a comment every 15 s; a silence of 45 s is a dead connection.
            .read_timeout(Duration::from_secs(45))
            .no_proxy()
            .build()
            .expect("a client without TLS and proxies has nothing to fail on");
        Ok(Self { http, server: server.trim_end_matches('/').to_owned(), patience: Patience::ONE_OFF })
    }

    /// For commands that follow a job: a server that restarts is waited for.
    pub(crate) fn patient(mut self) -> Self {
        self.patience = Patience::FOLLOWING;
        self
    }

    /// The server's address.
    pub(crate) fn server(&self) -> &str {
        &self.server
    }

    /// Reads `path` below `/api/v1`.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        let response =
            self.send(|| self.http.get(self.url(path)).header(header::ACCEPT, "application/json")).await?;
        self.json(response).await
    }

    /// Reads `path` below `/api/v1` as text of the media type `accept`.
    pub(crate) async fn get_text(&self, path: &str, accept: &'static str) -> Result<String> {
        let response = self.send(|| self.http.get(self.url(path)).header(header::ACCEPT, accept)).await?;
        response.text().await.map_err(|error| self.unreachable(&error))
    }

    /// Reads `path` below `/api/v1` as bytes.
    pub(crate) async fn get_bytes(&self, path: &str) -> Result<Vec<u8>> {
        let response = self.send(|| self.http.get(self.url(path))).await?;
        let bytes = response.bytes().await.map_err(|error| self.unreachable(&error))?;
        Ok(bytes.into())
    }

    /// Posts a job; the same `key` for the same job, however often it is sent.
    pub(crate) async fn submit(&self, spec: &Json, key: &str) -> Result<Json> {
        let post = || self.http.post(self.url("/jobs")).header("idempotency-key", key).json(spec);
        self.json(self.send(post).await?).await
    }

    /// `cancel`, `pause` or `resume` on a job.
    pub(crate) async fn verb(&self, job: &str, verb: &str) -> Result<Json> {
        let path = format!("/jobs/{job}/{verb}");
        self.json(self.send(|| self.http.post(self.url(&path))).await?).await
    }

    /// Posts to `path` without a body.
    pub(crate) async fn post<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.json(self.send(|| self.http.post(self.url(path))).await?).await
    }

    /// Uploads a form that `form` makes anew for each try.
    pub(crate) async fn upload<F, E>(&self, path: &str, form: F) -> anyhow::Result<Json>
    where
        F: AsyncFn() -> std::result::Result<reqwest::multipart::Form, E>,
        anyhow::Error: From<E>,
    {
        let (began, mut tries) = (Instant::now(), 0);
        loop {
            let request = self.http.post(self.url(path)).multipart(form().await?);
            match self.attempt(request, tries, began.elapsed()).await? {
                Attempt::Answered(response) => return Ok(self.json(response).await?),
                Attempt::AgainIn(pause) => tokio::time::sleep(pause).await,
            }
            tries += 1;
        }
    }

    /// Opens the event stream of a job after the event `after`.
    pub(crate) async fn events(&self, job: &str, after: u64) -> Result<Response> {
        let path = format!("/jobs/{job}/events");
        let open = || {
            let request = self.http.get(self.url(&path)).header(header::ACCEPT, "text/event-stream");
            if after == 0 { request } else { request.header("last-event-id", after.to_string()) }
        };
        self.send(open).await
    }

    fn url(&self, path: &str) -> String {
        format!("{}/api/v1{path}", self.server)
    }

    async fn send(&self, request: impl Fn() -> RequestBuilder) -> Result<Response> {
        let (began, mut tries) = (Instant::now(), 0);
        loop {
            match self.attempt(request(), tries, began.elapsed()).await? {
                Attempt::Answered(response) => return Ok(response),
                Attempt::AgainIn(pause) => tokio::time::sleep(pause).await,
            }
            tries += 1;
        }
    }

    /// One try; the error of the last one is what the user sees.
    async fn attempt(&self, request: RequestBuilder, tries: u32, spent: Duration) -> Result<Attempt> {
        let answer = request.send().await;
        if let Some(pause) = self.patience.pause(&retry::trouble(&answer), tries, spent) {
            return Ok(Attempt::AgainIn(pause));
        }
        let response = answer.map_err(|error| self.unreachable(&error))?;
        if response.status().is_success() {
            return Ok(Attempt::Answered(response));
        }
        let (status, text) = (response.status().as_u16(), response.text().await.unwrap_or_default());
        Err(ClientError::of_answer(&self.server, status, &text))
    }

    async fn json<T: DeserializeOwned>(&self, response: Response) -> Result<T> {
        let url = response.url().path().to_owned();
        let bytes = response.bytes().await.map_err(|error| self.unreachable(&error))?;
        serde_json::from_slice(&bytes).map_err(|error| ClientError::Unexpected {
            server: self.server.clone(),
            what: format!("answered {url} with something else than expected ({error})"),
        })
    }

    fn unreachable(&self, error: &reqwest::Error) -> ClientError {
        let mut cause: &dyn std::error::Error = error;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        ClientError::Unreachable { server: self.server.clone(), cause: cause.to_string() }
    }
}

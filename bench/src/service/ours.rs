//! Vesicle: values over gRPC as a worker posts them, jobs and lists over REST.

use std::process::Command;

use anyhow::{Context, ensure};
use async_trait::async_trait;
use proto::v1::{self, metric_point, worker_service_client::WorkerServiceClient};
use serde_json::json;
use tempfile::TempDir;
use tonic::transport::Channel;

use super::{Client, Side, answered, body, postgres::Cluster, process};

/// Steps of the runs that are posted to; no turn gets that far.
const EPOCHS: u32 = 10_000;
const METRIC: &str = "reconstruction_mse";

/// The server.
pub(super) struct Ours {
    process: process::Process,
    url: String,
    http: reqwest::Client,
}

impl Ours {
    /// Starts one on an empty database, and waits until it is ready.
    pub(super) async fn start(cluster: Option<&Cluster>) -> anyhow::Result<Self> {
        let (folder, port) = (TempDir::with_prefix("bench-ours-")?, process::free_port()?);
        let mut command = Command::new(process::beside("vesicle")?);
        command
            .args(["serve", "--listen", &format!("127.0.0.1:{port}")])
            .arg("--data-dir")
            .arg(folder.path());
        // Jobs are made faster here than anybody would let them wait.
        command.env("VESICLE_LOG", "warn").env("VESICLE_MAX_QUEUED_JOBS", "1000000");
        if let Some(cluster) = cluster {
            command.args(["--database", &cluster.database("ours")?]);
        }
        let url = format!("http://127.0.0.1:{port}");
        let mut process = process::Process::start(command, folder)?;
        process.until_ready(&format!("{url}/readyz")).await?;
        Ok(Self { process, url, http: reqwest::Client::new() })
    }
}

#[async_trait]
impl Side for Ours {
    fn name(&self) -> &'static str {
        "vesicle"
    }

    async fn client(&self) -> anyhow::Result<Box<dyn Client>> {
        let channel = Channel::from_shared(self.url.clone())?.tcp_nodelay(true).connect().await?;
        let mut client = Posting {
            worker: WorkerServiceClient::new(channel),
            http: self.http.clone(),
            url: self.url.clone(),
            run: String::new(),
            attempt: 0,
            seq: 0,
            step: 0,
            id: uuid::Uuid::now_v7().to_string(),
        };
        client.register().await?;
        client.lease().await?;
        Ok(Box::new(client))
    }

    async fn newest(&self) -> anyhow::Result<String> {
        body(self.http.get(format!("{}/api/v1/jobs?limit=100", self.url)).send().await?).await
    }

    async fn ordered(&self) -> anyhow::Result<String> {
        let url = format!("{}/api/v1/runs?metric={METRIC}&experiment=rbm&limit=1000", self.url);
        body(self.http.get(url).send().await?).await
    }

    fn process(&self) -> &process::Process {
        &self.process
    }
}

/// A worker that computes nothing and reports all the time.
struct Posting {
    worker: WorkerServiceClient<Channel>,
    http: reqwest::Client,
    url: String,
    run: String,
    attempt: u32,
    seq: u64,
    step: u64,
    /// Of the worker.
    id: String,
}

impl Posting {
    async fn register(&mut self) -> anyhow::Result<()> {
        let version = experiments::find("rbm").context("rbm is in the catalogue")?.version();
        let register = v1::RegisterRequest {
            worker_id: self.id.clone(),
            name: "bench".into(),
            build: env!("CARGO_PKG_VERSION").into(),
            catalogue: vec![v1::Capability { experiment: "rbm".into(), version }],
            slots: 1,
            memory_bytes: 1 << 40,
            labels: Default::default(),
        };
        self.worker.register(register).await?;
        Ok(())
    }

    /// Submits a job that comes first, and takes its run.
    async fn lease(&mut self) -> anyhow::Result<()> {
        let spec = json!({"experiment": "rbm", "params": {"epochs": EPOCHS}, "priority": 100});
        self.submit(&spec).await?;
        let acquire =
            v1::AcquireRequest { worker_id: self.id.clone(), free_slots: 1, free_memory_bytes: 1 << 40 };
        let lease = self.worker.acquire(acquire).await?.into_inner().lease.context("there is a run")?;
        (self.run, self.attempt) = (lease.run_id, lease.attempt);
        Ok(())
    }

    /// Ends the run, with a last value.
    async fn end(&mut self, value: Option<f64>) -> anyhow::Result<()> {
        let failure = v1::Failure { class: v1::FailureClass::UserError.into(), message: "enough".into() };
        let point = |value| v1::MetricPoint {
            name: METRIC.into(),
            step: self.step,
            value: Some(metric_point::Value::Scalar(value)),
        };
        let request = v1::ReportRequest {
            run_id: self.run.clone(),
            attempt: self.attempt,
            seq: self.seq,
            step: self.step,
            metrics: value.map(point).into_iter().collect(),
            checkpoint: None,
            outcome: Some(v1::Outcome { outcome: Some(v1::outcome::Outcome::Failed(failure)) }),
        };
        self.worker.report(request).await?;
        Ok(())
    }

    async fn submit(&self, spec: &serde_json::Value) -> anyhow::Result<()> {
        let key = uuid::Uuid::now_v7().to_string();
        let request = self.http.post(format!("{}/api/v1/jobs", self.url)).header("idempotency-key", key);
        answered(request.json(spec).send().await?).await.map(drop)
    }
}

#[async_trait]
impl Client for Posting {
    async fn post(&mut self, values: usize) -> anyhow::Result<()> {
        let points = (self.step..).take(values).map(|step| v1::MetricPoint {
            name: METRIC.into(),
            step,
            value: Some(metric_point::Value::Scalar(1.0 / (step + 1) as f64)),
        });
        let request = v1::ReportRequest {
            run_id: self.run.clone(),
            attempt: self.attempt,
            seq: self.seq,
            step: self.step + values as u64 - 1,
            metrics: points.collect(),
            checkpoint: None,
            outcome: None,
        };
        self.worker.report(request).await?;
        self.seq += 1;
        self.step += values as u64;
        Ok(())
    }

    async fn create(&mut self) -> anyhow::Result<()> {
        self.submit(&json!({"experiment": "rbm", "params": {"epochs": 1}})).await
    }

    async fn create_with(&mut self, value: f64) -> anyhow::Result<()> {
        self.lease().await?;
        self.end(Some(value)).await
    }

    async fn leave(&mut self) -> anyhow::Result<u64> {
        self.end(None).await?;
        let url = format!("{}/api/v1/runs/{}/metrics", self.url, self.run);
        let series = answered(self.http.get(url).send().await?).await?;
        let entries = series["metrics"].as_array().context("a list")?;
        let entry = entries.iter().find(|entry| entry["name"] == METRIC);
        let count = entry.and_then(|entry| entry["count"].as_u64()).unwrap_or(0);
        ensure!(entries.len() <= 1, "only one metric was posted");
        Ok(count)
    }
}

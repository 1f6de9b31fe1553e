//! MLflow's tracking server as it comes, over its REST API and by the same HTTP client.
//!
//! But for one setting: each of its processes may have as many connections to the database as there are clients. With the 15
//! it comes with it answers some of sixteen clients with an error.

use std::process::Command;

use anyhow::Context;
use async_trait::async_trait;
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::{CLIENTS, Client, Side, answered, body, postgres::Cluster, process};
use crate::environment;

/// As it is reported.
pub(super) const NAME: &str = "mlflow";
const METRIC: &str = "reconstruction_mse";

/// The server.
pub(super) struct Mlflow {
    process: process::Process,
    api: String,
    http: reqwest::Client,
}

impl Mlflow {
    /// Starts one on an empty database, and waits until it is ready.
    pub(super) async fn start(cluster: Option<&Cluster>) -> anyhow::Result<Self> {
        let python = environment::python(NAME)?;
        let (folder, port) = (TempDir::with_prefix("bench-mlflow-")?, process::free_port()?);
        let store = match cluster {
            // The driver is named: which one is meant otherwise depends on the version of its library.
            Some(cluster) => cluster.database("mlflow")?.replacen("postgresql:", "postgresql+psycopg2:", 1),
            None => format!("sqlite:///{}", folder.path().join("mlflow.db").display()),
        };
        let mut command = Command::new(python);
        command.args(["-m", "mlflow", "server", "--host", "127.0.0.1", "--port", &port.to_string()]);
        command.args(["--backend-store-uri", &store, "--default-artifact-root"]).arg(folder.path());
        command.env("MLFLOW_DISABLE_TELEMETRY", "true").env("PYTHONWARNINGS", "ignore");
        command.env("MLFLOW_SQLALCHEMYSTORE_POOL_SIZE", (CLIENTS + 1).to_string());
        let mut process = process::Process::start(command, folder)?;
        let url = format!("http://127.0.0.1:{port}");
        process.until_ready(&format!("{url}/health")).await?;
        Ok(Self { process, api: format!("{url}/api/2.0/mlflow"), http: reqwest::Client::new() })
    }
}

#[async_trait]
impl Side for Mlflow {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn client(&self) -> anyhow::Result<Box<dyn Client>> {
        let mut client =
            Logging { http: self.http.clone(), api: self.api.clone(), run: String::new(), step: 0 };
        client.run = client.make().await?;
        Ok(Box::new(client))
    }

    async fn newest(&self) -> anyhow::Result<String> {
        let query = json!({"experiment_ids": ["0"], "max_results": 100});
        let url = format!("{}/runs/search", self.api);
        body(self.http.post(url).json(&query).send().await?).await
    }

    async fn ordered(&self) -> anyhow::Result<String> {
        let order = format!("metrics.{METRIC} ASC");
        let query = json!({"experiment_ids": ["0"], "max_results": 1_000, "order_by": [order]});
        let url = format!("{}/runs/search", self.api);
        body(self.http.post(url).json(&query).send().await?).await
    }

    fn process(&self) -> &process::Process {
        &self.process
    }
}

/// A client with a run.
struct Logging {
    http: reqwest::Client,
    api: String,
    run: String,
    step: u64,
}

impl Logging {
    async fn ask(&self, path: &str, body: &Json) -> anyhow::Result<Json> {
        answered(self.http.post(format!("{}/{path}", self.api)).json(body).send().await?).await
    }

    async fn make(&self) -> anyhow::Result<String> {
        let body = json!({"experiment_id": "0", "start_time": 1_700_000_000_000_u64});
        let made = self.ask("runs/create", &body).await?;
        Ok(made["run"]["info"]["run_id"].as_str().context("a run has an id")?.to_owned())
    }
}

#[async_trait]
impl Client for Logging {
    async fn post(&mut self, values: usize) -> anyhow::Result<()> {
        let point = |step: u64| json!({"key": METRIC, "value": 1.0 / (step + 1) as f64, "timestamp": 1_700_000_000_000 + step, "step": step});
        if values == 1 {
            let mut body = point(self.step);
            body["run_id"] = json!(self.run);
            self.ask("runs/log-metric", &body).await?;
        } else {
            let points: Vec<Json> = (self.step..).take(values).map(point).collect();
            self.ask("runs/log-batch", &json!({"run_id": self.run, "metrics": points})).await?;
        }
        self.step += values as u64;
        Ok(())
    }

    async fn create(&mut self) -> anyhow::Result<()> {
        self.make().await.map(drop)
    }

    async fn create_with(&mut self, value: f64) -> anyhow::Result<()> {
        let run = self.make().await?;
        let body = json!({"run_id": run, "key": METRIC, "value": value, "timestamp": 1_700_000_000_000_u64, "step": 0});
        self.ask("runs/log-metric", &body).await.map(drop)
    }

    async fn leave(&mut self) -> anyhow::Result<u64> {
        let (mut count, mut token) = (0, String::new());
        loop {
            let query = [
                ("run_id", self.run.as_str()),
                ("metric_key", METRIC),
                ("max_results", "20000"),
                ("page_token", &token),
            ];
            let query = &query[..if token.is_empty() { 3 } else { 4 }];
            let words: Vec<String> = query.iter().map(|(key, value)| format!("{key}={value}")).collect();
            let url = format!("{}/metrics/get-history?{}", self.api, words.join("&"));
            let page = answered(self.http.get(url).send().await?).await?;
            count += page["metrics"].as_array().map_or(0, Vec::len) as u64;
            match page["next_page_token"].as_str() {
                Some(next) if !next.is_empty() => token = next.to_owned(),
                _ => return Ok(count),
            }
        }
    }
}

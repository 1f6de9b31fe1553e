//! The worker process: asks for runs, steps them on their own threads, reports.
//!
//! ```text
//! pool ── lease ──> runner ── simulation ──> slot (a thread: computes, never awaits)
//!                     │                        │ metrics, checkpoints, outcome
//!   server <── reports ── reporter <── outbox ─┘ (bounded; full: the thread waits)
//! ```
//!
//! Each report is first noted for a witness, a process of its own that says so if the kernel kills this one for want of
//! memory.
//!
//! A worker dials out and is never called. While the server is away it goes on computing; fencing makes that
//! harmless. Nothing here decides what a run's state is: the server does.
#![forbid(unsafe_code)]

mod backoff;
mod cache;
mod cgroup;
mod client;
mod convert;
mod coordinator;
mod datasets;
mod memory;
mod outbox;
mod pool;
mod reporter;
mod runner;
mod slot;
mod sources;
mod witness;

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, io, path::PathBuf, sync::Arc, time::Instant};

use coordinator::Coordinator;
use experiments::Data;
use gang::Gang;
use jobs::{Capability, DatasetHash, WorkerId, WorkerInfo};
use tokio_util::sync::CancellationToken;

pub use cgroup::memory_limit;
pub use convert::metric_point;
pub use witness::{Witness, testify};

/// Settings of a worker.
#[derive(Debug, Clone)]
pub struct Config {
    /// Address of the server, such as `http://127.0.0.1:7717`.
    pub server: String,
    /// Runs at once; one thread each.
    pub slots: u32,
    /// Who computes a run.
    pub gang: Gang,
    /// Memory that all runs together may be planned to use, in bytes. Every member of a gang has a run in its memory.
    pub memory_bytes: u64,
    /// Folder of what is cached: data sets and checkpoints of other runs; several workers may share it.
    pub cache_dir: PathBuf,
    /// What jobs can ask for with `requires`.
    pub labels: BTreeMap<String, String>,
    /// Host and process id, for people.
    pub name: String,
}

/// Why a worker cannot work.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// No address.
    #[error("the server's address is `{url}`; it must be like http://127.0.0.1:7717")]
    Address {
        /// As given.
        url: String,
        /// What is wrong with it.
        source: tonic::transport::Error,
    },
    /// Nothing to run on.
    #[error("`slots` is 0; it must be at least 1")]
    NoSlots,
    /// No place for data sets and checkpoints.
    #[error("cannot make the cache folder {}", dir.display())]
    Cache {
        /// The folder.
        dir: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Trying again would not help.
    #[error("cannot register: {0}")]
    Refused(String),
    /// A data set that cannot be had.
    #[error("{0}")]
    Dataset(String),
}

/// Reads a data set from a server and checks it against its hash, as a worker does before a run.
///
/// # Errors
/// If the server does not answer or does not have it, or what it sends is something else.
pub async fn fetch_dataset(server: &str, hash: DatasetHash) -> Result<Data, WorkerError> {
    let client = client::Client::new(server)
        .map_err(|source| WorkerError::Address { url: server.to_owned(), source })?;
    let refused = |error: datasets::DatasetError| WorkerError::Dataset(error.to_string());
    let bytes = client
        .get_dataset(hash, Data::LIMIT_BYTES)
        .await
        .map_err(|refusal| refused(datasets::DatasetError::Refused { hash, refusal }))?;
    datasets::blocking(move || datasets::checked(&bytes, hash)).await.map_err(refused)
}

/// Works until `shutdown`; then takes no new run, lets each one leave a checkpoint and returns within 30 s.
///
/// A server that cannot be reached is waited for.
///
/// # Errors
/// If the settings cannot be used or the server refuses this worker.
pub async fn run(
    mut config: Config,
    witness: Witness,
    shutdown: CancellationToken,
) -> Result<(), WorkerError> {
    config.memory_bytes /= config.gang.size() as u64;
    if config.slots == 0 {
        return Err(WorkerError::NoSlots);
    }
    let client = client::Client::new(&config.server)
        .map_err(|source| WorkerError::Address { url: config.server.clone(), source })?;
    let no_cache = |source| WorkerError::Cache { dir: config.cache_dir.clone(), source };
    let datasets = datasets::Datasets::open(config.cache_dir.clone()).map_err(no_cache)?;
    let sources = sources::Sources::open(config.cache_dir.join("checkpoints")).map_err(no_cache)?;
    let began = Instant::now();
    let shared = runner::Shared {
        coordinator: Arc::new(client),
        catalogue: experiments::CATALOGUE,
        datasets,
        sources,
        memory: memory::Memory::new(config.memory_bytes),
        gang: config.gang,
        witness,
        clock: Arc::new(move || began.elapsed()),
    };
    let worker = describe(config, shared.catalogue);
    pool::Pool { shared: Arc::new(shared), worker }.run(shutdown).await
}

/// A new identity with every start: a restarted worker does not look like the old one.
fn describe(config: Config, catalogue: &[&dyn experiments::Kind]) -> WorkerInfo {
    let capability = |kind: &&dyn experiments::Kind| Capability {
        experiment: kind.name().to_owned(),
        version: kind.version(),
    };
    WorkerInfo {
        id: WorkerId(uuid::Uuid::now_v7()),
        name: config.name,
        build: env!("CARGO_PKG_VERSION").to_owned(),
        catalogue: catalogue.iter().map(capability).collect(),
        slots: config.slots,
        memory_bytes: config.memory_bytes,
        labels: config.labels,
        seen_at: 0, // the server's clock says
    }
}

//! Workers as users read them.

use std::collections::BTreeMap;

use jobs::WorkerInfo;
use serde::Serialize;
use utoipa::ToSchema;

use crate::clock::rfc3339;

/// The workers heard of in the last day.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Workers {
    pub(crate) workers: Vec<Worker>,
}

/// A worker process.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Worker {
    #[schema(format = Uuid)]
    id: String,
    /// Host and process id.
    name: String,
    /// Version of its program.
    build: String,
    /// How many runs at once.
    slots: u32,
    memory_bytes: u64,
    labels: BTreeMap<String, String>,
    /// What it can run: `rbse v1`.
    experiments: Vec<String>,
    #[schema(format = DateTime)]
    seen_at: String,
    /// Whether it was heard of lately.
    live: bool,
}

impl Worker {
    pub(crate) fn new(worker: WorkerInfo, live_since: u64) -> Self {
        let can = |can: &jobs::Capability| format!("{} v{}", can.experiment, can.version);
        Self {
            id: worker.id.to_string(),
            name: worker.name,
            build: worker.build,
            slots: worker.slots,
            memory_bytes: worker.memory_bytes,
            labels: worker.labels,
            experiments: worker.catalogue.iter().map(can).collect(),
            seen_at: rfc3339(worker.seen_at),
            live: worker.seen_at >= live_since,
        }
    }
}

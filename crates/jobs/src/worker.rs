//! What a worker says of itself.

use std::collections::BTreeMap;

use crate::{Millis, WorkerId};

/// An experiment and version that a worker can run.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Capability {
    /// Name in the catalogue.
    pub experiment: String,
    /// Its version.
    pub version: u32,
}

/// A worker process as it registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerInfo {
    /// This process start.
    pub id: WorkerId,
    /// Host and process id, for people.
    pub name: String,
    /// Version of the program.
    pub build: String,
    /// What it can run.
    pub catalogue: Vec<Capability>,
    /// How many runs at once.
    pub slots: u32,
    /// Memory it may use, in bytes.
    pub memory_bytes: u64,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// When it was last heard of.
    pub seen_at: Millis,
}

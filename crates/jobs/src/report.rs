//! What a worker tells the server, and what it is told back.

use serde_json::{Map, Value as Json};

use crate::{Class, MetricPoint, RunId, Said, Value, metric::scalar_json};

/// Worker → server: what is new in an attempt. Renews the lease. Sending it again changes nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The run.
    pub run: RunId,
    /// The attempt: a stale number changes nothing.
    pub attempt: u32,
    /// Number of the report within the attempt, from 0, without gaps.
    pub seq: u64,
    /// Step reached.
    pub step: u64,
    /// Metrics since the last report.
    pub metrics: Vec<MetricPoint>,
    /// A checkpoint whose chunks were put before.
    pub checkpoint: Option<CheckpointRef>,
    /// How the attempt ended, with its last report.
    pub outcome: Option<Outcome>,
}

impl Report {
    /// The part that the rules look at; metrics that broke determinism are added by the store that found them.
    pub fn said(&self) -> Said {
        Said {
            attempt: self.attempt,
            seq: self.seq,
            step: self.step,
            checkpoint: self.checkpoint.clone(),
            scalars: self.last_scalars(),
            outcome: self.outcome.clone(),
            violations: Vec::new(),
        }
    }

    /// Each scalar at its last step, as JSON; numbers that JSON has not are `{"nonfinite": "nan|inf|-inf"}`.
    pub fn last_scalars(&self) -> Map<String, Json> {
        let mut last = std::collections::BTreeMap::<&str, (u64, f64)>::new();
        for metric in &self.metrics {
            if let Value::Scalar(value) = metric.value {
                let entry = last.entry(&metric.name).or_insert((metric.step, value));
                if metric.step >= entry.0 {
                    *entry = (metric.step, value);
                }
            }
        }
        last.into_iter().map(|(name, (_, value))| (name.to_owned(), scalar_json(value))).collect()
    }
}

/// A checkpoint by the hash of its stored bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointRef {
    /// Step of the state.
    pub step: u64,
    /// BLAKE3 of all bytes as stored, header included.
    pub digest: [u8; 32],
    /// Length of all bytes.
    pub bytes: u64,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// All steps done.
    Succeeded {
        /// Digest of all metrics and the final state, 64 hex digits.
        digest: String,
    },
    /// It cannot go on.
    Failed {
        /// Why.
        class: Class,
        /// In words, for the user.
        message: String,
    },
    /// Stopped as the server wished, with a checkpoint when it paused.
    Stopped(Stop),
}

/// Why a worker stops an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// A user cancelled the run.
    Cancelled,
    /// A user paused the run.
    Paused,
    /// The worker is going away.
    Drain,
    /// The attempt is not the current one; nothing it sends counts.
    LeaseLost,
}

/// Server → worker, as the answer to a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Directive {
    /// Go on; the lease is good for that long from now.
    Continue {
        /// Time to live of the lease, in milliseconds.
        lease_ms: u64,
    },
    /// Stop at the next step and report the outcome.
    Stop(Stop),
}

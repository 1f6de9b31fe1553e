//! The answers of the REST API, as far as this program reads them. Unknown fields are let pass: a newer server
//! may say more.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

/// A job.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Job {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) experiment: String,
    pub(crate) version: u32,
    pub(crate) state: String,
    pub(crate) runs: Counts,
    pub(crate) dataset: Option<String>,
    #[serde(default)]
    pub(crate) from: Vec<JobSource>,
    pub(crate) created_at: String,
    pub(crate) ended_at: Option<String>,
    pub(crate) last_seq: u64,
}

/// A checkpoint of a finished run that a job builds on.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct JobSource {
    #[serde(rename = "as")]
    pub(crate) name: String,
    pub(crate) run: String,
    pub(crate) step: u64,
}

/// How many runs are in each state.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub(crate) struct Counts {
    pub(crate) queued: u32,
    pub(crate) running: u32,
    pub(crate) paused: u32,
    pub(crate) succeeded: u32,
    pub(crate) failed: u32,
    pub(crate) cancelled: u32,
    pub(crate) total: u32,
}

impl Counts {
    /// Runs that nothing can change any more.
    pub(crate) fn ended(&self) -> u32 {
        self.succeeded + self.failed + self.cancelled
    }
}

/// A run.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Run {
    pub(crate) id: String,
    pub(crate) job_id: String,
    pub(crate) index: u32,
    pub(crate) state: String,
    pub(crate) attempt: u32,
    pub(crate) seed: u64,
    pub(crate) params: Map<String, Json>,
    pub(crate) step: u64,
    pub(crate) steps: u64,
    pub(crate) checkpoint_step: Option<u64>,
    pub(crate) digest: Option<String>,
    pub(crate) failure: Option<Failure>,
    pub(crate) waiting_for: Option<String>,
    pub(crate) updated_at: String,
    #[serde(default)]
    pub(crate) scalars: Map<String, Json>,
}

/// Why a run failed.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Failure {
    pub(crate) class: String,
    pub(crate) message: String,
}

/// Values of a metric by step.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Rows {
    pub(crate) rows: Vec<(u64, Json)>,
}

/// What a server knows of an experiment.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Experiment {
    pub(crate) metrics: Vec<MetricInfo>,
}

/// A declared metric.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct MetricInfo {
    pub(crate) name: String,
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) cadence: String,
}

/// A data set.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Dataset {
    pub(crate) hash: String,
    pub(crate) names: Vec<String>,
    pub(crate) shape: Json,
    pub(crate) attribution: Option<String>,
    pub(crate) bytes: u64,
}

/// A worker.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Worker {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) build: String,
    pub(crate) slots: u32,
    pub(crate) experiments: Vec<String>,
    pub(crate) seen_at: String,
    pub(crate) live: bool,
}

/// A scalar as it travels: a number, or `{"nonfinite": "nan|inf|-inf"}`. `None` for anything else.
pub(crate) fn scalar(value: &Json) -> Option<f64> {
    let nonfinite = || match value.get("nonfinite")?.as_str()? {
        "nan" => Some(f64::NAN),
        "inf" => Some(f64::INFINITY),
        "-inf" => Some(f64::NEG_INFINITY),
        _ => None,
    };
    value.as_f64().or_else(nonfinite)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn scalars_travel_as_numbers_or_by_name() {
        assert_eq!(scalar(&json!(0.5)), Some(0.5));
        assert_eq!(scalar(&json!({"nonfinite": "-inf"})), Some(f64::NEG_INFINITY));
        assert!(scalar(&json!({"nonfinite": "nan"})).is_some_and(f64::is_nan));
        assert_eq!(scalar(&json!({"kind": "vector"})), None);
    }
}

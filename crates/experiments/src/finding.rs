//! Findings: claims of the literature as data, with the job that tests them and the bound that decides.

use serde::{Deserialize, Serialize};

use crate::Kind;

/// A claim, the job that tests it, and what must come out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Unique name, such as `rbse-t3-spearman`.
    pub id: String,
    /// Target of the protocol that it covers, such as `T3`.
    pub target: String,
    /// The claim in words.
    pub claim: String,
    /// Whose claim it is.
    pub source: String,
    /// Experiment of the job where it is not the one that the finding belongs to: a control.
    #[serde(default)]
    pub control: Option<String>,
    /// Preset of the job.
    #[serde(default)]
    pub preset: Option<String>,
    /// Params of the job.
    #[serde(default)]
    pub params: serde_json::Map<String, serde_json::Value>,
    /// Data set of the job; the built-in one when absent.
    #[serde(default)]
    pub dataset: Option<String>,
    /// Final value of this scalar metric; of `metric` minus `minus` when that is given.
    pub metric: String,
    /// Metric that is subtracted.
    #[serde(default)]
    pub minus: Option<String>,
    /// Whether every seed must meet the bound or their mean.
    pub over_seeds: Statistic,
    /// The bound.
    #[serde(flatten)]
    pub bound: Bound,
}

/// What of the values over seeds is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Statistic {
    /// Each seed by itself.
    Each,
    /// The mean.
    Mean,
}

/// What must hold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// At least this.
    AtLeast(f64),
    /// At most this.
    AtMost(f64),
    /// `[centre, half width]`: no further than that from the centre.
    Within(f64, f64),
}

impl Bound {
    /// Whether a value meets it; NaN never does.
    pub fn holds(self, value: f64) -> bool {
        match self {
            Self::AtLeast(bound) => value >= bound,
            Self::AtMost(bound) => value <= bound,
            Self::Within(centre, half_width) => (value - centre).abs() <= half_width,
        }
    }
}

impl Finding {
    /// Whether the values of all seeds meet the bound.
    pub fn holds(&self, values: &[f64]) -> bool {
        match self.over_seeds {
            Statistic::Each => !values.is_empty() && values.iter().all(|&value| self.bound.holds(value)),
            Statistic::Mean => self.bound.holds(values.iter().sum::<f64>() / values.len() as f64),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    finding: Vec<Finding>,
}

/// The findings of an experiment.
pub fn findings(kind: &dyn Kind) -> Vec<Finding> {
    let file: File = toml::from_str(kind.findings_toml()).expect("findings are parsed by a test");
    file.finding
}

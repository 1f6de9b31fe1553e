//! Findings: claims of the literature as data, with the job that tests them and the bound that decides.
//!
//! A verdict is computed here and nowhere else: [`Finding::judge`] takes the final values of metrics from wherever they
//! come (a server, a test) and says what was measured and whether the bound holds.

mod alarm;
mod bound;
mod job;
mod judge;
#[cfg(test)]
mod judge_tests;
mod quantity;
mod reduce;
pub(crate) mod seeds;
mod statistic;
mod targets;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::Kind;

pub use alarm::{FalseAlarm, Tuned};
pub use bound::Bound;
pub(crate) use job::combinations;
pub use job::{FindingJob, Overlay};
pub use judge::{Measured, Outcome};
pub use quantity::{Comparison, How, Point, Results};
pub use reduce::Reduce;
pub use statistic::{Statistic, interval_95};
pub use targets::{Exception, Target, Targets, targets};

/// Seeds that findings are tested on unless they say otherwise.
pub const SEEDS: [u64; 5] = [1, 2, 3, 4, 5];

/// A claim, the job that tests it, and what must come out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// Name, unique in the experiment.
    pub id: String,
    /// What it is about: a target of `targets.toml`, or `target.bound` if it meets that bound.
    pub target: String,
    /// The claim in words.
    pub claim: String,
    /// Whose claim it is.
    pub source: String,

    /// Experiment of the job where it is not the one that the finding belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub experiment: Option<String>,
    /// Preset of the job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
    /// Params of the job.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub params: Map<String, Json>,
    /// Data set of the job; the built-in one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset: Option<String>,
    /// Values of params, every combination of which is a point with a job of its own.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub scan: Map<String, Json>,
    /// Seeds, where they are not [`SEEDS`].
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "seeds::seeds")]
    pub seeds: Option<Vec<u64>>,
    /// Whether it takes so long that it is tested only when asked for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub slow: bool,

    /// The final value of this metric, a number or a list of numbers.
    pub metric: String,
    /// Which element of a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<usize>,
    /// Metric of the same run that is subtracted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minus: Option<String>,
    /// Metric of the same run that it is divided by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<String>,
    /// Param whose value is subtracted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minus_param: Option<String>,
    /// Another job that it is compared with, seed by seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<Comparison>,

    /// What one number is made of a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over_elements: Option<Reduce>,
    /// What one number is made of the points of a scan; each must meet the bound when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over_points: Option<Reduce>,
    /// What of the values over seeds is held against the bound.
    pub over_seeds: Statistic,
    /// The value is at least this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at_least: Option<f64>,
    /// The value is at most this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at_most: Option<f64>,
    /// The value is no further than the second number from the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    within: Option<(f64, f64)>,

    /// What is known to come out.
    #[serde(default)]
    pub expected: Expected,
    /// What is known about it, above all why it fails if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What came out on tuning seeds; the false-alarm rate follows from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tuned: Option<Tuned>,
    /// The false-alarm rate where it is derived otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub false_alarm: Option<FalseAlarm>,
    /// A job on which the opposite must come out, or the test could not fail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control: Option<Control>,
    /// Why there is no such job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uncontrolled: Option<String>,
}

/// What is known to come out of a finding.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expected {
    /// The bound is met.
    #[default]
    Holds,
    /// It is not.
    Fails,
}

impl Expected {
    /// As users read it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Fails => "fails",
        }
    }
}

/// A job on which the opposite of what is expected must come out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Control {
    /// How it differs from the finding's job.
    #[serde(flatten)]
    pub overlay: Overlay,
    /// Why the opposite must come out.
    pub why: String,
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

impl Finding {
    /// The bound.
    ///
    /// # Panics
    /// If there is not exactly one; a test holds that there is.
    pub fn bound(&self) -> Bound {
        let bounds = [
            self.at_least.map(Bound::AtLeast),
            self.at_most.map(Bound::AtMost),
            self.within.map(|(centre, half)| Bound::Within(centre, half)),
        ];
        let mut given = bounds.into_iter().flatten();
        match (given.next(), given.next()) {
            (Some(bound), None) => bound,
            _ => panic!("finding `{}` must have one of at_least, at_most, within", self.id),
        }
    }

    /// The metric and what is done to it, in short, such as `a − b, ratio to model B`.
    pub fn quantity(&self) -> String {
        let mut text = self.metric.clone();
        if let Some(at) = self.at {
            text += &format!("[{at}]");
        }
        let same_run = [("−", &self.minus), ("/", &self.over), ("−", &self.minus_param)];
        for (sign, name) in same_run {
            text += &name.as_ref().map(|name| format!(" {sign} {name}")).unwrap_or_default();
        }
        if let Some(against) = &self.against {
            text += &format!(", {} {}", against.how.name(), against.overlay.label());
        }
        text
    }

    /// How the values over points and seeds become one number, such as `each seed`.
    pub fn statistic(&self) -> String {
        let elements = self.over_elements.map(|reduce| format!("{} of elements, ", reduce.name()));
        let points = match self.over_points {
            _ if self.scan.is_empty() => String::new(),
            None => "each point, ".to_owned(),
            Some(reduce) => format!("{} of points, ", reduce.name()),
        };
        format!("{}{points}{}", elements.unwrap_or_default(), self.over_seeds.name())
    }
}

//! What a finding measures: for each point and seed a list of numbers, which mostly has one element.

use serde::{Deserialize, Serialize};

use super::{Finding, FindingJob, Overlay, job::combinations};

/// Where final values of metrics come from.
pub trait Results {
    /// The final value of a metric; one element for a scalar.
    ///
    /// # Errors
    /// Why there is none, in words: the run failed, or the metric was not observed.
    fn last(&self, job: &FindingJob, seed: u64, metric: &str) -> Result<Vec<f64>, String>;
}

/// Another job, compared seed by seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// How the job differs.
    #[serde(flatten)]
    pub overlay: Overlay,
    /// How the values are compared.
    #[serde(rename = "as")]
    pub how: How,
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// Value minus other.
    Difference,
    /// Value divided by other.
    Ratio,
}

impl How {
    /// As users read it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Difference => "difference to",
            Self::Ratio => "ratio to",
        }
    }

    fn of(self, value: f64, other: f64) -> f64 {
        match self {
            Self::Difference => value - other,
            Self::Ratio => value / other,
        }
    }
}

/// A point of a scan: the jobs that it takes.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Its params, such as `p0 0.3`; empty without a scan.
    pub label: String,
    /// The job.
    pub job: FindingJob,
    /// The job that it is compared with.
    pub against: Option<FindingJob>,
}

impl Finding {
    /// The points of the scan, for a finding of `experiment`; one without a scan.
    pub fn points(&self, experiment: &str) -> Vec<Point> {
        self.points_on(&FindingJob::of(experiment, self))
    }

    /// The points of the negative control.
    pub fn control_points(&self, experiment: &str) -> Vec<Point> {
        let base = FindingJob::of(experiment, self);
        self.control.iter().flat_map(|control| self.points_on(&base.with(&control.overlay))).collect()
    }

    fn points_on(&self, base: &FindingJob) -> Vec<Point> {
        let point = |params| {
            let overlay = Overlay { params, ..Overlay::default() };
            let (label, job) = (overlay.label(), base.with(&overlay));
            let against = self.against.as_ref().map(|against| job.with(&against.overlay));
            Point { label, job, against }
        };
        combinations(&self.scan).into_iter().map(point).collect()
    }

    /// Every metric that it reads, with the job it reads it of.
    pub fn reads(&self, experiment: &str) -> Vec<(FindingJob, String)> {
        let control = self.control.as_ref().and_then(|control| control.overlay.metric.as_ref());
        let mut all = self.reads_on(self.points(experiment), &self.metric);
        all.extend(self.reads_on(self.control_points(experiment), control.unwrap_or(&self.metric)));
        all
    }

    fn reads_on(&self, points: Vec<Point>, metric: &str) -> Vec<(FindingJob, String)> {
        let mut all = Vec::new();
        let mut read = |job: &FindingJob, metric: &str| {
            let names = [Some(metric), self.minus.as_deref(), self.over.as_deref()];
            all.extend(names.into_iter().flatten().map(|name| (job.clone(), name.to_owned())));
        };
        for point in points {
            read(&point.job, metric);
            if let (Some(job), Some(against)) = (&point.against, &self.against) {
                read(job, against.overlay.metric.as_deref().unwrap_or(metric));
            }
        }
        all
    }

    /// The elements that one seed gives at one point; `metric` is the finding's or that of its control.
    pub(super) fn elements(
        &self,
        point: &Point,
        metric: &str,
        seed: u64,
        results: &dyn Results,
    ) -> Result<Vec<f64>, String> {
        let value = self.within_run(&point.job, metric, seed, results)?;
        let (Some(against), Some(job)) = (&self.against, &point.against) else { return Ok(value) };
        let other_metric = against.overlay.metric.as_deref().unwrap_or(metric);
        let other = self.within_run(job, other_metric, seed, results)?;
        pairs(&value, &other, |value, other| against.how.of(value, other))
    }

    fn within_run(
        &self,
        job: &FindingJob,
        metric: &str,
        seed: u64,
        results: &dyn Results,
    ) -> Result<Vec<f64>, String> {
        let last = |metric: &str| self.element(metric, results.last(job, seed, metric)?);
        let value = last(metric)?;
        if let Some(minus) = &self.minus {
            return pairs(&value, &last(minus)?, |a, b| a - b);
        }
        if let Some(over) = &self.over {
            return pairs(&value, &last(over)?, |a, b| a / b);
        }
        let shift = self.minus_param.as_ref().map_or(Ok(0.0), |name| job.param(name))?;
        Ok(value.iter().map(|value| value - shift).collect())
    }

    fn element(&self, metric: &str, values: Vec<f64>) -> Result<Vec<f64>, String> {
        let Some(at) = self.at else { return Ok(values) };
        let missing = || format!("`{metric}` has {} elements; element {at} was asked for", values.len());
        values.get(at).map(|&value| vec![value]).ok_or_else(missing)
    }

    /// One number of the elements.
    pub(super) fn scalar(&self, elements: &[f64]) -> Result<f64, String> {
        match (elements, self.over_elements) {
            (elements, Some(reduce)) => Ok(reduce.of(elements)),
            (&[value], None) => Ok(value),
            (elements, None) => {
                Err(format!("`{}` is a list of {}; say over_elements", self.metric, elements.len()))
            }
        }
    }
}

/// Element by element; a single number goes with every element.
fn pairs(a: &[f64], b: &[f64], of: impl Fn(f64, f64) -> f64) -> Result<Vec<f64>, String> {
    match (a, b) {
        (a, b) if a.len() == b.len() => Ok(a.iter().zip(b).map(|(&a, &b)| of(a, b)).collect()),
        (a, &[b]) => Ok(a.iter().map(|&a| of(a, b)).collect()),
        _ => Err(format!("lists of {} and {} elements cannot be compared", a.len(), b.len())),
    }
}

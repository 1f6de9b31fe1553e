//! The verdict on a finding.

use numerics::stats;

use super::{Expected, Finding, Point, Results, Statistic, statistic};

/// What was measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// Whether the bound is met.
    pub holds: bool,
    /// The number that decides: it meets the bound exactly if the finding holds.
    pub value: f64,
    /// One value for each seed, at the point that decides.
    pub values: Vec<f64>,
    /// That point; empty without a scan, or if the points are reduced to one number.
    pub point: String,
    /// 95 % interval of the mean; none for a single seed.
    pub interval: Option<(f64, f64)>,
    /// All points with their values.
    pub points: Vec<(String, Vec<f64>)>,
}

impl Measured {
    /// The mean over seeds.
    pub fn mean(&self) -> f64 {
        stats::mean(&self.values)
    }

    /// The standard deviation over seeds; NaN for a single one.
    pub fn sd(&self) -> f64 {
        stats::sd(&self.values)
    }
}

/// The verdict on a finding.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// What was measured, or why nothing was.
    pub measured: Result<Measured, String>,
    /// The same on the negative control.
    pub control: Option<Result<Measured, String>>,
    expected: Expected,
}

impl Outcome {
    /// Whether the bound is met.
    pub fn verdict(&self) -> Expected {
        match &self.measured {
            Ok(measured) if measured.holds => Expected::Holds,
            _ => Expected::Fails,
        }
    }

    /// Whether all is as it must be: the verdict was measured and is the expected one, and the control gives the
    /// opposite.
    pub fn is_as_expected(&self) -> bool {
        self.measured.is_ok() && self.verdict() == self.expected && self.control_separates()
    }

    /// Whether the negative control, if there is one, gives the opposite of what is expected.
    pub fn control_separates(&self) -> bool {
        match &self.control {
            None => true,
            Some(Ok(control)) => control.holds == (self.expected == Expected::Fails),
            Some(Err(_)) => false,
        }
    }

    /// What is wrong, in words; nothing if all is as it must be.
    pub fn trouble(&self) -> Option<String> {
        match (&self.measured, &self.control) {
            _ if self.is_as_expected() => None,
            (Err(reason), _) => Some(reason.clone()),
            (Ok(_), Some(Err(reason))) => Some(format!("the control has no result: {reason}")),
            (Ok(_), Some(Ok(_))) if !self.control_separates() => {
                Some("the control comes out as the finding must, so that it proves nothing".into())
            }
            _ => Some(format!("{} was expected", self.expected.name())),
        }
    }
}

impl Finding {
    /// The verdict on this finding of `experiment`.
    pub fn judge(&self, experiment: &str, seeds: &[u64], results: &dyn Results) -> Outcome {
        let measured = self.measure(&self.points(experiment), &self.metric, seeds, results);
        let control = self.control.as_ref().map(|control| {
            let metric = control.overlay.metric.as_ref().unwrap_or(&self.metric);
            self.measure(&self.control_points(experiment), metric, seeds, results)
        });
        Outcome { measured, control, expected: self.expected }
    }

    fn measure(
        &self,
        points: &[Point],
        metric: &str,
        seeds: &[u64],
        results: &dyn Results,
    ) -> Result<Measured, String> {
        let mut cells: Vec<(String, Vec<Vec<f64>>)> = Vec::with_capacity(points.len());
        for point in points {
            let of_seed = |&seed| {
                let elements = self.elements(point, metric, seed, results);
                elements.map_err(|reason| format!("{}, seed {seed}: {reason}", point.job.label()))
            };
            cells.push((point.label.clone(), seeds.iter().map(of_seed).collect::<Result<_, _>>()?));
        }
        let each: Vec<Measured> = match self.over_points {
            None => {
                cells.iter().map(|(label, seeds)| self.at_point(label, seeds)).collect::<Result<_, _>>()?
            }
            Some(reduce) => {
                let over_points = |seed: usize| {
                    let values = cells.iter().map(|(_, seeds)| self.scalar(&seeds[seed]));
                    Ok(reduce.of(&values.collect::<Result<Vec<f64>, String>>()?))
                };
                let values = (0..seeds.len()).map(over_points).collect::<Result<Vec<f64>, String>>()?;
                vec![self.decide("", values, None)]
            }
        };
        let listed = |(label, seeds): &(String, Vec<Vec<f64>>)| {
            let of_seed =
                |elements: &Vec<f64>| self.scalar(elements).unwrap_or_else(|_| stats::mean(elements));
            (label.clone(), seeds.iter().map(of_seed).collect())
        };
        let worst = self.bound().worst(each.iter().map(|measured| measured.value));
        let holds = !each.is_empty() && each.iter().all(|measured| measured.holds);
        let decides = each.into_iter().find(|measured| measured.value.to_bits() == worst.to_bits());
        let decides = decides.ok_or("there is no point to measure")?;
        Ok(Measured { holds, points: cells.iter().map(listed).collect(), ..decides })
    }

    fn at_point(&self, label: &str, seeds: &[Vec<f64>]) -> Result<Measured, String> {
        let is_list = seeds.iter().any(|elements| elements.len() > 1);
        if is_list && self.over_elements.is_none() && self.over_seeds == Statistic::Interval {
            let means = seeds.iter().map(|elements| stats::mean(elements)).collect();
            return Ok(self.decide(label, means, statistic::two_way_interval(seeds)?));
        }
        let values = seeds.iter().map(|elements| self.scalar(elements)).collect::<Result<_, _>>()?;
        Ok(self.decide(label, values, None))
    }

    /// From one value for each seed; `interval` where it is not Student's.
    fn decide(&self, label: &str, values: Vec<f64>, interval: Option<(f64, f64)>) -> Measured {
        let interval = interval.or_else(|| statistic::interval_95(&values));
        let value = self.over_seeds.deciding(self.bound(), &values, interval);
        let holds = self.bound().holds(value);
        Measured { holds, value, values, point: label.to_owned(), interval, points: Vec::new() }
    }
}

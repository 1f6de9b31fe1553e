//! What of the values over seeds is held against a bound.

use numerics::stats;
use serde::{Deserialize, Serialize};

use super::{Bound, student};

/// What of the values over seeds is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Statistic {
    /// Each seed by itself.
    Each,
    /// The mean.
    Mean,
    /// The median.
    Median,
    /// The 95 % interval of the mean, as a whole: Student's over seeds; for lists, resampled over seeds and elements.
    Interval,
}

impl Statistic {
    /// As users read it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Each => "each seed",
            Self::Mean => "mean of seeds",
            Self::Median => "median of seeds",
            Self::Interval => "95 % interval",
        }
    }

    /// The number that decides: it meets the bound exactly if the statistic does.
    pub(super) fn deciding(self, bound: Bound, values: &[f64], interval: Option<(f64, f64)>) -> f64 {
        match self {
            _ if values.is_empty() || values.iter().any(|value| value.is_nan()) => f64::NAN,
            Self::Each => bound.worst(values.iter().copied()),
            Self::Mean => stats::mean(values),
            Self::Median => stats::quantile(values, 0.5),
            Self::Interval => interval.map_or(f64::NAN, |(low, high)| bound.worst([low, high])),
        }
    }
}

/// Student's 95 % interval of the mean; none below two values.
///
/// # Source
/// Student 1908, Biometrika 6:1.
pub(super) fn interval(values: &[f64]) -> Option<(f64, f64)> {
    let freedom = u32::try_from(values.len()).ok()?.checked_sub(1).filter(|&freedom| freedom > 0)?;
    let half = student::two_sided(0.95, freedom) * stats::sd(values) / (values.len() as f64).sqrt();
    let mean = stats::mean(values);
    Some((mean - half, mean + half))
}

/// 95 % interval of the mean over seeds and elements, both of which are resampled.
///
/// # Errors
/// If the seeds have lists of unequal lengths.
pub(super) fn two_way_interval(seeds: &[Vec<f64>]) -> Result<Option<(f64, f64)>, String> {
    if seeds.iter().any(|elements| elements.len() != seeds[0].len()) {
        return Err("the seeds have lists of unequal lengths".into());
    }
    if seeds.len() < 2 || seeds.iter().flatten().any(|value| value.is_nan()) {
        return Ok(None);
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UP: Bound = Bound::AtLeast(1.0);

    #[test]
    fn each_is_decided_by_the_worst_seed_and_the_mean_and_median_are_not() {
        let values = [0.5, 1.5, 2.5];
        assert!(!UP.holds(Statistic::Each.deciding(UP, &values, None)));
        assert!(UP.holds(Statistic::Mean.deciding(UP, &values, None)));
        assert!(UP.holds(Statistic::Median.deciding(UP, &values, None)));
        assert!(!UP.holds(Statistic::Mean.deciding(UP, &[0.5, 0.6, 1.5], None)));
        assert!(!UP.holds(Statistic::Median.deciding(UP, &[0.5, 0.6, 9.5], None)));
    }

    #[test]
    fn an_interval_is_decided_by_its_end_on_the_side_of_the_bound() {
        // sd 0.1, n = 4: half width 3.182 · 0.1 / 2 = 0.159.
        let values = [1.1, 1.2, 1.2, 1.3].map(|x| x + 0.0);
        let (low, high) = interval(&values).expect("four values");
        assert!((0.5 * (low + high) - 1.2).abs() < 1e-12);
        assert!((high - low - 2.0 * 3.1824 * 0.081_65 / 2.0).abs() < 1e-4, "{low} {high}");
        let ends = Some((low, high));
        assert_eq!(Statistic::Interval.deciding(UP, &values, ends), low);
        assert_eq!(Statistic::Interval.deciding(Bound::AtMost(1.0), &values, ends), high);
        assert!(UP.holds(low) && !Bound::AtLeast(1.1).holds(low));
        assert!(interval(&[1.0]).is_none());
        assert!(Statistic::Interval.deciding(UP, &[1.0], None).is_nan(), "one seed has no interval");
    }

    #[test]
    fn no_values_and_missing_values_decide_nothing() {
        for statistic in [Statistic::Each, Statistic::Mean, Statistic::Median, Statistic::Interval] {
            assert!(!UP.holds(statistic.deciding(UP, &[], None)), "{statistic:?}");
            let ends = Some((2.0, 3.0));
            assert!(!UP.holds(statistic.deciding(UP, &[2.0, f64::NAN], ends)), "{statistic:?}");
        }
    }
}

//! What of the values over seeds is held against a bound.

use ndarray::Array2;
use numerics::{Draws, bootstrap, stats};
use serde::{Deserialize, Serialize};

use super::Bound;

/// The ends of an interval vary by about a hundredth of its width between draws of as many resamples.
const RESAMPLES: u32 = 10_000;

/// What of the values over seeds is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Statistic {
    /// Each seed by itself.
    Each,
    /// Each seed but the worst.
    AllButOne,
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
            Self::AllButOne => "all seeds but one",
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
            Self::AllButOne => second_worst(bound, values),
            Self::Mean => stats::mean(values),
            Self::Median => stats::quantile(values, 0.5),
            Self::Interval => interval.map_or(f64::NAN, |(low, high)| bound.worst([low, high])),
        }
    }
}

/// The value that is furthest on the wrong side but for one; the only one if there is no other.
fn second_worst(bound: Bound, values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(|a, b| bound.slack(*a).total_cmp(&bound.slack(*b)));
    sorted[1.min(sorted.len() - 1)]
}

/// Student's 95 % interval of the mean; none below two values.
///
/// # Source
/// Student 1908, Biometrika 6:1.
pub fn interval_95(values: &[f64]) -> Option<(f64, f64)> {
    let freedom = values.len().checked_sub(1).filter(|&freedom| freedom > 0)?;
    let half = bootstrap::student_quantile(0.95, freedom) * stats::sd(values) / (values.len() as f64).sqrt();
    let mean = stats::mean(values);
    Some((mean - half, mean + half))
}

/// 95 % interval of the mean over seeds and elements, both of which are resampled; none below two of either.
///
/// # Errors
/// If the seeds have lists of unequal lengths.
pub(super) fn two_way_interval(seeds: &[Vec<f64>]) -> Result<Option<(f64, f64)>, String> {
    let shape = (seeds.len(), seeds.first().map_or(0, Vec::len));
    let table = Array2::from_shape_vec(shape, seeds.concat());
    let table = table.map_err(|_| "the seeds have lists of unequal lengths".to_owned())?;
    if table.iter().any(|value| value.is_nan()) {
        return Ok(None);
    }
    // Its own randomness: an interval is a function of the values alone.
    let interval = bootstrap::two_way(table.view(), RESAMPLES, 0.95, Draws::at(0, 0));
    Ok(interval.map(|interval| (interval.low, interval.high)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const UP: Bound = Bound::AtLeast(1.0);

    #[test]
    fn one_bad_seed_is_forgiven_and_two_are_not() {
        let deciding = |values: &[f64]| Statistic::AllButOne.deciding(UP, values, None);
        assert_eq!(deciding(&[3.0, 0.2, 1.5, 2.0]), 1.5);
        assert_eq!(deciding(&[0.3, 0.2, 1.5, 2.0]), 0.3);
        assert_eq!(deciding(&[0.2]), 0.2);
        assert!(deciding(&[3.0, f64::NAN]).is_nan(), "a missing value is not passed over");
    }

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
        let (low, high) = interval_95(&values).expect("four values");
        assert!((0.5 * (low + high) - 1.2).abs() < 1e-12);
        assert!((high - low - 2.0 * 3.1824 * 0.081_65 / 2.0).abs() < 1e-4, "{low} {high}");
        let ends = Some((low, high));
        assert_eq!(Statistic::Interval.deciding(UP, &values, ends), low);
        assert_eq!(Statistic::Interval.deciding(Bound::AtMost(1.0), &values, ends), high);
        assert!(UP.holds(low) && !Bound::AtLeast(1.1).holds(low));
        assert!(interval_95(&[1.0]).is_none());
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

    #[test]
    fn a_list_for_each_seed_is_resampled_both_ways() {
        // Five networks that differ by ±0.5 with 20 draws each that differ by ±0.1: networks decide the width.
        let seeds: Vec<Vec<f64>> = (0..5)
            .map(|i| (0..20).map(|j| f64::from(i % 2) - 0.5 + 0.2 * f64::from(j % 2)).collect())
            .collect();
        let (low, high) = two_way_interval(&seeds).expect("equal lengths").expect("two of each");
        let mean = stats::mean(&seeds.concat());
        assert!(low < mean - 0.3 && high > mean + 0.3, "{low} … {high} around {mean}");
        assert!(two_way_interval(&[vec![1.0, 2.0], vec![1.0]]).is_err());
        assert_eq!(two_way_interval(&[vec![1.0, 2.0]]), Ok(None));
        assert_eq!(two_way_interval(&[vec![1.0, f64::NAN], vec![1.0, 2.0]]), Ok(None));
    }
}

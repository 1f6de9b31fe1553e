//! One number of many: over the elements of a list or the points of a scan.

use numerics::stats;
use serde::{Deserialize, Serialize};

use super::Bound;

/// How many numbers become one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reduce {
    /// The mean.
    Mean,
    /// The least.
    Least,
    /// The greatest.
    Greatest,
    /// The greatest minus the least.
    Span,
    /// The least difference of one number to that before it: at least 0 if they rise.
    SmallestStep,
    /// The greatest difference of one number to that before it: at most 0 if they fall.
    GreatestStep,
    /// The share that meets a bound.
    Share(Bound),
}

impl Reduce {
    /// As users read it.
    pub fn name(self) -> String {
        match self {
            Self::Mean => "mean".into(),
            Self::Least => "least".into(),
            Self::Greatest => "greatest".into(),
            Self::Span => "span".into(),
            Self::SmallestStep => "smallest step".into(),
            Self::GreatestStep => "greatest step".into(),
            Self::Share(bound) => format!("share {bound}"),
        }
    }

    /// Of these numbers; NaN for none, and if one of them is NaN.
    pub fn of(self, values: &[f64]) -> f64 {
        if values.is_empty() || values.iter().any(|value| value.is_nan()) {
            return f64::NAN;
        }
        let least = |values: &[f64]| values.iter().copied().reduce(f64::min).unwrap_or(f64::NAN);
        let greatest = |values: &[f64]| values.iter().copied().reduce(f64::max).unwrap_or(f64::NAN);
        let steps: Vec<f64> = values.windows(2).map(|pair| pair[1] - pair[0]).collect();
        match self {
            Self::Mean => stats::mean(values),
            Self::Least => least(values),
            Self::Greatest => greatest(values),
            Self::Span => greatest(values) - least(values),
            Self::SmallestStep => least(&steps),
            Self::GreatestStep => greatest(&steps),
            Self::Share(bound) => {
                values.iter().filter(|&&value| bound.holds(value)).count() as f64 / values.len() as f64
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_numbers_become_one() {
        let values = [1.0, 3.0, 2.0, 6.0];
        let cases = [
            (Reduce::Mean, 3.0),
            (Reduce::Least, 1.0),
            (Reduce::Greatest, 6.0),
            (Reduce::Span, 5.0),
            (Reduce::SmallestStep, -1.0),
            (Reduce::GreatestStep, 4.0),
            (Reduce::Share(Bound::AtLeast(2.0)), 0.75),
        ];
        for (reduce, expected) in cases {
            assert_eq!(reduce.of(&values), expected, "{}", reduce.name());
            assert!(reduce.of(&[]).is_nan());
            assert!(reduce.of(&[1.0, f64::NAN]).is_nan(), "a missing value is not passed over");
        }
    }
}

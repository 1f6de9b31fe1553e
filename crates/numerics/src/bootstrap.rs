//! Two-way bootstrap: an interval for a mean over two crossed random factors.
//!
//! A table of values, say gains in accuracy, has a row per trained network and a column per draw of
//! labels. Its mean varies with both, so both are resampled: rows with replacement, columns with
//! replacement, and every value counts as often as its row times its column. Resampling values one by
//! one, or the draws of a single network, would take repeated looks at one network for many networks.
//!
//! # Source
//! Owen 2007, Ann. Appl. Stat. 1:386 (the pigeonhole bootstrap; its variance is conservative). Widened
//! for few rows as by Hesterberg 2015, Am. Stat. 69:371 (the expanded percentile interval): with five
//! rows a plain percentile interval is a third too narrow.

use crate::{Draws, Stream, stats};
use ndarray::ArrayView2;

/// A mean with its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The mean of all values.
    pub mean: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// The interval that covers the mean of `values` (rows, columns) with probability `level`.
///
/// `low` and `high` are the quantiles β and 1 − β of the resampled means,
/// `β = Φ(−√(n/(n − 1)) t)`, where n is the lesser of rows and columns and `P(|T| > t) = 1 − level` for Student's T
/// with n − 1 degrees of freedom. Draws: `below` at index `resample · (rows + columns)` and the following of stream
/// `Bootstrap`. None if there are fewer than two rows or columns: nothing is known of what varies.
///
/// # Panics
/// If there are no resamples or `level` is not between 0 and 1.
pub fn two_way(values: ArrayView2<'_, f64>, resamples: u32, level: f64, draws: Draws) -> Option<Interval> {
    let (rows, columns) = values.dim();
    assert!(resamples > 0, "an interval needs resamples");
    assert!(0.0 < level && level < 1.0, "the level {level} is not between 0 and 1");
    let n = rows.min(columns);
    if n < 2 {
        return None;
    }
    let means: Vec<f64> = (0..u64::from(resamples))
        .map(|resample| {
            let first = resample * (rows + columns) as u64;
            let row_counts = counts(rows, first, draws);
            let column_counts = counts(columns, first + rows as u64, draws);
            let total = values.rows().into_iter().zip(&row_counts).fold(0.0, |sum, (row, times)| {
                sum + times * row.iter().zip(&column_counts).fold(0.0, |sum, (x, times)| sum + times * x)
            });
            total / values.len() as f64
        })
        .collect();
    let t = student_quantile(level, n - 1);
    let tail = normal_cdf(-(n as f64 / (n - 1) as f64).sqrt() * t);
    let ends = stats::quantiles(&means, &[tail, 1.0 - tail]);
    let all: Vec<f64> = values.iter().copied().collect();
    Some(Interval { mean: stats::mean(&all), low: ends[0], high: ends[1] })
}

/// How often each of n is drawn in n draws with replacement.
fn counts(n: usize, first: u64, draws: Draws) -> Vec<f64> {
    let mut counts = vec![0.0; n];
    for i in 0..n as u64 {
        counts[draws.below(Stream::Bootstrap, first + i, n as u32) as usize] += 1.0;
    }
    counts
}

/// P(Z < x) of a standard normal Z, accurate in the lower tail.
pub fn normal_cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x / std::f64::consts::SQRT_2)
}

/// The t with `P(|T| < t) = level` for Student's T.
///
/// # Panics
/// If there is no degree of freedom.
pub fn student_quantile(level: f64, degrees: usize) -> f64 {
    assert!(degrees > 0, "Student's law has a degree of freedom");
    let (mut low, mut high) = (0.0, 1.0);
    while student_within(high, degrees) < level {
        high *= 2.0;
    }
    // 60 halvings leave less than rounding.
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if student_within(middle, degrees) < level {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// `P(|T| < t)` (Abramowitz & Stegun 1964, 26.7.3 and 26.7.4).
fn student_within(t: f64, degrees: usize) -> f64 {
    let angle = libm::atan(t / (degrees as f64).sqrt());
    let (sin, cos) = (libm::sin(angle), libm::cos(angle));
    let odd = degrees % 2;
    // cos^odd, then each term is the one before times cos² (m − 1)/m.
    let (mut term, mut sum) = (if odd == 1 { cos } else { 1.0 }, 0.0);
    let mut m = 2 + odd;
    while m <= degrees {
        sum += term;
        term *= cos * cos * (m - 1) as f64 / m as f64;
        m += 2;
    }
    if odd == 1 { std::f64::consts::FRAC_2_PI * (angle + sin * sum) } else { sin * sum }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distributions::normal;
    use ndarray::Array2;

    #[test]
    fn students_quantiles_are_those_of_the_tables() {
        // Tables of the 97.5 % quantile.
        for (degrees, t) in
            [(1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (5, 2.571), (10, 2.228), (19, 2.093)]
        {
            assert!((student_quantile(0.95, degrees) - t).abs() < 6e-4, "{degrees}");
        }
    }

    #[test]
    fn an_interval_of_equal_values_is_a_point_and_of_one_network_is_none() {
        let equal = Array2::from_elem((3, 4), 2.5);
        let interval = two_way(equal.view(), 100, 0.95, Draws::at(1, 0)).expect("three rows, four columns");
        assert_eq!(interval, Interval { mean: 2.5, low: 2.5, high: 2.5 });
        assert_eq!(two_way(Array2::zeros((1, 20)).view(), 100, 0.95, Draws::at(1, 0)), None);
    }

    /// How many of 400 intervals hold the true mean 0 of tables with these effects of row, column and cell.
    fn covered(shape: (usize, usize), sds: [f64; 3]) -> usize {
        let (rows, columns) = shape;
        let held = |table: &u64| {
            let effect = |first: u64, sd: f64, n: usize| {
                let mut z = vec![0.0; n];
                normal(Draws::at(9, *table), Stream::Init, first, 0.0, sd, &mut z);
                z
            };
            let (row, column) = (effect(0, sds[0], rows), effect(1000, sds[1], columns));
            let cell = effect(2000, sds[2], rows * columns);
            let values = Array2::from_shape_fn(shape, |(i, j)| row[i] + column[j] + cell[i * columns + j]);
            let interval = two_way(values.view(), 1000, 0.95, Draws::at(10, *table)).expect("enough rows");
            interval.low <= 0.0 && 0.0 <= interval.high
        };
        (0..400).filter(held).count()
    }

    #[test]
    fn an_interval_covers_the_mean_about_as_often_as_it_says() {
        // 95 % of 400 is 380, its standard error 4.4. Lower bound: 4 of them (3e-5 by chance). Cells and columns
        // make the interval wider than needed, which no bound forbids.
        for sds in [[1.0, 2.0, 2.0], [1.0, 0.5, 2.0]] {
            let covered = covered((5, 20), sds);
            assert!(covered >= 362, "{covered} of 400 with effects {sds:?}");
        }
        // If networks alone differ, five are few: 1,000 resamples reach no further than 126 sets of rows do.
        let covered = covered((5, 20), [1.0, 0.0, 0.0]);
        assert!(covered >= 350, "{covered} of 400 when only the networks differ");
    }

    #[test]
    fn an_interval_that_ignored_the_networks_would_be_too_narrow() {
        // Twenty copies of each network's gain: an interval over 100 independent values would be 0.4/√100 · 2 wide.
        let gains = [1.0, 2.0, 3.0, 4.0, 5.0];
        let values = Array2::from_shape_fn((5, 20), |(i, _)| gains[i]);
        let interval = two_way(values.view(), 2000, 0.95, Draws::at(4, 0)).expect("enough rows");
        assert_eq!(interval.mean, 3.0);
        // t interval of five values: 3 ± 2.776 · 1.58/√5 = 3 ± 1.96.
        assert!(interval.low < 1.6 && interval.high > 4.4, "{interval:?}");
    }
}

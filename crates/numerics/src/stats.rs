//! Summaries of numbers, with additions in a fixed order.

mod autocorrelation;
mod bits;
mod covariance;
mod discrimination;
mod effective;
mod eigen;
mod energy;
mod histogram;
mod line;
mod rank;
pub mod representation;

pub use autocorrelation::autocorrelation_time;
pub use bits::{ReleaseBits, bernoulli_bits, release_bits};
pub use covariance::{covariance, mean_absolute_correlation};
pub use discrimination::{Discriminant, auc, information_bits, quarters};
pub use effective::effective_size;
pub use eigen::symmetric_eigen;
pub use energy::energy_distance;
pub use histogram::histogram;
pub use line::{Line, skewness};
pub use rank::{ranks, spearman};

/// Partial sums that run side by side; part of every result, never change it.
const LANES: usize = 16;

/// Σ xs: 16 partial sums (number i goes to lane i mod 16), then a fixed tree.
pub fn sum(xs: &[f64]) -> f64 {
    sum_lanes(xs, |x| *x)
}

/// Σ xs in f64, in the order of [`sum`].
pub fn sum_f32(xs: &[f32]) -> f64 {
    sum_lanes(xs, |x| f64::from(*x))
}

fn sum_lanes<T>(xs: &[T], value: impl Fn(&T) -> f64) -> f64 {
    let mut lanes = [0.0; LANES];
    for chunk in xs.chunks(LANES) {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane += value(x);
        }
    }
    let mut width = LANES;
    while width > 1 {
        width /= 2;
        for lane in 0..width {
            lanes[lane] += lanes[lane + width];
        }
    }
    lanes[0]
}

/// log Σ e^x without overflow, in the order of [`sum`]; −∞ for no numbers.
pub fn log_sum_exp(xs: &[f64]) -> f64 {
    let greatest = xs.iter().fold(f64::NEG_INFINITY, |greatest, x| greatest.max(*x));
    if greatest.is_infinite() {
        return greatest;
    }
    greatest + libm::log(sum_lanes(xs, |x| libm::exp(x - greatest)))
}

/// The mean; NaN for no numbers.
pub fn mean(xs: &[f64]) -> f64 {
    sum(xs) / xs.len() as f64
}

/// The standard deviation of a sample (divisor n − 1); NaN below two numbers.
pub fn sd(xs: &[f64]) -> f64 {
    let mean = mean(xs);
    let squares: Vec<f64> = xs.iter().map(|x| (x - mean) * (x - mean)).collect();
    (sum(&squares) / (xs.len() as f64 - 1.0)).sqrt()
}

/// The q-quantile, between two numbers by linear interpolation (Hyndman and Fan's type 7).
///
/// # Panics
/// If there are no numbers or q is not in [0, 1].
pub fn quantile(xs: &[f64], q: f64) -> f64 {
    quantiles(xs, &[q])[0]
}

/// Several quantiles, sorting once; see [`quantile`]. NaN counts as greatest.
///
/// # Panics
/// As for [`quantile`].
pub fn quantiles(xs: &[f64], qs: &[f64]) -> Vec<f64> {
    assert!(!xs.is_empty(), "a quantile needs numbers");
    let mut sorted = xs.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    qs.iter()
        .map(|q| {
            assert!((0.0..=1.0).contains(q), "quantile {q} is not in [0, 1]");
            let place = q * (sorted.len() - 1) as f64;
            let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
            // At equal ends (also infinite ones) there is nothing between.
            if low == high { low } else { low + (high - low) * place.fract() }
        })
        .collect()
}

/// Kolmogorov and Smirnov's D: the greatest distance between a sample's distribution and `cdf`.
///
/// √n·D exceeds 1.95 by chance once in 1,000 samples and 2.23 once in 10,000.
///
/// # Panics
/// If there are no numbers.
pub fn ks_statistic(xs: &[f64], cdf: impl Fn(f64) -> f64) -> f64 {
    assert!(!xs.is_empty(), "a distribution needs numbers");
    let mut sorted = xs.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let n = sorted.len() as f64;
    sorted.iter().enumerate().fold(0.0, |worst: f64, (i, &x)| {
        let p = cdf(x);
        worst.max(p - i as f64 / n).max((i + 1) as f64 / n - p)
    })
}

/// Kolmogorov and Smirnov's D between two samples.
///
/// # Panics
/// If a sample is empty.
pub fn ks_two_samples(xs: &[f64], ys: &[f64]) -> f64 {
    assert!(!xs.is_empty() && !ys.is_empty(), "a distribution needs numbers");
    let (mut xs, mut ys) = (xs.to_vec(), ys.to_vec());
    xs.sort_unstable_by(f64::total_cmp);
    ys.sort_unstable_by(f64::total_cmp);
    let below = |sorted: &[f64], x: f64| sorted.partition_point(|y| *y <= x) as f64 / sorted.len() as f64;
    xs.iter().chain(&ys).fold(0.0, |worst: f64, &x| worst.max((below(&xs, x) - below(&ys, x)).abs()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sums_of_integers_are_exact_at_every_length() {
        for n in 0..200 {
            let xs: Vec<f64> = (0..n).map(f64::from).collect();
            assert_eq!(sum(&xs), f64::from(n * (n - 1) / 2));
        }
        assert_eq!(sum_f32(&[0.5; 33]), 16.5);
    }

    #[test]
    fn the_order_of_additions_is_fixed() {
        // 1 and 2⁻⁵³ meet in lane 0, where the small one is lost each time; lane 1 keeps its own.
        let mut xs = [0.0; 48];
        let small = 1.0 / (1_u64 << 53) as f64;
        (xs[0], xs[16], xs[32], xs[1], xs[17]) = (1.0, small, small, small, small);
        assert_eq!(sum(&xs), 1.0 + 2.0 * small);
    }

    #[test]
    fn sums_of_exponentials_neither_overflow_nor_vanish() {
        assert!((log_sum_exp(&[1000.0, 1000.0, f64::NEG_INFINITY]) - 1000.0 - libm::log(2.0)).abs() < 1e-12);
        assert!((log_sum_exp(&[-2000.0; 40]) + 2000.0 - libm::log(40.0)).abs() < 1e-12);
        assert_eq!(log_sum_exp(&[]), f64::NEG_INFINITY);
        assert_eq!(log_sum_exp(&[f64::INFINITY, 0.0]), f64::INFINITY);
    }

    #[test]
    fn mean_and_deviation_are_those_worked_by_hand() {
        assert_eq!(mean(&[1.0, 2.0, 3.0, 6.0]), 3.0);
        // Squares 4 + 1 + 0 + 9 = 14, over 3.
        assert!((sd(&[1.0, 2.0, 3.0, 6.0]) - (14.0_f64 / 3.0).sqrt()).abs() < 1e-15);
        assert!(mean(&[]).is_nan() && sd(&[1.0]).is_nan());
    }

    #[test]
    fn quantiles_interpolate_between_the_sorted_numbers() {
        let xs = [3.0, 1.0, 2.0, 10.0];
        assert_eq!(quantiles(&xs, &[0.0, 0.5, 1.0]), [1.0, 2.5, 10.0]);
        assert!((quantile(&xs, 0.9) - 7.9).abs() < 1e-14);
        assert_eq!(quantile(&[f64::INFINITY; 2], 0.3), f64::INFINITY);
    }

    #[test]
    fn the_distance_of_distributions_is_that_worked_by_hand() {
        // Steps at .1, .2, .9 against the diagonal: the greatest gap is 2/3 − .2, after .2.
        assert!((ks_statistic(&[0.2, 0.9, 0.1], |x| x) - (2.0 / 3.0 - 0.2)).abs() < 1e-15);
        assert!((ks_two_samples(&[1.0, 2.0, 3.0], &[2.5, 3.5]) - 2.0 / 3.0).abs() < 1e-15);
    }

    proptest! {
        #[test]
        fn a_quantile_lies_among_the_numbers_and_rises(
            xs in prop::collection::vec(-1e6_f64..1e6, 1..50), p in 0.0..1.0, q in 0.0..1.0,
        ) {
            let least = quantile(&xs, 0.0);
            let greatest = quantile(&xs, 1.0);
            let (low, high) = (quantile(&xs, f64::min(p, q)), quantile(&xs, f64::max(p, q)));
            prop_assert!(least <= low && low <= high && high <= greatest);
        }
    }
}

//! Distributions over draws: each number has the address of its draw.

use crate::{Draws, Stream};
use kernels::sample;

/// The indices of the ones among independent Bernoulli units, ascending.
///
/// Unit i has probability `p[i]` and takes the 32-bit draw `first + i`; it is one if that
/// uniform number is below `p[i]`, so never at 0, always at 1, exact to 2⁻²⁴ between.
pub fn bernoulli(draws: Draws, stream: Stream, first: u64, p: &[f32]) -> Vec<u32> {
    let mut words = vec![0; p.len()];
    draws.fill_u32(stream, first, &mut words);
    let mut ones = Vec::new();
    sample::append_ones(&words, p, &mut ones);
    ones
}

/// Normal numbers with the given mean and standard deviation, from the normal draws `first..`.
pub fn normal(draws: Draws, stream: Stream, first: u64, mean: f64, sd: f64, out: &mut [f64]) {
    draws.fill_normal(stream, first, out);
    out.iter_mut().for_each(|z| *z = mean + sd * *z);
}

/// Draws k with probability `weights[k] / Σ weights`, from the 64-bit draw `index`.
///
/// # Panics
/// If the weights are not finite, negative, or all zero.
pub fn categorical(draws: Draws, stream: Stream, index: u64, weights: &[f64]) -> usize {
    assert!(weights.iter().all(|w| w.is_finite() && *w >= 0.0), "weights are finite and not negative");
    let total: f64 = weights.iter().fold(0.0, |sum, w| sum + w);
    assert!(total > 0.0, "some weight is above 0");
    let mut u = [0.0];
    draws.fill_uniform_f64(stream, index, &mut u);
    let mut left = u[0] * total;
    for (k, &weight) in weights.iter().enumerate() {
        if left < weight {
            return k;
        }
        left -= weight;
    }
    // Rounding may leave a trace of the total: it belongs to the last kind that can occur.
    weights.iter().rposition(|w| *w > 0.0).expect("some weight is above 0")
}

#[cfg(test)]
mod tests {
    use super::*;

    const N: usize = 100_000;

    #[test]
    fn bernoulli_units_fire_as_often_as_their_probability_says() {
        for p in [0.001_f32, 0.1, 0.5, 0.97] {
            let ones = bernoulli(Draws::at(3, 1), Stream::Hidden, 0, &vec![p; N]);
            let sd = (N as f64 * f64::from(p) * (1.0 - f64::from(p))).sqrt();
            // 4.5σ: 7e-6 each by chance, over four values; the seed is fixed.
            assert!((ones.len() as f64 - N as f64 * f64::from(p)).abs() < 4.5 * sd, "{p}: {}", ones.len());
        }
    }

    #[test]
    fn normal_numbers_have_the_mean_and_spread_asked_for() {
        let mut z = vec![0.0; N];
        normal(Draws::at(3, 2), Stream::Init, 7, 2.0, 0.01, &mut z);
        let mean = z.iter().sum::<f64>() / N as f64;
        // 4.5σ/√n: 7e-6 by chance; the seed is fixed.
        assert!((mean - 2.0).abs() < 4.5 * 0.01 / (N as f64).sqrt());
    }

    #[test]
    fn categories_occur_in_proportion_to_their_weights() {
        let weights = [1.0, 0.0, 2.0, 5.0];
        let mut counts = [0_usize; 4];
        for i in 0..N as u64 {
            counts[categorical(Draws::at(3, 3), Stream::ObservePick, i, &weights)] += 1;
        }
        assert_eq!(counts[1], 0);
        for (count, weight) in counts.iter().zip(weights) {
            let p: f64 = weight / 8.0;
            // 4.5σ: 7e-6 each by chance; the seed is fixed.
            assert!((*count as f64 - N as f64 * p).abs() <= 4.5 * (N as f64 * p * (1.0 - p)).sqrt());
        }
    }

    #[test]
    #[should_panic(expected = "some weight is above 0")]
    fn weights_that_are_all_zero_are_refused() {
        categorical(Draws::at(3, 3), Stream::ObservePick, 0, &[0.0, 0.0]);
    }
}

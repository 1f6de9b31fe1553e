//! Patterns: a rate for each input.

use numerics::{Draws, Stream};

/// Least rate, and how much more the greatest is, Hz.
const LEAST_HZ: f64 = 2.0;
const SPAN_HZ: f64 = 58.0;
/// Both parameters of the Beta law of rates.
const BETA: [f64; 2] = [0.2, 0.8];
/// Tries for each rate: one succeeds with probability 0.83, so that all fail once in 10^49.
const TRIES: u64 = 64;

/// Rates, Hz, (patterns, inputs): few inputs fire fast.
///
/// Jöhnk's method: of two uniform numbers take `x = u^(1/a)`, `y = v^(1/b)`; if `x + y ≤ 1`, x/(x + y) has the law Beta(a, b).
///
/// # Source
/// Jöhnk 1964, Metrika 8:5.
pub(super) fn rates(patterns: usize, inputs: usize, draws: Draws) -> Vec<f64> {
    (0..(patterns * inputs) as u64).map(|at| LEAST_HZ + SPAN_HZ * beta(at, draws)).collect()
}

fn beta(at: u64, draws: Draws) -> f64 {
    let mut u = [0.0; 2 * TRIES as usize];
    draws.fill_uniform_f64(Stream::RewardRate, at * 2 * TRIES, &mut u);
    let drawn = u.chunks_exact(2).find_map(|u| {
        let (x, y) = (libm::pow(u[0], 1.0 / BETA[0]), libm::pow(u[1], 1.0 / BETA[1]));
        (x + y <= 1.0 && x + y > 0.0).then(|| x / (x + y))
    });
    drawn.unwrap_or(BETA[0] / (BETA[0] + BETA[1]))
}

#[cfg(test)]
mod tests {
    use numerics::stats;

    use super::*;

    #[test]
    fn rates_have_mean_and_spread_of_their_law() {
        // Beta(0.2, 0.8): mean 0.2, variance 0.2·0.8/2 = 0.08.
        let n = 20_000;
        let drawn: Vec<f64> =
            rates(1, n, Draws::at(3, 0)).iter().map(|hz| (hz - LEAST_HZ) / SPAN_HZ).collect();
        let error = 4.5 * (0.08 / n as f64).sqrt();
        assert!((stats::mean(&drawn) - 0.2).abs() < error, "{}", stats::mean(&drawn));
        // The fourth central moment is below 0.8⁴, so that the variance has an error of less than 0.64/√n.
        assert!((stats::sd(&drawn) * stats::sd(&drawn) - 0.08).abs() < 4.5 * 0.64 / (n as f64).sqrt());
        assert!(drawn.iter().all(|x| (0.0..=1.0).contains(x)));
    }
}

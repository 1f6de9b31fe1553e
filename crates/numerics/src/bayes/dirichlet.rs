//! Random laws.

use crate::{Draws, Stream};

/// Attempts that a number may take: each is rejected with probability below 0.05.
const ATTEMPTS: u64 = 64;

/// Fills `out` with a draw from the symmetric Dirichlet law.
///
/// Number i is a gamma variable of shape α, divided by the sum; it takes the normal draws `64 i …` of
/// `BayesTable` and the 64-bit draws `65 i …` of `BayesAccept`. For α < 1 it is the one of shape α + 1 times
/// U^(1/α), in logarithms, so that nothing underflows.
///
/// # Panics
/// If α is not above 0 and finite.
///
/// # Source
/// Marsaglia and Tsang 2000, ACM Trans. Math. Softw. 26:363.
pub(super) fn dirichlet(draws: Draws, alpha: f64, out: &mut [f64]) {
    assert!(alpha > 0.0 && alpha.is_finite(), "the concentration is above 0");
    for (i, log) in out.iter_mut().enumerate() {
        *log = log_gamma_variable(draws, i as u64, alpha);
    }
    let greatest = out.iter().fold(f64::NEG_INFINITY, |greatest, x| greatest.max(*x));
    out.iter_mut().for_each(|x| *x = libm::exp(*x - greatest));
    let total = out.iter().fold(0.0, |sum, x| sum + x);
    out.iter_mut().for_each(|x| *x /= total);
}

/// ln of a gamma variable.
fn log_gamma_variable(draws: Draws, i: u64, alpha: f64) -> f64 {
    let shape = if alpha < 1.0 { alpha + 1.0 } else { alpha };
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    let uniform = |k: u64| {
        let mut u = [0.0];
        draws.fill_uniform_f64(Stream::BayesAccept, i * (ATTEMPTS + 1) + k, &mut u);
        libm::log(1.0 - u[0]) // u is never 1
    };
    let attempt = |k: u64| {
        let mut z = [0.0];
        draws.fill_normal(Stream::BayesTable, i * ATTEMPTS + k, &mut z);
        let z = z[0];
        let cube = 1.0 + c * z;
        let v = cube * cube * cube;
        (v > 0.0 && uniform(k) < 0.5 * z * z + d - d * v + d * libm::log(v)).then(|| libm::log(d * v))
    };
    let log = (0..ATTEMPTS).find_map(attempt).expect("64 rejections in a row have probability below 1e-80");
    if alpha < 1.0 { log + uniform(ATTEMPTS) / alpha } else { log }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_mean_and_variance_of_the_dirichlet_law() {
        // Mean 1/K, variance (K − 1)/(K² (K α + 1)); 20,000 draws of K = 4.
        let (n, k) = (20_000_u64, 4_usize);
        for alpha in [0.1, 1.0, 3.0] {
            let mut squares = 0.0;
            let mut first = 0.0;
            for step in 0..n {
                let mut p = [0.0; 4];
                dirichlet(Draws::at(5, step), alpha, &mut p);
                assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-12);
                first += p[0];
                squares += (p[0] - 0.25) * (p[0] - 0.25);
            }
            let variance = (k as f64 - 1.0) / (16.0 * (k as f64 * alpha + 1.0));
            // 5σ of a mean; for the variance, (p − ¼)² is at most 9/16, so its sd is at most √(9/16 · variance).
            assert!((first / n as f64 - 0.25).abs() < 5.0 * (variance / n as f64).sqrt(), "{alpha}");
            let bound = 5.0 * (0.5625 * variance / n as f64).sqrt();
            assert!((squares / n as f64 - variance).abs() < bound, "{alpha}: {}", squares / n as f64);
        }
    }
}

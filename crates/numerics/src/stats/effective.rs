//! How much correlated samples are worth.

/// How many independent draws of this variance have a mean as uncertain as that of the chains together: variance over the
/// variance of the mean, `γ₀ (1 + 2 Σ ρ_k)/n`.
///
/// Deviations are from the mean of all chains, so that chains which do not agree count as correlated; the sum of
/// autocorrelations ends before the first pair (ρ_2k, ρ_2k+1) whose sum is not positive. Chains that never move are worth one
/// draw each.
///
/// # Panics
/// If there is no chain, or chains are empty or of several lengths.
///
/// # Source
/// Geyer 1992, Stat. Sci. 7:473.
pub fn effective_size(chains: &[Vec<f64>], variance: f64) -> f64 {
    let length = chains.first().map_or(0, Vec::len);
    assert!(length > 0 && chains.iter().all(|chain| chain.len() == length), "chains of one length");
    let n = (chains.len() * length) as f64;
    let sum = |f: &dyn Fn(&[f64]) -> f64| chains.iter().fold(0.0, |sum, chain| sum + f(chain));
    let mean = sum(&|chain| chain.iter().fold(0.0, |sum, x| sum + x)) / n;
    let covariance = |lag: usize| {
        let of = |chain: &[f64]| {
            let pairs = chain.iter().zip(&chain[lag..]);
            pairs.fold(0.0, |sum, (a, b)| sum + (a - mean) * (b - mean))
        };
        sum(&of) / n
    };
    let zero = covariance(0);
    if zero <= 0.0 {
        return chains.len() as f64;
    }
    let mut total = -zero;
    for lag in (0..length - length % 2).step_by(2) {
        let pair = covariance(lag) + covariance(lag + 1);
        if pair <= 0.0 {
            break;
        }
        total += 2.0 * pair;
    }
    // One second is the least that is resolved: correlations below it are in the variance.
    variance / (total.max(zero / n) / n)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Draws, Stream};

    /// Chains of x' = φ x + √(1 − φ²) z: variance 1, integrated autocorrelation (1 + φ)/(1 − φ).
    fn chains(phi: f64) -> Vec<Vec<f64>> {
        let chain = |seed| {
            let mut z = vec![0.0; 20_000];
            Draws::at(seed, 0).fill_normal(Stream::Init, 0, &mut z);
            let mut x = z[0];
            z.into_iter()
                .map(|z| {
                    x = phi * x + (1.0 - phi * phi).sqrt() * z;
                    x
                })
                .collect()
        };
        (1..=4).map(chain).collect()
    }

    #[test]
    fn correlated_chains_are_worth_as_much_as_their_autocorrelation_says() {
        for phi in [0.0, 0.5, 0.9] {
            let expected = 80_000.0 * (1.0 - phi) / (1.0 + phi);
            let found = effective_size(&chains(phi), 1.0);
            // The estimate of the sum has a relative error of some √(2 (2 m + 1)/n), m the lags that are summed: 200.
            let bound = 4.0 * (2.0 * 401.0 / 80_000.0_f64).sqrt();
            assert!((found / expected - 1.0).abs() < bound, "{phi}: {found} {expected}");
        }
    }

    #[test]
    fn chains_that_stay_apart_or_never_move_are_worth_little() {
        let apart: Vec<Vec<f64>> = (0..4).map(|c| vec![f64::from(c % 2); 100]).collect();
        assert!(effective_size(&apart, 0.25) < 10.0, "{}", effective_size(&apart, 0.25));
        assert_eq!(effective_size(&[vec![1.0; 50], vec![1.0; 50]], 0.25), 2.0);
    }
}

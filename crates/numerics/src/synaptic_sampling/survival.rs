//! How long new synapses live without activity.

use crate::{
    Draws, Stream,
    bootstrap::normal_cdf,
    sde::{GridLaw, OrnsteinUhlenbeck},
};

/// Cells of the law of births: their width is below 1e-3 of its spread.
const CELLS: usize = 8192;

/// A random walk that is looked at in steps of standard deviation s overshoots a boundary as if this lay −ζ(½)/√(2π) s
/// further out.
///
/// # Source
/// Siegmund 1979, Adv. Appl. Prob. 11:701.
const OVERSHOOT: f64 = 0.582_597_157_939_010_7;

/// θ of `count` synapses that were retracted at one look and are functional at the next, `interval` later: θ of the
/// stationary law, given that θ was at most 0 before and is above 0 now. Number i takes the 64-bit draw `first + i`.
pub fn births(
    process: &OrnsteinUhlenbeck,
    interval: f64,
    count: usize,
    draws: Draws,
    stream: Stream,
    first: u64,
) -> Vec<f64> {
    let step = process.exact(interval);
    let sd = process.stationary_sd();
    // The process runs backwards by the same law: p(now) P(before ≤ 0 | now).
    let log_density = |theta: f64| {
        let z = (theta - process.mu) / sd;
        let before = step.of(theta, 0.0);
        -0.5 * z * z + libm::log(normal_cdf(-before / step.sd))
    };
    // 12 standard deviations of a step: beyond that a birth has probability below 1e-30.
    let law = GridLaw::new(log_density, 0.0, 12.0 * step.sd, CELLS);
    let mut u = vec![0.0; count];
    draws.fill_uniform_f64(stream, first, &mut u);
    u.iter_mut().for_each(|u| *u = law.quantile(*u));
    u
}

/// Rate, in 1/τ, at which the last survivors are lost: the least ν > 0 with `D_ν(z) = 0` at the boundary
/// `z = −(μ/(σ√T) + 0.5826 √(2Δ/τ))`, where the second term corrects for looking only every Δ.
///
/// `interval_over_tau` is Δ/τ; 0 for a synapse that is watched all the time.
pub fn survival_rate(process: &OrnsteinUhlenbeck, interval_over_tau: f64) -> f64 {
    let boundary = -(process.mu / process.stationary_sd() + OVERSHOOT * (2.0 * interval_over_tau).sqrt());
    let step = 0.01;
    let mut high = step;
    while parabolic_cylinder(high, boundary) > 0.0 {
        high += step;
    }
    let mut low = high - step;
    // 50 halvings leave less than rounding.
    for _ in 0..50 {
        let middle = 0.5 * (low + high);
        if parabolic_cylinder(middle, boundary) > 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

/// The parabolic cylinder function D_ν(z), for |z| ≤ 6 and 0 ≤ ν ≤ 20: ten digits there.
///
/// # Source
/// Abramowitz & Stegun 1964, 19.3.1 with 19.2.1 and 19.2.3.
pub fn parabolic_cylinder(nu: f64, z: f64) -> f64 {
    let square = 0.5 * z * z;
    let even = reciprocal_gamma(0.5 * (1.0 - nu)) * kummer(-0.5 * nu, 0.5, square);
    let odd = reciprocal_gamma(-0.5 * nu) * kummer(0.5 * (1.0 - nu), 1.5, square);
    let scale = libm::exp2(0.5 * nu) * libm::exp(-0.5 * square) * std::f64::consts::PI.sqrt();
    scale * (even - std::f64::consts::SQRT_2 * z * odd)
}

/// 1/Γ(x), 0 at the poles.
fn reciprocal_gamma(x: f64) -> f64 {
    if x >= 0.5 {
        return 1.0 / libm::tgamma(x);
    }
    libm::tgamma(1.0 - x) * libm::sin(std::f64::consts::PI * x) / std::f64::consts::PI
}

/// Kummer's M(a, b, x) by its series.
fn kummer(a: f64, b: f64, x: f64) -> f64 {
    let (mut term, mut sum) = (1.0, 1.0);
    for k in 0..500 {
        let k = f64::from(k);
        term *= (a + k) / (b + k) * x / (k + 1.0);
        sum += term;
        if term.abs() <= 1e-17 * sum.abs() {
            break;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats;

    #[test]
    fn cylinder_functions_of_whole_order_are_hermite_polynomials() {
        for z in [-3.0, -0.7, 0.0, 0.4, 2.5] {
            let gauss = libm::exp(-0.25 * z * z);
            let known = [1.0, z, z * z - 1.0, z * z * z - 3.0 * z];
            for (n, polynomial) in known.into_iter().enumerate() {
                let found = parabolic_cylinder(n as f64, z);
                assert!((found - gauss * polynomial).abs() < 1e-9, "D_{n}({z}) = {found}");
            }
        }
    }

    #[test]
    fn tail_rates_are_those_of_the_exact_roots() {
        let process = |mu| OrnsteinUhlenbeck { b: 1.0, mu, sigma: 1.0, temperature: 1.0 };
        assert!((survival_rate(&process(0.0), 0.0) - 1.0).abs() < 1e-10);
        // At the zeros of z² − 1 the rate is 2.
        assert!((survival_rate(&process(-1.0), 0.0) - 2.0).abs() < 1e-10);
        for (mu, expected) in [(0.0, 0.954), (0.5, 0.614), (1.0, 0.363), (1.5, 0.192)] {
            let found = survival_rate(&process(mu), 0.005);
            assert!((found - expected).abs() < 1e-3, "{mu}: {found}");
        }
        let hot = OrnsteinUhlenbeck { temperature: 4.0, ..process(1.0) };
        assert!((survival_rate(&hot, 0.005) - survival_rate(&process(0.5), 0.005)).abs() < 1e-12);
    }

    #[test]
    fn births_have_the_law_of_synapses_that_were_seen_to_appear() {
        let process = OrnsteinUhlenbeck { b: 1.0, mu: 0.5, sigma: 1.0, temperature: 1.0 };
        let step = process.exact(0.02);
        let mut before = vec![0.0; 400_000];
        Draws::at(2, 0).fill_normal(Stream::Init, 0, &mut before);
        before.iter_mut().for_each(|z| *z += 0.5);
        let mut now = before.clone();
        step.advance(&mut now, Draws::at(2, 0), Stream::SynapseDiffusion, 0);
        let seen: Vec<f64> =
            before.iter().zip(&now).filter(|(b, n)| **b <= 0.0 && **n > 0.0).map(|(_, n)| *n).collect();
        let drawn = births(&process, 0.02, 20_000, Draws::at(2, 0), Stream::SynapseBirth, 0);
        let n = (seen.len() * drawn.len()) as f64 / (seen.len() + drawn.len()) as f64;
        assert!(seen.len() > 5000, "{}", seen.len());
        // √n D exceeds 2.23 once in 10,000 samples; the seed is fixed.
        assert!(stats::ks_two_samples(&seen, &drawn) * n.sqrt() < 2.23);
    }
}

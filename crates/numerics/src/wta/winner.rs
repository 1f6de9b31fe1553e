//! Who fires.

use kernels::math;
use serde::{Deserialize, Serialize};

/// How the neuron of a spike is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Winner {
    /// In proportion to e^u: a sample of the posterior.
    Softmax,
    /// The neuron of the greatest potential, the first of equals: no noise.
    Argmax,
    /// Any neuron alike: no evidence.
    Uniform,
}

/// The neuron that fires, given the potentials and a number in [0, 1); overwrites `u`.
///
/// # Panics
/// Without neurons.
pub fn winner(rule: Winner, u: &mut [f32], uniform: f64) -> usize {
    assert!(!u.is_empty(), "a circuit has neurons");
    match rule {
        Winner::Softmax => softmax(u, uniform),
        Winner::Argmax => (1..u.len()).fold(0, |best, k| if u[k] > u[best] { k } else { best }),
        Winner::Uniform => ((uniform * u.len() as f64) as usize).min(u.len() - 1),
    }
}

fn softmax(u: &mut [f32], uniform: f64) -> usize {
    let greatest = u.iter().fold(f32::NEG_INFINITY, |greatest, &u| if u > greatest { u } else { greatest });
    u.iter_mut().for_each(|u| *u -= greatest);
    math::exps(u);
    let total = u.iter().fold(0.0, |sum, &e| sum + f64::from(e));
    let mut left = uniform * total;
    for (k, &e) in u.iter().enumerate() {
        left -= f64::from(e);
        if left < 0.0 {
            return k;
        }
    }
    // Rounding may leave a trace of the total: it belongs to the last neuron.
    u.len() - 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Draws, Stream};

    fn shares(rule: Winner, potentials: &[f32], n: usize) -> Vec<f64> {
        let mut uniform = vec![0.0; n];
        Draws::at(5, 0).fill_uniform_f64(Stream::Winner, 0, &mut uniform);
        let mut counts = vec![0.0; potentials.len()];
        for uniform in uniform {
            counts[winner(rule, &mut potentials.to_vec(), uniform)] += 1.0 / n as f64;
        }
        counts
    }

    #[test]
    fn neurons_fire_in_proportion_to_the_exponential_of_their_potential() {
        let u = [-120.0_f32, -121.0, -122.5, -119.5];
        let total: f64 = u.iter().map(|&u| libm::exp(f64::from(u) + 120.0)).sum();
        let n = 100_000;
        for (share, u) in shares(Winner::Softmax, &u, n).into_iter().zip(u) {
            let p = libm::exp(f64::from(u) + 120.0) / total;
            // 4.5σ: 7e-6 each by chance; the seed is fixed.
            assert!((share - p).abs() < 4.5 * (p * (1.0 - p) / n as f64).sqrt(), "{share} {p}");
        }
    }

    #[test]
    fn without_noise_the_greatest_potential_wins_and_the_first_of_equals() {
        assert_eq!(shares(Winner::Argmax, &[1.0, 3.0, 3.0], 50)[1].round(), 1.0);
    }

    #[test]
    fn without_evidence_all_fire_alike() {
        for share in shares(Winner::Uniform, &[0.0, 50.0, -50.0], 90_000) {
            // 4.5σ of a third.
            assert!((share - 1.0 / 3.0).abs() < 4.5 * (2.0 / 9.0 / 90_000_f64).sqrt(), "{share}");
        }
    }
}

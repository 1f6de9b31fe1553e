//! Model A's statistics from weights drawn given the units, and what that costs.

use super::law::Synapse;
use super::learning::Learning;
use super::method::{Estimator, Method};
use super::parameters::{Parameters, Synapses};
use super::scratch::Scratch;
use super::state::State;
use super::unit_index::synapse_index;
use super::{ascent, chain, statistics};
use crate::{BinaryRows, Draws, Stream};
use kernels::sample::uniform;

/// n times the gradients of w and ln s, from one W per example, phase and pair of active units.
///
/// `dθ = Σ ± ∂W/∂θ v h` with W from the law between active units. Idle synapses (v h = 0) contribute
/// their conditional mean, which is 0. Draws: W_ij of phase s (0 at the data, 1 at the end of the
/// chain) and example e is draw `synapse_index(s, e, i·H + j)` of streams `Posterior` and `SynapseNoise`.
pub(super) fn collect(parameters: &Parameters, batch: &BinaryRows, scratch: &mut Scratch, draws: Draws) {
    let (v, h) = parameters.w.dim();
    let Scratch { g_w, g_log_sd, ph_data, ph_model, visible, words, .. } = scratch;
    for g in [&mut *g_w, &mut *g_log_sd] {
        g.clear();
        g.resize(v * h, 0.0);
    }
    words.resize(h.max(words.len()), 0);
    let words = &mut words[..h];
    let mut normal = vec![0.0; if parameters.law.spreads() { h } else { 0 }];
    parameters.law.with(|law| {
        let tilted: Vec<Synapse> = (0..v * h).map(|i| law.tilted(parameters.synapse(i))).collect();
        for (phase, sign, units, ph) in [(0, 1.0, batch, &*ph_data), (1, -1.0, &*visible, &*ph_model)] {
            for (example, ph) in ph.chunks_exact(h).enumerate() {
                for &i in units.row(example) {
                    let first = i as usize * h;
                    draws.fill_u32(Stream::Posterior, synapse_index(phase, example, first), words);
                    draws.fill_normal(
                        Stream::SynapseNoise,
                        synapse_index(phase, example, first),
                        &mut normal,
                    );
                    for (j, ph) in ph.iter().enumerate() {
                        let number = first + j;
                        let z = normal.get(j).copied().unwrap_or(0.0);
                        let outcome = law.draw(tilted[number], f64::from(uniform(words[j])), z);
                        let path = law.path(parameters.synapse(number), outcome);
                        g_w[number] += sign * ph * path.w as f32;
                        g_log_sd[number] += sign * ph * path.log_sd as f32;
                    }
                }
            }
        }
    });
}

/// Two estimators of the same gradient of w, over repeated steps from one state.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EstimatorComparison {
    /// Mean over synapses of the squared difference of the means in standard errors: about 1 if they agree.
    pub mean_square_z: f64,
    /// Summed variance of the sampled estimate over that of conditional means; above 1.
    pub variance_ratio: f64,
}

/// Compares [`Estimator::Sampled`] with [`Estimator::RaoBlackwell`] on one mini-batch of model A.
///
/// Repetition t draws as step t of `seed`; the chain is common to both, so that only drawn weights
/// tell them apart. Variances are over all draws, those of the chain included.
///
/// # Panics
/// If the ensemble is not model A, there are fewer than two repetitions, or as for [`super::step()`].
pub fn compare_estimators(
    state: &State,
    batch: &BinaryRows,
    learning: &Learning,
    repetitions: u32,
    seed: u64,
) -> EstimatorComparison {
    assert_eq!(state.parameters.synapses, Synapses::JointEnergy, "weights given units belong to model A");
    assert!(repetitions > 1, "a variance needs two repetitions");
    let n = state.parameters.w.len();
    let mut scratch = Scratch::default();
    let mut moments = vec![[0.0_f64; 6]; n];
    for t in 0..repetitions {
        let (mut state, draws) = (state.clone(), Draws::at(seed, u64::from(t)));
        chain::run(&mut state, batch, (learning, &Method::default()), &mut scratch, draws);
        statistics::collect(&state.parameters, batch, &mut scratch);
        ascent::differentiate(&state.parameters, Estimator::RaoBlackwell, &mut scratch);
        let by_means = scratch.g_w.clone();
        collect(&state.parameters, batch, &mut scratch, draws);
        for (moments, (&x, &y)) in moments.iter_mut().zip(by_means.iter().zip(&scratch.g_w)) {
            let (x, y) = (f64::from(x), f64::from(y));
            for (sum, value) in moments.iter_mut().zip([x, x * x, y, y * y, y - x, (y - x) * (y - x)]) {
                *sum += value;
            }
        }
    }
    let repetitions = f64::from(repetitions);
    let variance =
        |sum: f64, squares: f64| (squares - sum * sum / repetitions).max(0.0) / (repetitions - 1.0);
    let (mut by_means, mut sampled, mut squares, mut scattered) = (0.0, 0.0, 0.0, 0.0);
    for [x, xx, y, yy, z, zz] in moments {
        by_means += variance(x, xx);
        sampled += variance(y, yy);
        // Rounding of sums of f32 is no scatter.
        if variance(z, zz) > 1e-9 {
            squares += z * z / repetitions / variance(z, zz);
            scattered += 1.0;
        }
    }
    EstimatorComparison { mean_square_z: squares / scattered, variance_ratio: sampled / by_means }
}

#[cfg(test)]
#[path = "posterior_tests.rs"]
mod tests;

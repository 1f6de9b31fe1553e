//! One pass up and down, free energies and the pseudo-likelihood: what needs no partition function.

use super::super::rbm::{Rbm, sampled};
use crate::logistic::softplus;
use crate::stats;
use crate::{BinaryRows, Draws, Stream};
use kernels::math;
use ndarray::Array1;

/// Errors of one pass up and down, averaged over examples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reconstruction {
    /// Mean squared error of a pixel.
    pub mse: f64,
    /// Cross-entropy of an image, in nats.
    pub cross_entropy: f64,
}

/// `F(v) = −bᵀv − Σ_j log(1 + exp(c_j + Σ_i v_i W_ij))`, (examples); `P(v) = e^−F / Z`.
///
/// # Panics
/// If `visible` has not V columns.
pub fn free_energy(rbm: &Rbm, visible: &BinaryRows) -> Array1<f64> {
    let mut hidden = rbm.hidden_inputs(visible);
    math::softpluses(hidden.as_slice_mut().expect("a new array is in standard layout"));
    let b = rbm.visible_biases();
    (0..visible.len())
        .map(|example| {
            let biases = visible.row(example).iter().fold(0.0, |sum, &i| sum + f64::from(b[i as usize]));
            -biases - stats::sum_f32(hidden.row(example).as_slice().expect("a row of a standard layout"))
        })
        .collect()
}

/// Stochastic estimate of the pseudo-log-likelihood of an image, in nats.
///
/// `PLL = mean over examples and repetitions of V · log P(v_i | v_\i)`, with one random i for each
/// example and repetition (stream `ObserveFlip`); `log P(v_i | v_\i) = −log(1 + e^(F(v) − F(ṽ)))`
/// where ṽ is v with unit i flipped.
///
/// # Panics
/// If `visible` has not V columns, or there are no examples or repetitions.
pub fn pseudo_log_likelihood(rbm: &Rbm, visible: &BinaryRows, repetitions: usize, draws: Draws) -> f64 {
    let (n, v) = (visible.len(), visible.columns());
    assert!(n > 0 && repetitions > 0, "a mean needs examples and repetitions");
    let hidden = rbm.hidden_inputs(visible);
    let mut log_probs = Vec::with_capacity(n * repetitions);
    let mut softened = vec![0.0; hidden.ncols()];
    for example in 0..n {
        let inputs = hidden.row(example);
        let total = |softened: &mut Vec<f32>| {
            math::softpluses(softened);
            stats::sum_f32(softened)
        };
        softened.iter_mut().zip(inputs).for_each(|(x, input)| *x = *input);
        let before = total(&mut softened);
        for repetition in 0..repetitions {
            let index = (repetition as u64) << 32 | example as u64;
            let i = draws.below(Stream::ObserveFlip, index, v as u32) as usize;
            let sign = if visible.row(example).binary_search(&(i as u32)).is_ok() { -1.0 } else { 1.0 };
            let row = rbm.weights().row(i);
            for ((x, input), w) in softened.iter_mut().zip(inputs).zip(row) {
                *x = input + sign * w;
            }
            let gain = f64::from(sign * rbm.visible_biases()[i]) + total(&mut softened) - before;
            // F(v) − F(ṽ) = gain.
            log_probs.push(-softplus(gain));
        }
    }
    v as f64 * stats::mean(&log_probs)
}

/// Reconstruction from *sampled* hidden units: h ~ P(h | v), r = P(v = 1 | h).
///
/// The cross-entropy is `−Σ_i v log(r + 1e-7) + (1 − v) log(1 − r + 1e-7)`. Draws: stream
/// `ObserveHidden`.
///
/// # Panics
/// If `visible` has not V columns or no rows.
pub fn reconstruction(rbm: &Rbm, visible: &BinaryRows, draws: Draws) -> Reconstruction {
    const FLOOR: f64 = 1e-7;
    assert!(!visible.is_empty(), "a mean needs examples");
    let h = sampled(&rbm.hidden_prob(visible), Stream::ObserveHidden, 0, draws);
    let r = rbm.visible_prob(&h);
    let dense = visible.to_dense();
    let (mut squares, mut entropies) = (vec![0.0; r.ncols()], vec![0.0; r.ncols()]);
    let per_image: (Vec<f64>, Vec<f64>) = dense
        .rows()
        .into_iter()
        .zip(r.rows())
        .map(|(v, r)| {
            for (i, (&v, &r)) in v.iter().zip(r).enumerate() {
                let miss = f64::from(if v > 0.0 { 1.0 - r } else { r });
                squares[i] = miss * miss;
                entropies[i] = -libm::log(1.0 - miss + FLOOR);
            }
            (stats::mean(&squares), stats::sum(&entropies))
        })
        .unzip();
    Reconstruction { mse: stats::mean(&per_image.0), cross_entropy: stats::mean(&per_image.1) }
}

#[cfg(test)]
#[path = "fit_tests.rs"]
mod tests;

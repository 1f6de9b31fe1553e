//! Exact likelihoods and gradients by enumeration, in f64, for models of a few units.
//!
//! A state of the visible units is a number whose bit i is v_i; `data` gives each of the 2^V
//! states its weight, and the weights add up to 1. The same for hidden units. A synapse law without
//! finitely many values is enumerated at the nodes of a quadrature.

mod collapsed;
mod enumerated;
mod quadrature;

pub use collapsed::{ascend, collapsed_gradient, collapsed_log_likelihood};
pub use enumerated::{gradient, jensen_bound, log_likelihood, unit_distribution};
pub use quadrature::normal_nodes;

use super::law::{Law, Synapse};
use super::{Parameters, Synapses};
use ndarray::{Array1, Array2};

/// An ensemble small enough to be enumerated; shapes and letters as in [`super::Parameters`].
#[derive(Clone, Debug, PartialEq)]
pub struct TinyEnsemble {
    /// Which ensemble.
    pub synapses: Synapses,
    /// How W scatters; ignored for reliable synapses.
    pub law: Law,
    /// Strengths, (V, H).
    pub w: Array2<f64>,
    /// Logits of the release probabilities, (V, H); ignored where synapses always release.
    pub a: Array2<f64>,
    /// ln of the standard deviations of released weights, (V, H); ignored by laws without spread.
    pub log_sd: Array2<f64>,
    /// Visible biases, (V).
    pub b: Array1<f64>,
    /// Hidden biases, (H).
    pub c: Array1<f64>,
}

impl From<&Parameters> for TinyEnsemble {
    /// The same ensemble in f64.
    fn from(parameters: &Parameters) -> Self {
        let Parameters { synapses, w, a, b, c, law, log_sd } = parameters;
        let wide = |x: &Array2<f32>| {
            if x.is_empty() { Array2::zeros(w.raw_dim()) } else { x.mapv(f64::from) }
        };
        Self {
            synapses: *synapses,
            law: *law,
            w: wide(w),
            a: wide(a),
            log_sd: wide(log_sd),
            b: b.mapv(f64::from),
            c: c.mapv(f64::from),
        }
    }
}

impl TinyEnsemble {
    /// Reliable synapses: an RBM.
    pub fn rbm(w: Array2<f64>, b: Array1<f64>, c: Array1<f64>) -> Self {
        let none = Array2::zeros(w.raw_dim());
        Self { synapses: Synapses::Reliable, law: Law::Bernoulli, w, a: none.clone(), log_sd: none, b, c }
    }

    /// What synapse number i·H + j has learned.
    fn synapse(&self, number: usize) -> Synapse {
        let at = (number / self.w.ncols(), number % self.w.ncols());
        Synapse { w: self.w[at], a: self.a[at], log_sd: self.log_sd[at] }
    }
}

/// Derivatives of the log-likelihood.
#[derive(Clone, Debug, PartialEq)]
pub struct Gradient {
    /// By w, (V, H).
    pub w: Array2<f64>,
    /// By a, (V, H); 0 where synapses always release.
    pub a: Array2<f64>,
    /// By ln s, (V, H); 0 for laws without spread.
    pub log_sd: Array2<f64>,
    /// By b, (V).
    pub b: Array1<f64>,
    /// By c, (H).
    pub c: Array1<f64>,
}

impl Gradient {
    fn zeros(visible: usize, hidden: usize) -> Self {
        let none = Array2::zeros((visible, hidden));
        Self {
            w: none.clone(),
            a: none.clone(),
            log_sd: none,
            b: Array1::zeros(visible),
            c: Array1::zeros(hidden),
        }
    }
}

/// The bars-and-stripes patterns of `side` × `side` pixels, equally likely: all columns alike or all rows alike.
///
/// Returns one weight for each of the 2^(side²) images; pixel (row, column) is bit row·side + column.
///
/// # Panics
/// If `side` is above 4: the images could not be enumerated.
///
/// # Source
/// MacKay 2003, "Information theory, inference, and learning algorithms", section 43.
pub fn bars_and_stripes(side: usize) -> Vec<f64> {
    assert!(side <= 4, "at most 4 × 4 pixels can be enumerated");
    let mut weights = vec![0.0; 1 << (side * side)];
    for lines in 0..1_usize << side {
        let on = |line: usize| lines >> line & 1;
        let pixels = |line_of: fn(usize, usize) -> usize| {
            (0..side * side).fold(0, |image, pixel| image | on(line_of(pixel, side)) << pixel)
        };
        weights[pixels(|pixel, side| pixel / side)] = 1.0;
        weights[pixels(|pixel, side| pixel % side)] = 1.0;
    }
    let patterns: f64 = weights.iter().fold(0.0, |sum, w| sum + w);
    weights.iter_mut().for_each(|w| *w /= patterns);
    weights
}

/// Whether bit `i` is set.
fn on(state: usize, i: usize) -> bool {
    state >> i & 1 == 1
}

/// log Σ e^x, without overflow.
fn log_sum_exp(xs: &[f64]) -> f64 {
    let greatest = xs.iter().fold(f64::NEG_INFINITY, |m, x| m.max(*x));
    greatest + libm::log(xs.iter().fold(0.0, |sum, x| sum + libm::exp(x - greatest)))
}

#[cfg(test)]
#[path = "exact/coupling_tests.rs"]
mod coupling_tests;
#[cfg(test)]
#[path = "exact/equation_tests.rs"]
mod equation_tests;
#[cfg(test)]
#[path = "exact/jensen_tests.rs"]
mod jensen_tests;

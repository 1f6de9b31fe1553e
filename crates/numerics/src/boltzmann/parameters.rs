//! What is learned, how it starts, and which RBMs it stands for.

use super::rbm::Rbm;
use crate::logistic::logit;
use crate::{BinaryRows, Draws, Stream};
use kernels::{sample, synapses};
use ndarray::{Array1, Array2, ArrayView1};
use serde::{Deserialize, Serialize};

/// The ensemble: what a synapse does on its way from w to W.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Synapses {
    /// W = w: an ordinary restricted Boltzmann machine.
    Reliable,
    /// Model A: units and releases share one energy, `P(v, h, ξ) ∝ exp(−E + Σ a ξ)`.
    ///
    /// Summing ξ out leaves an RBM with `weff = log(1 − p + p e^w)`; p is the release
    /// probability of an *idle* synapse.
    JointEnergy,
    /// Model B: `ξ ~ Π Bernoulli(p)` first, then an RBM with `W = w ξ`, normalised on its own.
    PriorMixture,
}

/// w, a, b and c of one ensemble.
///
/// All arrays are in standard (row by row) layout.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parameters {
    /// Which ensemble they belong to.
    pub synapses: Synapses,
    /// Strengths, (V, H).
    pub w: Array2<f32>,
    /// Logits of the release probabilities, (V, H); (0, 0) for reliable synapses.
    pub a: Array2<f32>,
    /// Visible biases, (V).
    pub b: Array1<f32>,
    /// Hidden biases, (H).
    pub c: Array1<f32>,
}

/// Velocities of the momentum ascent; shapes as in [`Parameters`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Velocity {
    /// Of w.
    pub w: Array2<f32>,
    /// Of a.
    pub a: Array2<f32>,
    /// Of b.
    pub b: Array1<f32>,
    /// Of c.
    pub c: Array1<f32>,
}

/// Hidden states that persistent chains go on from; no rows if the chains start at the data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersistentChains {
    /// (chains, H).
    pub hidden: BinaryRows,
}

/// All that one step needs from the one before; serialises to the same bits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// What is learned.
    pub parameters: Parameters,
    /// Its velocities.
    pub velocity: Velocity,
    /// Chains that outlive the step.
    pub chains: PersistentChains,
}

/// How parameters start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Init {
    /// H.
    pub hidden_units: usize,
    /// p at the start, in (0, 1); not used by reliable synapses.
    pub p0: f64,
    /// Standard deviation of w at the start.
    pub w_sd: f64,
}

impl Parameters {
    /// `w ~ N(0, w_sd²)`, `a = logit(p0)`, `b = logit(clip(visible_mean, .01, .99))`, `c = 0`.
    ///
    /// w_ij takes the normal draw i·H + j of stream `Init`.
    pub fn init(synapses: Synapses, init: Init, visible_mean: ArrayView1<'_, f32>, draws: Draws) -> Self {
        let shape = (visible_mean.len(), init.hidden_units);
        let mut z = vec![0.0; shape.0 * shape.1];
        draws.fill_normal(Stream::Init, 0, &mut z);
        let w = z.into_iter().map(|z| (init.w_sd * z) as f32).collect();
        Self {
            synapses,
            w: Array2::from_shape_vec(shape, w).expect("one draw was filled per synapse"),
            a: match synapses {
                Synapses::Reliable => Array2::zeros((0, 0)),
                Synapses::JointEnergy | Synapses::PriorMixture => {
                    Array2::from_elem(shape, logit(init.p0) as f32)
                }
            },
            b: visible_mean.mapv(|m| logit(f64::from(m).clamp(0.01, 0.99)) as f32),
            c: Array1::zeros(shape.1),
        }
    }

    /// V.
    pub fn visible_units(&self) -> usize {
        self.w.nrows()
    }

    /// H.
    pub fn hidden_units(&self) -> usize {
        self.w.ncols()
    }

    /// `p = s(a)`, (V, H); 1 for reliable synapses.
    pub fn release_prob(&self) -> Array2<f32> {
        match self.synapses {
            Synapses::Reliable => Array2::ones(self.w.raw_dim()),
            Synapses::JointEnergy | Synapses::PriorMixture => self.a.mapv(kernels::math::sigmoid),
        }
    }

    /// `q = s(a + w)`, the release probability between two active units in model A; (V, H).
    ///
    /// Reliable synapses: 1. Model B: the same formula, which is exact to first order in w.
    pub fn posterior_release(&self) -> Array2<f32> {
        match self.synapses {
            Synapses::Reliable => Array2::ones(self.w.raw_dim()),
            Synapses::JointEnergy | Synapses::PriorMixture => {
                (&self.a + &self.w).mapv(kernels::math::sigmoid)
            }
        }
    }

    /// `weff = log(1 − p + p e^w) = log E[e^W]`, (V, H); w itself for reliable synapses.
    ///
    /// Model A's weights once ξ is summed out. For model B it is the same function of (w, p),
    /// but no RBM with these weights equals the mixture.
    pub fn effective_weights(&self) -> Array2<f32> {
        match self.synapses {
            Synapses::Reliable => self.w.clone(),
            Synapses::JointEnergy | Synapses::PriorMixture => {
                let mut weff = Array2::zeros(self.w.raw_dim());
                let out = weff.as_slice_mut().expect("a new array is in standard layout");
                synapses::collapse(slice(&self.w), slice(&self.a), out);
                weff
            }
        }
    }

    /// The RBM with exactly the ensemble's distribution over (v, h); none for model B.
    pub fn marginal(&self) -> Option<Rbm> {
        match self.synapses {
            Synapses::Reliable | Synapses::JointEnergy => Some(self.with_weights(self.effective_weights())),
            Synapses::PriorMixture => None,
        }
    }

    /// One RBM of the ensemble, drawn anew for every `copy`.
    ///
    /// Model B: `W = w ξ`, `ξ ~ Bernoulli(p)` from stream `ObserveMask`; all examples shown to it
    /// share it. Reliable synapses and model A, whose releases depend on the example: the
    /// marginal, whatever the copy.
    pub fn sampled(&self, copy: u32, draws: Draws) -> Rbm {
        if let Some(rbm) = self.marginal() {
            return rbm;
        }
        let n = self.w.len();
        let mut words = vec![0; n];
        draws.fill_u32(Stream::ObserveMask, u64::from(copy) << 32, &mut words);
        let mut released = self.w.clone();
        for ((w, &a), word) in released.iter_mut().zip(&self.a).zip(words) {
            if sample::uniform(word) >= kernels::math::sigmoid(a) {
                *w = 0.0;
            }
        }
        self.with_weights(released)
    }

    /// The RBM with the mean weights `w p`: the deterministic reading of model B.
    pub fn mean_weights(&self) -> Rbm {
        self.with_weights(&self.w * &self.release_prob())
    }

    fn with_weights(&self, w: Array2<f32>) -> Rbm {
        Rbm::new(w, self.b.clone(), self.c.clone())
    }
}

impl Velocity {
    /// At rest.
    pub fn zeros(parameters: &Parameters) -> Self {
        Self {
            w: Array2::zeros(parameters.w.raw_dim()),
            a: Array2::zeros(parameters.a.raw_dim()),
            b: Array1::zeros(parameters.b.raw_dim()),
            c: Array1::zeros(parameters.c.raw_dim()),
        }
    }
}

impl PersistentChains {
    /// Chains that start from fair coins (stream `Chain`).
    pub fn init(chains: usize, hidden_units: usize, draws: Draws) -> Self {
        let mut hidden = BinaryRows::new(hidden_units);
        let (half, mut words) = (vec![0.5; hidden_units], vec![0; hidden_units]);
        for chain in 0..chains {
            draws.fill_u32(Stream::Chain, super::unit_index(0, chain, 0), &mut words);
            hidden.push_sampled(&words, &half);
        }
        Self { hidden }
    }
}

impl State {
    /// Parameters at rest, without persistent chains.
    pub fn new(parameters: Parameters) -> Self {
        Self { velocity: Velocity::zeros(&parameters), parameters, chains: PersistentChains::default() }
    }

    /// The same with persistent chains.
    pub fn with_chains(self, chains: PersistentChains) -> Self {
        Self { chains, ..self }
    }
}

/// The values of a parameter row by row.
pub(super) fn slice<D: ndarray::Dimension>(array: &ndarray::Array<f32, D>) -> &[f32] {
    array.as_slice().expect("parameters are in standard layout")
}

#[cfg(test)]
#[path = "parameters_tests.rs"]
mod tests;

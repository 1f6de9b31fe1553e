//! What is learned, how it starts, and which RBMs it stands for.

use super::law::{Law, Synapse, SynapseLaw};
use super::rbm::Rbm;
use crate::logistic::logit;
use crate::{Draws, Stream};
use kernels::{sample, synapses};
use ndarray::{Array1, Array2, ArrayView1};
use serde::{Deserialize, Serialize};

/// The ensemble: what a synapse does on its way from what it has learned to W.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Synapses {
    /// W = w: an ordinary restricted Boltzmann machine.
    Reliable,
    /// Model A: units and weights share one energy, `P(v, h, W) ∝ exp(−E(v, h, W)) P0(W)`.
    ///
    /// Summing W out leaves an RBM with `weff = ln E[e^W]`; p is the release probability of an
    /// *idle* synapse.
    JointEnergy,
    /// Model B: `W ~ P0` first, then an RBM with these weights, normalised on its own.
    PriorMixture,
}

/// What one ensemble has learned.
///
/// All arrays are in standard (row by row) layout. The order of the fields is that of stored states.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parameters {
    /// Which ensemble they belong to.
    pub synapses: Synapses,
    /// Strengths, (V, H).
    pub w: Array2<f32>,
    /// Logits of the release probabilities, (V, H); (0, 0) if every synapse always releases.
    pub a: Array2<f32>,
    /// Visible biases, (V).
    pub b: Array1<f32>,
    /// Hidden biases, (H).
    pub c: Array1<f32>,
    /// How W scatters; `Bernoulli` for reliable synapses, where it says nothing.
    pub law: Law,
    /// ln of the standard deviations of released weights, (V, H); (0, 0) if the law has none.
    pub log_sd: Array2<f32>,
}

/// How parameters start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Init {
    /// H.
    pub hidden_units: usize,
    /// p at the start, in (0, 1); not used where synapses always release.
    pub p0: f64,
    /// Standard deviation of w at the start, over synapses.
    pub w_sd: f64,
    /// How W scatters.
    pub law: Law,
    /// Standard deviation of a released weight at the start, in [0.01, 1]; not used by laws without spread.
    pub sd0: f64,
}

impl Default for Init {
    /// 64 hidden units, p0 ½, weights of 0.01, Bernoulli synapses, spread 0.1.
    fn default() -> Self {
        Self { hidden_units: 64, p0: 0.5, w_sd: 0.01, law: Law::Bernoulli, sd0: 0.1 }
    }
}

impl Parameters {
    /// `w ~ N(0, w_sd²)`, `a = logit(p0)`, `ln s = ln sd0`, `b = logit(clip(visible_mean, .01, .99))`, `c = 0`.
    ///
    /// w_ij takes the normal draw i·H + j of stream `Init`.
    pub fn init(synapses: Synapses, init: Init, visible_mean: ArrayView1<'_, f32>, draws: Draws) -> Self {
        let shape = (visible_mean.len(), init.hidden_units);
        let mut z = vec![0.0; shape.0 * shape.1];
        draws.fill_normal(Stream::Init, 0, &mut z);
        let w = z.into_iter().map(|z| (init.w_sd * z) as f32).collect();
        let law = if synapses == Synapses::Reliable { Law::Bernoulli } else { init.law };
        let filled = |present: bool, x: f64| {
            if present { Array2::from_elem(shape, x as f32) } else { Array2::zeros((0, 0)) }
        };
        Self {
            synapses,
            w: Array2::from_shape_vec(shape, w).expect("one draw was filled per synapse"),
            a: filled(synapses != Synapses::Reliable && law.releases(), logit(init.p0)),
            b: visible_mean.mapv(|m| logit(f64::from(m).clamp(0.01, 0.99)) as f32),
            c: Array1::zeros(shape.1),
            law,
            log_sd: filled(law.spreads(), libm::log(init.sd0)),
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

    /// What synapse number i·H + j has learned.
    ///
    /// # Panics
    /// If there is no such synapse.
    pub fn synapse(&self, number: usize) -> Synapse {
        let at = |array: &Array2<f32>| slice(array).get(number).map_or(0.0, |x| f64::from(*x));
        Synapse { w: f64::from(slice(&self.w)[number]), a: at(&self.a), log_sd: at(&self.log_sd) }
    }

    /// `p = s(a)`, the release probability of a site of an idle synapse, (V, H); 1 where all releases succeed.
    pub fn release_prob(&self) -> Array2<f32> {
        if self.a.is_empty() {
            return Array2::ones(self.w.raw_dim());
        }
        self.a.mapv(kernels::math::sigmoid)
    }

    /// q, the release probability of a site between two active units in model A; (V, H).
    ///
    /// `s(a + w)` for Bernoulli synapses, `s(a + w + s²/2)` with spread, `s(a + w/n)` for n sites; 1
    /// where all releases succeed. Model B: the same formula, which is exact to first order in w.
    pub fn posterior_release(&self) -> Array2<f32> {
        if self.a.is_empty() {
            return Array2::ones(self.w.raw_dim());
        }
        if self.law == Law::Bernoulli {
            return (&self.a + &self.w).mapv(kernels::math::sigmoid);
        }
        self.each(|law, synapse| law.release_prob(law.tilted(synapse)))
    }

    /// `weff = ln E[e^W]`, (V, H); w itself for reliable synapses.
    ///
    /// Model A's weights once W is summed out; `ln(1 − p + p e^w)` for Bernoulli synapses. For model B
    /// it is the same function, but no RBM with these weights equals the mixture.
    pub fn effective_weights(&self) -> Array2<f32> {
        match (self.synapses, self.law) {
            (Synapses::Reliable, _) => self.w.clone(),
            (_, Law::Bernoulli) => {
                let mut weff = Array2::zeros(self.w.raw_dim());
                let out = weff.as_slice_mut().expect("a new array is in standard layout");
                synapses::collapse(slice(&self.w), slice(&self.a), out);
                weff
            }
            _ => self.each(|law, synapse| law.log_mgf(synapse)),
        }
    }

    /// `E[W]`, (V, H): what synapses do on average while idle; w itself for reliable ones.
    pub fn expected_weights(&self) -> Array2<f32> {
        match (self.synapses, self.law) {
            (Synapses::Reliable, _) => self.w.clone(),
            (_, Law::Bernoulli) => &self.w * &self.release_prob(),
            _ => self.each(|law, synapse| law.mean(synapse)),
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
    /// Model B: `W ~ P0`, releases from stream `ObserveMask`, spread from `ObserveNoise`; all
    /// examples shown to it share it. Reliable synapses and model A, whose weights depend on the
    /// example: the marginal, whatever the copy. (`features` draws model A's weights.)
    pub fn sampled(&self, copy: u32, draws: Draws) -> Rbm {
        if let Some(rbm) = self.marginal() {
            return rbm;
        }
        let first = u64::from(copy) << 32;
        let mut words = vec![0; self.w.len()];
        draws.fill_u32(Stream::ObserveMask, first, &mut words);
        if self.law == Law::Bernoulli {
            let mut p: Vec<f32> = self.a.iter().copied().collect();
            kernels::math::sigmoids(&mut p);
            let mut released = self.w.clone();
            for ((w, p), word) in released.iter_mut().zip(p).zip(words) {
                // A choice of values, not of paths: it is as often one as the other.
                *w = if sample::uniform(word) < p { *w } else { 0.0 };
            }
            return self.with_weights(released);
        }
        let mut normal = vec![0.0; if self.law.spreads() { self.w.len() } else { 0 }];
        draws.fill_normal(Stream::ObserveNoise, first, &mut normal);
        let mut drawn = self.w.clone();
        self.law.with(|law| {
            for (number, (w, word)) in drawn.iter_mut().zip(words).enumerate() {
                let z = normal.get(number).copied().unwrap_or(0.0);
                *w = law.draw(self.synapse(number), f64::from(sample::uniform(word)), z).weight as f32;
            }
        });
        self.with_weights(drawn)
    }

    /// The RBM with the mean weights `E[W]`: the deterministic reading of model B.
    pub fn mean_weights(&self) -> Rbm {
        self.with_weights(self.expected_weights())
    }

    /// The RBM with these biases and weights of its own.
    pub(super) fn with_weights(&self, w: Array2<f32>) -> Rbm {
        Rbm::new(w, self.b.clone(), self.c.clone())
    }

    /// A number for each synapse from its law, (V, H).
    pub(super) fn each(&self, f: impl Fn(&dyn SynapseLaw, Synapse) -> f64) -> Array2<f32> {
        let values = self.law.with(|law| (0..self.w.len()).map(|i| f(law, self.synapse(i)) as f32).collect());
        Array2::from_shape_vec(self.w.raw_dim(), values).expect("one value per synapse")
    }
}

/// The values of a parameter row by row.
pub(super) fn slice<D: ndarray::Dimension>(array: &ndarray::Array<f32, D>) -> &[f32] {
    array.as_slice().expect("parameters are in standard layout")
}

#[cfg(test)]
#[path = "parameters_tests.rs"]
mod tests;

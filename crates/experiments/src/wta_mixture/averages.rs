//! Averages of weights over spikes, to hold their equilibrium against theory.

use numerics::{
    stdp::{Stdp, equilibrium_sd},
    wta::Circuit,
};
use serde::{Deserialize, Serialize};

/// Sums over the spikes of the only neuron, before they change it, for every input.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Averages {
    spikes: u64,
    weight: Vec<f64>,
    square: Vec<f64>,
    /// Of e^−w.
    inverse: Vec<f64>,
}

/// What averages say of all inputs with one probability.
pub(super) struct Equilibrium {
    /// Mean of w, minus ln(c p).
    pub(super) error: f64,
    /// Standard deviation of w over that of theory.
    pub(super) sd_ratio: f64,
    /// `c p E[e^−w] − 1` in standard errors.
    pub(super) identity_z: f64,
}

impl Averages {
    pub(super) fn new(circuit: &Circuit) -> Self {
        let zeros = || vec![0.0; circuit.inputs()];
        Self { spikes: 0, weight: zeros(), square: zeros(), inverse: zeros() }
    }

    /// The neuron is about to learn.
    pub(super) fn take(&mut self, circuit: &Circuit) {
        self.spikes += 1;
        for (i, &w) in circuit.weights(0).iter().enumerate() {
            let w = f64::from(w);
            self.weight[i] += w;
            self.square[i] += w * w;
            self.inverse[i] += libm::exp(-w);
        }
    }

    /// Of the inputs that `is_one` names, all of which are on with probability p at a spike, independently.
    /// None if there are none or no spikes.
    ///
    /// `E[dw] = 0` fixes `E[e^−w] = 1/(c p)` exactly, at any rate. What the average misses of it is the mean of the
    /// deviations of y over n spikes, with standard error √((1 − p)/p n) for one input, and what w moved from beginning
    /// to end over η n, which adds √(1 + 1/(η n)) to it.
    pub(super) fn equilibrium(
        &self,
        (stdp, eta, p): (Stdp, f64, f64),
        is_one: impl Fn(usize) -> bool,
    ) -> Option<Equilibrium> {
        let n = self.spikes as f64;
        let inputs: Vec<usize> = (0..self.weight.len()).filter(|&i| is_one(i)).collect();
        if inputs.is_empty() || n == 0.0 {
            return None;
        }
        let mean =
            |f: &dyn Fn(usize) -> f64| inputs.iter().fold(0.0, |sum, &i| sum + f(i)) / inputs.len() as f64;
        let weight = mean(&|i| self.weight[i] / n);
        let variance = mean(&|i| self.square[i] / n - (self.weight[i] / n) * (self.weight[i] / n));
        let inverse = mean(&|i| self.inverse[i] / n);
        let se = ((1.0 - p) / (p * n * inputs.len() as f64) * (1.0 + 1.0 / (eta * n))).sqrt();
        Some(Equilibrium {
            error: weight - stdp.equilibrium(p),
            sd_ratio: variance.max(0.0).sqrt() / equilibrium_sd(eta, p),
            identity_z: (stdp.gain * p * inverse - 1.0) / se,
        })
    }
}

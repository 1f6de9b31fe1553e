//! Weights and biases of a circuit, and what a spike changes.

use kernels::{
    plasticity::{self, Rule},
    rows::{Lists, add_rows},
};
use serde::{Deserialize, Serialize};

use super::{BiasRule, Learning, Mixture, Rate};
use crate::{Draws, Stream, population::PopulationCode};

/// Where weights begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// Slightly below ln c: a neuron that has not learned claims every input with certainty, and so wins every pattern
    /// until it has.
    Optimistic,
    /// Slightly below ln c − ln n, n the inputs of a group: a neuron that has not learned expects nothing.
    LogGroup,
}

/// Spread of the weights at the start: w lies below by 0.01 |z|, z standard normal.
const SPREAD: f64 = 0.01;

/// K neurons with D inputs each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored")]
pub struct Circuit {
    inputs: usize,
    /// (neurons, inputs).
    weights: Vec<f32>,
    /// (neurons).
    bias: Vec<f32>,
    /// Spikes of each neuron that it learned at.
    spikes: Vec<u64>,
    /// Running moments of the weights, (neurons, inputs) each; empty unless rates track variances.
    first: Vec<f32>,
    second: Vec<f32>,
    /// What a synapse passes on of its weight, (neurons, inputs); empty if all of it.
    gains: Vec<f32>,
    /// Weights as passed on, (inputs, neurons): an input's row adds to all potentials. Follows from the rest.
    #[serde(skip_serializing)]
    sent: Vec<f32>,
}

/// A stored circuit before it is believed.
#[derive(Deserialize)]
struct Stored {
    inputs: usize,
    weights: Vec<f32>,
    bias: Vec<f32>,
    spikes: Vec<u64>,
    first: Vec<f32>,
    second: Vec<f32>,
    gains: Vec<f32>,
}

/// A stored circuit contradicts itself.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("circuit: {0}")]
pub struct MalformedCircuit(&'static str);

impl TryFrom<Stored> for Circuit {
    type Error = MalformedCircuit;

    fn try_from(stored: Stored) -> Result<Self, MalformedCircuit> {
        let Stored { inputs, weights, bias, spikes, first, second, gains } = stored;
        let synapses = bias.len().checked_mul(inputs);
        if inputs == 0 || bias.is_empty() || synapses != Some(weights.len()) || spikes.len() != bias.len() {
            return Err(MalformedCircuit("there must be one weight per neuron and input"));
        }
        let is_some_or_all = |xs: &[f32]| xs.is_empty() || xs.len() == weights.len();
        if !is_some_or_all(&first) || first.len() != second.len() || !is_some_or_all(&gains) {
            return Err(MalformedCircuit("there must be one value per synapse, or none"));
        }
        let mut circuit = Self { inputs, weights, bias, spikes, first, second, gains, sent: Vec::new() };
        circuit.send();
        Ok(circuit)
    }
}

impl Circuit {
    /// A circuit that has not learned: weights by `start` around ln c, biases −ln K. Synapse (k, i) takes the normal
    /// draw `k D + i` of stream `Init`.
    ///
    /// # Panics
    /// Without neurons or inputs.
    pub fn new(
        code: &PopulationCode,
        neurons: usize,
        start: Start,
        learning: &Learning,
        draws: Draws,
    ) -> Self {
        let mut z = vec![0.0; neurons * code.inputs()];
        draws.fill_normal(Stream::Init, 0, &mut z);
        let top = libm::log(learning.stdp.gain);
        let mut mean = Vec::with_capacity(code.inputs());
        for group in 0..code.groups() {
            let inputs = code.group(group).len();
            let below = match start {
                Start::Optimistic => 0.0,
                Start::LogGroup => libm::log(inputs as f64),
            };
            mean.extend(std::iter::repeat_n(top - below, inputs));
        }
        let weights: Vec<f64> =
            z.iter().enumerate().map(|(at, z)| mean[at % mean.len()] - SPREAD * z.abs()).collect();
        let bias = vec![-libm::log(neurons as f64); neurons];
        Self::with_weights(code.inputs(), &weights, &bias, learning)
    }

    /// A circuit whose weights are near the logarithms of a mixture over binary pixels, its biases those of the prior.
    pub fn near(mixture: &Mixture, learning: &Learning, draws: Draws) -> Self {
        let (neurons, pixels) = (mixture.components(), mixture.pixels());
        let mut z = vec![0.0; 2 * neurons * pixels];
        draws.fill_normal(Stream::Init, 0, &mut z);
        let top = libm::log(learning.stdp.gain);
        let weights: Vec<f64> = (0..neurons)
            .flat_map(|k| mixture.on(k).iter().flat_map(|&p| [1.0 - p, p]))
            .zip(&z)
            .map(|(p, z)| top + libm::log(p) - SPREAD * z.abs())
            .collect();
        let bias: Vec<f64> = mixture.prior().iter().map(|&p| libm::log(p)).collect();
        Self::with_weights(2 * pixels, &weights, &bias, learning)
    }

    /// A circuit of given weights, (neurons, inputs), and biases. Limited levels take the nearest.
    ///
    /// # Panics
    /// Without neurons or inputs, or if lengths do not fit.
    pub fn with_weights(inputs: usize, weights: &[f64], bias: &[f64], learning: &Learning) -> Self {
        assert!(inputs > 0 && !bias.is_empty(), "a circuit has neurons and inputs");
        assert_eq!(weights.len(), inputs * bias.len(), "one weight per neuron and input");
        let single = |xs: &[f64]| -> Vec<f32> { xs.iter().map(|&x| x as f32).collect() };
        let mut weights = single(weights);
        if let Some(levels) = learning.levels {
            weights.iter_mut().for_each(|w| *w = levels.round(*w, 0.5));
        }
        let (first, second) = match learning.rate {
            Rate::VarianceTracking(_) => (weights.clone(), weights.iter().map(|w| w * w + 1.0).collect()),
            Rate::Constant(_) | Rate::Annealed(_) => (Vec::new(), Vec::new()),
        };
        let spikes = vec![0; bias.len()];
        let bias = single(bias);
        let (gains, sent) = (Vec::new(), Vec::new());
        let mut circuit = Self { inputs, weights, bias, spikes, first, second, gains, sent };
        circuit.send();
        circuit
    }

    /// The same circuit whose synapses pass on `1 + sd z` of their weight, at least 0; z is the normal draw `k D + i` of
    /// stream `Mismatch`.
    pub fn with_mismatch(mut self, sd: f64, draws: Draws) -> Self {
        if sd > 0.0 {
            let mut z = vec![0.0; self.weights.len()];
            draws.fill_normal(Stream::Mismatch, 0, &mut z);
            self.gains = z.into_iter().map(|z| (1.0 + sd * z).max(0.0) as f32).collect();
            self.send();
        }
        self
    }

    /// K.
    pub fn neurons(&self) -> usize {
        self.bias.len()
    }

    /// D.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// The weights of a neuron, (inputs).
    pub fn weights(&self, neuron: usize) -> &[f32] {
        &self.weights[neuron * self.inputs..][..self.inputs]
    }

    /// The biases, (neurons).
    pub fn bias(&self) -> &[f32] {
        &self.bias
    }

    /// Spikes that each neuron learned at.
    pub fn spikes(&self) -> &[u64] {
        &self.spikes
    }

    /// Weights as passed on, (inputs, neurons) row by row.
    pub(super) fn sent(&self) -> &[f32] {
        &self.sent
    }

    /// The weights of a neuron as passed on, into `row`.
    pub(super) fn sent_row(&self, neuron: usize, row: &mut Vec<f32>) {
        row.clear();
        row.extend_from_slice(self.weights(neuron));
        if !self.gains.is_empty() {
            let gains = &self.gains[neuron * self.inputs..][..self.inputs];
            row.iter_mut().zip(gains).for_each(|(w, gain)| *w *= gain);
        }
    }

    /// Potentials while the inputs `on` have potential 1 and all others 0: `u_k = b_k + Σ w_ki`.
    ///
    /// # Panics
    /// If `on` names no input.
    pub fn potentials(&self, on: &[u32], u: &mut Vec<f32>) {
        u.clear();
        u.extend_from_slice(&self.bias);
        add_rows(&self.sent, self.neurons(), Lists::new(&[0, on.len() as u32], on), u);
    }

    /// What a spike of a neuron changes, `y` being the potentials of all inputs: its weights, and all biases.
    ///
    /// Roundings of spike `event` of this step take the words `event D ..` of stream `Rounding`.
    ///
    /// # Panics
    /// If there is no such neuron, or not one potential per input.
    pub fn learn(&mut self, neuron: usize, y: &[f32], learning: &Learning, (draws, event): (Draws, u64)) {
        self.spikes[neuron] += 1;
        let synapses = neuron * self.inputs..(neuron + 1) * self.inputs;
        let w = &mut self.weights[synapses.clone()];
        let rule = |eta| Rule {
            eta: eta as f32,
            gain: learning.stdp.gain as f32,
            floor: learning.stdp.floor as f32,
        };
        match learning.rate {
            Rate::Constant(eta) => plasticity::learn(w, y, rule(eta)),
            Rate::Annealed(rate) => plasticity::learn(w, y, rule(rate.at(self.spikes[neuron]))),
            Rate::VarianceTracking(eta0) => {
                let (first, second) = (&mut self.first[synapses.clone()], &mut self.second[synapses]);
                plasticity::learn_tracking(w, first, second, y, rule(eta0));
            }
        }
        if let Some(levels) = learning.levels {
            let mut uniform = vec![0.0; w.len()];
            draws.fill_uniform(Stream::Rounding, event * w.len() as u64, &mut uniform);
            w.iter_mut().zip(uniform).for_each(|(w, uniform)| *w = levels.round(*w, uniform));
        }
        self.send_row(neuron);
        self.excite(neuron, learning.bias);
    }

    fn excite(&mut self, neuron: usize, rule: BiasRule) {
        match rule {
            BiasRule::Fixed => {}
            BiasRule::Prior { eta, floor } => {
                let rule = Rule { eta: eta as f32, gain: 1.0, floor: floor as f32 };
                let before = self.bias[neuron];
                // All but the winner see no input; the winner alone learns again from its old bias.
                let mut own = [before];
                plasticity::learn(&mut own, &[1.0], rule);
                plasticity::fade(&mut self.bias, rule);
                self.bias[neuron] = own[0];
            }
            BiasRule::Homeostatic { eta } => {
                let share = (eta / self.bias.len() as f64) as f32;
                self.bias.iter_mut().for_each(|b| *b += share);
                self.bias[neuron] -= eta as f32;
            }
        }
    }

    fn send(&mut self) {
        self.sent = vec![0.0; self.weights.len()];
        (0..self.neurons()).for_each(|neuron| self.send_row(neuron));
    }

    fn send_row(&mut self, neuron: usize) {
        let (neurons, synapses) = (self.bias.len(), neuron * self.inputs..(neuron + 1) * self.inputs);
        let places = self.sent[neuron..].iter_mut().step_by(neurons);
        let weights = &self.weights[synapses.clone()];
        if self.gains.is_empty() {
            places.zip(weights).for_each(|(sent, w)| *sent = *w);
        } else {
            let gains = &self.gains[synapses];
            places.zip(weights).zip(gains).for_each(|((sent, w), gain)| *sent = w * gain);
        }
    }
}

#[cfg(test)]
#[path = "circuit_tests.rs"]
mod tests;

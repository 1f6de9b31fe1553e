//! Modules: spiking circuits that each learn one variable of a network from the others.
//!
//! The module of variable z has one winner-take-all group of H hidden neurons for each value of z. Its inputs are output
//! neurons of other modules, one for each value. A hidden neuron (v, h) has the potential
//! `u_vh = b_vh + Σ_j w_vh,j(x_j)`, so that the module implies `p(z = v, x) ∝ Σ_h exp(u_vh)`.
//!
//! # Source
//! Pecevski & Maass 2016, eNeuro 3(2), ENEURO.0048-15.2016.

mod em;
mod learn;
mod measure;

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::Network;
use crate::{Draws, Stream};

pub use em::{climb, em_step, fit};
pub use learn::{Learning, SPIKES};
pub(crate) use measure::conditional_divergence;
pub use measure::divergence;
pub use measure::{Target, held_out_kl};

/// Most hidden neurons of a module.
pub const NEURONS: u64 = 65_536;
/// Spread of the weights before learning.
const SPREAD: f64 = 0.1;

/// A variable that a module sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// Its place in the network.
    pub variable: usize,
    /// How many values it has: as many input neurons.
    pub values: usize,
    /// Row of the weights of its first value.
    pub row: usize,
}

/// A module and what it has learned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Module {
    /// The variable.
    pub variable: usize,
    /// V: values of the variable, one group of hidden neurons each.
    pub values: usize,
    /// H: hidden neurons in a group.
    pub hidden: usize,
    /// What it sees, ascending.
    pub inputs: Vec<Input>,
    /// (input neurons, V · H): w; neuron (v, h) has column `v · H + h`.
    pub weights: Vec<f64>,
    /// (V · H): b.
    pub biases: Vec<f64>,
    /// (V · H): hidden spikes while learning.
    pub fired: Vec<u64>,
    /// Laid out as the weights: the part of its weight that a synapse passes on; empty where each passes on the whole.
    pub gains: Vec<f64>,
}

impl Module {
    /// A module that has not learned: weights just below 0, so that a neuron that has not fired yet is the most excited
    /// one, and equal biases −ln(V H).
    ///
    /// Takes the normal draws `variable · 2³² …` of `BayesInit`.
    ///
    /// # Panics
    /// If there is no such variable, it is among its inputs, the inputs do not ascend, or there are no hidden neurons.
    pub fn new(network: &Network, variable: usize, inputs: &[usize], hidden: usize, draws: Draws) -> Self {
        assert!(hidden > 0, "a group has a neuron");
        assert!(
            inputs.is_sorted_by(|a, b| a < b) && !inputs.contains(&variable),
            "inputs are other variables"
        );
        let values = network.values(variable);
        let mut row = 0;
        let input = |&variable: &usize| {
            let input = Input { variable, values: network.values(variable), row };
            row += input.values;
            input
        };
        let inputs: Vec<Input> = inputs.iter().map(input).collect();
        let neurons = values * hidden;
        let mut weights = vec![0.0; row * neurons];
        draws.fill_normal(Stream::BayesInit, (variable as u64) << 32, &mut weights);
        weights.iter_mut().for_each(|w| *w = -SPREAD * w.abs());
        let bias = -libm::log(neurons as f64);
        Self {
            variable,
            values,
            hidden,
            inputs,
            weights,
            biases: vec![bias; neurons],
            fired: vec![0; neurons],
            gains: Vec::new(),
        }
    }

    /// The same module whose synapses pass on `1 + sd z` of their weight, at least 0; z are the normal draws
    /// `variable · 2³² …` of `Mismatch`.
    pub fn with_mismatch(mut self, sd: f64, draws: Draws) -> Self {
        if sd > 0.0 {
            self.gains = vec![0.0; self.weights.len()];
            draws.fill_normal(Stream::Mismatch, (self.variable as u64) << 32, &mut self.gains);
            self.gains.iter_mut().for_each(|z| *z = (1.0 + sd * *z).max(0.0));
        }
        self
    }

    /// Whether it is a module of a variable of this network.
    pub fn fits(&self, network: &Network) -> bool {
        let is_variable = |at: usize, values: usize| at < network.len() && network.values(at) == values;
        let mut row = 0;
        let mut is_next = |input: &Input| {
            let is_row = input.row == row;
            row += input.values;
            is_row && is_variable(input.variable, input.values) && input.variable != self.variable
        };
        let inputs = self.inputs.iter().all(&mut is_next);
        let sizes = self.weights.len() == row * self.neurons()
            && self.biases.len() == self.neurons()
            && (self.gains.is_empty() || self.gains.len() == self.weights.len());
        inputs && sizes && self.hidden > 0 && is_variable(self.variable, self.values)
    }

    /// V · H.
    pub fn neurons(&self) -> usize {
        self.values * self.hidden
    }

    /// Synapses onto one hidden neuron: input neurons.
    pub fn input_neurons(&self) -> usize {
        self.inputs.iter().map(|input| input.values).sum()
    }

    /// Writes the potentials of all neurons in a state of the network.
    ///
    /// # Shapes
    /// `state`: a value for each variable of the network · `out`: (V · H).
    pub fn potentials(&self, state: &[u8], out: &mut Vec<f64>) {
        out.clear();
        out.extend_from_slice(&self.biases);
        for input in &self.inputs {
            self.excite(input.row + usize::from(state[input.variable]), 1.0, out);
        }
    }

    /// Adds what one input neuron sends to the potentials, so many times.
    fn excite(&self, row: usize, times: f64, potentials: &mut [f64]) {
        self.pass_on(row * self.neurons()..(row + 1) * self.neurons(), times, potentials);
    }

    /// Adds what these synapses pass on to the potentials, so many times.
    fn pass_on(&self, synapses: Range<usize>, times: f64, potentials: &mut [f64]) {
        let weights = &self.weights[synapses.clone()];
        match self.gains.get(synapses) {
            Some(gains) => {
                let sent = weights.iter().zip(gains);
                potentials.iter_mut().zip(sent).for_each(|(u, (w, gain))| *u += times * (gain * w));
            }
            None => potentials.iter_mut().zip(weights).for_each(|(u, w)| *u += times * w),
        }
    }

    /// Writes `p(z = v | x) = Σ_h e^u_vh / Σ_v'h e^u_v'h` for each value v, which is how often the output neuron of v is the
    /// next to fire.
    ///
    /// # Shapes
    /// `state`: a value for each variable of the network · `out`: (V).
    pub fn law(&self, state: &[u8], potentials: &mut Vec<f64>, out: &mut [f64]) {
        self.potentials(state, potentials);
        self.law_of(potentials, out);
    }

    /// The same from the input neurons that are active, none or several of an input; `is_active` is asked for (variable,
    /// value).
    pub fn law_of_active(
        &self,
        is_active: impl Fn(usize, usize) -> bool,
        potentials: &mut Vec<f64>,
        out: &mut [f64],
    ) {
        potentials.clear();
        potentials.extend_from_slice(&self.biases);
        for input in &self.inputs {
            for value in (0..input.values).filter(|&value| is_active(input.variable, value)) {
                self.excite(input.row + value, 1.0, potentials);
            }
        }
        self.law_of(potentials, out);
    }

    /// The law without one input, from the potentials with it: none of its neurons is active.
    pub(super) fn law_without(
        &self,
        input: &Input,
        state: &[u8],
        potentials: &[f64],
        left: &mut Vec<f64>,
        out: &mut [f64],
    ) {
        left.clear();
        left.extend_from_slice(potentials);
        self.excite(input.row + usize::from(state[input.variable]), -1.0, left);
        self.law_of(left, out);
    }

    fn law_of(&self, potentials: &[f64], out: &mut [f64]) {
        let greatest = potentials.iter().fold(f64::NEG_INFINITY, |greatest, u| greatest.max(*u));
        let mut total = 0.0;
        for (p, group) in out.iter_mut().zip(potentials.chunks_exact(self.hidden)) {
            *p = group.iter().fold(0.0, |sum, u| sum + libm::exp(u - greatest));
            total += *p;
        }
        out.iter_mut().for_each(|p| *p /= total);
    }
}

/// Hidden neurons in a group: as many as the variable's table has rows in terms of its inputs, at most `most`. One for each
/// row always suffices.
pub fn hidden_neurons(network: &Network, inputs: &[usize], most: u64) -> u64 {
    let rows = inputs.iter().fold(1_u64, |rows, &input| rows.saturating_mul(network.values(input) as u64));
    rows.min(most)
}

#[cfg(test)]
#[path = "module/module_tests.rs"]
mod tests;

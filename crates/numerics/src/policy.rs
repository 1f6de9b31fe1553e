//! A layer of spiking neurons that learns from rewards: policy gradient with eligibility traces, prior and noise.
//!
//! `dθ = b (∂ln p_S(θ) + c ∂ln r̄(θ)) dt + √(2 T b) dW` with r̄ the mean reward. The gradient of ln r̄ is the mean of
//! `r(t)/r̄ · w e(t)` over time, e(t) being what the synapse did to the choices of its neuron in the last second: the
//! score of each spike or silence times the input's trace.
//!
//! # Source
//! Kappel, Legenstein, Habenschuss, Hsieh & Maass 2018, eNeuro 5, "A dynamic connectome supports the emergence of stable
//! computational function of neural circuits through reward-based learning"; Williams 1992, Mach. Learn. 8:229, for the gradient.

mod layer;
mod rule;

pub use layer::{Layer, STEP_S};
pub use rule::Rule;

use serde::{Deserialize, Serialize};

use crate::{Draws, Stream};

/// Everything that changes; synapses are (inputs, outputs).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// θ.
    pub theta: Vec<f64>,
    /// Synapses that were removed for ever.
    pub removed: Vec<bool>,
    /// What rewards, and what prior and noise, moved of each θ since it was last asked.
    pub moved: [Vec<f32>; 2],
    /// e without the factor w, 1.
    eligibility: Vec<f32>,
    /// Running mean of `(r/r̄ + offset) e`.
    gradient: Vec<f32>,
    /// What is left of input spikes, falling and rising part.
    input: [Vec<f32>; 2],
    /// The same weighted by synapses, for each output.
    potential: [Vec<f32>; 2],
    /// What is left of each neuron's own spikes.
    own: [Vec<f32>; 2],
    /// Excitability.
    bias: Vec<f32>,
    /// Steps that a neuron stays silent.
    dead: Vec<u8>,
    /// r̄.
    mean_reward: f32,
}

/// Room for a step; a fresh one gives the same bits once [`Network::settle`] was called.
#[derive(Debug, Clone, Default)]
pub struct Work {
    weights: Vec<f32>,
    trace: Vec<f32>,
    /// Potential, then rate times step, then the score of what the neuron did.
    score: Vec<f32>,
    silence: Vec<f32>,
    assembly: Vec<f32>,
    /// Whether each output fired in the last step.
    pub spikes: Vec<bool>,
}

/// A layer and its rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    layer: Layer,
    rule: Rule,
    /// What a step leaves of the falling and the rising part of a potential.
    keep: [f32; 2],
    /// What a step takes of eligibility, gradient and mean reward.
    forget: [f32; 3],
}

impl Network {
    /// A layer with its rule.
    pub fn new(layer: Layer, rule: Rule) -> Self {
        let keep = layer::TAU_S.map(|tau_s| libm::exp(-STEP_S / tau_s) as f32);
        let taus = [rule.tau_eligibility_s, rule.tau_gradient_s, rule.tau_reward_s];
        let forget = taus.map(|tau_s| (-libm::expm1(-STEP_S / tau_s)) as f32);
        Self { layer, rule, keep, forget }
    }

    /// The neurons.
    pub fn layer(&self) -> &Layer {
        &self.layer
    }

    /// θ drawn from a normal law with the draws of `Stream::RewardInit`; no activity.
    pub fn start(&self, mean: f64, sd: f64, draws: Draws) -> State {
        let (inputs, outputs) = (self.layer.inputs, self.layer.outputs());
        let synapses = inputs * outputs;
        let mut theta = vec![0.0; synapses];
        draws.fill_normal(Stream::RewardInit, 0, &mut theta);
        theta.iter_mut().for_each(|z| *z = self.rule.within(mean + sd * *z));
        let pair = |n: usize| [vec![0.0; n], vec![0.0; n]];
        State {
            theta,
            removed: vec![false; synapses],
            moved: pair(synapses),
            eligibility: vec![0.0; synapses],
            gradient: vec![0.0; synapses],
            input: pair(inputs),
            potential: pair(outputs),
            own: pair(outputs),
            bias: vec![0.0; outputs],
            dead: vec![0; outputs],
            mean_reward: FIRST_MEAN,
        }
    }
}

/// r̄ before there was a reward.
const FIRST_MEAN: f32 = 0.05;

impl State {
    /// Whether each synapse is functional.
    pub fn functional(&self) -> impl Iterator<Item = bool> {
        self.theta.iter().zip(&self.removed).map(|(&theta, &removed)| theta > 0.0 && !removed)
    }

    /// Share of functional synapses.
    pub fn functional_fraction(&self) -> f64 {
        self.functional().filter(|&functional| functional).count() as f64 / self.theta.len() as f64
    }

    /// Forgets what moved θ.
    pub fn forget_moves(&mut self) {
        self.moved.iter_mut().for_each(|moved| moved.fill(0.0));
    }
}

#[cfg(test)]
#[path = "policy/tests.rs"]
mod tests;

//! θ of every potential synapse, and the rules it follows.

use serde::{Deserialize, Serialize};

use super::{Area, Wiring};
use crate::{Draws, Stream, sde::OrnsteinUhlenbeck};

/// The least θ.
const FLOOR: f64 = -6.0;

/// How synapses and excitabilities change.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rule {
    /// Prior, noise and learning rate: θ without activity; per s.
    pub prior: OrnsteinUhlenbeck,
    /// N: how many data points the likelihood stands for.
    pub data_points: f64,
    /// θ₀.
    pub theta_0: f64,
    /// α.
    pub alpha: f64,
    /// Greatest depression.
    pub depression_cap: f64,
    /// Greatest θ of synapses from inputs.
    pub most_input: f64,
    /// Greatest θ of synapses between the areas.
    pub most_between: f64,
    /// Greatest θ of synapses between circuits of one area; 0: there are none.
    pub most_within: f64,
    /// How much of A_k enters the potential; 1: the likelihood of the model.
    pub normaliser: f64,
    /// η: what excitability loses at a spike.
    pub homeostasis: f64,
}

/// All that changes in the network between two patterns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Synapses {
    /// θ, row by row, of each area; see [`Wiring`].
    pub(super) theta: [Vec<f32>; 2],
    /// Which synapses may be, as `theta`. Lesions are here.
    pub(super) may_be: [Vec<bool>; 2],
    /// Which neurons live.
    pub(super) alive: Vec<bool>,
    /// β of all neurons.
    pub(super) beta: Vec<f64>,
}

impl Rule {
    /// As the kernels read it.
    pub(super) fn kernel(&self, inputs: usize) -> kernels::rewiring::Rule {
        kernels::rewiring::Rule {
            step: (self.prior.b * self.data_points) as f32,
            theta_0: self.theta_0 as f32,
            rest: libm::exp(-self.theta_0) as f32,
            alpha: self.alpha as f32,
            cap: self.depression_cap as f32,
            floor: FLOOR as f32,
            inputs,
        }
    }

    /// The greatest θ of each column of an area's rows.
    pub(super) fn most(&self, wiring: &Wiring, area: Area) -> Vec<f32> {
        let most = |column: usize| match wiring.source(area, column) {
            None => self.most_input,
            Some(source) if wiring.area(source) == area => self.most_within,
            Some(_) => self.most_between,
        };
        (0..wiring.width(area)).map(|column| most(column) as f32).collect()
    }
}

impl Synapses {
    /// Drawn from the prior; every synapse may be but those inside a circuit and, where the rule allows none, inside an area.
    pub fn new(wiring: &Wiring, rule: &Rule, draws: Draws) -> Self {
        let theta = Area::ALL.map(|area| {
            let n = wiring.neurons * wiring.width(area);
            let mut z = vec![0.0; n];
            draws.fill_normal(Stream::SynapseInit, (area as u64) << 40, &mut z);
            let most = rule.most(wiring, area);
            let theta = |(i, z): (usize, &f64)| {
                let free = rule.prior.mu + rule.prior.sigma * z;
                (free.max(FLOOR) as f32).min(most[i % most.len()])
            };
            z.iter().enumerate().map(theta).collect()
        });
        let may_be = Area::ALL.map(|area| {
            let may_be = |(neuron, column): (usize, usize)| match wiring.source(area, column) {
                None => true,
                Some(source) if wiring.area(source) == area => {
                    rule.most_within > 0.0 && wiring.circuit(source) != wiring.circuit(neuron)
                }
                Some(_) => true,
            };
            let width = wiring.width(area);
            wiring
                .of(area)
                .flat_map(|neuron| (0..width).map(move |column| (neuron, column)))
                .map(may_be)
                .collect()
        });
        Self { theta, may_be, alive: vec![true; wiring.all()], beta: vec![0.0; wiring.all()] }
    }

    /// Whether they have the sizes of this wiring.
    pub fn fits(&self, wiring: &Wiring) -> bool {
        Area::ALL.iter().all(|&area| {
            let n = wiring.neurons * wiring.width(area);
            self.theta[area as usize].len() == n && self.may_be[area as usize].len() == n
        }) && [self.alive.len(), self.beta.len()] == [wiring.all(); 2]
    }

    /// θ of an area, row by row.
    pub fn theta(&self, area: Area) -> &[f32] {
        &self.theta[area as usize]
    }

    /// Which synapses of an area may be, as [`Synapses::theta`].
    pub fn may_be(&self, area: Area) -> &[bool] {
        &self.may_be[area as usize]
    }

    /// Which neurons of both areas live.
    pub fn alive(&self) -> &[bool] {
        &self.alive
    }

    /// Prior and noise over `seconds`, of every synapse that may be; call [`super::Work::settle`] after it.
    pub(super) fn diffuse(&mut self, rule: &Rule, seconds: f64, draws: Draws) {
        let step = rule.prior.exact(seconds);
        for (theta, area) in self.theta.iter_mut().zip(Area::ALL) {
            // Each area has steps of its own.
            let draws = draws.at_step(2 * draws.step() + area as u64);
            step.advance_singles(theta, draws, Stream::SynapseDiffusion);
        }
    }
}

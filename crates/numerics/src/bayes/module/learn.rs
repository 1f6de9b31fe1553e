//! How a module learns from states that are imposed on it.

use super::Module;
use crate::{
    Draws, Stream,
    stdp::{Annealed, Stdp},
    wta::Levels,
};

/// Most hidden spikes of a module in one presentation; each has its own draw.
pub const SPIKES: u64 = 1 << 10;

/// The rule of weights and biases.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Learning {
    /// Rate of a neuron's weights, by the neuron's own spikes; of all biases, by the module's.
    pub rate: Annealed,
    /// The least weight: ln of the smallest probability that a synapse can hold.
    pub floor: f64,
    /// The least bias.
    pub bias_floor: f64,
    /// Hidden spikes in one presentation, on average.
    pub spikes: f64,
    /// The weights that there are, if they are few.
    pub levels: Option<Levels>,
}

impl Learning {
    /// Rates of 4/n, at most 0.02: the n-th spike has a part n³ of a weight, so that spikes from before the neurons took on
    /// their parts are forgotten. Five spikes a presentation: 50 Hz for 100 ms.
    pub fn standard(floor: f64) -> Self {
        let rate = Annealed { numerator: 4.0, offset: 0.0, floor: 0.0, ceiling: 0.02 };
        Self { rate, floor, bias_floor: -9.0, spikes: 5.0, levels: None }
    }

    /// One presentation of a state: the group of the variable's value is released, all others are blocked, and each of a
    /// Poisson number of spikes is one of a neuron drawn from the softmax of its potentials, which then learns.
    ///
    /// `presentation` numbers presentations within the step of the draws; module and presentation take the 64-bit draws
    /// `(variable · 2¹⁶ + presentation) · 2¹¹ …` of `BayesSpike`; with [`Learning::levels`] spike k rounds with the draws
    /// from 2²⁰ times the k-th of these addresses of `Rounding`, one for each input neuron.
    ///
    /// # Panics
    /// If the presentation is not below 2¹⁶.
    ///
    /// # Source
    /// Pecevski & Maass 2016; the rates are ours.
    pub fn present(
        &self,
        module: &mut Module,
        state: &[u8],
        (draws, presentation): (Draws, u64),
        potentials: &mut Vec<f64>,
    ) {
        assert!(presentation < 1 << 16, "presentations of a step are numbered below 2^16");
        let first = (((module.variable as u64) << 16) + presentation) << 11;
        let mut uniform = [0.0; 16];
        draws.fill_uniform_f64(Stream::BayesSpike, first, &mut uniform);
        let spikes = poisson(self.spikes, uniform[0]);
        for spike in 1..=spikes {
            if (spike as usize).is_multiple_of(uniform.len()) {
                draws.fill_uniform_f64(Stream::BayesSpike, first + spike, &mut uniform);
            }
            let winner = winner(module, state, uniform[spike as usize % uniform.len()], potentials);
            self.fire(module, state, winner);
            if let Some(levels) = self.levels {
                coarsen(module, winner, levels, (draws, (first + spike) << 20));
            }
        }
    }

    /// Hidden neuron `n` fires while `state` is imposed: its weights and all biases learn.
    fn fire(&self, module: &mut Module, state: &[u8], n: usize) {
        let rule = Stdp { gain: 1.0, floor: self.floor };
        let neurons = module.neurons();
        module.fired[n] += 1;
        let rate = Rate::new(self.rate.at(module.fired[n]));
        for input in &module.inputs {
            let on = usize::from(state[input.variable]);
            for value in 0..input.values {
                let w = &mut module.weights[(input.row + value) * neurons + n];
                *w = if value == on { rule.step(*w, 1.0, rate.eta) } else { rate.depress(*w, self.floor) };
            }
        }
        let spikes = module.fired.iter().sum::<u64>();
        let rate = Rate::new(self.rate.at(spikes));
        let rule = Stdp { gain: 1.0, floor: self.bias_floor };
        for (other, b) in module.biases.iter_mut().enumerate() {
            *b = if other == n { rule.step(*b, 1.0, rate.eta) } else { rate.depress(*b, self.bias_floor) };
        }
    }
}

/// Rounds the weights of a neuron.
fn coarsen(module: &mut Module, n: usize, levels: Levels, (draws, first): (Draws, u64)) {
    let neurons = module.neurons();
    let mut uniform = vec![0.0; module.input_neurons()];
    draws.fill_uniform(Stream::Rounding, first, &mut uniform);
    for (row, u) in uniform.into_iter().enumerate() {
        let w = &mut module.weights[row * neurons + n];
        *w = f64::from(levels.round(*w as f32, u));
    }
}

/// A rate with its logarithm.
struct Rate {
    eta: f64,
    log: f64,
}

impl Rate {
    fn new(eta: f64) -> Self {
        Self { eta, log: libm::log(eta) }
    }

    /// [`Stdp::step`] for an input that is off, without an exponential where it cancels.
    fn depress(&self, w: f64, floor: f64) -> f64 {
        (if w > self.log { w - self.eta } else { w - libm::exp(w) }).max(floor)
    }
}

/// The Poisson number that a uniform number stands for, by inversion; below [`SPIKES`].
fn poisson(mean: f64, uniform: f64) -> u64 {
    let (mut k, mut p) = (0, libm::exp(-mean));
    let mut below = p;
    while uniform >= below && k + 1 < SPIKES && p > 0.0 {
        k += 1;
        p *= mean / k as f64;
        below += p;
    }
    k
}

/// The neuron that fires in the released group: drawn from the softmax of its potentials.
fn winner(module: &Module, state: &[u8], uniform: f64, potentials: &mut Vec<f64>) -> usize {
    let (neurons, hidden) = (module.neurons(), module.hidden);
    let first = usize::from(state[module.variable]) * hidden;
    potentials.clear();
    potentials.extend_from_slice(&module.biases[first..first + hidden]);
    for input in &module.inputs {
        let row = (input.row + usize::from(state[input.variable])) * neurons + first;
        module.pass_on(row..row + hidden, 1.0, potentials);
    }
    let greatest = potentials.iter().fold(f64::NEG_INFINITY, |greatest, u| greatest.max(*u));
    let mut total = 0.0;
    for u in potentials.iter_mut() {
        *u = libm::exp(*u - greatest);
        total += *u;
    }
    let mut left = uniform * total;
    let h = potentials.iter().position(|p| {
        left -= p;
        left < 0.0
    });
    // Rounding may leave a trace of the total: it belongs to the last neuron.
    first + h.unwrap_or(hidden - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depression_without_an_exponential_is_the_rule() {
        let rule = Stdp { gain: 1.0, floor: -7.0 };
        for eta in [0.02, 0.001, 1e-4] {
            for w in [-0.01, -1.0, -3.9, -5.0, -6.9, -6.9999, -7.0] {
                assert!(
                    (Rate::new(eta).depress(w, -7.0) - rule.step(w, 0.0, eta)).abs() < 1e-14,
                    "{eta} {w}"
                );
            }
        }
    }

    #[test]
    fn poisson_numbers_have_their_law() {
        // Every uniform number on a grid of a million: the share of k is its probability, to the grid.
        let n = 1_000_000;
        let mut counts = [0_u32; 30];
        (0..n).for_each(|i| counts[poisson(5.0, (f64::from(i) + 0.5) / f64::from(n)) as usize] += 1);
        let mut p = libm::exp(-5.0);
        for (k, count) in counts.iter().enumerate() {
            assert!((f64::from(*count) / f64::from(n) - p).abs() < 3e-6, "{k}");
            p *= 5.0 / (k + 1) as f64;
        }
        assert_eq!(poisson(5.0, 1.0), poisson(5.0, 1.0).min(SPIKES - 1), "it ends at any number");
    }
}

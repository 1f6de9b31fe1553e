//! What changes at a spike, and how fast.

use serde::{Deserialize, Serialize};

use crate::stdp::{Annealed, Stdp};

/// How a circuit learns.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Learning {
    /// Of the winner's synapses.
    pub stdp: Stdp,
    /// How fast.
    pub rate: Rate,
    /// Of all neurons' excitability.
    pub bias: BiasRule,
    /// The weights that synapses can hold; any when absent.
    pub levels: Option<Levels>,
}

/// The rate of a weight.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Rate {
    /// Always the same.
    Constant(f64),
    /// Falls with the spikes of the neuron.
    Annealed(Annealed),
    /// Each synapse's own, from its variance; see [`crate::stdp::Moments`]. The number is η₀.
    VarianceTracking(f64),
}

/// How biases change, at every spike of the circuit and for every neuron, not for the winner alone.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum BiasRule {
    /// They do not.
    Fixed,
    /// `db_k = η (e^−b_k z_k − 1)`, z_k = 1 for the winner: b becomes the logarithm of the neuron's share.
    Prior {
        /// η.
        eta: f64,
        /// The least bias.
        floor: f64,
    },
    /// `db_k = η (1/K − z_k)`: every neuron comes to fire alike (Habenschuss et al. 2013).
    Homeostatic {
        /// η.
        eta: f64,
    },
}

/// Equidistant weights, `2^bits` of them from `low` to `high`; a step is rounded to one of the two next to it, with
/// probabilities that keep its mean.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Levels {
    /// 1 to 16.
    pub bits: u32,
    /// The least.
    pub low: f64,
    /// The greatest.
    pub high: f64,
}

impl Levels {
    /// Distance between two levels.
    pub fn spacing(self) -> f64 {
        (self.high - self.low) / f64::from((1_u32 << self.bits) - 1)
    }

    /// The level above w with probability as far as w is beyond the one below it; `uniform` in [0, 1).
    pub fn round(self, w: f32, uniform: f32) -> f32 {
        let spacing = self.spacing();
        let place = (f64::from(w) - self.low) / spacing;
        let level = (place + f64::from(uniform)).floor().max(0.0);
        (self.low + spacing * level).min(self.high) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Draws, Stream};

    #[test]
    fn rounding_keeps_the_mean_and_gives_levels() {
        let levels = Levels { bits: 3, low: -7.0, high: 0.0 };
        assert_eq!(levels.spacing(), 1.0);
        let n = 40_000;
        let mut uniform = vec![0.0; n];
        Draws::at(1, 0).fill_uniform(Stream::Rounding, 0, &mut uniform);
        let rounded: Vec<f32> = uniform.into_iter().map(|u| levels.round(-2.3, u)).collect();
        assert!(rounded.iter().all(|&w| w == -2.0 || w == -3.0));
        let mean = rounded.iter().fold(0.0, |sum, &w| sum + f64::from(w)) / n as f64;
        // 4.5σ of a coin of 0.3.
        assert!((mean + 2.3).abs() < 4.5 * (0.3 * 0.7 / n as f64).sqrt(), "{mean}");
        assert_eq!((levels.round(-9.0, 0.9), levels.round(0.4, 0.9)), (-7.0, 0.0));
    }
}

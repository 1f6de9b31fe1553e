//! Spike-timing dependent plasticity that learns probabilities, and its rates.
//!
//! At a spike of the postsynaptic neuron `dw = η (c y e^−w − 1)`: potentiation that weakens with the weight if the
//! input's potential y is on, a constant depression otherwise. It stands still where `E[y e^−w] = 1/c`, near
//! `w = ln(c p)` with p the probability that the input was on when the neuron fired.
//!
//! This page is the rule for one synapse in f64; [`crate::wta`] has it for rows of synapses.
//!
//! # Source
//! Nessler, Pfeiffer, Buesing & Maass 2013, PLoS Comput. Biol. 9:e1003037.

use serde::{Deserialize, Serialize};

/// The rule: how strong potentiation is, and how far a weight may fall.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Stdp {
    /// c: potentiation in units of depression. Every weight moves by ln c; above 1 they can be positive.
    pub gain: f64,
    /// The least weight.
    pub floor: f64,
}

impl Stdp {
    /// The weight after a postsynaptic spike.
    ///
    /// `w + η (c y − e^w) / max(c η, e^w)`, at least `floor`: the rule itself while `e^w > c η`, below that a step of
    /// at most y, so that a weight that fell far cannot jump to infinity. `y` is the input's potential, `eta` the rate.
    pub fn step(self, w: f64, y: f64, eta: f64) -> f64 {
        let e = libm::exp(w);
        (w + eta * (self.gain * y - e) / e.max(self.gain * eta)).max(self.floor)
    }

    /// Where the weight comes to rest, to first order in η: `ln(c p)`, p the probability that the input is on at a
    /// postsynaptic spike.
    pub fn equilibrium(self, p: f64) -> f64 {
        libm::log(self.gain * p)
    }
}

/// Standard deviation of a weight around its equilibrium at a constant rate, to first order: `√(η (1 − p) / 2p)`.
///
/// The rule linearised: decay η, variance η² (1 − p)/p a spike.
pub fn equilibrium_sd(eta: f64, p: f64) -> f64 {
    (eta * (1.0 - p) / (2.0 * p)).sqrt()
}

/// A rate that falls with the number of spikes: `numerator / (n + offset)`, kept in `floor ..= ceiling`.
///
/// With numerator 1 a weight becomes the logarithm of a running mean, which is the incremental M-step of expectation
/// maximisation; 4 gives the n-th spike a part n³ of it, so that what was learned first is forgotten. A floor keeps
/// the synapse plastic.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Annealed {
    /// Of the fraction.
    pub numerator: f64,
    /// Spikes that count as already seen.
    pub offset: f64,
    /// The least rate.
    pub floor: f64,
    /// The greatest rate.
    pub ceiling: f64,
}

impl Annealed {
    /// The rate of the n-th spike, counted from 1.
    pub fn at(self, n: u64) -> f64 {
        (self.numerator / (n as f64 + self.offset)).min(self.ceiling).max(self.floor)
    }
}

/// Running first and second moment of a weight, from which its own rate follows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Moments {
    /// S₁.
    pub first: f64,
    /// S₂.
    pub second: f64,
}

impl Moments {
    /// Of a weight that has not learned yet: variance 1.
    pub fn new(w: f64) -> Self {
        Self { first: w, second: w * w + 1.0 }
    }

    /// η = η₀ (S₂ − S₁²) / (c e^−S₁ + 1): large while the weight still moves, then as 1/n.
    ///
    /// `gain` is c of [`Stdp`]; a rate for w − ln c is the same without it.
    pub fn rate(self, eta0: f64, gain: f64) -> f64 {
        eta0 * (self.second - self.first * self.first) / (gain * libm::exp(-self.first) + 1.0)
    }

    /// Takes up the weight after its step, with the rate of that step.
    pub fn track(&mut self, w: f64, eta: f64) {
        self.first += eta * (w - self.first);
        self.second += eta * (w * w - self.second);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Draws, Stream};

    const ETA: f64 = 0.002;
    const SPIKES: usize = 60_000;
    const BURN_IN: usize = 20_000;

    /// Mean and standard deviation of w, and mean of e^−w, over the spikes after the burn-in.
    fn simulate(p: f64, gain: f64) -> (f64, f64, f64) {
        let rule = Stdp { gain, floor: -7.0 };
        let mut uniform = vec![0.0; SPIKES];
        Draws::at(17, 0).fill_uniform_f64(Stream::Visible, 0, &mut uniform);
        let mut w = rule.equilibrium(p);
        let (mut n, mut sum, mut square, mut inverse) = (0.0, 0.0, 0.0, 0.0);
        for (spike, u) in uniform.into_iter().enumerate() {
            if spike >= BURN_IN {
                (n, sum, square) = (n + 1.0, sum + w, square + w * w);
                inverse += libm::exp(-w);
            }
            w = rule.step(w, f64::from(u < p), ETA);
        }
        let mean = sum / n;
        (mean, (square / n - mean * mean).sqrt(), inverse / n)
    }

    #[test]
    fn a_weight_learns_the_logarithm_of_a_probability() {
        for p in [0.05, 0.2, 0.5, 0.9] {
            for gain in [1.0, 5.0] {
                let (mean, sd, inverse) = simulate(p, gain);
                let spikes = (SPIKES - BURN_IN) as f64;
                let expected = equilibrium_sd(ETA, p);
                // The noise of one spike over the decay, 1/√n of it: √((1 − p)/p n), and a bias of η (1 − p)/4p.
                let se = ((1.0 - p) / (p * spikes)).sqrt();
                let bias = ETA * (1.0 - p) / (4.0 * p);
                assert!((mean - libm::log(gain * p) - bias).abs() < 4.5 * se, "p {p}, c {gain}: {mean}");
                // A decay of η leaves n η / 2 independent squares, each with relative error √2: 2/√(n η) of the
                // variance, half of it of the deviation.
                let sd_se = expected / (spikes * ETA).sqrt();
                assert!((sd - expected).abs() < 4.5 * sd_se, "p {p}, c {gain}: {sd} against {expected}");
                // E[dw] = 0 holds exactly: c p E[e^−w] = 1, up to the noise of the inputs and what w moved in all.
                let ends = 2.0 * expected / (ETA * spikes);
                assert!((gain * p * inverse - 1.0).abs() < 4.5 * se + ends, "p {p}, c {gain}: {inverse}");
            }
        }
    }

    #[test]
    fn potentiation_of_a_weight_that_fell_far_is_one_step_of_at_most_one() {
        let rule = Stdp { gain: 3.0, floor: -40.0 };
        assert!((rule.step(-30.0, 1.0, 0.01) + 29.0).abs() < 1e-9);
        assert_eq!(rule.step(-40.0, 0.0, 0.01), -40.0, "and depression ends at the floor");
    }

    #[test]
    fn the_gain_only_shifts_weights() {
        let (plain, strong) =
            (Stdp { gain: 1.0, floor: -9.0 }, Stdp { gain: 5.0, floor: -9.0 + libm::log(5.0) });
        for w in [-8.0, -3.0, -0.1] {
            for y in [0.0, 0.4, 1.0] {
                let shifted = strong.step(w + libm::log(5.0), y, 0.03) - libm::log(5.0);
                assert!((plain.step(w, y, 0.03) - shifted).abs() < 1e-12, "w {w}, y {y}");
            }
        }
    }

    #[test]
    fn at_one_over_n_a_weight_is_the_logarithm_of_a_running_mean() {
        let rate = Annealed { numerator: 1.0, offset: 0.0, floor: 0.0, ceiling: 1.0 };
        let mut mean = 0.0;
        for (n, y) in [1.0, 0.0, 1.0, 1.0, 0.0].into_iter().enumerate() {
            mean += rate.at(n as u64 + 1) * (y - mean);
        }
        assert!((mean - 0.6_f64).abs() < 1e-12);
        let bounded = Annealed { numerator: 4.0, offset: 0.0, floor: 0.001, ceiling: 0.02 };
        assert_eq!((bounded.at(1), bounded.at(1000), bounded.at(10_000)), (0.02, 0.004, 0.001));
    }

    #[test]
    fn variance_tracking_slows_down_as_one_over_the_number_of_spikes() {
        let rule = Stdp { gain: 1.0, floor: -7.0 };
        let mut uniform = vec![0.0; 4000];
        Draws::at(3, 0).fill_uniform_f64(Stream::Visible, 0, &mut uniform);
        let (mut w, mut moments, mut rates) = (-0.01, Moments::new(-0.01), Vec::new());
        for u in uniform {
            let eta = moments.rate(1.0, 1.0);
            w = rule.step(w, f64::from(u < 0.3), eta);
            moments.track(w, eta);
            rates.push(eta);
        }
        assert!(rates[0] > 0.4 && rates[0] < 0.6, "{}", rates[0]);
        // Between a third of 1/n and three times that, and the weight within 5 standard errors √(0.7/0.3n).
        assert!(rates[3999] * 4000.0 > 0.33 && rates[3999] * 4000.0 < 3.0, "{}", rates[3999] * 4000.0);
        assert!((w - libm::log(0.3)).abs() < 5.0 * (0.7 / (0.3 * 4000.0_f64)).sqrt(), "{w}");
    }
}

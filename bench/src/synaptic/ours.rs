//! Our side: the product's own processes.

use std::hint::black_box;

use numerics::{
    Draws, Stream,
    sde::{LinearStep, OrnsteinUhlenbeck},
    synaptic_sampling::LazyRows,
};

use super::MS;
use crate::cpu;

/// A relaxation time of 10 s, so that a turn moves the law far enough to be seen; speed does not depend on it.
const PROCESS: OrnsteinUhlenbeck = OrnsteinUhlenbeck { b: 0.1, mu: 0.5, sigma: 1.0, temperature: 1.0 };
const SEED: u64 = 1;
/// Rate at which inputs read their synapses.
const INPUT_HZ: f64 = 20.0;
/// Synapses of an input.
const WIDTH: usize = 1000;

/// Mean and variance over synapses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Moments {
    pub(super) mean: f64,
    pub(super) variance: f64,
}

impl Moments {
    fn of(x: &[f32]) -> Self {
        let n = x.len() as f64;
        let mean = x.iter().fold(0.0, |sum, x| sum + f64::from(*x)) / n;
        let variance = x.iter().fold(0.0, |sum, x| sum + (f64::from(*x) - mean) * (f64::from(*x) - mean)) / n;
        Self { mean, variance }
    }

    /// Whether both are within 5 standard errors of those of a normal law, and 1 per mille for rounding.
    pub(super) fn fit(self, expected: Self, n: usize) -> bool {
        let n = n as f64;
        let of_mean = 5.0 * (expected.variance / n).sqrt() + 1e-3 * expected.mean.abs();
        let of_variance = (5.0 * (2.0 / n).sqrt() + 1e-3) * expected.variance;
        (self.mean - expected.mean).abs() <= of_mean
            && (self.variance - expected.variance).abs() <= of_variance
    }
}

/// Synapses that all move in every millisecond: Euler and Maruyama's step.
pub(super) struct EveryMs {
    theta: Vec<f32>,
    /// Steps so far: each has draws of its own.
    steps: u64,
}

impl EveryMs {
    pub(super) fn new(synapses: usize) -> Self {
        Self { theta: vec![0.0; synapses], steps: 0 }
    }

    pub(super) fn step(&self) -> LinearStep {
        PROCESS.euler_maruyama(MS)
    }

    /// Some steps from 0: processor seconds, and where that leads.
    pub(super) fn turn(&mut self, steps: usize) -> (f64, Moments) {
        self.theta.fill(0.0);
        let step = self.step();
        let (seconds, ()) = cpu::timed(|| {
            for _ in 0..steps {
                step.advance_singles(&mut self.theta, Draws::at(SEED, self.steps), Stream::SynapseDiffusion);
                self.steps += 1;
            }
        });
        (seconds, Moments::of(&self.theta))
    }

    /// Mean and variance after some steps from 0.
    pub(super) fn expected(&self, steps: usize) -> Moments {
        let step = self.step();
        (0..steps).fold(Moments { mean: 0.0, variance: 0.0 }, |before, _| Moments {
            mean: step.mu + (before.mean - step.mu) * step.decay,
            variance: step.decay * step.decay * before.variance + step.sd * step.sd,
        })
    }
}

/// Synapses that are advanced when their inputs spike, over all the time since.
pub(super) struct Lazy {
    rows: LazyRows,
    inputs: usize,
    time: f64,
    spikes: u64,
}

impl Lazy {
    pub(super) fn new(synapses: usize) -> Self {
        let inputs = synapses / WIDTH;
        let rows = LazyRows::stationary(PROCESS, inputs, WIDTH, Draws::at(SEED, 0));
        Self { rows, inputs, time: 0.0, spikes: 0 }
    }

    /// Poisson inputs for some seconds: simulated seconds a processor second, and whether the law is still the stationary one.
    pub(super) fn turn(&mut self, seconds: f64) -> (f64, bool) {
        let until = self.time + seconds;
        let (taken, ()) = cpu::timed(|| {
            let rate = INPUT_HZ * self.inputs as f64;
            loop {
                let draws = Draws::at(SEED, self.spikes);
                let mut u = [0.0];
                draws.fill_uniform_f64(Stream::InputSpikes, 0, &mut u);
                self.time -= (-u[0]).ln_1p() / rate;
                if self.time > until {
                    self.time = until;
                    break;
                }
                let input = draws.below(Stream::Pattern, 0, self.inputs as u32) as usize;
                black_box(self.rows.read(input, self.time, draws));
                self.spikes += 1;
            }
        });
        // Some of the last row's time is still to come: a stationary law does not depend on it.
        let moments = Moments::of(self.rows.theta());
        let stationary = Moments { mean: PROCESS.mu, variance: PROCESS.stationary_sd().powi(2) };
        (seconds / taken, moments.fit(stationary, self.rows.theta().len()))
    }
}

/// Normal numbers a processor second of our fastest generator of them, into the first cache.
pub(super) fn normal_rate() -> f64 {
    const FILLS: u64 = 20_000;
    let mut z = vec![0.0_f32; 4096];
    let pure = LinearStep { mu: 0.0, decay: 0.0, sd: 1.0 };
    let (seconds, ()) = cpu::timed(|| {
        for step in 0..FILLS {
            pure.advance_singles(&mut z, Draws::at(SEED, step), Stream::SynapseDiffusion);
            black_box(&mut z);
        }
    });
    FILLS as f64 * z.len() as f64 / seconds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_give_the_law_that_the_process_has() {
        let mut every = EveryMs::new(20_000);
        let expected = every.expected(50);
        assert!(every.turn(50).1.fit(expected, 20_000));
        assert!(!every.turn(40).1.fit(expected, 20_000), "fewer steps are told apart");
        assert!(Lazy::new(50 * WIDTH).turn(0.5).1);
    }
}

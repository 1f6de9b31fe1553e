//! A mixture of Poisson units that learns by maximum likelihood, with a prior, or by sampling.

use numerics::{
    Draws, Stream, stats,
    synaptic_sampling::{
        AtZero, Gaussian, Prior, Weight,
        mixture::{Buffers, Counts, PoissonMixture},
    },
};
use serde::{Deserialize, Serialize};

use crate::{DataError, Images};

/// Highest θ: weights stay below e².
const CEILING: f64 = 5.0;
/// Lowest θ of synapses that can retract, 5.5 standard deviations below the prior of the published code.
const FLOOR: f64 = -5.0;
/// Lowest θ of synapses that cannot.
pub(crate) const ATTACHED: f64 = 0.01;
/// θ₀.
const THETA_0: f64 = 3.0;
/// −ln α.
const ALPHA_OFFSET: f64 = 2.0;
/// Inputs: pixels of an image of 8x8.
pub(crate) const INPUTS: usize = 64;
/// Examples to test on.
const TEST: usize = 290;
/// Mean count of a pixel of full ink.
const INK_COUNT: f64 = 3.0;

/// A model with data to learn from and data to test on.
pub(crate) struct Learner {
    pub(crate) model: PoissonMixture,
    pub(crate) train: Counts,
    pub(crate) test: Counts,
}

/// How an arm moves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Motion {
    /// h = b dt.
    pub(crate) h: f64,
    /// Temperature T; 0 climbs.
    pub(crate) temperature: f64,
    /// Whether synapses can retract; else θ stays above 0.
    pub(crate) retracts: bool,
}

/// Parameters that learn; those at −∞ are no synapses and never move.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Arm {
    pub(crate) theta: Vec<f64>,
    /// Mean log-likelihood of the training data before the last step, nats.
    pub(crate) train: f64,
    /// log Σ of the likelihoods of each test example over the samples that were kept.
    predictive: Vec<f64>,
    kept: u32,
}

impl Arm {
    pub(crate) fn new(theta: Vec<f64>) -> Self {
        Self { theta, train: 0.0, predictive: Vec::new(), kept: 0 }
    }

    /// Share of functional synapses.
    pub(crate) fn functional(&self) -> f64 {
        self.theta.iter().filter(|theta| **theta > 0.0).count() as f64 / self.theta.len() as f64
    }

    /// Keeps the likelihoods of the test examples for the average over samples.
    pub(crate) fn keep(&mut self, learner: &Learner, buffers: &mut Buffers) {
        let logs = learner.model.log_likelihood(&self.theta, &learner.test, buffers);
        self.kept += 1;
        if self.predictive.is_empty() {
            self.predictive = logs;
            return;
        }
        for (sum, log) in self.predictive.iter_mut().zip(logs) {
            *sum = stats::log_sum_exp(&[*sum, log]);
        }
    }

    /// Mean log-likelihood of a test example under the average over all samples of some chains, nats; NaN without samples.
    pub(crate) fn predictive(chains: &[Self]) -> f64 {
        let kept: u32 = chains.iter().map(|chain| chain.kept).sum();
        let examples = chains[0].predictive.len();
        let logs: Vec<f64> = (0..examples)
            .map(|i| {
                stats::log_sum_exp(&chains.iter().map(|chain| chain.predictive[i]).collect::<Vec<f64>>())
            })
            .collect();
        stats::mean(&logs) - libm::log(f64::from(kept))
    }
}

impl Learner {
    fn model(units: usize) -> PoissonMixture {
        let weight = Weight { theta_0: THETA_0, at_zero: AtZero::Jump };
        PoissonMixture { units, inputs: INPUTS, alpha: libm::exp(-ALPHA_OFFSET), weight }
    }

    /// Data from a network whose θ are drawn from the prior: it is right.
    pub(crate) fn matched(units: usize, train: usize, prior: Gaussian, seed: u64) -> Self {
        let (model, draws) = (Self::model(units), Draws::at(seed, 0));
        let mut theta = vec![0.0; units * INPUTS];
        draws.fill_normal(Stream::SynapseData, 0, &mut theta);
        let theta_of = |z: f64| (prior.mu + prior.sigma * z).min(CEILING);
        let rate = |z: f64| model.alpha * libm::exp(model.weight.of(theta_of(z)).min(5.0));
        let rates: Vec<f64> = theta.into_iter().map(rate).collect();
        let of_example = |example: u64| {
            let unit = draws.below(Stream::Split, example, units as u32) as usize;
            let mut u = vec![0.0; INPUTS];
            draws.fill_uniform_f64(Stream::SynapseReward, example * INPUTS as u64, &mut u);
            let rates = &rates[unit * INPUTS..(unit + 1) * INPUTS];
            u.into_iter().zip(rates).map(|(u, rate)| poisson(u, *rate)).collect::<Vec<f64>>()
        };
        let rows =
            |from: usize, to: usize| (from..to).flat_map(|example| of_example(example as u64)).collect();
        let test = Counts::new(rows(train, train + TEST), INPUTS);
        Self { model, train: Counts::new(rows(0, train), INPUTS), test }
    }

    /// Counts of ink of handwritten digits 1 and 2.
    ///
    /// # Errors
    /// If there are no labelled images of 8x8 pixels, or too few.
    pub(crate) fn digits(units: usize, train: usize, images: &Images, seed: u64) -> Result<Self, DataError> {
        let fail = |what: &str| Err(DataError(what.into()));
        let Some(labels) = images.labels.as_ref().filter(|_| images.pixels_per_image() == INPUTS) else {
            return fail("labelled images of 8x8 pixels are needed");
        };
        let draws = Draws::at(seed, 0);
        let order = draws.permutation(Stream::Split, images.count);
        let both = order.into_iter().filter(|&image| matches!(labels[image as usize], 1 | 2));
        let chosen: Vec<usize> = both.take(train + TEST).map(|image| image as usize).collect();
        if chosen.len() < train + TEST {
            return fail("there are too few images of the classes 1 and 2");
        }
        let count = |image: usize| {
            let mut u = vec![0.0; INPUTS];
            draws.fill_uniform_f64(Stream::SynapseData, (image * INPUTS) as u64, &mut u);
            let pixels = &images.pixels[image * INPUTS..(image + 1) * INPUTS];
            let rate = |pixel: &u8| INK_COUNT * f64::from(*pixel) / f64::from(images.max);
            u.into_iter().zip(pixels).map(|(u, pixel)| poisson(u, rate(pixel))).collect::<Vec<f64>>()
        };
        let rows = |of: &[usize]| of.iter().flat_map(|&image| count(image)).collect();
        let (first, rest) = chosen.split_at(train);
        let test = Counts::new(rows(rest), INPUTS);
        Ok(Self { model: Self::model(units), train: Counts::new(rows(first), INPUTS), test })
    }

    /// Mean log-likelihood of a test example under one set of parameters, nats.
    pub(crate) fn test(&self, theta: &[f64], buffers: &mut Buffers) -> f64 {
        stats::mean(&self.model.log_likelihood(theta, &self.test, buffers))
    }

    /// One step of an arm: the gradient of all training data, the prior if there is one, noise.
    pub(crate) fn advance(
        &self,
        arm: &mut Arm,
        motion: Motion,
        prior: Option<&dyn Prior>,
        z: &[f64],
        scratch: &mut Scratch,
    ) {
        scratch.gradient.resize(arm.theta.len(), 0.0);
        arm.train = self.model.gradient(&arm.theta, &self.train, &mut scratch.buffers, &mut scratch.gradient);
        let sd = (2.0 * motion.h * motion.temperature).sqrt();
        let floor = if motion.retracts { FLOOR } else { ATTACHED };
        for ((theta, gradient), z) in arm.theta.iter_mut().zip(&scratch.gradient).zip(z) {
            if theta.is_infinite() {
                continue;
            }
            let pull = prior.map_or(0.0, |prior| prior.drift(*theta));
            *theta = (*theta + motion.h * (gradient + pull) + sd * z).clamp(floor, CEILING);
        }
    }
}

/// Reusable buffers.
#[derive(Debug, Default)]
pub struct Scratch {
    pub(crate) buffers: Buffers,
    gradient: Vec<f64>,
    /// Normal numbers.
    pub(crate) z: Vec<f64>,
}

/// The Poisson number of a uniform one, by inversion; rates stay below 25.
fn poisson(u: f64, rate: f64) -> f64 {
    let (mut count, mut term) = (0.0, libm::exp(-rate));
    let mut below = term;
    while u >= below && count < 200.0 {
        count += 1.0;
        term *= rate / count;
        below += term;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRIOR: Gaussian = Gaussian { mu: 2.5, sigma: 1.0 };

    #[test]
    fn poisson_numbers_have_the_mean_and_variance_of_their_rate() {
        for rate in [0.1, 3.0, 20.0] {
            let mut u = vec![0.0; 40_000];
            Draws::at(1, 0).fill_uniform_f64(Stream::SynapseData, 0, &mut u);
            let counts: Vec<f64> = u.into_iter().map(|u| poisson(u, rate)).collect();
            // 4.5 standard errors of mean and variance; the seed is fixed.
            assert!((stats::mean(&counts) - rate).abs() < 4.5 * (rate / 4e4).sqrt());
            let variance = stats::sd(&counts) * stats::sd(&counts);
            assert!((variance - rate).abs() < 4.5 * ((rate + 2.0 * rate * rate) / 4e4).sqrt(), "{variance}");
        }
    }

    #[test]
    fn climbing_raises_the_likelihood_of_the_training_data_and_missing_synapses_stay_away() {
        let learner = Learner::matched(3, 8, PRIOR, 4);
        let mut theta = vec![1.0; 3 * INPUTS];
        (theta[0], theta[70]) = (f64::NEG_INFINITY, 0.3);
        let (mut arm, mut scratch) = (Arm::new(theta), Scratch::default());
        let motion = Motion { h: 1e-3, temperature: 0.0, retracts: false };
        let mut last = f64::NEG_INFINITY;
        for _ in 0..50 {
            learner.advance(&mut arm, motion, None, &[0.0; 3 * INPUTS], &mut scratch);
            assert!(arm.train >= last - 1e-9, "{} after {last}", arm.train);
            last = arm.train;
        }
        assert!(arm.theta[0] == f64::NEG_INFINITY && arm.functional() < 1.0);
        learner.advance(&mut arm, motion, Some(&PRIOR), &[0.0; 3 * INPUTS], &mut scratch);
        assert!(arm.theta.iter().all(|theta| *theta <= CEILING));
    }

    #[test]
    fn the_average_over_equal_samples_is_each_of_them() {
        let learner = Learner::matched(2, 5, PRIOR, 3);
        let (mut arm, mut buffers) = (Arm::new(vec![2.0; 2 * INPUTS]), Buffers::default());
        (0..3).for_each(|_| arm.keep(&learner, &mut buffers));
        let alone = learner.test(&arm.theta, &mut buffers);
        let twice = [arm.clone(), arm];
        assert!((Arm::predictive(&twice[..1]) - alone).abs() < 1e-12);
        assert!((Arm::predictive(&twice) - alone).abs() < 1e-12);
    }
}

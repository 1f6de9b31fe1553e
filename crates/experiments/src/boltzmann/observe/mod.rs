//! What is observed of a Boltzmann machine in training.

mod classes;
mod cortex;
mod coupling;
mod draw;
mod fit;
mod likelihood;
mod members;
mod moments;
mod release;
mod usage;

use numerics::{BinaryRows, Draws, boltzmann::Parameters};

use super::{Network, Trainer};
use crate::metric::spec;
use crate::{MetricSpec, Metrics};

/// Test images that are looked at before the last step, where all of them are.
const WATCHED: usize = 1000;
/// Flips per image of the pseudo-likelihood, before the last step and at it. Its standard error over n images of V
/// pixels is about V · 0.35/√(flips · n): 1.5 nats for 1,000 of MNIST, 0.34 for 5,000 at the last step.
const FLIPS: (usize, usize) = (32, 128);

/// Metrics of every Boltzmann machine, whatever its synapses.
pub(crate) const FIT_METRICS: [MetricSpec; 20] =
    joined(&[&fit::METRICS, &classes::METRICS, &likelihood::METRICS]);

/// Metrics of stochastic synapses.
pub(crate) const RELEASE_METRICS: [MetricSpec; 43] = joined(&[
    &release::METRICS,
    &usage::METRICS,
    &coupling::METRICS,
    &cortex::METRICS,
    &members::METRICS,
    &moments::METRICS,
]);

/// One observation: what is looked at.
struct View<'a> {
    trainer: &'a Trainer,
    parameters: &'a Parameters,
    draws: Draws,
    /// The first test images, or all at the last step.
    test: BinaryRows,
    /// Flips per image of the pseudo-likelihood.
    flips: usize,
}

impl<'a> View<'a> {
    fn new(trainer: &'a Trainer, parameters: &'a Parameters, draws: Draws, last: bool) -> Self {
        let test = if last { trainer.digits.test.clone() } else { first(&trainer.digits.test, WATCHED) };
        Self { trainer, parameters, draws, test, flips: if last { FLIPS.1 } else { FLIPS.0 } }
    }

    /// Release probability of every synapse before the first step; 1 where releases never fail.
    fn release_at_start(&self) -> Vec<f64> {
        let synapses = self.parameters.w.len();
        match &self.trainer.release_at_start {
            Some(release) => release.iter().map(|&p| f64::from(p)).collect(),
            None if self.parameters.a.is_empty() => vec![1.0; synapses],
            None => vec![self.trainer.protocol.p0; synapses],
        }
    }
}

/// Observes what every machine has.
pub(crate) fn observe_fit(trainer: &Trainer, network: &Network, draws: Draws, out: &mut Metrics) {
    let parameters = network.parameters();
    let view = View::new(trainer, &parameters, draws, out.is_last());
    fit::observe(&view, out);
    classes::observe(&view, out);
    likelihood::observe(&view, out);
}

/// Observes what is particular to stochastic synapses.
pub(crate) fn observe_release(trainer: &Trainer, network: &Network, draws: Draws, out: &mut Metrics) {
    let parameters = network.parameters();
    let view = View::new(trainer, &parameters, draws, out.is_last());
    let strengths = release::Strengths::new(&parameters);
    release::observe(&view, &strengths, out);
    usage::observe(&view, &strengths, out);
    coupling::observe(&view, out);
    coupling::observe_estimator(&view, out);
    cortex::observe(&strengths, out);
    members::observe(&view, out);
    moments::observe(&view, out);
}

/// The first `n` images, or all if there are fewer.
fn first(images: &BinaryRows, n: usize) -> BinaryRows {
    let places: Vec<u32> = (0..n.min(images.len()) as u32).collect();
    images.select(&places)
}

/// All parts in their order; a wrong N does not compile.
pub(crate) const fn joined<const N: usize>(parts: &[&[MetricSpec]]) -> [MetricSpec; N] {
    let mut all = [parts[0][0]; N];
    let (mut part, mut place) = (0, 0);
    while part < parts.len() {
        let mut i = 0;
        while i < parts[part].len() {
            all[place] = parts[part][i];
            place += 1;
            i += 1;
        }
        part += 1;
    }
    assert!(place == N, "N is the number of metrics");
    all
}

//! What a step needs beside the parameters, made by the step before.

use super::super::{Learning, Masks, Synapses};
use super::state::Moving;
use crate::{Draws, Stream};
use kernels::Level;
use kernels::tiled::MaskDraws;
use kernels::tiled::ascent::{
    JointGates, MixtureGates, Rates, Releases, Statistics, ascend, ascend_joint, ascend_mixture,
    derive_joint, derive_mixture,
};
use kernels::tiled::product::Weights;

/// Releases and factors of one ensemble; made again if they are for something else.
#[derive(Clone, Debug, Default)]
pub(super) struct Gates {
    made_for: Option<Purpose>,
    mixture: MixtureGates,
    joint: JointGates,
}

/// All that gates depend on beside the parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Purpose {
    Reliable,
    Joint { a_limit: f32 },
    Mixture(Releases),
}

impl Purpose {
    fn new(synapses: Synapses, learning: &Learning, draws: Draws) -> Self {
        let masks = mask_draws(draws, 0);
        match (synapses, learning.masks) {
            (Synapses::Reliable, _) => Purpose::Reliable,
            (Synapses::JointEnergy, _) => Purpose::Joint { a_limit: learning.a_limit as f32 },
            (Synapses::PriorMixture, Masks::Batch) => Purpose::Mixture(Releases::Batch(masks)),
            (Synapses::PriorMixture, Masks::HalfStep) => {
                let sweeps = u32::try_from(learning.chain.sweeps()).expect("fewer than 2^31 sweeps");
                Purpose::Mixture(Releases::HalfSteps(masks, 1 + 2 * sweeps))
            }
            (Synapses::PriorMixture, Masks::Example) => Purpose::Mixture(Releases::Examples),
        }
    }
}

/// Draws of the releases of one half sweep: 0 at the data, 2 t − 1 down and 2 t up in sweep t.
pub(super) fn mask_draws(draws: Draws, phase: u32) -> MaskDraws {
    MaskDraws { key: draws.key(Stream::Mask), step: draws.step(), phase, first: 0 }
}

impl Gates {
    /// Makes the gates of this step, unless the step before did.
    pub(super) fn prepare(
        &mut self,
        level: Level,
        (synapses, w, a): (Synapses, &Moving, &Moving),
        learning: &Learning,
        draws: Draws,
    ) {
        let purpose = Purpose::new(synapses, learning, draws);
        if self.made_for == Some(purpose) {
            return;
        }
        match purpose {
            Purpose::Reliable => {}
            Purpose::Joint { a_limit } => derive_joint(level, &w.x, &a.x, a_limit, &mut self.joint),
            Purpose::Mixture(releases) => derive_mixture(level, &a.x, releases, &mut self.mixture),
        }
        self.made_for = Some(purpose);
    }

    /// The weights of a half sweep that all examples share; none if every example has its own.
    pub(super) fn weights<'a>(&'a self, w: &'a Moving, phase: usize) -> Option<Weights<'a>> {
        match self.made_for.expect("prepared at the start of the step") {
            Purpose::Reliable => Some(Weights { matrix: &w.x, released: None }),
            Purpose::Joint { .. } => Some(Weights { matrix: self.joint.collapsed(), released: None }),
            Purpose::Mixture(Releases::Batch(_)) => {
                Some(Weights { matrix: &w.x, released: Some(self.mixture.shared(0)) })
            }
            Purpose::Mixture(Releases::HalfSteps(..)) => {
                Some(Weights { matrix: &w.x, released: Some(self.mixture.shared(phase)) })
            }
            Purpose::Mixture(Releases::Examples) => None,
        }
    }

    /// Thresholds of releases of each example's own.
    pub(super) fn thresholds(&self) -> &kernels::tiled::Thresholds {
        self.mixture.thresholds()
    }

    /// Moves w and a, and makes the gates of the next step.
    pub(super) fn ascend(
        &mut self,
        level: Level,
        statistics: Statistics<'_>,
        (w, a): (&mut Moving, &mut Moving),
        rates: Rates,
        (synapses, learning, next): (Synapses, &Learning, Draws),
    ) {
        let purpose = Purpose::new(synapses, learning, next);
        match purpose {
            Purpose::Reliable => ascend(level, statistics, w.kernel(), rates),
            Purpose::Joint { .. } => {
                ascend_joint(level, statistics, w.kernel(), a.kernel(), rates, &mut self.joint);
            }
            Purpose::Mixture(releases) => {
                ascend_mixture(level, statistics, w.kernel(), a.kernel(), rates, releases, &mut self.mixture);
            }
        }
        self.made_for = Some(purpose);
    }
}

impl Moving {
    fn kernel(&mut self) -> kernels::tiled::ascent::Moving<'_> {
        kernels::tiled::ascent::Moving { x: &mut self.x, velocity: &mut self.velocity }
    }
}

//! Kinds of features: what the classifier sees of an image.

use ndarray::Array2;
use numerics::{BinaryRows, Draws, boltzmann::Parameters};

use super::{Machine, Params};

/// Features of one kind.
#[derive(Debug, Clone, Copy)]
pub(super) struct Code {
    /// Metric of its accuracy.
    pub(super) metric: &'static str,
    pub(super) reading: Reading,
}

/// How features are read from an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// The pixels themselves.
    Pixels,
    /// `P(h = 1 | v)` in the marginal, or with mean weights where there is none.
    Mean(Machine),
    /// `P(h = 1 | v)` in a sampled member of the ensemble.
    Masks(Machine),
    /// `P(h = 1 | v)` with a mask of its own for each image, given the units (model A), moment matched.
    OwnMasks(Machine),
    /// `P(h = 1 | v)` in a member, after Gibbs sweeps within that member.
    Chain(Machine),
}

macro_rules! codes {
    ($($constant:ident = $metric:literal, $reading:expr;)*) => {
        /// Places in [`CODES`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[expect(dead_code, reason = "every kind has a name; not each takes part in a difference")]
        pub(super) enum Place { $($constant),* }
        /// All kinds, in the order in which they are judged.
        pub(super) const CODES: &[Code] = &[$(Code { metric: $metric, reading: $reading }),*];
    };
}

codes! {
    Raw = "accuracy_raw", Reading::Pixels;
    RbmLow = "accuracy_rbm_low", Reading::Mean(Machine::RbmLow);
    RbmHigh = "accuracy_rbm_high", Reading::Mean(Machine::RbmHigh);
    RbmLowChain = "accuracy_rbm_low_chain", Reading::Chain(Machine::RbmLow);
    RbmHighChain = "accuracy_rbm_high_chain", Reading::Chain(Machine::RbmHigh);
    FrozenMean = "accuracy_frozen_mean", Reading::Mean(Machine::Frozen);
    FrozenChain = "accuracy_frozen_chain", Reading::Chain(Machine::Frozen);
    RbseBMean = "accuracy_rbse_b_mean", Reading::Mean(Machine::RbseB);
    RbseBMasks = "accuracy_rbse_b_masks", Reading::Masks(Machine::RbseB);
    RbseBChain = "accuracy_rbse_b_chain", Reading::Chain(Machine::RbseB);
    RbseA = "accuracy_rbse_a", Reading::Mean(Machine::RbseA);
    RbseAMasks = "accuracy_rbse_a_masks", Reading::OwnMasks(Machine::RbseA);
    RbseAChain = "accuracy_rbse_a_chain", Reading::Chain(Machine::RbseA);
    S2mMean = "accuracy_s2m_mean", Reading::Mean(Machine::S2m);
    S2mChain = "accuracy_s2m_chain", Reading::Chain(Machine::S2m);
}

impl Reading {
    /// The network that is read.
    pub(super) fn machine(self) -> Option<Machine> {
        match self {
            Self::Pixels => None,
            Self::Mean(machine) | Self::Masks(machine) | Self::OwnMasks(machine) | Self::Chain(machine) => {
                Some(machine)
            }
        }
    }

    /// Whether every copy of an image is another.
    pub(super) fn is_stochastic(self) -> bool {
        matches!(self, Self::Masks(_) | Self::OwnMasks(_) | Self::Chain(_))
    }

    /// Gibbs sweeps within a sampled member.
    pub(super) fn sweeps(self, params: &Params) -> usize {
        match self {
            Self::Pixels | Self::Mean(_) | Self::Masks(_) | Self::OwnMasks(_) => 0,
            Self::Chain(Machine::RbmLow | Machine::RbmHigh) => params.rbm_sweeps as usize,
            Self::Chain(Machine::Frozen | Machine::S2m) => params.frozen_sweeps as usize,
            Self::Chain(Machine::RbseB | Machine::RbseA) => params.sweeps as usize,
        }
    }
}

/// `P(h = 1 | v)` with the marginal's weights, or mean weights, (images, H).
pub(super) fn mean_codes(parameters: &Parameters, images: &BinaryRows) -> Array2<f32> {
    parameters.marginal().unwrap_or_else(|| parameters.mean_weights()).hidden_prob(images)
}

/// `P(h = 1 | v)` after `sweeps` Gibbs sweeps from the images within member `copy` of the ensemble, (images, H).
///
/// All images share the member, as one brain that happens to release so shows them all. Copy c takes the sweeps
/// c·k … (c + 1)·k of the observation streams.
pub(super) fn sampled_codes(
    parameters: &Parameters,
    images: &BinaryRows,
    sweeps: usize,
    copy: u32,
    draws: Draws,
) -> Array2<f32> {
    let member = parameters.sampled(copy, draws);
    let first = copy as usize * sweeps;
    member.hidden_prob(&member.gibbs(images, first..first + sweeps, draws))
}

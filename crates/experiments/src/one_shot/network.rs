//! The networks that learn without labels.

use numerics::boltzmann::Synapses;

use super::Params;
use crate::boltzmann::{Protocol, Rule};

/// A network whose hidden units are used as features.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Network {
    /// Reliable synapses at the first of two rates.
    RbmLow,
    /// Reliable synapses at the second.
    RbmHigh,
    /// Mixture (model B) whose release probabilities stay where they start.
    Frozen,
    /// Mixture (model B) that learns them.
    RbseB,
    /// Joint-energy ensemble (model A).
    RbseA,
}

impl Network {
    /// All, in the order in which they are trained.
    pub(super) const ALL: [Self; 5] = [Self::RbmLow, Self::RbmHigh, Self::Frozen, Self::RbseB, Self::RbseA];

    /// How it is trained.
    pub(super) fn protocol(self, params: &Params) -> Protocol {
        let reliable = matches!(self, Self::RbmLow | Self::RbmHigh);
        let (synapses, eta_w) = match self {
            Self::RbmLow => (Synapses::Reliable, params.eta_rbm_low),
            Self::RbmHigh => (Synapses::Reliable, params.eta_rbm_high),
            Self::Frozen | Self::RbseB => (Synapses::PriorMixture, params.eta_w),
            Self::RbseA => (Synapses::JointEnergy, params.eta_a),
        };
        Protocol {
            synapses,
            hidden_units: params.hidden_units,
            batch: params.batch,
            epochs: if reliable { params.rbm_epochs } else { params.epochs },
            eta_w,
            r: if matches!(self, Self::RbseA | Self::RbseB) { params.r } else { 0.0 },
            p0: params.p0,
            rule: Rule::Cd,
            cd_k: 1,
            momentum_start: params.momentum_start,
            momentum_end: params.momentum_end,
            momentum_switch_epoch: params.momentum_switch_epoch,
            weight_decay: params.weight_decay,
            threshold: params.threshold,
            train_images: params.train_images,
            test_images: 1,
        }
    }
}

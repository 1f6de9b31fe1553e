//! The networks that learn without labels.

use numerics::boltzmann::Synapses;

use super::Params;
use crate::boltzmann::{Masks, Protocol, ReleaseRule};

/// A network whose hidden units are used as features.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Machine {
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
    /// Synaptic sampling machine: frozen release, and a fresh mask for every half step of the chain.
    S2m,
}

impl Machine {
    /// All, in the order in which they are trained.
    pub(super) const ALL: [Self; 6] =
        [Self::RbmLow, Self::RbmHigh, Self::Frozen, Self::RbseB, Self::RbseA, Self::S2m];

    /// Its place in [`Machine::ALL`].
    pub(super) fn place(self) -> usize {
        self as usize
    }

    /// How it is trained.
    pub(super) fn protocol(self, params: &Params) -> Protocol {
        let (synapses, eta_w, epochs) = match self {
            Self::RbmLow => (Synapses::Reliable, params.eta_rbm_low, params.rbm_epochs),
            Self::RbmHigh => (Synapses::Reliable, params.eta_rbm_high, params.rbm_epochs),
            Self::Frozen | Self::S2m | Self::RbseB => (Synapses::PriorMixture, params.eta_w, params.epochs),
            Self::RbseA => (Synapses::JointEnergy, params.eta_a, params.epochs),
        };
        Protocol {
            synapses,
            release_rule: match self {
                Self::Frozen | Self::S2m => ReleaseRule::Frozen,
                _ => ReleaseRule::Gradient,
            },
            masks: if self == Self::S2m { Masks::HalfStep } else { Masks::Batch },
            hidden_units: params.hidden_units,
            batch: params.batch,
            epochs,
            eta_w,
            r: params.r,
            p0: params.p0,
            momentum_start: params.momentum_start,
            momentum_end: params.momentum_end,
            momentum_switch_epoch: params.momentum_switch_epoch,
            weight_decay: params.weight_decay,
            threshold: params.threshold,
            train_images: params.train_images,
            test_images: 1,
            ..Protocol::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_machine_stands_at_its_place() {
        for (place, machine) in Machine::ALL.into_iter().enumerate() {
            assert_eq!(machine.place(), place);
        }
    }
}

//! Choices that a user makes by name, and what they mean to the machine.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the model's statistics are sampled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Rule {
    /// Contrastive divergence: chains start at the data (Hinton 2002).
    Cd,
    /// Persistent contrastive divergence: chains go on from step to step (Tieleman 2008).
    Pcd,
}

/// What a synapse transmits: the law of its weight W before any unit is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Law {
    /// `w` with probability p, else 0.
    Bernoulli,
    /// `N(w, σ²)`: it always transmits, by a varying amount.
    Gaussian,
    /// `N(w, σ²)` with probability p, else 0.
    BernoulliGaussian,
    /// `w/n` from each of `sites` release sites, each with probability p.
    Quantal,
}

impl Law {
    /// The law with its constants.
    pub(crate) fn with_sites(self, sites: u32) -> numerics::boltzmann::Law {
        use numerics::boltzmann::Law as Synapse;
        match self {
            Self::Bernoulli => Synapse::Bernoulli,
            Self::Gaussian => Synapse::Gaussian,
            Self::BernoulliGaussian => Synapse::BernoulliGaussian,
            Self::Quantal => Synapse::Quantal { sites },
        }
    }
}

/// How long a drawn mask lasts; model B only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Masks {
    /// One mask a mini-batch, the same in both phases: one machine of the mixture.
    Batch,
    /// A fresh mask for every half step of the chain, shared by the mini-batch (synaptic sampling machine).
    HalfStep,
    /// A fresh mask for every example and half step.
    Example,
}

/// What of the hidden units enters the statistics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Statistics {
    /// Their probabilities: less variance, the same mean.
    Probabilities,
    /// Their sampled states.
    Samples,
}

/// How the releases of model A enter the statistics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Estimator {
    /// By their conditional means given the units.
    RaoBlackwell,
    /// By samples given the units: the same mean, more variance.
    Sampled,
}

/// What model B climbs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Objective {
    /// The mean over masks of the log-likelihood, which is at most that of the mixture.
    Jensen,
    /// The log of the mean likelihood over `objective_masks` masks, which comes closer to the mixture's.
    MultiSample,
}

/// How release probabilities change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReleaseRule {
    /// They climb the objective.
    Gradient,
    /// Not at all: the control.
    Frozen,
    /// By a local rule without gradient, which holds the input of each dendritic branch at `release_target`.
    Local,
}

/// Default of a param that came later and changes nothing at 1. There it is left out of the canonical text, so that runs
/// from before keep their name and their digest.
pub(crate) fn one() -> u32 {
    1
}

/// Whether such a param changes nothing.
pub(crate) fn is_one(x: &u32) -> bool {
    *x == 1
}

//! Synapse laws: how a weight W scatters around what a synapse has learned.
//!
//! A law is a family P0(W; θ) of distributions of one weight. That is all the ensembles need to know:
//!
//! - Model A multiplies P0 by `e^(W v h)`. Summing W out leaves the weight `weff = ln E[e^W]`
//!   ([`SynapseLaw::log_mgf`]), and between two active units W follows P0 tilted by `e^W`. Every law
//!   here is closed under that tilt: it is the same law with other parameters ([`SynapseLaw::tilted`]).
//!   Its ascent directions are `∂weff/∂θ · D` ([`SynapseLaw::log_mgf_slope`]).
//! - Model B draws W from P0 and then uses it as the weight of an RBM: its directions are
//!   `∂W/∂θ · D(W)` along the path on which the drawn noise is held fixed ([`SynapseLaw::path`]).
//!
//! `φ = −ln P0`, up to a constant, in the words of the source.
//!
//! # Source
//! Al-Shedivat, Neftci & Cauwenberghs 2014, arXiv:1412.7272 (φ as a free choice); the closed forms
//! are cumulant generating functions at 1.

mod bernoulli;
mod bernoulli_gaussian;
mod gaussian;
mod quantal;

use bernoulli::Bernoulli;
use bernoulli_gaussian::BernoulliGaussian;
use gaussian::Gaussian;
use quantal::Quantal;
use serde::{Deserialize, Serialize};

/// Least and greatest ln s: s² stays in [1e-4, 1].
///
/// In model A the spread follows the sign of D without bound: it grows at excitatory synapses and
/// shrinks at inhibitory ones, because `weff` rises with s².
pub const LOG_SD_LIMITS: [f64; 2] = [-4.605_170_185_988_091, 0.0];

/// What one synapse has learned, in the words of its law.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Synapse {
    /// Strength: the weight of a release, or the mean weight of a law that always releases.
    pub w: f64,
    /// Logit of the release probability; ignored by a law that always releases.
    pub a: f64,
    /// ln s, s the standard deviation of a weight that is released; ignored by a law without spread.
    pub log_sd: f64,
}

/// Derivatives by the three parameters of a synapse.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Slope {
    /// By w.
    pub w: f64,
    /// By a; 0 for a law that always releases.
    pub a: f64,
    /// By ln s; 0 for a law without spread.
    pub log_sd: f64,
}

/// One draw of a synapse.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// How many sites released.
    pub releases: u32,
    /// W.
    pub weight: f64,
}

/// One of finitely many values that stand for a law: all of it if W is discrete, else a quadrature.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Atom {
    /// Its probability.
    pub probability: f64,
    /// ∂ ln probability / ∂a.
    pub score: f64,
    /// The value.
    pub outcome: Outcome,
}

/// A distribution of weights that is closed under tilting by e^W.
///
/// # Source
/// See the module; each law gives its own equations.
pub trait SynapseLaw {
    /// `weff = ln E[e^W]`.
    fn log_mgf(&self, synapse: Synapse) -> f64;

    /// `∂weff/∂θ`: times D, the ascent direction of model A.
    fn log_mgf_slope(&self, synapse: Synapse) -> Slope;

    /// The same law between two active units in model A: `P0(W) e^W / E[e^W]`.
    fn tilted(&self, synapse: Synapse) -> Synapse;

    /// Probability that a site releases.
    fn release_prob(&self, synapse: Synapse) -> f64;

    /// `E[W]`.
    fn mean(&self, synapse: Synapse) -> f64;

    /// `Var[W]`.
    fn variance(&self, synapse: Synapse) -> f64;

    /// Draws W from a uniform number in [0, 1), which decides the release, and a standard normal one.
    fn draw(&self, synapse: Synapse, uniform: f64, normal: f64) -> Outcome;

    /// `∂W/∂θ` of a drawn W: times D(W), the ascent direction of model B.
    ///
    /// By w and ln s at fixed noise, without error. By a, where W jumps, that of the mean weight
    /// (straight-through), which is right to first order in w.
    ///
    /// `outcome` may also come from the tilted law: W says all that is needed of the noise.
    fn path(&self, synapse: Synapse, outcome: Outcome) -> Slope;

    /// Values and probabilities; `normal` lists nodes and weights for the standard normal distribution.
    fn atoms(&self, synapse: Synapse, normal: &[(f64, f64)]) -> Vec<Atom>;
}

/// The law of all synapses of an ensemble.
///
/// The order is part of stored states: append.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Law {
    /// `W = w ξ`, ξ ~ Bernoulli(p).
    #[default]
    Bernoulli,
    /// `W ~ N(w, s²)`: always releases.
    Gaussian,
    /// `W = ξ g`, ξ ~ Bernoulli(p), `g ~ N(w, s²)`.
    BernoulliGaussian,
    /// `W = (w/n) k`, k ~ Binomial(n, p): n release sites with a quantum of w/n each.
    Quantal {
        /// n, at least 1.
        sites: u32,
    },
}

impl Law {
    /// Calls `f` with the equations of this law.
    pub fn with<R>(self, f: impl FnOnce(&dyn SynapseLaw) -> R) -> R {
        match self {
            Law::Bernoulli => f(&Bernoulli),
            Law::Gaussian => f(&Gaussian),
            Law::BernoulliGaussian => f(&BernoulliGaussian),
            Law::Quantal { sites } => f(&Quantal { sites }),
        }
    }

    /// Whether it has a release probability, and so a.
    pub fn releases(self) -> bool {
        !matches!(self, Law::Gaussian)
    }

    /// Whether it has a spread, and so ln s.
    pub fn spreads(self) -> bool {
        matches!(self, Law::Gaussian | Law::BernoulliGaussian)
    }
}

#[cfg(test)]
#[path = "law/suite_tests.rs"]
pub(super) mod suite_tests;

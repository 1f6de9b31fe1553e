//! Settings of `rbse`.

use numerics::boltzmann::Synapses;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::boltzmann::{Protocol, Rule};

/// Which of the two models of the poster's formula.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Model {
    /// Joint-energy ensemble: masks are drawn with units, per example; collapses to an RBM of effective weights.
    A,
    /// Independent-prior mixture: one mask a mini-batch, drawn from the release probabilities.
    B,
}

/// Settings of `rbse`; the defaults are those for the 8x8 digits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Which model: A (joint energy) or B (mixture).
    pub model: Model,
    /// Hidden units.
    #[schemars(range(min = 1, max = 4096), extend("unit" = "1", "symbol" = "H"))]
    pub hidden_units: u32,
    /// Images in a mini-batch.
    #[schemars(range(min = 1, max = 1000), extend("unit" = "images", "symbol" = "n"))]
    pub batch: u32,
    /// Passes over the training images.
    #[schemars(range(min = 1, max = 10000), extend("unit" = "epochs", "symbol" = "E"))]
    pub epochs: u32,
    /// Learning rate of weights and biases, at momentum 0.5.
    #[schemars(range(min = 0.0, max = 10.0), extend("unit" = "1", "symbol" = "eta_w"))]
    pub eta_w: f64,
    /// Learning rate of the release log-odds, in units of `eta_w`; 0 freezes them.
    #[schemars(range(min = 0.0, max = 1000.0), extend("unit" = "1", "symbol" = "r"))]
    pub r: f64,
    /// Release probability of every synapse at the start.
    #[schemars(range(min = 0.001, max = 0.999), extend("unit" = "1", "symbol" = "p0"))]
    pub p0: f64,
    /// How the model's statistics are sampled.
    pub rule: Rule,
    /// Gibbs sweeps of each step.
    #[schemars(range(min = 1, max = 1000), extend("unit" = "sweeps", "symbol" = "k"))]
    pub cd_k: u32,
    /// Momentum before `momentum_switch_epoch`.
    #[schemars(range(min = 0.0, max = 0.999), extend("unit" = "1", "symbol" = "m1"))]
    pub momentum_start: f64,
    /// Momentum from `momentum_switch_epoch` on; rates are scaled by (1 − m)/0.5.
    #[schemars(range(min = 0.0, max = 0.999), extend("unit" = "1", "symbol" = "m2"))]
    pub momentum_end: f64,
    /// The epoch, counted from 0, at which momentum changes.
    #[schemars(range(min = 0, max = 10000), extend("unit" = "epochs", "symbol" = "e_m"))]
    pub momentum_switch_epoch: u32,
    /// Decay of weights, of nothing else.
    #[schemars(range(min = 0.0, max = 1.0), extend("unit" = "1", "symbol" = "lambda"))]
    pub weight_decay: f64,
    /// A pixel is on if it is greater, in units of the data.
    #[schemars(range(min = 0, max = 254), extend("unit" = "pixel value", "symbol" = "t"))]
    pub threshold: u32,
    /// Training images: the first of the training part, or of a shuffle if the data has no test part.
    #[schemars(range(min = 1, max = 10000000), extend("unit" = "images", "symbol" = "N"))]
    pub train_images: u32,
    /// Test images: the first of the test part, or those that follow the training images.
    #[schemars(range(min = 1, max = 10000000), extend("unit" = "images", "symbol" = "M"))]
    pub test_images: u32,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            model: Model::A,
            hidden_units: 64,
            batch: 20,
            epochs: 30,
            eta_w: 0.2,
            r: 16.0,
            p0: 0.5,
            rule: Rule::Cd,
            cd_k: 1,
            momentum_start: 0.5,
            momentum_end: 0.9,
            momentum_switch_epoch: 5,
            weight_decay: 2e-4,
            threshold: 7,
            train_images: 1300,
            test_images: 497,
        }
    }
}

impl Params {
    pub(super) fn protocol(&self) -> Protocol {
        Protocol {
            synapses: match self.model {
                Model::A => Synapses::JointEnergy,
                Model::B => Synapses::PriorMixture,
            },
            hidden_units: self.hidden_units,
            batch: self.batch,
            epochs: self.epochs,
            eta_w: self.eta_w,
            r: self.r,
            p0: self.p0,
            rule: self.rule,
            cd_k: self.cd_k,
            momentum_start: self.momentum_start,
            momentum_end: self.momentum_end,
            momentum_switch_epoch: self.momentum_switch_epoch,
            weight_decay: self.weight_decay,
            threshold: self.threshold,
            train_images: self.train_images,
            test_images: self.test_images,
        }
    }
}

//! Settings of `rbm`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::boltzmann::{Protocol, Rule, Statistics, is_one, one};

/// Settings of `rbm`; the defaults are those for the 8x8 digits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Hidden units.
    #[schemars(range(min = 1, max = 4096), extend("unit" = "1", "symbol" = "H"))]
    pub hidden_units: u32,
    /// Images in a mini-batch.
    #[schemars(range(min = 1, max = 4096), extend("unit" = "images", "symbol" = "n"))]
    pub batch: u32,
    /// Passes over the training images.
    #[schemars(range(min = 1, max = 10000), extend("unit" = "epochs", "symbol" = "E"))]
    pub epochs: u32,
    /// Learning rate of weights and biases, at momentum 0.5.
    #[schemars(range(min = 0.0, max = 10.0), extend("unit" = "1", "symbol" = "eta_w"))]
    pub eta_w: f64,
    /// Share of `eta_w` that is left at the last step; the rate falls linearly.
    #[schemars(range(min = 0.0, max = 1.0), extend("unit" = "1", "symbol" = "eta_end"))]
    pub eta_end: f64,
    /// How the model's statistics are sampled.
    pub rule: Rule,
    /// Gibbs sweeps of each step.
    #[schemars(range(min = 1, max = 1000), extend("unit" = "sweeps", "symbol" = "k"))]
    pub cd_k: u32,
    /// What of the hidden units enters the statistics.
    pub statistics: Statistics,
    /// Share of the hidden units that each example leaves out while learning.
    #[schemars(range(min = 0.0, max = 0.9), extend("unit" = "1", "symbol" = "d"))]
    pub dropout: f64,
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
    /// Visible units of each class beside the pixels, on where an image is of it; 0: no labels are learned.
    #[schemars(range(min = 0, max = 16), extend("unit" = "units", "symbol" = "L"))]
    pub label_units: u32,
    /// Temperatures of annealed importance sampling at the last step; 0: not run.
    #[schemars(range(min = 0, max = 100000), extend("unit" = "1", "symbol" = "T"))]
    pub ais_temperatures: u32,
    /// Chains of annealed importance sampling.
    #[schemars(range(min = 10, max = 1000), extend("unit" = "chains", "symbol" = "M_c"))]
    pub ais_chains: u32,
    /// Fixed parts of each mini-batch, which several threads or processes can compute. Their number decides the bits, not
    /// who computes them; 1 is no parts at all.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    #[schemars(range(min = 1, max = 64), extend("unit" = "shards", "symbol" = "S"))]
    pub shards: u32,
    /// Mini-batches that each shard learns from by itself before the shards are averaged: a step of the run.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    #[schemars(range(min = 1, max = 1000), extend("unit" = "mini-batches", "symbol" = "m_s"))]
    pub sync_every: u32,
}

/// A value of type `$target` with the fields that settings and protocol share, taken from `$source`.
macro_rules! shared_fields {
    ($target:ident of $source:ident, $($more:tt)*) => {
        $target {
            hidden_units: $source.hidden_units, batch: $source.batch, epochs: $source.epochs, eta_w: $source.eta_w, eta_end: $source.eta_end, rule: $source.rule, cd_k: $source.cd_k, statistics: $source.statistics,
            momentum_start: $source.momentum_start, momentum_end: $source.momentum_end, momentum_switch_epoch:
            $source.momentum_switch_epoch, weight_decay: $source.weight_decay, threshold: $source.threshold,
            train_images: $source.train_images, test_images: $source.test_images, ais_temperatures:
            $source.ais_temperatures, ais_chains: $source.ais_chains, label_units: $source.label_units, shards: $source.shards, sync_every: $source.sync_every, dropout: $source.dropout,
            $($more)*
        }
    };
}

impl Default for Params {
    fn default() -> Self {
        let protocol = Protocol::default();
        shared_fields!(Self of protocol, )
    }
}

impl Params {
    pub(super) fn protocol(&self) -> Protocol {
        shared_fields!(Protocol of self, ..Protocol::default())
    }
}

//! Settings of `rbse`.

use numerics::boltzmann::Synapses;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::boltzmann::{
    Estimator, Law, Masks, Objective, Protocol, ReleaseRule, Rule, Statistics, is_one, one,
};

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
    /// What a synapse transmits.
    pub law: Law,
    /// Release sites of a synapse; 1 unless `law` is quantal.
    #[schemars(range(min = 1, max = 100), extend("unit" = "1", "symbol" = "n_s"))]
    pub sites: u32,
    /// Standard deviation of the transmitted amount at the start; 0 unless `law` is gaussian or bernoulli_gaussian.
    #[schemars(range(min = 0.0, max = 1.0), extend("unit" = "1", "symbol" = "sigma0"))]
    pub sd0: f64,
    /// How long a drawn mask lasts; model B only.
    pub masks: Masks,
    /// What of the hidden units enters the statistics.
    pub statistics: Statistics,
    /// How releases enter the statistics; model A only.
    pub estimator: Estimator,
    /// What is climbed; model B only.
    pub objective: Objective,
    /// Masks behind each step of `objective` multi_sample; 1 otherwise.
    #[schemars(range(min = 1, max = 64), extend("unit" = "masks", "symbol" = "m"))]
    pub objective_masks: u32,
    /// How release probabilities change.
    pub release_rule: ReleaseRule,
    /// Input at which the local rule holds each dendritic branch; 0 unless `release_rule` is local.
    #[schemars(range(min = -20.0, max = 20.0), extend("unit" = "1", "symbol" = "f0"))]
    pub release_target: f64,
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
    /// Learning rate of the release log-odds, in units of `eta_w`; 0 freezes them.
    #[schemars(range(min = 0.0, max = 1000.0), extend("unit" = "1", "symbol" = "r"))]
    pub r: f64,
    /// Release probability at the start: of every synapse, or their mean if `p0_sd` is above 0.
    #[schemars(range(min = 0.001, max = 0.999), extend("unit" = "1", "symbol" = "p0"))]
    pub p0: f64,
    /// Spread of the release probabilities at the start: a Beta law, cut to 0.01 … 0.99; 0 makes all alike.
    #[schemars(range(min = 0.0, max = 0.5), extend("unit" = "1", "symbol" = "sd_p"))]
    pub p0_sd: f64,
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
            law: $source.law, sites: $source.sites, sd0: $source.sd0, masks: $source.masks, estimator:
            $source.estimator, objective: $source.objective, objective_masks: $source.objective_masks,
            release_rule: $source.release_rule, release_target: $source.release_target, p0: $source.p0, p0_sd:
            $source.p0_sd, hidden_units: $source.hidden_units, batch: $source.batch, epochs: $source.epochs,
            eta_w: $source.eta_w, eta_end: $source.eta_end, rule: $source.rule, cd_k: $source.cd_k, statistics: $source.statistics,
            momentum_start: $source.momentum_start, momentum_end: $source.momentum_end, momentum_switch_epoch:
            $source.momentum_switch_epoch, weight_decay: $source.weight_decay, threshold: $source.threshold,
            train_images: $source.train_images, test_images: $source.test_images, ais_temperatures:
            $source.ais_temperatures, ais_chains: $source.ais_chains, label_units: $source.label_units, shards: $source.shards, sync_every: $source.sync_every,
            $($more)*
        }
    };
}

impl Default for Params {
    fn default() -> Self {
        let protocol = Protocol::default();
        shared_fields!(Self of protocol, model: Model::A, r: 16.0,)
    }
}

impl Params {
    pub(super) fn protocol(&self) -> Protocol {
        let synapses = match self.model {
            Model::A => Synapses::JointEnergy,
            Model::B => Synapses::PriorMixture,
        };
        shared_fields!(Protocol of self, synapses, r: self.r, ..Protocol::default())
    }
}

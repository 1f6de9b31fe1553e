//! Settings of `ablation`.

use numerics::boltzmann::Synapses;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    ParamError,
    boltzmann::{LabelledChoice, Masks, Protocol},
};

/// Where the network comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// The run trains it.
    Trained,
    /// The run is given the checkpoint of a finished run of `rbm` or `rbse`, named `network`.
    Given,
}

/// What its synapses are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Model {
    /// Joint-energy ensemble.
    A,
    /// Mixture.
    B,
    /// Reliable synapses: an ordinary machine, the control.
    #[serde(rename = "reliable")]
    Reliable,
}

/// Settings of `ablation`; the defaults are those for the 8x8 digits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Where the network comes from.
    pub network: Origin,
    /// What its synapses are, if it is trained; a given network brings its own.
    pub model: Model,
    /// How long a drawn mask lasts while learning; model B only.
    pub masks: Masks,
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
    /// Release probability of every synapse at the start, from which bits are counted.
    #[schemars(range(min = 0.001, max = 0.999), extend("unit" = "1", "symbol" = "p0"))]
    pub p0: f64,
    /// Gibbs sweeps of each step of contrastive divergence.
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
    #[schemars(range(min = 0.0, max = 1.0), extend("unit" = "1", "symbol" = "lambda_w"))]
    pub weight_decay: f64,
    /// A pixel is on if it is greater, in units of the data.
    #[schemars(range(min = 0, max = 254), extend("unit" = "pixel value", "symbol" = "t"))]
    pub threshold: u32,
    /// Training images, as of `rbse`; the labelled images are among them.
    #[schemars(range(min = 1, max = 10000000), extend("unit" = "images", "symbol" = "N"))]
    pub train_images: u32,
    /// Test images, on which every edit is measured.
    #[schemars(range(min = 1, max = 10000000), extend("unit" = "images", "symbol" = "M"))]
    pub test_images: u32,
    /// Percent of all synapses that are removed, rising; 0 is always measured.
    #[schemars(length(min = 1, max = 20), inner(range(min = 1, max = 99)))]
    pub prune_percent: Vec<u32>,
    /// Part of an epoch that is learned again after pruning, with what was pruned held at 0; 0 for none.
    #[schemars(range(min = 0.0, max = 1.0), extend("unit" = "epochs", "symbol" = "R"))]
    pub relearn_epochs: f64,
    /// Sampled members over which errors and pseudo-likelihoods of model B are averaged.
    #[schemars(range(min = 1, max = 1000), extend("unit" = "members", "symbol" = "m_f"))]
    pub fit_members: u32,
    /// Sampled members behind an exact log-likelihood of model B; 0 leaves likelihoods out.
    #[schemars(range(min = 0, max = 100000), extend("unit" = "members", "symbol" = "m_l"))]
    pub likelihood_members: u32,
    /// Labelled images of every class.
    #[schemars(range(min = 1, max = 1000), extend("unit" = "images", "symbol" = "n_s"))]
    pub shots: u32,
    /// Draws of labelled images; 0 leaves accuracies out.
    #[schemars(range(min = 0, max = 1000), extend("unit" = "draws", "symbol" = "D"))]
    pub draws: u32,
    /// Stochastic copies of every labelled image, model B.
    #[schemars(range(min = 1, max = 100), extend("unit" = "copies", "symbol" = "K"))]
    pub copies: u32,
    /// Stochastic copies of the test images, over which class probabilities are averaged, model B.
    #[schemars(range(min = 1, max = 100), extend("unit" = "copies", "symbol" = "S"))]
    pub test_copies: u32,
    /// Gibbs sweeps within a sampled member before features are read.
    #[schemars(range(min = 0, max = 1000), extend("unit" = "sweeps", "symbol" = "k_s"))]
    pub sweeps: u32,
    /// Penalty on the weights of the classifier, relative to the mean loss.
    #[schemars(range(min = 0.000001, max = 1000.0), extend("unit" = "1", "symbol" = "lambda"))]
    pub penalty: f64,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            network: Origin::Trained,
            model: Model::B,
            masks: Masks::Batch,
            hidden_units: 64,
            batch: 20,
            epochs: 30,
            eta_w: 0.2,
            r: 16.0,
            p0: 0.5,
            cd_k: 1,
            momentum_start: 0.5,
            momentum_end: 0.9,
            momentum_switch_epoch: 5,
            weight_decay: 2e-4,
            threshold: 7,
            train_images: 1300,
            test_images: 497,
            prune_percent: vec![10, 20, 30, 40, 50, 60, 70, 80, 90, 95],
            relearn_epochs: 1.0,
            fit_members: 8,
            likelihood_members: 400,
            shots: 1,
            draws: 10,
            copies: 6,
            test_copies: 5,
            sweeps: 0,
            penalty: 0.01,
        }
    }
}

impl Params {
    /// The kind of synapses in the words of the machine.
    pub(super) fn synapses(&self) -> Synapses {
        match self.model {
            Model::A => Synapses::JointEnergy,
            Model::B => Synapses::PriorMixture,
            Model::Reliable => Synapses::Reliable,
        }
    }

    /// The labelled images that accuracies are measured on.
    pub(super) fn labelled(&self) -> LabelledChoice {
        LabelledChoice {
            train_images: self.train_images,
            test: 0..self.test_images,
            threshold: self.threshold,
            shots: self.shots,
        }
    }

    /// How the network learns, and learns again.
    pub(super) fn protocol(&self) -> Protocol {
        Protocol {
            synapses: self.synapses(),
            masks: self.masks,
            hidden_units: self.hidden_units,
            batch: self.batch,
            epochs: self.epochs,
            eta_w: self.eta_w,
            r: self.r,
            p0: self.p0,
            cd_k: self.cd_k,
            momentum_start: self.momentum_start,
            momentum_end: self.momentum_end,
            momentum_switch_epoch: self.momentum_switch_epoch,
            weight_decay: self.weight_decay,
            threshold: self.threshold,
            train_images: self.train_images,
            test_images: self.test_images,
            ..Protocol::default()
        }
    }

    /// Mini-batches that a pruned network learns from.
    pub(super) fn relearn_batches(&self) -> u64 {
        (self.relearn_epochs * self.protocol().batches_per_epoch() as f64) as u64
    }

    /// Rules across fields.
    ///
    /// # Errors
    /// The first that is broken.
    pub(super) fn check(&self) -> Result<(), ParamError> {
        self.protocol().check()?;
        if !self.prune_percent.is_sorted_by(|a, b| a < b) {
            return Err(ParamError::new("prune_percent", &self.prune_percent, "it must rise"));
        }
        Ok(())
    }
}

//! Settings of `one-shot`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SHOTS;
use crate::boltzmann::LabelledChoice;

/// Where the networks come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Networks {
    /// Trained in the run, each as a run of `rbm` or `rbse` with the same seed would be.
    Trained,
    /// The last states of runs of `rbm` or `rbse`, named by the job.
    Given,
}

/// Settings of `one-shot`; the defaults are those for the 8x8 digits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Whether the networks are trained in the run or taken from finished runs.
    pub networks: Networks,
    /// Hidden units of every network.
    #[schemars(range(min = 1, max = 4096), extend("unit" = "1", "symbol" = "H"))]
    pub hidden_units: u32,
    /// Images in a mini-batch.
    #[schemars(range(min = 1, max = 1000), extend("unit" = "images", "symbol" = "n_b"))]
    pub batch: u32,
    /// Passes over the training images, networks with stochastic synapses.
    #[schemars(range(min = 1, max = 10000), extend("unit" = "epochs", "symbol" = "E"))]
    pub epochs: u32,
    /// Passes over the training images, reliable synapses.
    #[schemars(range(min = 1, max = 10000), extend("unit" = "epochs", "symbol" = "E_0"))]
    pub rbm_epochs: u32,
    /// Learning rate of the mixture (model B), learned and frozen release alike.
    #[schemars(range(min = 0.0, max = 10.0), extend("unit" = "1", "symbol" = "eta_w"))]
    pub eta_w: f64,
    /// Learning rate of the joint-energy ensemble (model A).
    #[schemars(range(min = 0.0, max = 10.0), extend("unit" = "1", "symbol" = "eta_A"))]
    pub eta_a: f64,
    /// First learning rate of reliable synapses.
    #[schemars(range(min = 0.0, max = 10.0), extend("unit" = "1", "symbol" = "eta_1"))]
    pub eta_rbm_low: f64,
    /// Second learning rate of reliable synapses; the better of the two networks is the control.
    #[schemars(range(min = 0.0, max = 10.0), extend("unit" = "1", "symbol" = "eta_2"))]
    pub eta_rbm_high: f64,
    /// Learning rate of the release log-odds, in units of the network's own rate; the frozen network has 0.
    #[schemars(range(min = 0.0, max = 1000.0), extend("unit" = "1", "symbol" = "r"))]
    pub r: f64,
    /// Release probability of every synapse at the start.
    #[schemars(range(min = 0.001, max = 0.999), extend("unit" = "1", "symbol" = "p0"))]
    pub p0: f64,
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
    /// Training images, as of `rbse`; all networks learn from them without labels, and the few labelled are among them.
    #[schemars(range(min = 1, max = 10000000), extend("unit" = "images", "symbol" = "N"))]
    pub train_images: u32,
    /// First test image: place in the test part, or among the images that follow the training images.
    #[schemars(range(min = 0, max = 10000000), extend("unit" = "images", "symbol" = "M_0"))]
    pub test_from: u32,
    /// Test images.
    #[schemars(range(min = 20, max = 10000000), extend("unit" = "images", "symbol" = "M"))]
    pub test_images: u32,
    /// Draws of labelled images; every kind of features is given the same.
    #[schemars(range(min = 2, max = 1000), extend("unit" = "draws", "symbol" = "D"))]
    pub draws: u32,
    /// Seed of these draws, apart from the seed of the run, so that networks of several runs see the same draws.
    #[schemars(range(min = 0, max = 1000000), extend("unit" = "1", "symbol" = "s"))]
    pub label_seed: u32,
    /// Stochastic copies of every labelled image; half as many at 10 images a class.
    #[schemars(range(min = 1, max = 100), extend("unit" = "copies", "symbol" = "K"))]
    pub copies: u32,
    /// Stochastic copies of the test images, over which class probabilities are averaged.
    #[schemars(range(min = 1, max = 100), extend("unit" = "copies", "symbol" = "S"))]
    pub test_copies: u32,
    /// Gibbs sweeps within a sampled member of the mixture, and of the joint-energy ensemble.
    #[schemars(range(min = 1, max = 1000), extend("unit" = "sweeps", "symbol" = "k"))]
    pub sweeps: u32,
    /// Gibbs sweeps within the networks of reliable synapses.
    #[schemars(range(min = 1, max = 1000), extend("unit" = "sweeps", "symbol" = "k_0"))]
    pub rbm_sweeps: u32,
    /// Gibbs sweeps within a sampled member of the network with frozen release.
    #[schemars(range(min = 1, max = 1000), extend("unit" = "sweeps", "symbol" = "k_f"))]
    pub frozen_sweeps: u32,
    /// Codes of an image from which their spread is measured.
    #[schemars(range(min = 3, max = 1000), extend("unit" = "codes", "symbol" = "C"))]
    pub cloud_codes: u32,
    /// Penalty on the weights of the classifier, relative to the mean loss.
    #[schemars(range(min = 0.000001, max = 1000.0), extend("unit" = "1", "symbol" = "lambda"))]
    pub penalty: f64,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            networks: Networks::Trained,
            hidden_units: 64,
            batch: 20,
            epochs: 30,
            rbm_epochs: 24,
            eta_w: 0.1,
            eta_a: 0.1,
            eta_rbm_low: 0.02,
            eta_rbm_high: 0.05,
            r: 16.0,
            p0: 0.5,
            momentum_start: 0.5,
            momentum_end: 0.9,
            momentum_switch_epoch: 5,
            weight_decay: 2e-4,
            threshold: 7,
            train_images: 1300,
            test_from: 0,
            test_images: 497,
            draws: 20,
            label_seed: 1,
            copies: 12,
            test_copies: 5,
            sweeps: 6,
            rbm_sweeps: 6,
            frozen_sweeps: 6,
            cloud_codes: 100,
            penalty: 0.01,
        }
    }
}

impl Params {
    /// The labelled images to learn from and to test on.
    pub(super) fn labelled(&self) -> LabelledChoice {
        LabelledChoice {
            train_images: self.train_images,
            test: self.test_from..self.test_from + self.test_images,
            threshold: self.threshold,
            shots: SHOTS[SHOTS.len() - 1],
        }
    }
}

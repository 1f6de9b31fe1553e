//! The training protocol of every Boltzmann machine here: settings, schedule, and what they need.

use std::ops::Range;

use numerics::boltzmann::{MethodError, Synapses};

use super::network::Path;
use super::settings::{Estimator, Law, Masks, Objective, ReleaseRule, Rule, Statistics};
use crate::{DataShape, ParamError, Plan};

/// Labels are bytes.
const MOST_CLASSES: u64 = 256;

/// Settings of one training run, whatever the synapses; units and symbols are those of the params of `rbse`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Protocol {
    pub(crate) synapses: Synapses,
    pub(crate) law: Law,
    pub(crate) sites: u32,
    pub(crate) sd0: f64,
    pub(crate) masks: Masks,
    pub(crate) statistics: Statistics,
    pub(crate) estimator: Estimator,
    pub(crate) objective: Objective,
    pub(crate) objective_masks: u32,
    pub(crate) release_rule: ReleaseRule,
    pub(crate) release_target: f64,
    pub(crate) dropout: f64,
    pub(crate) label_units: u32,
    pub(crate) hidden_units: u32,
    pub(crate) batch: u32,
    pub(crate) epochs: u32,
    pub(crate) eta_w: f64,
    pub(crate) eta_end: f64,
    pub(crate) r: f64,
    pub(crate) p0: f64,
    pub(crate) p0_sd: f64,
    pub(crate) rule: Rule,
    pub(crate) cd_k: u32,
    pub(crate) momentum_start: f64,
    pub(crate) momentum_end: f64,
    pub(crate) momentum_switch_epoch: u32,
    pub(crate) weight_decay: f64,
    pub(crate) threshold: u32,
    pub(crate) train_images: u32,
    pub(crate) test_images: u32,
    pub(crate) ais_temperatures: u32,
    pub(crate) ais_chains: u32,
    pub(crate) shards: u32,
    pub(crate) sync_every: u32,
}

impl Default for Protocol {
    /// Reliable synapses on the 8x8 digits, without annealed importance sampling.
    fn default() -> Self {
        Self {
            synapses: Synapses::Reliable,
            law: Law::Bernoulli,
            sites: 1,
            sd0: 0.0,
            masks: Masks::Batch,
            statistics: Statistics::Probabilities,
            estimator: Estimator::RaoBlackwell,
            objective: Objective::Jensen,
            objective_masks: 1,
            release_rule: ReleaseRule::Gradient,
            release_target: 0.0,
            dropout: 0.0,
            label_units: 0,
            hidden_units: 64,
            batch: 20,
            epochs: 30,
            eta_w: 0.2,
            eta_end: 1.0,
            r: 0.0,
            p0: 0.5,
            p0_sd: 0.0,
            rule: Rule::Cd,
            cd_k: 1,
            momentum_start: 0.5,
            momentum_end: 0.9,
            momentum_switch_epoch: 5,
            weight_decay: 2e-4,
            threshold: 7,
            train_images: 1300,
            test_images: 497,
            ais_temperatures: 0,
            ais_chains: 100,
            shards: 1,
            sync_every: 1,
        }
    }
}

impl Protocol {
    /// Rules across fields.
    ///
    /// # Errors
    /// The first that is broken: field, value and rule.
    pub(crate) fn check(&self) -> Result<(), ParamError> {
        if self.batch > self.train_images {
            let rule = format!("it must be at most `train_images`, {}", self.train_images);
            return Err(ParamError::new("batch", self.batch, rule));
        }
        self.check_law()?;
        self.check_model()?;
        self.check_release()?;
        self.check_shards()
    }

    fn check_shards(&self) -> Result<(), ParamError> {
        let rule = format!("it must be at most `batch`, {}", self.batch);
        require(self.shards <= self.batch, "shards", self.shards, rule)?;
        let rule = "it must be 1 unless `law` is bernoulli, with the defaults of `estimator`, `objective` and \
                    `dropout` and no local `release_rule`";
        require(self.shards == 1 || self.path() == Path::Tiled, "shards", self.shards, rule)?;
        let rule = "it must be 1 unless there are `shards`";
        require(self.shards > 1 || self.sync_every == 1, "sync_every", self.sync_every, rule)
    }

    fn check_law(&self) -> Result<(), ParamError> {
        let quantal = self.law == Law::Quantal;
        require(quantal || self.sites == 1, "sites", self.sites, "it must be 1 unless `law` is quantal")?;
        let spreads = matches!(self.law, Law::Gaussian | Law::BernoulliGaussian);
        let rule = "it must be at least 0.01 when `law` is gaussian or bernoulli_gaussian";
        require(!spreads || self.sd0 >= 0.01, "sd0", self.sd0, rule)?;
        let rule = "it must be 0 unless `law` is gaussian or bernoulli_gaussian";
        require(spreads || self.sd0 == 0.0, "sd0", self.sd0, rule)
    }

    fn check_model(&self) -> Result<(), ParamError> {
        let one = self.objective == Objective::Jensen;
        let rule = "it must be 1 unless `objective` is multi_sample";
        require(!one || self.objective_masks == 1, "objective_masks", self.objective_masks, rule)?;
        let rule = "it must be at least 2 when `objective` is multi_sample";
        require(one || self.objective_masks >= 2, "objective_masks", self.objective_masks, rule)?;
        // More visible than hidden units is the usual case; `plan` knows better.
        self.check_method(usize::MAX, 1)
    }

    /// Whether the learning rule can train such a machine.
    fn check_method(&self, visible: usize, columns: usize) -> Result<(), ParamError> {
        let (law, units) = (self.law.with_sites(self.sites), (visible, self.hidden_units as usize));
        let checked = self.method(columns).check(self.synapses, law, units, &self.learning(0));
        checked.map_err(|MethodError { name, value, rule }| ParamError {
            pointer: format!("/{name}"),
            value,
            rule,
        })
    }

    fn check_release(&self) -> Result<(), ParamError> {
        let local = self.release_rule == ReleaseRule::Local;
        let rule = "it must be 0 unless `release_rule` is local";
        require(local || self.release_target == 0.0, "release_target", self.release_target, rule)?;
        let widest = (self.p0 * (1.0 - self.p0)).sqrt();
        let rule = format!("it must be below √(p0 (1 − p0)) = {widest:.3}, the spread of a coin");
        require(self.p0_sd < widest, "p0_sd", self.p0_sd, rule)
    }

    /// Whole mini-batches in an epoch; what is left over is another set of images in each epoch.
    pub(crate) fn batches_per_epoch(&self) -> u64 {
        u64::from(self.train_images / self.batch)
    }

    /// Mini-batches of the whole run.
    fn batches(&self) -> u64 {
        u64::from(self.epochs) * self.batches_per_epoch()
    }

    /// The mini-batches that a step learns from: one, or those between two averages of the shards, of which the last may
    /// be fewer. Training may go on after the last epoch of the protocol.
    pub(crate) fn turns(&self, step: u64) -> Range<u64> {
        let every = u64::from(self.sync_every);
        let first = step * every;
        first..(first + every).min(self.batches().max(first + 1))
    }

    /// The epoch, from 0, that a mini-batch belongs to.
    pub(crate) fn epoch(&self, batch: u64) -> u64 {
        batch / self.batches_per_epoch()
    }

    /// Momentum at a mini-batch.
    pub(crate) fn momentum(&self, batch: u64) -> f64 {
        if self.epoch(batch) < u64::from(self.momentum_switch_epoch) {
            self.momentum_start
        } else {
            self.momentum_end
        }
    }

    /// Rate of weights and biases at a mini-batch: it falls linearly to `eta_end` of itself, and is scaled by (1 − m)/0.5,
    /// so that momentum does not change how far a constant gradient moves them.
    pub(crate) fn rate(&self, batch: u64) -> f64 {
        let done = batch as f64 / self.batches() as f64;
        let left = 1.0 - (1.0 - self.eta_end) * done;
        self.eta_w * left * (1.0 - self.momentum(batch)) / 0.5
    }

    /// Steps and memory with data of this shape.
    ///
    /// # Errors
    /// If there are too few images or too few grey levels.
    pub(crate) fn plan(&self, data: &DataShape) -> Result<Plan, ParamError> {
        let DataShape::Images { count, rows, cols, max, test_count, labelled } = *data else {
            return Err(ParamError::new("dataset", "", "it must hold images"));
        };
        let (train, test) = if test_count > 0 { (count - test_count, test_count) } else { (count, count) };
        if self.train_images > train {
            let rule = format!("it must be at most {train}, the images that the data set has for training");
            return Err(ParamError::new("train_images", self.train_images, rule));
        }
        let left = if test_count > 0 { test } else { count - self.train_images };
        if self.test_images > left {
            let rule =
                format!("it must be at most {left}, the images that the data set has left for testing");
            return Err(ParamError::new("test_images", self.test_images, rule));
        }
        if self.threshold >= u32::from(max) {
            let rule = format!("it must be below {max}, the greatest pixel of the data set");
            return Err(ParamError::new("threshold", self.threshold, rule));
        }
        let rule = "it must be 0, since the images of the data set have no labels";
        require(labelled || self.label_units == 0, "label_units", self.label_units, rule)?;
        let steps = self.batches().div_ceil(u64::from(self.sync_every));
        let labels = u64::from(self.label_units) * MOST_CLASSES;
        let visible = u64::from(rows) * u64::from(cols) + labels;
        Ok(Plan { steps, memory_bytes: self.memory_bytes(u64::from(count), visible) })
    }

    /// Sums of statistics with a copy on its way; where shards learn apart, one of them and the changes of weights, release
    /// logits and velocities, of 8 bytes, with their copy.
    fn shards_bytes(&self, weights: u64) -> u64 {
        match (self.shards, self.sync_every) {
            (1, _) => 0,
            (_, 1) => 2 * weights,
            _ => (8 + 2 * 2 * 4) * weights,
        }
    }

    /// An upper bound: the data twice (as bytes and, at worst all on, as lists of 4-byte indices), twelve arrays of
    /// the size of the weights (parameters, velocities, masks, products, transposes, tiles), unit activities of the
    /// largest set of images that is looked at in one go, and a checkpoint with its compressed copy.
    fn memory_bytes(&self, count: u64, visible: u64) -> u64 {
        let (hidden, used) =
            (u64::from(self.hidden_units), u64::from(self.train_images) + u64::from(self.test_images));
        let weights = 4 * visible * hidden;
        let data = count * visible + 4 * used * visible;
        let largest = u64::from(self.batch.max(self.test_images));
        let activities = 4 * 6 * largest * (visible + hidden);
        data + 12 * weights + activities + 8 * weights + self.shards_bytes(weights) + (16 << 20)
    }
}

/// An error about `field` unless the rule holds.
fn require(
    holds: bool,
    field: &str,
    value: impl serde::Serialize,
    rule: impl Into<String>,
) -> Result<(), ParamError> {
    if holds { Ok(()) } else { Err(ParamError::new(field, value, rule)) }
}

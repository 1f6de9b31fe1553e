//! The training protocol that `rbm` and `rbse` share: settings, schedule, and what they need.

use numerics::boltzmann::Synapses;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{DataShape, ParamError, Plan};

/// How the model's statistics are sampled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Rule {
    /// Contrastive divergence: chains start at the data (Hinton 2002).
    Cd,
    /// Persistent contrastive divergence: chains go on from step to step (Tieleman 2008).
    Pcd,
}

/// Settings of one training run, whatever the synapses.
#[derive(Debug, Clone)]
pub(crate) struct Protocol {
    pub(crate) synapses: Synapses,
    pub(crate) hidden_units: u32,
    pub(crate) batch: u32,
    pub(crate) epochs: u32,
    pub(crate) eta_w: f64,
    pub(crate) r: f64,
    pub(crate) p0: f64,
    pub(crate) rule: Rule,
    pub(crate) cd_k: u32,
    pub(crate) momentum_start: f64,
    pub(crate) momentum_end: f64,
    pub(crate) momentum_switch_epoch: u32,
    pub(crate) weight_decay: f64,
    pub(crate) threshold: u32,
    pub(crate) train_images: u32,
    pub(crate) test_images: u32,
}

impl Protocol {
    /// Rules across fields.
    pub(crate) fn check(&self) -> Result<(), ParamError> {
        if self.batch > self.train_images {
            let rule = format!("it must be at most `train_images`, {}", self.train_images);
            return Err(ParamError::new("batch", self.batch, rule));
        }
        Ok(())
    }

    /// Whole mini-batches in an epoch; what is left over is another set of images in each epoch.
    pub(crate) fn batches_per_epoch(&self) -> u64 {
        u64::from(self.train_images / self.batch)
    }

    /// The epoch, from 0, that step `step` belongs to.
    pub(crate) fn epoch(&self, step: u64) -> u64 {
        step / self.batches_per_epoch()
    }

    /// Momentum at a step.
    pub(crate) fn momentum(&self, step: u64) -> f64 {
        if self.epoch(step) < u64::from(self.momentum_switch_epoch) {
            self.momentum_start
        } else {
            self.momentum_end
        }
    }

    /// Rate of weights and biases at a step: scaled by (1 − m)/0.5, so that momentum does not change how far a
    /// constant gradient moves them.
    pub(crate) fn rate(&self, step: u64) -> f64 {
        self.eta_w * (1.0 - self.momentum(step)) / 0.5
    }

    /// Steps and memory with data of this shape.
    pub(crate) fn plan(&self, data: &DataShape) -> Result<Plan, ParamError> {
        let DataShape::Images { count, rows, cols, max, test_count, .. } = *data else {
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
        let steps = u64::from(self.epochs) * self.batches_per_epoch();
        Ok(Plan {
            steps,
            memory_bytes: self.memory_bytes(u64::from(count), u64::from(rows) * u64::from(cols)),
        })
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
        data + 12 * weights + activities + 8 * weights + (16 << 20)
    }
}

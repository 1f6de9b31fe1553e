//! Buffers of a learning step.

use super::weights::Weights;
use crate::BinaryRows;

/// Memory that steps reuse; it carries nothing from one to the next.
#[derive(Debug, Default)]
pub struct Scratch {
    /// Random words of what is being sampled.
    pub(super) words: Vec<u32>,
    /// What synapses do in this step.
    pub(super) weights: Weights,
    /// P(h = 1 | v) at the data, or the samples that stand for it in the statistics, (examples, H).
    pub(super) ph_data: Vec<f32>,
    /// The same at the end of the chain.
    pub(super) ph_model: Vec<f32>,
    /// P(v = 1 | h) in the chain, (examples, V).
    pub(super) pv: Vec<f32>,
    /// 1 for hidden units that take part, 0 for dropped ones, (examples, H); empty without dropout.
    pub(super) kept: Vec<f32>,
    /// h in the chain.
    pub(super) hidden: BinaryRows,
    /// v in the chain.
    pub(super) visible: BinaryRows,
    /// For each visible unit the examples where it is on: at the data and in the chain.
    pub(super) on_in_data: BinaryRows,
    pub(super) on_in_model: BinaryRows,
    /// n·D, (V, H).
    pub(super) d: Vec<f32>,
    /// n times the gradients of b and c.
    pub(super) d_visible: Vec<f32>,
    pub(super) d_hidden: Vec<f32>,
    /// n times the gradients of w, a and ln s, (V, H), where no kernel finds them on the way.
    pub(super) g_w: Vec<f32>,
    pub(super) g_a: Vec<f32>,
    pub(super) g_log_sd: Vec<f32>,
    /// 0, 1, … n − 1.
    pub(super) everyone: Vec<u32>,
}

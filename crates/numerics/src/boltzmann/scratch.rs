//! Buffers of a learning step.

use super::parameters::{Parameters, Synapses, slice};
use crate::{BinaryRows, Draws, Stream};
use kernels::{rows, synapses};

/// Memory that steps reuse; it carries nothing from one to the next.
#[derive(Debug, Default)]
pub struct Scratch {
    /// Random words of what is being sampled.
    pub(super) words: Vec<u32>,
    /// W that both phases use, (V, H); empty for reliable synapses, whose W is w.
    weights: Vec<f32>,
    /// Wᵀ, (H, V).
    pub(super) transposed: Vec<f32>,
    /// ξ of the prior mixture, (V, H), 0 or 1.
    pub(super) mask: Vec<f32>,
    /// P(h = 1 | v) at the data, (examples, H).
    pub(super) ph_data: Vec<f32>,
    /// The same at the end of the chain.
    pub(super) ph_model: Vec<f32>,
    /// P(v = 1 | h) in the chain, (examples, V).
    pub(super) pv: Vec<f32>,
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
    /// 0, 1, … n − 1.
    pub(super) everyone: Vec<u32>,
}

impl Scratch {
    /// Finds the weights of this step, drawing the releases of a prior mixture, and transposes them.
    pub(super) fn prepare(&mut self, parameters: &Parameters, draws: Draws) {
        let (w, a) = (slice(&parameters.w), slice(&parameters.a));
        match parameters.synapses {
            Synapses::Reliable => {}
            Synapses::JointEnergy => {
                self.weights.resize(w.len(), 0.0);
                synapses::collapse(w, a, &mut self.weights);
            }
            Synapses::PriorMixture => {
                self.words.resize(w.len(), 0);
                draws.fill_u32(Stream::Mask, 0, &mut self.words);
                self.mask.resize(w.len(), 0.0);
                self.weights.resize(w.len(), 0.0);
                synapses::release(w, a, &self.words, &mut self.mask, &mut self.weights);
            }
        }
        self.transposed.resize(w.len(), 0.0);
        let (v, h) = parameters.w.dim();
        let weights = match parameters.synapses {
            Synapses::Reliable => w,
            Synapses::JointEnergy | Synapses::PriorMixture => &self.weights,
        };
        rows::transpose(weights, v, h, &mut self.transposed);
    }

    /// `P(h = 1 | v) = s(c + vW)` into `p`.
    pub(super) fn hidden_prob(&self, parameters: &Parameters, visible: &BinaryRows, p: &mut Vec<f32>) {
        let weights = match parameters.synapses {
            Synapses::Reliable => slice(&parameters.w),
            Synapses::JointEnergy | Synapses::PriorMixture => &self.weights,
        };
        unit_prob(weights, slice(&parameters.c), visible, p);
    }

    /// `P(v = 1 | h) = s(b + hWᵀ)` into `self.pv`, for the hidden units of the chain.
    pub(super) fn visible_prob(&mut self, parameters: &Parameters) {
        unit_prob(&self.transposed, slice(&parameters.b), &self.hidden, &mut self.pv);
    }
}

fn unit_prob(table: &[f32], bias: &[f32], active: &BinaryRows, p: &mut Vec<f32>) {
    p.resize(active.len() * bias.len(), 0.0);
    for row in p.chunks_exact_mut(bias.len()) {
        row.copy_from_slice(bias);
    }
    rows::add_rows(table, bias.len(), active.lists(), p);
    kernels::math::sigmoids(p);
}

//! How a step learns.

use kernels::synapses::{Ascent, Rule};

/// Where the model's side of the statistics comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chain {
    /// Contrastive divergence: k sweeps from the data.
    Cd {
        /// Gibbs sweeps, at least 1.
        k: usize,
    },
    /// Persistent contrastive divergence: k sweeps from where the last step ended.
    Pcd {
        /// Gibbs sweeps, at least 1.
        k: usize,
    },
}

impl Chain {
    pub(super) fn sweeps(self) -> usize {
        let (Chain::Cd { k } | Chain::Pcd { k }) = self;
        k
    }
}

/// How long a release mask of the prior mixture lasts.
///
/// A mini-batch trains the ensemble's mean log-likelihood (a Jensen bound) with one sampled
/// machine at a time. The two others resample within a sweep, as the synaptic sampling machine
/// does (Neftci, Pedroni, Joshi, Al-Shedivat & Cauwenberghs 2016, Front. Neurosci. 10:241).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Masks {
    /// One for a mini-batch, both phases and all its examples; `dw = ξ D`.
    #[default]
    Batch,
    /// A fresh one for every half sweep, shared by the examples; `dw = D`.
    HalfStep,
    /// A fresh one for every example and half sweep; `dw = D`.
    Example,
}

/// What stands for the hidden units in D.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Statistics {
    /// P(h = 1 | v): less variance.
    #[default]
    Probabilities,
    /// The samples h themselves: binary, as a spiking machine has them.
    Samples,
}

/// Rates and limits of one step.
///
/// `velocity = momentum · velocity + rate · (gradient − decay · x)`, `x += velocity`. The caller
/// scales `eta_w` where the momentum changes: (1 − momentum)/0.5 keeps the effective rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Learning {
    /// Rate of w, b and c.
    pub eta_w: f64,
    /// r = η_a/η_w: how much faster the logit of release climbs than the strength.
    pub release_rate_ratio: f64,
    /// Part of the velocity that stays, in [0, 1). A step without momentum leaves velocities of 0.
    pub momentum: f64,
    /// Decay of w; a, b and c have none.
    pub weight_decay: f64,
    /// |a| stays at most this.
    pub a_limit: f64,
    /// The model's side of the statistics.
    pub chain: Chain,
    /// How long a release mask lasts; read by the prior mixture only.
    pub masks: Masks,
    /// What stands for the hidden units in D.
    pub statistics: Statistics,
}

impl Default for Learning {
    /// η_w 0.1, r 16, momentum 0.5, decay 2e-4, |a| ≤ 8, CD-1, a mask a mini-batch, probabilities.
    fn default() -> Self {
        Self {
            eta_w: 0.1,
            release_rate_ratio: 16.0,
            momentum: 0.5,
            weight_decay: 2e-4,
            a_limit: 8.0,
            chain: Chain::Cd { k: 1 },
            masks: Masks::Batch,
            statistics: Statistics::Probabilities,
        }
    }
}

impl Learning {
    pub(super) fn bias_ascent(&self) -> Ascent {
        Ascent { rate: self.eta_w as f32, momentum: self.momentum as f32, decay: 0.0 }
    }

    pub(super) fn rule(&self, d_scale: f32) -> Rule {
        Rule {
            w: Ascent { decay: self.weight_decay as f32, ..self.bias_ascent() },
            a: Ascent { rate: (self.eta_w * self.release_rate_ratio) as f32, ..self.bias_ascent() },
            a_limit: self.a_limit as f32,
            d_scale,
        }
    }
}

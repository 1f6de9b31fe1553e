//! The likelihood of a whole ensemble whose members are normalised one by one (model B).

use super::{EXACT_UNITS, exact_log_partition, free_energy};
use crate::boltzmann::{Parameters, Rbm};
use crate::{BinaryRows, Draws, stats};
use serde::{Deserialize, Serialize};

/// What the members of an ensemble make of the same images, averaged over images; in nats.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MixtureLikelihood {
    /// `ln E_W P(v | W)`: the likelihood of the ensemble. From m members it is low by about the
    /// variance of P(v | W) over m, relative to its mean squared, halved.
    pub log_mean: f64,
    /// `E_W ln P(v | W)`: what a member reaches on its own, Jensen's bound of the above.
    pub mean_log: f64,
    /// `log_mean − mean_log` ≥ 0: what the ensemble gains over its members.
    pub gap: f64,
    /// Greatest standard error that `log_mean` can have from the choice of members: that of an
    /// image, averaged, as if all images erred together.
    pub standard_error: f64,
}

/// Running sums over members, so that a long evaluation can be cut into pieces.
///
/// Holds 32 bytes an image.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MixtureSum {
    members: u64,
    /// For each image the greatest log P so far, and Σ P, Σ P² relative to it.
    greatest: Vec<f64>,
    sums: Vec<f64>,
    squares: Vec<f64>,
    logs: Vec<f64>,
}

impl MixtureSum {
    /// How many members were added.
    pub fn members(&self) -> u64 {
        self.members
    }

    /// Adds `log P(v | W)` of one member.
    ///
    /// # Panics
    /// If `log_probs` is not of as many images as the first member's.
    pub fn add(&mut self, log_probs: &[f64]) {
        if self.members == 0 {
            self.greatest = vec![f64::NEG_INFINITY; log_probs.len()];
            (self.sums, self.squares, self.logs) =
                (vec![0.0; log_probs.len()], vec![0.0; log_probs.len()], vec![0.0; log_probs.len()]);
        }
        assert_eq!(log_probs.len(), self.sums.len(), "every member looks at the same images");
        self.members += 1;
        for (k, &log_p) in log_probs.iter().enumerate() {
            if log_p > self.greatest[k] {
                let shrink = libm::exp(self.greatest[k] - log_p);
                self.greatest[k] = log_p;
                self.sums[k] *= shrink;
                self.squares[k] *= shrink * shrink;
            }
            let p = libm::exp(log_p - self.greatest[k]);
            self.sums[k] += p;
            self.squares[k] += p * p;
            self.logs[k] += log_p;
        }
    }

    /// Adds a member, if its partition function is exact; says whether it is.
    ///
    /// # Panics
    /// If `visible` has not V columns or as many rows as before.
    pub fn add_member(&mut self, rbm: &Rbm, visible: &BinaryRows) -> bool {
        let Some(log_z) = exact_log_partition(rbm) else { return false };
        let log_probs: Vec<f64> = free_energy(rbm, visible).iter().map(|f| -f - log_z).collect();
        self.add(&log_probs);
        true
    }

    /// The likelihoods so far; none before the first member or without images.
    pub fn likelihood(&self) -> Option<MixtureLikelihood> {
        if self.members == 0 || self.sums.is_empty() {
            return None;
        }
        let m = self.members as f64;
        let per_image =
            |f: &dyn Fn(usize) -> f64| stats::mean(&(0..self.sums.len()).map(f).collect::<Vec<f64>>());
        let log_mean = per_image(&|k| self.greatest[k] + libm::log(self.sums[k] / m));
        let mean_log = per_image(&|k| self.logs[k] / m);
        // Delta method: the error of ln x̄ is that of x̄ over x̄; the variance is never below 0 but for rounding.
        let standard_error = per_image(&|k| {
            let mean = self.sums[k] / m;
            let variance = (self.squares[k] / m - mean * mean).max(0.0) * m / (m - 1.0).max(1.0);
            (variance / m).sqrt() / mean
        });
        Some(MixtureLikelihood { log_mean, mean_log, gap: log_mean - mean_log, standard_error })
    }
}

/// The likelihoods of `members` drawn members (copies 0.. of [`Parameters::sampled`]).
///
/// An ensemble with a marginal (reliable synapses, model A) is one RBM: a single member counts.
/// None if neither side has at most [`EXACT_UNITS`] units.
///
/// # Panics
/// If `visible` has not V columns or no rows, or there are no members.
pub fn mixture_likelihood(
    parameters: &Parameters,
    visible: &BinaryRows,
    members: u32,
    draws: Draws,
) -> Option<MixtureLikelihood> {
    assert!(members > 0 && !visible.is_empty(), "a likelihood needs members and images");
    if parameters.visible_units().min(parameters.hidden_units()) > EXACT_UNITS {
        return None;
    }
    let members = if parameters.marginal().is_some() { 1 } else { members };
    let mut sum = MixtureSum::default();
    for copy in 0..members {
        sum.add_member(&parameters.sampled(copy, draws), visible);
    }
    sum.likelihood()
}

#[cfg(test)]
#[path = "mixture_tests.rs"]
mod tests;

//! The exact partition function of an RBM with few units on one side.

use super::free_energy;
use crate::boltzmann::Rbm;
use crate::{BinaryRows, stats};

/// The most units on the smaller side whose 2^n states are summed.
pub const EXACT_UNITS: usize = 20;

/// States that are looked at together.
const BLOCK: usize = 1 << 10;

/// `log Z = log Σ_v e^−F(v)`, or the same over hidden states, whichever side is smaller.
///
/// None if both sides have more than [`EXACT_UNITS`] units. Inputs of units are sums in f32,
/// all else is f64: within 1e-4 nats for energies of some hundred nats. Takes 2^n times the
/// larger side; about a second at 2²⁰ × 784.
pub fn exact_log_partition(rbm: &Rbm) -> Option<f64> {
    let (v, h) = rbm.weights().dim();
    // F of the hidden side is F of the visible side of the RBM turned over.
    let turned;
    let (side, units) = if v <= h {
        (rbm, v)
    } else {
        turned = rbm.turned_over();
        (&turned, h)
    };
    (units <= EXACT_UNITS).then(|| sum_states(side, units))
}

/// Mean of `log P(v) = −F(v) − log Z` over the images, in nats.
///
/// # Panics
/// If `visible` has not V columns.
pub fn log_likelihood(rbm: &Rbm, visible: &BinaryRows, log_z: f64) -> f64 {
    -stats::mean(&free_energy(rbm, visible).to_vec()) - log_z
}

/// [`log_likelihood`] with the exact log Z; none where [`exact_log_partition`] gives none.
///
/// # Panics
/// If `visible` has not V columns.
pub fn exact_log_likelihood(rbm: &Rbm, visible: &BinaryRows) -> Option<f64> {
    exact_log_partition(rbm).map(|log_z| log_likelihood(rbm, visible, log_z))
}

/// log Σ e^−F over all states of the visible side.
fn sum_states(rbm: &Rbm, units: usize) -> f64 {
    let states = 1_usize << units;
    let mut blocks = Vec::with_capacity(states.div_ceil(BLOCK));
    for first in (0..states).step_by(BLOCK) {
        let mut block = BinaryRows::new(units);
        for state in first..states.min(first + BLOCK) {
            block.push((0..units as u32).filter(|i| state >> i & 1 == 1));
        }
        let terms: Vec<f64> = free_energy(rbm, &block).iter().map(|f| -f).collect();
        blocks.push(stats::log_sum_exp(&terms));
    }
    stats::log_sum_exp(&blocks)
}

#[cfg(test)]
#[path = "partition_tests.rs"]
mod tests;

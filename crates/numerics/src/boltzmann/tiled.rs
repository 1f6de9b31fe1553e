//! The fast path: Bernoulli synapses, weights in panels, one core.

mod images;
mod state;

pub use images::{Batch, Images};
pub use state::{Scratch, State};

use super::{Learning, Masks, Statistics};
use crate::{BinaryRows, Draws};

/// Learns from one mini-batch; see [`super::step()`] for the equations.
///
/// # Panics
/// If shapes do not fit, the batch is empty or the chain makes no sweep.
pub fn step(state: &mut State, batch: Batch<'_>, learning: &Learning, scratch: &mut Scratch, draws: Draws) {
    step_rows(state, &batch.to_rows(), learning, scratch, draws);
}

/// [`step`] on a mini-batch that is not part of [`Images`].
///
/// # Panics
/// As [`step`].
pub fn step_rows(
    state: &mut State,
    batch: &BinaryRows,
    learning: &Learning,
    scratch: &mut Scratch,
    draws: Draws,
) {
    assert_eq!(learning.masks, Masks::Batch, "other masks are on their way");
    assert_eq!(learning.statistics, Statistics::Probabilities, "samples are on their way");
    super::step(&mut state.general, batch, learning, &mut scratch.general, draws);
}

//! One mini-batch in shards, which the members of a team compute.
//!
//! A shard is a fixed part of the mini-batch: so many examples in a row, with the draws they have in the whole. What it
//! adds to the statistics is rounded to fixed point ([`kernels::tiled::fixed`]), so their sum depends on how many shards
//! there are and not on who computed which.

use super::super::Learning;
use super::step::{Pass, check, is_persistent, rates, spread};
use super::{Batch, Scratch, State};
use crate::Draws;
use crate::collective::{Collective, part};
use kernels::Level;
use kernels::tiled::ascent::{Rates, Statistics, Tabulated, ascend_biases};
use kernels::tiled::fixed::{add_statistics, scale, to_fixed};
use kernels::tiled::statistics::hidden_surplus;
use kernels::tiled::{Line, zeroed};
use std::ops::Range;

/// Learns from one mini-batch cut into `shards`, of which each member of the team computes some.
///
/// All members call this with the same state and end with the same one. Member r of R computes the shards from
/// ⌊S r/R⌋ to ⌊S (r + 1)/R⌋. The ascent is everybody's: it takes what one member needs to hear of it.
///
/// # Panics
/// As [`super::step()`], and if there are no shards or more of them than examples.
pub fn step_in_shards(
    state: &mut State,
    batch: Batch<'_>,
    (learning, shards): (&Learning, usize),
    scratch: &mut Scratch,
    draws: Draws,
    team: &mut dyn Collective,
) {
    step_in_shards_at(Level::detected(), state, batch, (learning, shards), scratch, draws, team);
}

/// [`step_in_shards`] at a level, with the same bits.
///
/// # Panics
/// As [`step_in_shards`], and if this machine lacks the level.
pub fn step_in_shards_at(
    level: Level,
    state: &mut State,
    batch: Batch<'_>,
    (learning, shards): (&Learning, usize),
    scratch: &mut Scratch,
    draws: Draws,
    team: &mut dyn Collective,
) {
    check(state, batch, learning);
    let (n, v, h) = (batch.len(), state.w.x.rows(), state.w.x.columns());
    assert!((1..=n).contains(&shards), "{shards} shards of {n} examples");
    state.prepare(level, learning, draws);
    scratch.fixed.reset(v, h, n);
    scratch.edges.reset(&[state.c.x.len() * 64, v, 2 * state.chains.words_of(0..state.chains.len()).len()]);
    for shard in part(shards, team.size(), team.rank()) {
        let rows = part(n, shards, shard);
        let mut ended = |_| {};
        let (first, examples) = (rows.start, rows.len());
        let mut pass = Pass { level, first, examples, learning, draws, ended: &mut ended };
        pass.collect(state, batch, scratch);
        pass.pair(v, scratch);
        add_shard(level, n, scratch);
        if is_persistent(learning) {
            scratch.edges.put_chains(state, rows);
        }
    }
    team.sum_i32(scratch.fixed.numbers_mut());
    team.sum_i32(&mut scratch.edges.numbers);
    if is_persistent(learning) {
        scratch.edges.take_chains(state);
    }
    ascend(level, state, (learning, rates(learning)), scratch, draws);
    state.settle(learning.momentum);
}

/// Adds the statistics of the shard in the scratch to those of a mini-batch of n examples.
fn add_shard(level: Level, n: usize, scratch: &mut Scratch) {
    let Scratch { table, pairs, fixed, edges, surplus, .. } = scratch;
    add_statistics(level, Tabulated { table, pairs }, fixed);
    let [hidden, visible, _] = edges.parts();
    let surplus = &mut surplus[..hidden.len() / 64];
    hidden_surplus(level, table, surplus);
    let scale = scale(n);
    for (sum, &x) in hidden.iter_mut().zip(surplus.iter().flat_map(|line| line.0.as_flattened())) {
        *sum = sum.wrapping_add(to_fixed(x, scale));
    }
    for (sum, x) in visible.iter_mut().zip(pairs.surplus()) {
        *sum += x;
    }
}

/// Momentum ascent of all parameters along the statistics in fixed point.
fn ascend(
    level: Level,
    state: &mut State,
    (learning, rates): (&Learning, Rates),
    scratch: &mut Scratch,
    draws: Draws,
) {
    let Scratch { fixed, edges, surplus, .. } = scratch;
    let n = fixed.examples();
    let State { synapses, w, a, b, c, gates, .. } = state;
    // A member without a shard has not been here before.
    zeroed(surplus, b.x.len().max(c.x.len()), Line::ZERO);
    gates.ascend(level, Statistics::Fixed(fixed), (w, a), rates, (*synapses, learning, draws.next()));

    let [hidden, visible, _] = edges.parts();
    let lines = &mut surplus[..c.x.len()];
    spread(hidden, lines);
    let worth = 1.0 / scale(n);
    lines.iter_mut().flat_map(|line| line.0.as_flattened_mut()).for_each(|x| *x *= worth);
    ascend_biases(level, lines, n, &mut c.x, &mut c.velocity, rates);
    let lines = &mut surplus[..b.x.len()];
    spread(visible, lines);
    ascend_biases(level, lines, n, &mut b.x, &mut b.velocity, rates);
}

/// Sums of units, and states of chains: each is some member's, and 0 of all others.
#[derive(Debug, Default)]
pub(super) struct Edges {
    pub(super) numbers: Vec<i32>,
    lengths: [usize; 2],
}

impl Edges {
    /// Zeros: of hidden units in fixed point, of visible units in ones, and halves of words of chains.
    pub(super) fn reset(&mut self, lengths: &[usize; 3]) {
        zeroed(&mut self.numbers, lengths.iter().sum(), 0);
        self.lengths = [lengths[0], lengths[1]];
    }

    fn parts(&mut self) -> [&mut [i32]; 3] {
        let (hidden, rest) = self.numbers.split_at_mut(self.lengths[0]);
        let (visible, chains) = rest.split_at_mut(self.lengths[1]);
        [hidden, visible, chains]
    }

    /// The states of the chains of these examples.
    pub(super) fn put_chains(&mut self, state: &State, rows: Range<usize>) {
        let before = state.chains.words_of(0..rows.start).len();
        let words = state.chains.words_of(rows);
        let [.., chains] = self.parts();
        for (to, &word) in chains[2 * before..].chunks_exact_mut(2).zip(words) {
            to.copy_from_slice(&[word as u32, (word >> 32) as u32].map(u32::cast_signed));
        }
    }

    /// The states of all chains, once they are summed.
    pub(super) fn take_chains(&mut self, state: &mut State) {
        let all = 0..state.chains.len();
        let [.., chains] = self.parts();
        for (word, from) in state.chains.words_of_mut(all).iter_mut().zip(chains.chunks_exact(2)) {
            *word = u64::from(from[0].cast_unsigned()) | u64::from(from[1].cast_unsigned()) << 32;
        }
    }
}

#[cfg(test)]
#[path = "shards_tests.rs"]
pub(super) mod tests;

//! Shards that learn apart from one another for some mini-batches, and are then averaged.

use super::super::Learning;
use super::step::{Pass, check, is_persistent};
use super::{Batch, Scratch, State};
use crate::Draws;
use crate::collective::{Collective, part};
use kernels::Level;
use kernels::tiled::Line;

/// One over the unit of changes in fixed point.
const SCALE: f64 = (1_u64 << 40) as f64;
/// Changes of this size and more are cut to it.
const MOST_CHANGE: f64 = (1 << 16) as f64;
/// With which the sum of all changes, 2⁴⁰ · 2¹⁶ · 2⁶ = 2⁶², cannot overflow.
const MOST_SHARDS: usize = 64;

/// A mini-batch, how it is learned from, and the draws of it.
#[derive(Clone, Copy, Debug)]
pub struct Turn<'a> {
    /// The examples.
    pub batch: Batch<'a>,
    /// Rates and chain.
    pub learning: Learning,
    /// Its draws; every mini-batch has a step of its own.
    pub draws: Draws,
}

/// Every shard learns from its part of some mini-batches as if it were alone, from the same state; then the changes of
/// all parameters and velocities are averaged, in multiples of 2⁻⁴⁰.
///
/// Between the ends of this function the machines of the shards differ, so it is another algorithm than learning in step;
/// its sums are exchanged once for all the mini-batches. Members and shards as in [`super::step_in_shards`].
///
/// A shard whose parameters are not finite makes all weights NaN, as an undivided machine would end.
///
/// # Panics
/// As [`super::step()`], if there are no turns, no shards, more shards than examples in a mini-batch, or more than 64.
///
/// # Source
/// Yu, Jin & Yang 2019, "On the linear speedup analysis of communication efficient momentum SGD", ICML (averages of
/// parameters and of velocities).
pub fn step_apart(
    state: &mut State,
    (turns, shards): (&[Turn<'_>], usize),
    scratch: &mut Scratch,
    team: &mut dyn Collective,
) {
    let most = turns.iter().map(|turn| turn.batch.len()).min().expect("there are mini-batches");
    assert!((1..=most.min(MOST_SHARDS)).contains(&shards), "{shards} shards of {most} examples");
    let lengths: Vec<usize> = state.all_lines().iter().map(|lines| lines.len() * 64).collect();
    let mut changes = std::mem::take(&mut scratch.changes);
    // The last counts what is not finite.
    kernels::tiled::zeroed(&mut changes, lengths.iter().sum::<usize>() + 1, 0);
    scratch.edges.reset(&[0, 0, 2 * state.chains.words_of(0..state.chains.len()).len()]);
    let persistent = turns.iter().any(|turn| is_persistent(&turn.learning));
    for shard in part(shards, team.size(), team.rank()) {
        let own = learn_alone(state, (turns, shards, shard), scratch);
        add_changes(state, &own, &mut changes);
        if persistent {
            scratch.edges.put_chains(&own, part(state.chains.len(), shards, shard));
        }
    }
    team.sum_i64(&mut changes);
    if persistent {
        team.sum_i32(&mut scratch.edges.numbers);
        scratch.edges.take_chains(state);
    }
    take_changes(state, &changes, shards);
    scratch.changes = changes;
}

/// The state of one shard after all turns.
fn learn_alone(
    state: &State,
    (turns, shards, shard): (&[Turn<'_>], usize, usize),
    scratch: &mut Scratch,
) -> State {
    let (level, mut own) = (Level::detected(), state.clone());
    for Turn { batch, learning, draws } in turns {
        check(&own, *batch, learning);
        let rows = part(batch.len(), shards, shard);
        own.prepare(level, learning, *draws);
        let mut ended = |_| {};
        let (first, examples) = (rows.start, rows.len());
        let mut pass = Pass { level, first, examples, learning, draws: *draws, ended: &mut ended };
        pass.collect(&mut own, *batch, scratch);
        pass.learn(&mut own, scratch);
        own.settle(learning.momentum);
    }
    own
}

fn add_changes(before: &State, after: &State, changes: &mut [i64]) {
    let (strange, changes) = changes.split_last_mut().expect("a count comes last");
    let [before, after] = [before, after].map(|state| state.all_lines().into_iter().flat_map(values));
    for ((sum, from), to) in changes.iter_mut().zip(before).zip(after) {
        let change = f64::from(to) - f64::from(from);
        *strange += i64::from(!change.is_finite());
        *sum += (change.clamp(-MOST_CHANGE, MOST_CHANGE) * SCALE).round_ties_even() as i64;
    }
}

fn take_changes(state: &mut State, changes: &[i64], shards: usize) {
    let (strange, changes) = changes.split_last().expect("a count comes last");
    let worth = 1.0 / (SCALE * shards as f64);
    let values = state.all_lines_mut().into_iter().flatten().flat_map(|line| line.0.as_flattened_mut());
    for (value, &change) in values.zip(changes) {
        *value = (f64::from(*value) + change as f64 * worth) as f32;
    }
    if *strange > 0 {
        state.spoil();
    }
    state.forget_gates();
}

fn values(lines: &[Line]) -> impl Iterator<Item = f32> {
    lines.iter().flat_map(|line| line.0.as_flattened()).copied()
}

#[cfg(test)]
#[path = "apart_tests.rs"]
mod tests;

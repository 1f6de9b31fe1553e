//! One mini-batch of learning in tiles.

use super::super::{Chain, Learning, Statistics, Synapses, unit_index};
use super::gates::mask_draws;
use super::{Batch, Scratch, State};
use crate::{BinaryRows, Draws, Stream};
use kernels::Level;
use kernels::tiled::ascent::{self, Rates, Tabulated, ascend_biases};
use kernels::tiled::lists::{Active, Bits, Blocks, list, list_changes};
use kernels::tiled::product::{
    GroupProduct, Product, backward, backward_released, forward, forward_changed, forward_released,
};
use kernels::tiled::statistics::{Kind, Side, Table, hidden_surplus, pair, tabulate_samples};
use kernels::tiled::units::{Inputs, UnitDraws, sample, tabulate};
use kernels::tiled::{Line, MaskDraws};
use std::ops::Range;

/// Learns from one mini-batch; see [`super::super::step()`] for the equations.
///
/// Bit for bit a function of the state, the mini-batch and the draws: the scratch carries nothing.
///
/// # Shapes
/// `batch`: (n, V), 1 ≤ n ≤ 4096; with persistent chains there are n of them.
///
/// # Panics
/// If shapes do not fit, the batch is empty, the chain makes no sweep, a layer has more than 65,472
/// units or the limit of a is not in 0..=44.
pub fn step(state: &mut State, batch: Batch<'_>, learning: &Learning, scratch: &mut Scratch, draws: Draws) {
    step_at(Level::detected(), state, batch, learning, scratch, draws);
}

/// [`step`] on a mini-batch that is not part of [`super::Images`].
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
    let mut images = std::mem::take(&mut scratch.images);
    let mut picks = std::mem::take(&mut scratch.picks);
    images.assign(batch);
    picks.clear();
    picks.extend(0..batch.len() as u32);
    step(state, images.batch(&picks), learning, scratch, draws);
    (scratch.images, scratch.picks) = (images, picks);
}

/// [`step`] at a level, with the same bits.
///
/// # Panics
/// As [`step`], and if this machine lacks the level.
pub fn step_at(
    level: Level,
    state: &mut State,
    batch: Batch<'_>,
    learning: &Learning,
    scratch: &mut Scratch,
    draws: Draws,
) {
    step_in_parts(level, state, batch, learning, scratch, draws, &mut |_| {});
}

/// What a step spends its time on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// What the state lacks after a start or a resumption.
    Preparation,
    /// Lists of active units.
    Lists,
    /// `v·W` of the data.
    UpData,
    /// `h·Wᵀ`.
    Down,
    /// `v·W` of the model.
    UpModel,
    /// Sigmoids and samples.
    Units,
    /// Lists of what the statistics of each visible unit add up.
    Pairs,
    /// Statistics and the update of w and a.
    Ascent,
    /// The update of biases.
    Biases,
}

/// [`step_at`] that tells `ended` which part has just ended, for those who measure.
///
/// # Panics
/// As [`step_at`].
pub fn step_in_parts(
    level: Level,
    state: &mut State,
    batch: Batch<'_>,
    learning: &Learning,
    scratch: &mut Scratch,
    draws: Draws,
    ended: &mut dyn FnMut(Part),
) {
    check(state, batch, learning);
    state.prepare(level, learning, draws);
    let mut pass = Pass { level, first: 0, examples: batch.len(), learning, draws, ended };
    pass.collect(state, batch, scratch);
    pass.learn(state, scratch);
    state.settle(learning.momentum);
}

/// What the parts of a step have in common.
pub(super) struct Pass<'a> {
    pub(super) level: Level,
    /// Place of its first example in the mini-batch; draws have the addresses of the whole.
    pub(super) first: usize,
    pub(super) examples: usize,
    pub(super) learning: &'a Learning,
    pub(super) draws: Draws,
    /// Hears which part has just ended.
    pub(super) ended: &'a mut dyn FnMut(Part),
}

impl Pass<'_> {
    /// Everything up to the statistics: the table, and the visible units of both sides.
    pub(super) fn collect(&mut self, state: &mut State, batch: Batch<'_>, scratch: &mut Scratch) {
        scratch.reset(self.examples, state.w.x.rows(), state.w.x.columns());
        for example in self.rows() {
            scratch.data.extend_from_slice(batch.words(example));
        }
        (self.ended)(Part::Preparation);
        self.data_side(state, scratch);
        for sweep in 1..=self.learning.chain.sweeps() {
            self.sweep(state, scratch, sweep);
        }
    }

    /// Places of its examples in the mini-batch.
    fn rows(&self) -> Range<usize> {
        self.first..self.first + self.examples
    }

    fn unit_draws(&self, stream: Stream, sweep: usize) -> UnitDraws {
        let first = unit_index(sweep, self.first, 0);
        UnitDraws { key: self.draws.key(stream), step: self.draws.step(), first }
    }

    /// Draws of releases of every example's own.
    fn release_draws(&self, phase: usize) -> MaskDraws {
        MaskDraws { first: self.first as u32, ..mask_draws(self.draws, phase as u32) }
    }

    /// Hidden units at the data, and where the chain starts.
    fn data_side(&mut self, state: &State, scratch: &mut Scratch) {
        let (v, h) = (state.w.x.rows(), state.w.x.columns());
        let kind = match self.learning.statistics {
            Statistics::Probabilities => Kind::Probabilities,
            Statistics::Samples => Kind::Samples,
        };
        scratch.table.reset(kind, h, self.examples);
        let Scratch { data, active, hidden_inputs, hidden, samples, table, .. } = scratch;
        list(self.level, Bits { words: data, units: v }, Blocks::Tiles, active);
        (self.ended)(Part::Lists);
        self.up(state, active, hidden_inputs, 0);
        (self.ended)(Part::UpData);
        let into = if is_persistent(self.learning) { samples } else { &mut *hidden };
        self.hidden_units(hidden_inputs, h, into, (table, Side::Data), (0, !is_persistent(self.learning)));
        if is_persistent(self.learning) {
            hidden.copy_from_slice(state.chains.words_of(self.rows()));
        }
    }

    /// Down and up again.
    fn sweep(&mut self, state: &mut State, scratch: &mut Scratch, sweep: usize) {
        let (v, h) = (state.w.x.rows(), state.w.x.columns());
        self.down(state, scratch, 2 * sweep - 1);
        (self.ended)(Part::Down);
        std::mem::swap(&mut scratch.visible, &mut scratch.visible_before);
        let inputs = Inputs { lines: &scratch.visible_inputs, units: v, examples: self.examples };
        sample(self.level, inputs, self.unit_draws(Stream::Visible, sweep), &mut scratch.visible);
        (self.ended)(Part::Units);
        self.up_again(state, scratch, sweep);
        (self.ended)(Part::UpModel);

        let last = sweep == self.learning.chain.sweeps();
        let Scratch { hidden_inputs, hidden, table, .. } = scratch;
        if last {
            self.hidden_units(
                hidden_inputs,
                h,
                hidden,
                (table, Side::Model),
                (sweep, is_persistent(self.learning)),
            );
        } else {
            let inputs = Inputs { lines: hidden_inputs, units: h, examples: self.examples };
            sample(self.level, inputs, self.unit_draws(Stream::Hidden, sweep), hidden);
            (self.ended)(Part::Units);
        }
        if last && is_persistent(self.learning) {
            state.chains.words_of_mut(self.rows()).copy_from_slice(hidden);
        }
    }

    /// Inputs of the hidden units from the new visible ones.
    ///
    /// While the weights stay, the inputs change by the rows of the units that changed: half as many.
    fn up_again(&mut self, state: &State, scratch: &mut Scratch, sweep: usize) {
        let units = state.w.x.rows();
        let after = Bits { words: &scratch.visible, units };
        let continues = sweep > 1 || !is_persistent(self.learning);
        if !continues || state.synapses == Synapses::PriorMixture {
            list(self.level, after, Blocks::Tiles, &mut scratch.active);
            (self.ended)(Part::Lists);
            self.up(state, &scratch.active, &mut scratch.hidden_inputs, 2 * sweep);
            return;
        }
        let before = if sweep == 1 { &scratch.data } else { &scratch.visible_before };
        let before = Bits { words: before, units };
        list_changes(self.level, before, after, &mut scratch.on, &mut scratch.off);
        (self.ended)(Part::Lists);
        std::mem::swap(&mut scratch.hidden_inputs, &mut scratch.hidden_inputs_before);
        let matrix = state.gates.weights(&state.w, 0).expect("reliable or collapsed synapses").matrix;
        let (from, to) = (&scratch.hidden_inputs_before, &mut scratch.hidden_inputs);
        forward_changed(self.level, matrix, &scratch.on, &scratch.off, from, to);
    }

    /// One side of the table, and samples if the chain goes on from them.
    fn hidden_units(
        &mut self,
        inputs: &[Line],
        units: usize,
        words: &mut [u64],
        (table, side): (&mut Table, Side),
        (sweep, go_on): (usize, bool),
    ) {
        let inputs = Inputs { lines: inputs, units, examples: self.examples };
        let draws = self.unit_draws(Stream::Hidden, sweep);
        match self.learning.statistics {
            Statistics::Probabilities => {
                tabulate(self.level, inputs, go_on.then_some(draws), words, table, side);
            }
            Statistics::Samples => {
                sample(self.level, inputs, draws, words);
                tabulate_samples(self.level, Bits { words, units }, table, side);
            }
        }
        (self.ended)(Part::Units);
    }

    /// Inputs of the hidden units.
    fn up(&mut self, state: &State, active: &Active, out: &mut [Line], phase: usize) {
        let product = Product { active, bias: &state.c.x, out };
        match state.gates.weights(&state.w, phase) {
            Some(weights) => forward(self.level, weights, product),
            None => {
                let draws = self.release_draws(phase);
                forward_released(self.level, &state.w.x, state.gates.thresholds(), draws, product);
            }
        }
    }

    /// Inputs of the visible units.
    fn down(&mut self, state: &State, scratch: &mut Scratch, phase: usize) {
        let Scratch { hidden, groups, active, visible_inputs: out, .. } = scratch;
        let (h, bias) = (Bits { words: hidden, units: state.w.x.columns() }, &state.b.x);
        if let Some(weights) = state.gates.weights(&state.w, phase) {
            groups.set(h);
            (self.ended)(Part::Lists);
            backward(self.level, weights, GroupProduct { groups, bias, out });
        } else {
            list(self.level, h, Blocks::Tiles, active);
            (self.ended)(Part::Lists);
            let draws = self.release_draws(phase);
            let product = Product { active, bias, out };
            backward_released(self.level, &state.w.x, state.gates.thresholds(), draws, product);
        }
    }

    /// What the statistics of each visible unit add up.
    pub(super) fn pair(&mut self, units: usize, scratch: &mut Scratch) {
        let data = Bits { words: &scratch.data, units };
        let model = Bits { words: &scratch.visible, units };
        pair(self.level, data, model, &mut scratch.pairs);
        (self.ended)(Part::Pairs);
    }

    /// Momentum ascent of all parameters.
    pub(super) fn learn(&mut self, state: &mut State, scratch: &mut Scratch) {
        let rates = rates(self.learning);
        self.pair(state.w.x.rows(), scratch);
        let tabulated = Tabulated { table: &scratch.table, pairs: &scratch.pairs };
        let statistics = ascent::Statistics::Tabulated(tabulated);
        let State { synapses, w, a, b, c, gates, .. } = state;
        gates.ascend(self.level, statistics, (w, a), rates, (*synapses, self.learning, self.draws.next()));
        (self.ended)(Part::Ascent);

        let surplus = &mut scratch.surplus[..c.x.len()];
        hidden_surplus(self.level, &scratch.table, surplus);
        ascend_biases(self.level, surplus, self.examples, &mut c.x, &mut c.velocity, rates);
        let surplus = &mut scratch.surplus[..b.x.len()];
        spread(scratch.pairs.surplus(), surplus);
        ascend_biases(self.level, surplus, self.examples, &mut b.x, &mut b.velocity, rates);
        (self.ended)(Part::Biases);
    }
}

/// Rates as the kernels take them.
pub(super) fn rates(learning: &Learning) -> Rates {
    Rates {
        w: learning.eta_w as f32,
        a: (learning.eta_w * learning.release_rate_ratio) as f32,
        momentum: learning.momentum as f32,
        decay: learning.weight_decay as f32,
        a_limit: learning.a_limit as f32,
    }
}

/// Counts as lines. Those below 2²⁴ are exact in f32; padding keeps a bias of 0.
pub(super) fn spread(counts: &[i32], lines: &mut [Line]) {
    for (line, counts) in lines.iter_mut().zip(counts.chunks(64)) {
        *line = Line::ZERO;
        for (to, &count) in line.0.as_flattened_mut().iter_mut().zip(counts) {
            *to = count as f32;
        }
    }
}

/// Whether chains go on from where the last step left them.
pub(super) fn is_persistent(learning: &Learning) -> bool {
    matches!(learning.chain, Chain::Pcd { .. })
}

/// What every step asks for.
pub(super) fn check(state: &State, batch: Batch<'_>, learning: &Learning) {
    assert!(!batch.is_empty(), "a batch has examples");
    assert!(learning.chain.sweeps() > 0, "a chain makes at least one sweep");
    assert_eq!(batch.columns(), state.w.x.rows(), "one column per visible unit");
    assert!((0.0..=44.0).contains(&learning.a_limit), "the limit of a is {}", learning.a_limit);
    let chains = state.chains.len();
    assert!(!is_persistent(learning) || chains == batch.len(), "one persistent chain per example of a batch");
}

#[cfg(test)]
#[path = "law_tests.rs"]
pub(super) mod law_tests;
#[cfg(test)]
#[path = "step_tests.rs"]
mod naive_tests;

//! The two ends of the chain: hidden units at the data, and units after k Gibbs sweeps.

use super::learning::{Chain, Learning, Statistics};
use super::method::Method;
use super::parameters::Parameters;
use super::scratch::Scratch;
use super::state::State;
use super::unit_index;
use super::weights::Half;
use crate::{BinaryRows, Draws, Stream};
use kernels::math;

/// Leaves what stands for the hidden units at both ends, and the last v, in the scratch.
pub(super) fn run(
    state: &mut State,
    batch: &BinaryRows,
    (learning, method): (&Learning, &Method),
    scratch: &mut Scratch,
    draws: Draws,
) {
    let parameters = &state.parameters;
    let sweeps = learning.chain.sweeps();
    scratch.weights.begin(parameters, learning.masks, draws);
    drop_units(scratch, parameters, batch.len(), method.dropout, draws);

    let mut ph = std::mem::take(&mut scratch.ph_data);
    scratch.hidden_prob(parameters, learning, (0, batch), &mut ph, draws);
    let persistent = matches!(learning.chain, Chain::Pcd { .. });
    if !persistent || learning.statistics == Statistics::Samples {
        scratch.sample_hidden(&ph, parameters, 0, draws);
        if learning.statistics == Statistics::Samples {
            to_dense(&scratch.hidden, &mut ph);
        }
    }
    scratch.ph_data = ph;
    if persistent {
        assert_eq!(state.chains.hidden.len(), batch.len(), "one persistent chain per example of a batch");
        scratch.hidden.clone_from(&state.chains.hidden);
    }

    for sweep in 1..=sweeps {
        scratch.sample_visible(parameters, learning, sweep, draws);
        let visible = std::mem::take(&mut scratch.visible);
        let mut ph = std::mem::take(&mut scratch.ph_model);
        scratch.hidden_prob(parameters, learning, (2 * sweep, &visible), &mut ph, draws);
        scratch.visible = visible;
        // Every draw has an address: leaving out a sample nobody reads changes no other.
        if sweep < sweeps || persistent || learning.statistics == Statistics::Samples {
            scratch.sample_hidden(&ph, parameters, sweep, draws);
        }
        scratch.ph_model = ph;
    }
    if learning.statistics == Statistics::Samples {
        to_dense(&scratch.hidden, &mut scratch.ph_model);
    }
    if persistent {
        state.chains.hidden.clone_from(&scratch.hidden);
    }
}

impl Scratch {
    /// `P(h = 1 | v) = s(c + vW)` into `p`, 0 for dropped units.
    fn hidden_prob(
        &mut self,
        parameters: &Parameters,
        learning: &Learning,
        (half_sweep, visible): (usize, &BinaryRows),
        p: &mut Vec<f32>,
        draws: Draws,
    ) {
        self.weights.renew(parameters, learning.masks, half_sweep, draws);
        self.weights.inputs(parameters, (learning.masks, half_sweep), Half::Up, visible, p, draws);
        math::sigmoids(p);
        for (p, kept) in p.iter_mut().zip(&self.kept) {
            *p *= kept;
        }
    }

    fn sample_hidden(&mut self, p: &[f32], parameters: &Parameters, sweep: usize, draws: Draws) {
        let width = parameters.hidden_units();
        sample(&mut self.hidden, p, width, &mut self.words, (Stream::Hidden, sweep), draws);
    }

    /// `v ~ P(v | h) = s(b + hWᵀ)`.
    fn sample_visible(&mut self, parameters: &Parameters, learning: &Learning, sweep: usize, draws: Draws) {
        let half_sweep = 2 * sweep - 1;
        self.weights.renew(parameters, learning.masks, half_sweep, draws);
        let at = (learning.masks, half_sweep);
        self.weights.inputs(parameters, at, Half::Down, &self.hidden, &mut self.pv, draws);
        math::sigmoids(&mut self.pv);
        let width = parameters.visible_units();
        sample(&mut self.visible, &self.pv, width, &mut self.words, (Stream::Visible, sweep), draws);
    }
}

/// Draws which hidden units of which examples take part in this step (stream `Dropout`).
fn drop_units(scratch: &mut Scratch, parameters: &Parameters, n: usize, dropout: f64, draws: Draws) {
    scratch.kept.clear();
    if dropout == 0.0 {
        return;
    }
    let h = parameters.hidden_units();
    scratch.kept.resize(n * h, 0.0);
    for (example, kept) in scratch.kept.chunks_exact_mut(h).enumerate() {
        draws.fill_uniform(Stream::Dropout, unit_index(0, example, 0), kept);
        kept.iter_mut().for_each(|u| *u = if *u < dropout as f32 { 0.0 } else { 1.0 });
    }
}

/// Samples all units of all examples of one sweep.
fn sample(
    units: &mut BinaryRows,
    p: &[f32],
    width: usize,
    words: &mut Vec<u32>,
    (stream, sweep): (Stream, usize),
    draws: Draws,
) {
    units.reset(width);
    words.resize(width.max(words.len()), 0);
    let words = &mut words[..width];
    for (example, p) in p.chunks_exact(width).enumerate() {
        draws.fill_u32(stream, unit_index(sweep, example, 0), words);
        units.push_sampled(words, p);
    }
}

fn to_dense(units: &BinaryRows, out: &mut [f32]) {
    out.fill(0.0);
    for (example, row) in out.chunks_exact_mut(units.columns()).enumerate() {
        units.row(example).iter().for_each(|&unit| row[unit as usize] = 1.0);
    }
}

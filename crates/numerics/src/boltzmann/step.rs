//! One mini-batch of learning.

use super::learning::{Chain, Learning};
use super::parameters::{Parameters, Synapses};
use super::scratch::Scratch;
use super::state::State;
use super::unit_index;
use crate::{BinaryRows, Draws, Stream};
use kernels::rows::{Lists, add_rows, subtract_rows};
use kernels::synapses::{Learned, ascend, ascend_joint_energy, ascend_mixture};
use ndarray::{Array, Dimension};

/// Learns from one mini-batch by (persistent) contrastive divergence.
///
/// ```text
/// W  = w (reliable) | weff (joint energy) | w ξ, ξ ~ Bernoulli(p), one for both phases (mixture)
/// ph₀ = s(v₀W + c); h ~ Bernoulli(ph₀), or the persistent h
/// k times: v_k ~ Bernoulli(s(hWᵀ + b)); ph_k = s(v_kW + c); h ~ Bernoulli(ph_k)
/// D  = (v₀ᵀph₀ − v_kᵀph_k)/n
/// dw = D | q D | ξ D,   da = – | (q − p) D | p (1 − p) w D,   p = s(a), q = s(a + w)
/// db = mean(v₀ − v_k),  dc = mean(ph₀ − ph_k)
/// ```
/// and momentum ascent ([`Learning`]). Visible units are sampled in the chain, hidden
/// *probabilities* enter the statistics, and the gradients are conditional means given the units:
/// a sampled ξ in da would make the release of idle synapses a random walk.
///
/// Draws: h and v of sweep t (0: at the data), example e, unit u are draw `unit_index(t, e, u)` of
/// streams `Hidden` and `Visible`; ξ_ij is draw i·H + j of stream `Mask`.
///
/// # Shapes
/// `batch`: (n, V), n ≥ 1; with persistent chains there are n of them.
///
/// # Panics
/// If shapes do not fit, the batch is empty or the chain makes no sweep.
pub fn step(state: &mut State, batch: &BinaryRows, learning: &Learning, scratch: &mut Scratch, draws: Draws) {
    let n = batch.len();
    assert!(n > 0, "a batch has examples");
    assert_eq!(batch.columns(), state.parameters.visible_units(), "one column per visible unit");
    scratch.prepare(&state.parameters, draws);
    run_chain(state, batch, learning.chain, scratch, draws);
    collect_statistics(&state.parameters, batch, scratch);
    climb(state, learning, scratch, 1.0 / n as f32);
}

/// Leaves P(h | v) at both ends and the last v in the scratch.
fn run_chain(state: &mut State, batch: &BinaryRows, chain: Chain, scratch: &mut Scratch, draws: Draws) {
    let parameters = &state.parameters;
    assert!(chain.sweeps() > 0, "a chain makes at least one sweep");
    let mut p = std::mem::take(&mut scratch.ph_data);
    scratch.hidden_prob(parameters, batch, &mut p);
    scratch.ph_data = p;
    match chain {
        Chain::Cd { .. } => {
            let Scratch { hidden, words, ph_data, .. } = scratch;
            sample(hidden, ph_data, parameters.hidden_units(), words, (Stream::Hidden, 0), draws);
        }
        Chain::Pcd { .. } => {
            assert_eq!(state.chains.hidden.len(), batch.len(), "one persistent chain per example of a batch");
            scratch.hidden.clone_from(&state.chains.hidden);
        }
    }
    for sweep in 1..=chain.sweeps() {
        scratch.visible_prob(parameters);
        let Scratch { visible, words, pv, .. } = scratch;
        sample(visible, pv, parameters.visible_units(), words, (Stream::Visible, sweep), draws);
        let mut p = std::mem::take(&mut scratch.ph_model);
        scratch.hidden_prob(parameters, &scratch.visible, &mut p);
        scratch.ph_model = p;
        // Every draw has an address: leaving out a sample nobody reads changes no other.
        if sweep < chain.sweeps() || matches!(chain, Chain::Pcd { .. }) {
            let Scratch { hidden, words, ph_model, .. } = scratch;
            sample(hidden, ph_model, parameters.hidden_units(), words, (Stream::Hidden, sweep), draws);
        }
    }
    if let Chain::Pcd { .. } = chain {
        state.chains.hidden.clone_from(&scratch.hidden);
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

/// n·D and n times the gradients of the biases.
fn collect_statistics(parameters: &Parameters, batch: &BinaryRows, scratch: &mut Scratch) {
    let n = batch.len();
    let (v, h) = parameters.w.dim();
    batch.transpose_into(&mut scratch.on_in_data);
    scratch.visible.transpose_into(&mut scratch.on_in_model);
    let Scratch { d, d_visible, d_hidden, on_in_data, on_in_model, ph_data, ph_model, everyone, .. } =
        scratch;

    d.clear();
    d.resize(v * h, 0.0);
    add_rows(ph_data, h, on_in_data.lists(), d);
    subtract_rows(ph_model, h, on_in_model.lists(), d);

    d_visible.clear();
    // Counts below 2²⁴ are exact in f32.
    d_visible.extend((0..v).map(|i| on_in_data.row(i).len() as f32 - on_in_model.row(i).len() as f32));

    everyone.clear();
    everyone.extend(0..n as u32);
    let starts = [0, n as u32];
    let everyone = Lists::new(&starts, everyone);
    d_hidden.clear();
    d_hidden.resize(h, 0.0);
    add_rows(ph_data, h, everyone, d_hidden);
    subtract_rows(ph_model, h, everyone, d_hidden);
}

/// Momentum ascent of all parameters.
fn climb(state: &mut State, learning: &Learning, scratch: &Scratch, d_scale: f32) {
    let State { parameters, velocity, .. } = state;
    let rule = learning.rule(d_scale);
    let w_velocity = slice_mut(&mut velocity.w);
    let w = slice_mut(&mut parameters.w);
    match parameters.synapses {
        Synapses::Reliable => ascend(w, w_velocity, &scratch.d, d_scale, rule.w),
        Synapses::JointEnergy | Synapses::PriorMixture => {
            let (a, a_velocity) = (slice_mut(&mut parameters.a), slice_mut(&mut velocity.a));
            let learned = Learned { w, a, w_velocity, a_velocity };
            if parameters.synapses == Synapses::JointEnergy {
                ascend_joint_energy(learned, &scratch.d, rule);
            } else {
                ascend_mixture(learned, &scratch.mask, &scratch.d, rule);
            }
        }
    }
    let biases = learning.bias_ascent();
    ascend(slice_mut(&mut parameters.b), slice_mut(&mut velocity.b), &scratch.d_visible, d_scale, biases);
    ascend(slice_mut(&mut parameters.c), slice_mut(&mut velocity.c), &scratch.d_hidden, d_scale, biases);
}

fn slice_mut<D: Dimension>(array: &mut Array<f32, D>) -> &mut [f32] {
    array.as_slice_mut().expect("parameters are in standard layout")
}

#[cfg(test)]
#[path = "step_tests.rs"]
mod tests;

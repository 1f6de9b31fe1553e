//! One mini-batch of learning.

use super::learning::Learning;
use super::method::{Estimator, Method, Objective, ReleaseRule};
use super::scratch::Scratch;
use super::state::State;
use super::{ascent, chain, local, multi_sample, posterior, statistics};
use crate::{BinaryRows, Draws};

/// Learns from one mini-batch by (persistent) contrastive divergence: [`step_by`] with the default [`Method`].
///
/// # Panics
/// As [`step_by`].
pub fn step(state: &mut State, batch: &BinaryRows, learning: &Learning, scratch: &mut Scratch, draws: Draws) {
    step_by(state, batch, (learning, &Method::default()), scratch, draws);
}

/// Learns from one mini-batch: any ensemble, law and method.
///
/// This is the plain path, meant to be read; [`super::tiled`] is the fast one for Bernoulli synapses.
///
/// ```text
/// W  = w (reliable) | weff = ln E[e^W] (joint energy) | W ~ P0 (mixture), as long-lived as `masks` says
/// ph₀ = s(v₀W + c); h ~ Bernoulli(ph₀), or the persistent h
/// k times: v_k ~ Bernoulli(s(hWᵀ + b)); ph_k = s(v_kW + c); h ~ Bernoulli(ph_k)
/// D  = (v₀ᵀph₀ − v_kᵀph_k)/n, with samples h in place of ph if `statistics` says so
/// dθ = D | ∂weff/∂θ D | ∂W/∂θ D for θ = w, a, ln s
/// db = mean(v₀ − v_k),  dc = mean(ph₀ − ph_k)
/// ```
/// and momentum ascent ([`Learning`]): a at `release_rate_ratio` times the rate of w, ln s at the rate of
/// w and within [`super::law::LOG_SD_LIMITS`].
///
/// For Bernoulli synapses these directions are `q D` and `(q − p) D` in model A, q = s(a + w); in model
/// B they are `ξ D` and `p (1 − p) w D`. Where W is fresh every half sweep there is no W of the step, nor an
/// energy: the rule is plain contrastive divergence, `dw = D` and `da = ∂E[W]/∂a D`.
///
/// Draws: h and v of sweep t (0: at the data), example e, unit u are draw `unit_index(t, e, u)` of
/// streams `Hidden` and `Visible`; W_ij of half sweep s (0 for all, if they share it) is draw
/// `synapse_index(s, e, i·H + j)` of streams `Mask` and `SynapseNoise` (e = 0 if examples share it).
///
/// # Shapes
/// `batch`: (n, V), n ≥ 1; with persistent chains there are n of them.
///
/// # Panics
/// If shapes do not fit, the batch is empty, the chain makes no sweep or [`Method::check`] refuses.
pub fn step_by(
    state: &mut State,
    batch: &BinaryRows,
    (learning, method): (&Learning, &Method),
    scratch: &mut Scratch,
    draws: Draws,
) {
    let n = batch.len();
    let parameters = &state.parameters;
    assert!(n > 0, "a batch has examples");
    assert_eq!(batch.columns(), parameters.visible_units(), "one column per visible unit");
    assert!(learning.chain.sweeps() > 0, "a chain makes at least one sweep");
    if let Err(error) = method.check(parameters.synapses, parameters.law, parameters.w.dim(), learning) {
        panic!("{error}");
    }
    match method.objective {
        Objective::Jensen => {
            chain::run(state, batch, (learning, method), scratch, draws);
            statistics::collect(&state.parameters, batch, scratch);
            if method.estimator == Estimator::Sampled {
                posterior::collect(&state.parameters, batch, scratch, draws);
            }
        }
        Objective::MultiSample { masks } => {
            multi_sample::collect(parameters, batch, masks as usize, scratch, draws);
        }
    }
    if let ReleaseRule::Local(rule) = method.release_rule {
        local::follow(state, &scratch.on_in_data, rule, n);
    }
    ascent::climb(state, (learning, method), scratch, 1.0 / n as f32);
    if let ReleaseRule::Local(rule) = method.release_rule {
        local::regulate(state, rule, learning.a_limit);
    }
}

#[cfg(test)]
#[path = "naive_tests.rs"]
mod naive_tests;
#[cfg(test)]
#[path = "step_tests.rs"]
pub(super) mod tests;

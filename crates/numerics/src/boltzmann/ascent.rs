//! From statistics to gradients, and up.

use super::law::{LOG_SD_LIMITS, Law};
use super::learning::Learning;
use super::method::{Estimator, Method, Objective, ReleaseRule};
use super::parameters::{Parameters, Synapses};
use super::scratch::Scratch;
use super::state::State;
use kernels::synapses::{Ascent, Learned, Rule, ascend, ascend_joint_energy, ascend_mixture};
use ndarray::{Array, Dimension};

/// Momentum ascent of all parameters; `d_scale` is one over the number of examples.
pub(super) fn climb(
    state: &mut State,
    (learning, method): (&Learning, &Method),
    scratch: &mut Scratch,
    d_scale: f32,
) {
    let mut rule = learning.rule(d_scale);
    if method.release_rule != ReleaseRule::Gradient {
        rule.a.rate = 0.0;
    }
    let biases = learning.bias_ascent();
    if has_kernel(&state.parameters, method) {
        climb_by_kernel(state, rule, scratch);
    } else {
        if method.objective == Objective::Jensen {
            differentiate(&state.parameters, method.estimator, scratch);
        }
        climb_along(state, rule, biases, scratch);
    }
    let State { parameters: Parameters { b, c, .. }, velocity, .. } = state;
    ascend(slice_mut(b), slice_mut(&mut velocity.b), &scratch.d_visible, d_scale, biases);
    ascend(slice_mut(c), slice_mut(&mut velocity.c), &scratch.d_hidden, d_scale, biases);
    if learning.momentum == 0.0 {
        velocity.clear();
    }
}

/// Whether a kernel finds the gradients of w and a while it climbs.
fn has_kernel(parameters: &Parameters, method: &Method) -> bool {
    parameters.law == Law::Bernoulli
        && method.objective == Objective::Jensen
        && method.estimator == Estimator::RaoBlackwell
}

fn climb_by_kernel(state: &mut State, rule: Rule, scratch: &Scratch) {
    let State { parameters, velocity, .. } = state;
    let (w, w_velocity) = (slice_mut(&mut parameters.w), slice_mut(&mut velocity.w));
    match parameters.synapses {
        Synapses::Reliable => ascend(w, w_velocity, &scratch.d, rule.d_scale, rule.w),
        Synapses::JointEnergy | Synapses::PriorMixture => {
            let (a, a_velocity) = (slice_mut(&mut parameters.a), slice_mut(&mut velocity.a));
            let learned = Learned { w, a, w_velocity, a_velocity };
            if parameters.synapses == Synapses::JointEnergy {
                ascend_joint_energy(learned, &scratch.d, rule);
            } else {
                ascend_mixture(learned, &scratch.weights.mask, &scratch.d, rule);
            }
        }
    }
}

/// n times the gradients: slopes times n·D, but what a sampling estimator has already found.
pub(super) fn differentiate(parameters: &Parameters, estimator: Estimator, scratch: &mut Scratch) {
    let n = parameters.w.len();
    let Scratch { d, g_w, g_a, g_log_sd, weights, .. } = scratch;
    g_a.clear();
    if estimator == Estimator::RaoBlackwell {
        g_w.clear();
        g_log_sd.clear();
    }
    parameters.law.with(|law| {
        for number in 0..n {
            let slope = match parameters.synapses {
                Synapses::PriorMixture => weights.paths[number],
                _ => law.log_mgf_slope(parameters.synapse(number)),
            };
            let d = f64::from(d[number]);
            g_a.push((slope.a * d) as f32);
            if estimator == Estimator::RaoBlackwell {
                g_w.push((slope.w * d) as f32);
                g_log_sd.push((slope.log_sd * d) as f32);
            }
        }
    });
}

fn climb_along(state: &mut State, rule: Rule, log_sd_ascent: Ascent, scratch: &Scratch) {
    let State { parameters: Parameters { w, a, log_sd, .. }, velocity, .. } = state;
    ascend(slice_mut(w), slice_mut(&mut velocity.w), &scratch.g_w, rule.d_scale, rule.w);
    if !a.is_empty() {
        ascend(slice_mut(a), slice_mut(&mut velocity.a), &scratch.g_a, rule.d_scale, rule.a);
        a.mapv_inplace(|a| a.clamp(-rule.a_limit, rule.a_limit));
    }
    if !log_sd.is_empty() {
        let velocity = slice_mut(&mut velocity.log_sd);
        ascend(slice_mut(log_sd), velocity, &scratch.g_log_sd, rule.d_scale, log_sd_ascent);
        let [least, greatest] = LOG_SD_LIMITS.map(|x| x as f32);
        log_sd.mapv_inplace(|x| x.clamp(least, greatest));
    }
}

fn slice_mut<D: Dimension>(array: &mut Array<f32, D>) -> &mut [f32] {
    array.as_slice_mut().expect("parameters are in standard layout")
}

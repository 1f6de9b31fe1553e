//! Two actions: sampling p_S(θ) V(θ) from single rewards.

use numerics::{Draws, Stream, logistic::sigmoid, sde::GridLaw, stats};
use serde::{Deserialize, Serialize};

use super::{Params, chains::scaled_distance, params::Baseline};
use crate::Metrics;

/// Probabilities of reward of both actions.
const REWARD: (f64, f64) = (0.1, 0.9);
/// Standard deviation of the prior of both θ, whose mean is 0.
const SIGMA: f64 = 1.5;
/// The constant that rewards are divided by.
const HALF: f64 = 0.5;
/// Least running average, so that a run of failures does not divide by nothing.
const FLOOR: f64 = 0.02;

/// Everything that changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BanditState {
    pub(super) steps: u64,
    /// Both θ of each chain.
    x: Vec<f64>,
    /// Running average of rewards of each chain.
    average: Vec<f64>,
}

/// Expected reward; `d` is θ of action 1 less θ of action 0.
fn value(d: f64) -> f64 {
    REWARD.0 + (REWARD.1 - REWARD.0) * sigmoid(d)
}

pub(super) fn init(params: &Params, draws: Draws) -> BanditState {
    let mut x = vec![0.0; 2 * params.chains as usize];
    draws.fill_normal(Stream::SynapseInit, 0, &mut x);
    x.iter_mut().for_each(|z| *z *= SIGMA);
    let average = x.chunks_exact(2).map(|x| value(x[1] - x[0])).collect();
    BanditState { steps: 0, x, average }
}

/// Step `k` of a block: every chain acts once, is rewarded or not, and moves.
pub(super) fn advance(params: &Params, state: &mut BanditState, z: &mut [f64], draws: Draws, k: u64) {
    let n = state.x.len() as u64;
    draws.fill_normal(Stream::SynapseDiffusion, k * n, z);
    let mut u = vec![0.0; state.x.len()];
    if params.baseline != Baseline::Exact {
        draws.fill_uniform_f64(Stream::SynapseReward, k * n, &mut u);
    }
    let noise = (2.0 * params.h * params.temperature).sqrt();
    let pairs = state.x.chunks_exact_mut(2).zip(&mut state.average);
    for (((x, average), z), u) in pairs.zip(z.chunks_exact(2)).zip(u.chunks_exact(2)) {
        let p = sigmoid(x[1] - x[0]);
        let v = value(x[1] - x[0]);
        let gradient = if params.baseline == Baseline::Exact {
            (REWARD.1 - REWARD.0) * p * (1.0 - p) / v
        } else {
            let action = if u[0] < p { 1.0 } else { 0.0 };
            let chance = if action == 1.0 { REWARD.1 } else { REWARD.0 };
            let reward = if u[1] < chance { 1.0 } else { 0.0 };
            let baseline = match params.baseline {
                Baseline::Running => average.max(FLOOR),
                Baseline::Constant => HALF,
                _ => v,
            };
            *average += (reward - *average) / params.tau_reward;
            reward * (action - p) / baseline
        };
        for (x, (z, sign)) in x.iter_mut().zip(z.iter().zip([-1.0, 1.0])) {
            *x += params.h * (sign * gradient - *x / (SIGMA * SIGMA)) + noise * z;
        }
    }
    state.steps += 1;
}

pub(super) fn observe(params: &Params, state: &BanditState, out: &mut Metrics) {
    let d: Vec<f64> = state.x.chunks_exact(2).map(|x| x[1] - x[0]).collect();
    let values: Vec<f64> = d.iter().map(|&d| value(d)).collect();
    out.scalar("value", stats::mean(&values));
    if !out.is_last() {
        return;
    }
    // The difference has twice the variance.
    let prior = |d: f64| -d * d / (4.0 * SIGMA * SIGMA);
    let law = |log: &dyn Fn(f64) -> f64| GridLaw::new(|d| log(d) / params.temperature, -30.0, 30.0, 20_000);
    out.scalar("ks", scaled_distance(&d, &law(&|d| prior(d) + libm::log(value(d)))));
    out.scalar("ks_exponential", scaled_distance(&d, &law(&|d| prior(d) + value(d) / HALF)));
}

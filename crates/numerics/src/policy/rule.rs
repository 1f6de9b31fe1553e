//! Synapses: eligibility, the running gradient, and θ.

use super::{Network, State, Work};
use crate::{Draws, Stream, sde::OrnsteinUhlenbeck};

/// How synapses learn.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// b, 1/s.
    pub b: f64,
    /// c, the weight of rewards against the prior.
    pub gain: f64,
    /// Greatest drift by rewards, before b.
    pub limit: f64,
    /// Prior mean.
    pub mu: f64,
    /// Prior standard deviation.
    pub sigma: f64,
    /// θ₀.
    pub theta_0: f64,
    /// Least θ.
    pub least: f64,
    /// Greatest θ.
    pub most: f64,
    /// Memory of e, s.
    pub tau_eligibility_s: f64,
    /// Memory of the gradient, s.
    pub tau_gradient_s: f64,
    /// Memory of r̄, s.
    pub tau_reward_s: f64,
    /// What counts as a reward in every step, and the least r̄.
    pub offset: f64,
}

impl Rule {
    /// The nearest θ that is allowed.
    pub(super) fn within(&self, theta: f64) -> f64 {
        theta.clamp(self.least, self.most)
    }
}

impl Network {
    /// The step that was just taken is rewarded with r: eligibility and gradient of all functional synapses.
    pub fn reward(&self, state: &mut State, work: &Work, r: f64) {
        let [forget_e, forget_g, forget_r] = self.forget;
        let (keep_e, keep_g) = (1.0 - forget_e, 1.0 - forget_g);
        let (r, offset) = (r as f32, self.rule.offset as f32);
        state.mean_reward += forget_r * (r - state.mean_reward);
        state.mean_reward = state.mean_reward.max(offset);
        let signal = forget_g * (r / state.mean_reward + offset);
        let outputs = work.score.len();
        let rows = state.eligibility.chunks_exact_mut(outputs).zip(state.gradient.chunks_exact_mut(outputs));
        for ((e, g), &x) in rows.zip(&work.trace) {
            for ((e, g), score) in e.iter_mut().zip(g).zip(&work.score) {
                *e = *e * keep_e + x * score;
                *g = *g * keep_g + signal * *e;
            }
        }
    }

    /// Moves every θ by `dt_s` of prior, noise (the draws of `Stream::RewardDiffusion`) and reward; retracted synapses
    /// have no eligibility. [`Network::settle`] follows.
    pub fn learn(&self, state: &mut State, dt_s: f64, temperature: f64, draws: Draws) {
        let rule = &self.rule;
        let process = OrnsteinUhlenbeck { b: rule.b, mu: rule.mu, sigma: rule.sigma, temperature };
        let step = process.exact(dt_s);
        let mut z = vec![0.0; state.theta.len()];
        if temperature > 0.0 {
            draws.fill_normal(Stream::RewardDiffusion, 0, &mut z);
        }
        let [driven, free] = &mut state.moved;
        for (s, theta) in state.theta.iter_mut().enumerate() {
            if state.removed[s] {
                continue;
            }
            let mut by_reward = 0.0;
            if *theta > 0.0 {
                let w = libm::exp(*theta - rule.theta_0);
                let slope = rule.gain * w * f64::from(state.gradient[s]);
                by_reward = rule.b * dt_s * slope.clamp(-rule.limit, rule.limit);
            }
            let pulled = rule.within(*theta + by_reward);
            let next = rule.within(step.of(pulled, z[s]));
            driven[s] += (pulled - *theta) as f32;
            free[s] += (next - pulled) as f32;
            *theta = next;
            if next <= 0.0 {
                (state.eligibility[s], state.gradient[s]) = (0.0, 0.0);
            }
        }
    }
}

//! Learning a posterior against maximum likelihood, in one run on one set of data.

use numerics::{Draws, Stream, synaptic_sampling::Gaussian};
use serde::{Deserialize, Serialize};

use super::{Params, params::Task};
use crate::{
    Data, DataError, Metrics,
    sampling::{
        learner::{ATTACHED, Arm, INPUTS, Learner, Motion, Scratch},
        scalar_if_finite,
    },
};

/// Samples that predictions are averaged over.
const SAMPLES: u64 = 40;

/// Everything that changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LearnState {
    pub(super) steps: u64,
    /// Maximum likelihood, from several starts.
    likelihood: Vec<Arm>,
    /// The most probable parameters: prior, no noise.
    probable: Arm,
    /// The posterior.
    posterior: Arm,
}

/// The model and its data.
pub(super) fn learner(params: &Params, data: &Data, seed: u64) -> Result<Learner, DataError> {
    let (units, train) = (params.units as usize, params.train_images as usize);
    match (params.task, data) {
        (Task::Digits, Data::Images(images)) => Learner::digits(units, train, images, seed),
        (Task::Digits, _) => Err(DataError("images are needed".into())),
        _ => Ok(Learner::matched(units, train, params.prior_mean, seed)),
    }
}

pub(super) fn init(params: &Params, draws: Draws) -> LearnState {
    let n = params.units as usize * INPUTS;
    let start = |k: u64| {
        let mut theta = vec![0.0; n];
        draws.fill_normal(Stream::SynapseInit, k * n as u64, &mut theta);
        theta.iter_mut().for_each(|z| *z += params.prior_mean);
        theta
    };
    // Without prior and noise a retracted synapse would never return: all are functional.
    let attached = |k: u32| start(k.into()).into_iter().map(|theta| theta.abs() + ATTACHED).collect();
    LearnState {
        steps: 0,
        likelihood: (1..=params.restarts).map(|k| Arm::new(attached(k))).collect(),
        probable: Arm::new(start(0)),
        posterior: Arm::new(start(0)),
    }
}

/// Step `k` of a block.
pub(super) fn advance(
    params: &Params,
    learner: &Learner,
    state: &mut LearnState,
    scratch: &mut Scratch,
    draws: Draws,
    k: u64,
) {
    let n = state.posterior.theta.len();
    let mut z = std::mem::take(&mut scratch.z);
    z.clear();
    z.resize(n, 0.0);
    let prior = Gaussian { mu: params.prior_mean, sigma: 1.0 };
    let climb = Motion { h: params.h, temperature: 0.0, retracts: false };
    for arm in &mut state.likelihood {
        learner.advance(arm, climb, None, &z, scratch);
    }
    let settle = Motion { retracts: true, ..climb };
    learner.advance(&mut state.probable, settle, Some(&prior), &z, scratch);
    draws.fill_normal(Stream::SynapseDiffusion, k * n as u64, &mut z);
    let sample = Motion { temperature: params.temperature, ..settle };
    learner.advance(&mut state.posterior, sample, Some(&prior), &z, scratch);
    scratch.z = z;
    state.steps += 1;
    // The first third is burn-in.
    let all = u64::from(params.steps);
    let every = (2 * all / (3 * SAMPLES)).max(1);
    if 3 * state.steps > all && state.steps.is_multiple_of(every) {
        state.posterior.keep(learner, &mut scratch.buffers);
    }
}

pub(super) fn observe(learner: &Learner, state: &LearnState, out: &mut Metrics) {
    let buffers = &mut Default::default();
    out.scalar("train_posterior", state.posterior.train);
    out.scalar("test_sample", learner.test(&state.posterior.theta, buffers));
    scalar_if_finite(out, "test_posterior", state.posterior.predictive());
    out.scalar("test_map", learner.test(&state.probable.theta, buffers));
    let best = state.likelihood.iter().reduce(|best, arm| if arm.train > best.train { arm } else { best });
    let best = best.expect("there is a start at least");
    out.scalar("train_ml", best.train);
    out.scalar("test_ml", learner.test(&best.theta, buffers));
    out.scalar("functional_fraction", state.posterior.functional());
}

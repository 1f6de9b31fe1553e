//! Learning a posterior against maximum likelihood, in one run on one set of data.

use numerics::{Draws, Stream, synaptic_sampling::Prior};
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
    /// The most probable parameters: prior, no noise; from as many starts.
    probable: Vec<Arm>,
    /// The posterior, as many chains.
    posterior: Vec<Arm>,
}

/// The model and its data.
pub(super) fn learner(params: &Params, data: &Data, seed: u64) -> Result<Learner, DataError> {
    let (units, train) = (params.units as usize, params.train_images as usize);
    match (params.task, data) {
        (Task::Digits, Data::Images(images)) => Learner::digits(units, train, images, seed),
        (Task::Digits, _) => Err(DataError("images are needed".into())),
        _ => Ok(Learner::matched(units, train, params.prior(), seed)),
    }
}

pub(super) fn init(params: &Params, draws: Draws) -> LearnState {
    let n = params.units as usize * INPUTS;
    let start = |k: u64| {
        let mut theta = vec![0.0; n];
        draws.fill_normal(Stream::SynapseInit, k * n as u64, &mut theta);
        theta.iter_mut().for_each(|z| *z = params.prior_mean + params.prior_sd * *z);
        theta
    };
    // Without prior and noise a retracted synapse would never return: all are functional.
    let attached = |k: u32| start(k.into()).into_iter().map(|theta| theta.abs() + ATTACHED).collect();
    let free = || (1..=params.restarts).map(|k| Arm::new(start(k.into()))).collect();
    LearnState {
        steps: 0,
        likelihood: (1..=params.restarts).map(|k| Arm::new(attached(k))).collect(),
        probable: free(),
        posterior: free(),
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
    let n = params.units as usize * INPUTS;
    let mut z = std::mem::take(&mut scratch.z);
    z.clear();
    z.resize(n, 0.0);
    let prior = params.prior();
    let climb = Motion { h: params.h, temperature: 0.0, retracts: false };
    for arm in &mut state.likelihood {
        learner.advance(arm, climb, None, &z, scratch);
    }
    let settle = Motion { retracts: true, ..climb };
    for arm in &mut state.probable {
        learner.advance(arm, settle, Some(&prior), &z, scratch);
    }
    let sample = Motion { temperature: params.temperature, ..settle };
    for (chain, arm) in (k * u64::from(params.restarts)..).zip(&mut state.posterior) {
        draws.fill_normal(Stream::SynapseDiffusion, chain * n as u64, &mut z);
        learner.advance(arm, sample, Some(&prior), &z, scratch);
    }
    scratch.z = z;
    state.steps += 1;
    // The first third is burn-in.
    let all = u64::from(params.steps);
    let every = (2 * all / (3 * SAMPLES)).max(1);
    if 3 * state.steps > all && state.steps.is_multiple_of(every) {
        state.posterior.iter_mut().for_each(|arm| arm.keep(learner, &mut scratch.buffers));
    }
}

pub(super) fn observe(params: &Params, learner: &Learner, state: &LearnState, out: &mut Metrics) {
    let buffers = &mut Default::default();
    let (chain, prior) = (&state.posterior[0], params.prior());
    out.scalar("train_posterior", chain.train);
    out.scalar("test_sample", learner.test(&chain.theta, buffers));
    scalar_if_finite(out, "test_posterior", Arm::predictive(&state.posterior));
    let density = |arm: &Arm| {
        let log_prior = arm.theta.iter().fold(0.0, |sum, theta| sum + prior.log_density(*theta));
        f64::from(params.train_images) * arm.train + log_prior
    };
    out.scalar("test_map", learner.test(&best(&state.probable, density).theta, buffers));
    let likely = best(&state.likelihood, |arm| arm.train);
    out.scalar("train_ml", likely.train);
    out.scalar("test_ml", learner.test(&likely.theta, buffers));
    if out.is_last() {
        let mut ends: Vec<Arm> = state.likelihood.iter().map(|arm| Arm::new(arm.theta.clone())).collect();
        ends.iter_mut().for_each(|arm| arm.keep(learner, buffers));
        out.scalar("test_ml_average", Arm::predictive(&ends));
    }
    out.scalar("functional_fraction", chain.functional());
}

/// The start that came furthest.
fn best(arms: &[Arm], score: impl Fn(&Arm) -> f64) -> &Arm {
    arms.iter()
        .reduce(|best, arm| if score(arm) > score(best) { arm } else { best })
        .expect("there is a start")
}

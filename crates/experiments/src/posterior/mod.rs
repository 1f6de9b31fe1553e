#![doc = include_str!("README.md")]

mod bandit;
mod chains;
mod learn;
mod params;
mod target;

use numerics::Draws;
use serde::{Deserialize, Serialize};

use crate::{
    Cadence::{Every, Final},
    Data, DataError, DataNeed, DataShape, Experiment, MetricSpec, Metrics, ParamError, Plan,
    ValueKind::{Histogram, Matrix, Scalar, Vector},
    metric::spec,
    sampling::learner::{INPUTS, Learner, Scratch},
};
use chains::Chains;
use target::Known;

pub use params::{Baseline, Flaw, Params, Sampler, Task};

/// Numbers that a step of the run moves, about.
const WORK: u64 = 200_000;

static METRICS: [MetricSpec; 18] = [
    spec("mean", "1", Scalar, Every, "mean of the first θ over chains"),
    spec("sd", "1", Scalar, Every, "standard deviation of the first θ over chains"),
    spec("value", "1", Scalar, Every, "mean expected reward over chains; bandit"),
    spec(
        "ks",
        "1",
        Scalar,
        Final,
        "√M times Kolmogorov's D against the stationary law; one synapse, and θ₁ − θ₀ of the bandit",
    ),
    spec("ks_exponential", "1", Scalar, Final, "the same against the law (p_S e^(V/½))^(1/T); bandit"),
    spec(
        "energy_ratio",
        "1",
        Scalar,
        Final,
        "energy distance from exact draws over its mean for equal laws; two synapses",
    ),
    spec("points", "1", Matrix, Final, "both θ of up to 1,000 chains; two synapses"),
    spec(
        "autocorrelation_steps",
        "steps",
        Scalar,
        Final,
        "integrated autocorrelation time of the first θ, second half",
    ),
    spec("density", "1", Histogram, Final, "the first θ over chains"),
    spec(
        "transient_ks",
        "1",
        Vector,
        Final,
        "√M D against the Fokker–Planck equation at b t = 0.03, 0.1, 0.3, 1, 3",
    ),
    spec(
        "train_posterior",
        "nats",
        Scalar,
        Every,
        "log-likelihood of a training example under the last sample of the first chain",
    ),
    spec("test_sample", "nats", Scalar, Every, "log-likelihood of a test example under the last sample"),
    spec(
        "test_posterior",
        "nats",
        Scalar,
        Every,
        "log-likelihood of a test example under the average over samples",
    ),
    spec("test_map", "nats", Scalar, Every, "the same under the most probable parameters"),
    spec(
        "train_ml",
        "nats",
        Scalar,
        Every,
        "log-likelihood of a training example, the best start of maximum likelihood",
    ),
    spec("test_ml", "nats", Scalar, Every, "log-likelihood of a test example for that start"),
    spec(
        "test_ml_average",
        "nats",
        Scalar,
        Final,
        "the same under the average over all starts of maximum likelihood",
    ),
    spec("functional_fraction", "1", Scalar, Every, "share of functional synapses of the last sample"),
];

/// Chains, or networks that learn, on a target.
pub struct Posterior {
    params: Params,
    model: Model,
    block: u64,
}

enum Model {
    Chains(Box<Chains>),
    Bandit,
    Learner(Learner),
}

/// Everything that changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum State {
    /// Chains on a density that is known.
    Chains(chains::ChainState),
    /// Chains that are rewarded.
    Bandit(bandit::BanditState),
    /// Networks that learn.
    Learner(learn::LearnState),
}

impl Experiment for Posterior {
    const NAME: &'static str = "posterior";
    const VERSION: u32 = 1;
    const SUMMARY: &'static str =
        "Sampling of parameters held against laws that are known, and learning a posterior";
    const README: &'static str = include_str!("README.md");
    const FINDINGS: &'static str = include_str!("findings.toml");
    const FIGURES: &'static str = include_str!("figures.toml");
    const METRICS: &'static [MetricSpec] = &METRICS;
    const PRESETS: &'static [(&'static str, &'static str)] = &[
        ("bandit", "task = \"bandit\"\nh = 0.02\nsteps = 1000"),
        ("matched", "task = \"matched\"\nh = 0.0003\nsteps = 20000\nchains = 10"),
        (
            "digits",
            "task = \"digits\"\nh = 0.0012\nsteps = 6000\nchains = 10\nunits = 15\ntrain_images = 30\nprior_mean = 0.5",
        ),
    ];

    const FORKABLE: &'static [&'static str] =
        &["baseline", "friction", "h", "prior_mean", "prior_sd", "steps", "tau_reward", "temperature"];

    type Params = Params;
    type State = State;
    type Scratch = Scratch;

    fn data(params: &Params) -> DataNeed {
        match params.task {
            Task::Digits => DataNeed::Images { builtin: "digits8x8" },
            _ => DataNeed::None,
        }
    }

    fn check(params: &Params) -> Result<(), ParamError> {
        params.check()
    }

    fn plan(params: &Params, data: &DataShape) -> Result<Plan, ParamError> {
        if let (Task::Digits, DataShape::Images { count, rows, cols, labelled, .. }) = (params.task, data)
            && !(*labelled && (*rows, *cols) == (8, 8) && *count >= params.train_images + 300)
        {
            let rule = "labelled images of 8x8 pixels are needed, and enough of the classes 1 and 2";
            return Err(ParamError::new("train_images", params.train_images, rule));
        }
        let numbers = u64::from(params.chains) * params.points() as u64;
        let memory_bytes = (64 << 20) + 64 * numbers + 128 * 10_000;
        Ok(Plan { steps: u64::from(params.steps).div_ceil(block(params)), memory_bytes })
    }

    fn new(params: Params, data: Data, seed: u64) -> Result<Self, DataError> {
        let model = match params.task {
            Task::Bandit => Model::Bandit,
            Task::Matched | Task::Digits => Model::Learner(learn::learner(&params, &data, seed)?),
            task => {
                let target = Known::new(task, &params.log_density).map_err(DataError)?;
                Model::Chains(Box::new(Chains::new(&params, target)))
            }
        };
        Ok(Self { block: block(&params), params, model })
    }

    fn init(&self, draws: Draws) -> State {
        match &self.model {
            Model::Chains(chains) => State::Chains(chains.init(&self.params, draws)),
            Model::Bandit => State::Bandit(bandit::init(&self.params, draws)),
            Model::Learner(_) => State::Learner(learn::init(&self.params, draws)),
        }
    }

    fn step(&self, state: &mut State, scratch: &mut Scratch, draws: Draws) {
        let params = &self.params;
        let left = |steps: u64| self.block.min(u64::from(params.steps) - steps);
        match (&self.model, state) {
            (Model::Chains(chains), State::Chains(state)) => {
                scratch.z.resize(state.points(), 0.0);
                for k in 0..left(state.steps) {
                    chains.advance(params, state, &mut scratch.z, draws, k);
                }
            }
            (Model::Bandit, State::Bandit(state)) => {
                scratch.z.resize(2 * params.chains as usize, 0.0);
                for k in 0..left(state.steps) {
                    bandit::advance(params, state, &mut scratch.z, draws, k);
                }
            }
            (Model::Learner(learner), State::Learner(state)) => {
                for k in 0..left(state.steps) {
                    learn::advance(params, learner, state, scratch, draws, k);
                }
            }
            _ => panic!("{MIXED}"),
        }
    }

    fn observe(&self, state: &State, draws: Draws, out: &mut Metrics) {
        match (&self.model, state) {
            (Model::Chains(chains), State::Chains(state)) => chains.observe(&self.params, state, draws, out),
            (Model::Bandit, State::Bandit(state)) => bandit::observe(&self.params, state, out),
            (Model::Learner(learner), State::Learner(state)) => {
                learn::observe(&self.params, learner, state, out)
            }
            _ => panic!("{MIXED}"),
        }
    }
}

const MIXED: &str = "a state belongs to the task that made it";

/// Steps of the chains in one step of the run.
fn block(params: &Params) -> u64 {
    let numbers = match params.task {
        Task::Matched | Task::Digits => {
            3 * u64::from(params.restarts) * u64::from(params.units) * INPUTS as u64 * 2
        }
        _ => 2 * u64::from(params.chains) * params.points() as u64,
    };
    (WORK / numbers).max(1)
}

#![doc = include_str!("README.md")]

mod params;

use numerics::{Draws, Stream, stats, synaptic_sampling::Prior};
use serde::{Deserialize, Serialize};

use crate::{
    Cadence::{Every, Final},
    Data, DataError, DataNeed, DataShape, Experiment, MetricSpec, Metrics, ParamError, Plan,
    ValueKind::{Histogram, Scalar},
    metric::spec,
    sampling::{
        learner::{ATTACHED, Arm, INPUTS, Learner, Motion, Scratch},
        scalar_if_finite,
    },
};

pub use params::{Law, Params};

/// Numbers that a step of the run moves, about.
const WORK: u64 = 50_000;
/// Samples that predictions are averaged over.
const SAMPLES: u64 = 40;

static METRICS: [MetricSpec; 7] = [
    spec("functional_fraction", "1", Scalar, Every, "share of functional synapses, mean of the kept samples"),
    spec(
        "test_rewired",
        "nats",
        Scalar,
        Every,
        "log-likelihood of a test example under the network that rewires",
    ),
    spec("test_fixed", "nats", Scalar, Every, "the same under fixed wirings of equal density, their mean"),
    spec(
        "train_rewired",
        "nats",
        Scalar,
        Every,
        "log-likelihood of a training example under the last sample",
    ),
    spec("gain", "nats", Scalar, Final, "test_rewired minus test_fixed"),
    spec("fixed_fraction", "1", Scalar, Final, "share of synapses that fixed wirings have"),
    spec("theta", "1", Histogram, Final, "θ of the network that rewires"),
];

/// A network that rewires under a sparse prior, then networks of fixed random wiring that are as sparse.
pub struct Sparsity {
    params: Params,
    prior: Box<dyn Prior + Send + Sync>,
    learner: Learner,
    block: u64,
}

/// Everything that changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    steps: u64,
    /// The network that rewires; it learns first.
    rewired: Arm,
    /// Σ of the shares of functional synapses over the kept samples.
    functional: f64,
    /// How many these are.
    kept: u64,
    /// Networks of fixed wiring; none before the first has learned.
    fixed: Vec<Arm>,
}

impl Experiment for Sparsity {
    const NAME: &'static str = "sparsity";
    const VERSION: u32 = 1;
    const SUMMARY: &'static str =
        "Sparse priors against performance, rewiring against fixed wiring of equal density";
    const README: &'static str = include_str!("README.md");
    const FINDINGS: &'static str = include_str!("findings.toml");
    const FIGURES: &'static str = include_str!("figures.toml");
    const METRICS: &'static [MetricSpec] = &METRICS;
    const PRESETS: &'static [(&'static str, &'static str)] = &[];

    const FORKABLE: &'static [&'static str] = &["h", "prior_mean", "steps", "temperature"];

    type Params = Params;
    type State = State;
    type Scratch = Scratch;

    fn data(_: &Params) -> DataNeed {
        DataNeed::Images { builtin: "digits8x8" }
    }

    fn check(_: &Params) -> Result<(), ParamError> {
        Ok(())
    }

    fn plan(params: &Params, data: &DataShape) -> Result<Plan, ParamError> {
        if let DataShape::Images { count, rows, cols, labelled, .. } = data
            && !(*labelled && (*rows, *cols) == (8, 8) && *count >= params.train_images + 300)
        {
            let rule = "labelled images of 8x8 pixels are needed, and enough of the classes 1 and 2";
            return Err(ParamError::new("train_images", params.train_images, rule));
        }
        let memory_bytes =
            (64 << 20) + 64 * u64::from(params.units) * INPUTS as u64 * u64::from(params.wirings + 1);
        Ok(Plan { steps: 2 * u64::from(params.steps).div_ceil(block(params)), memory_bytes })
    }

    fn new(params: Params, data: Data, seed: u64) -> Result<Self, DataError> {
        let Data::Images(images) = data else { return Err(DataError("images are needed".into())) };
        let learner = Learner::digits(params.units as usize, params.train_images as usize, &images, seed)?;
        Ok(Self { prior: params.law(), block: block(&params), learner, params })
    }

    fn init(&self, draws: Draws) -> State {
        let rewired = Arm::new(self.start(draws, 0));
        State { steps: 0, rewired, functional: 0.0, kept: 0, fixed: Vec::new() }
    }

    fn step(&self, state: &mut State, scratch: &mut Scratch, draws: Draws) {
        let all = u64::from(self.params.steps);
        // A block belongs to one half: the first network, or those that follow it.
        let left = if state.steps < all { all - state.steps } else { 2 * all - state.steps };
        if state.steps == all && state.fixed.is_empty() {
            let density = state.functional / state.kept as f64;
            state.fixed = (0..self.params.wirings).map(|k| self.wire(density, draws, k.into())).collect();
        }
        for k in 0..self.block.min(left) {
            self.advance(state, scratch, draws, k);
        }
    }

    fn observe(&self, state: &State, _: Draws, out: &mut Metrics) {
        let kept = state.kept as f64;
        scalar_if_finite(out, "functional_fraction", state.functional / kept);
        scalar_if_finite(out, "test_rewired", Arm::predictive(std::slice::from_ref(&state.rewired)));
        out.scalar("train_rewired", state.rewired.train);
        let fixed: Vec<f64> = state.fixed.chunks_exact(1).map(Arm::predictive).collect();
        scalar_if_finite(out, "test_fixed", stats::mean(&fixed));
        if !out.is_last() {
            return;
        }
        out.scalar("gain", Arm::predictive(std::slice::from_ref(&state.rewired)) - stats::mean(&fixed));
        let share: Vec<f64> = state.fixed.iter().map(Arm::functional).collect();
        out.scalar("fixed_fraction", stats::mean(&share));
        let edges: Vec<f64> = (0..=50).map(|i| -5.0 + f64::from(i) / 5.0).collect();
        let counts = stats::histogram(state.rewired.theta.iter().copied(), &edges);
        out.histogram("theta", &edges, &counts);
    }
}

impl Sparsity {
    /// Step `k` of a block.
    fn advance(&self, state: &mut State, scratch: &mut Scratch, draws: Draws, k: u64) {
        let all = u64::from(self.params.steps);
        let first = state.steps < all;
        let n = state.rewired.theta.len();
        let mut z = std::mem::take(&mut scratch.z);
        z.resize(n, 0.0);
        let now = if first { state.steps } else { state.steps - all } + 1;
        // The first third is burn-in.
        let keeps = 3 * now > all && now.is_multiple_of((2 * all / (3 * SAMPLES)).max(1));
        let motion = Motion { h: self.params.h, temperature: self.params.temperature, retracts: first };
        let arms = if first { std::slice::from_mut(&mut state.rewired) } else { state.fixed.as_mut_slice() };
        for (arm, place) in arms.iter_mut().zip(0_u64..) {
            let place = (k * u64::from(self.params.wirings) + place) * n as u64;
            draws.fill_normal(Stream::SynapseDiffusion, place, &mut z);
            self.learner.advance(arm, motion, Some(&*self.prior), &z, scratch);
            if keeps {
                arm.keep(&self.learner, &mut scratch.buffers);
            }
        }
        if first && keeps {
            state.functional += state.rewired.functional();
            state.kept += 1;
        }
        scratch.z = z;
        state.steps += 1;
    }

    /// θ of network `k` before learning.
    fn start(&self, draws: Draws, k: u64) -> Vec<f64> {
        let n = self.params.units as usize * INPUTS;
        let mut theta = vec![0.0; n];
        draws.fill_normal(Stream::SynapseInit, k * n as u64, &mut theta);
        theta.iter_mut().for_each(|z| *z += self.params.prior_mean);
        theta
    }

    /// A network that has each synapse with the probability `density`, and keeps it.
    fn wire(&self, density: f64, draws: Draws, k: u64) -> Arm {
        let mut theta = self.start(draws, k + 1);
        let mut u = vec![0.0; theta.len()];
        draws.fill_uniform_f64(Stream::SynapseWiring, k * theta.len() as u64, &mut u);
        for (theta, u) in theta.iter_mut().zip(u) {
            *theta = if u < density { theta.abs() + ATTACHED } else { f64::NEG_INFINITY };
        }
        Arm::new(theta)
    }
}

/// Steps of the networks in one step of the run.
fn block(params: &Params) -> u64 {
    let numbers = u64::from(params.wirings) * u64::from(params.units) * INPUTS as u64;
    (WORK / numbers).clamp(1, u64::from(params.steps))
}

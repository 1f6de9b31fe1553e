#![doc = include_str!("README.md")]

mod landscape;
mod observe;
mod params;

use numerics::{
    Draws, Stream,
    sde::{
        Target,
        samplers::{Langevin, Tempering},
    },
};
use serde::{Deserialize, Serialize};

use crate::{Data, DataError, DataNeed, DataShape, Experiment, MetricSpec, Metrics, ParamError, Plan};
use landscape::Landscape;

pub use crate::sampling::schedule::Schedule;
pub use landscape::Kind;
pub use params::{Params, Sampler};

/// Numbers that a step of the run moves, about.
const WORK: usize = 100_000;
/// Longest way of the drift in one step.
const DRIFT_LIMIT: f64 = 0.2;

/// Chains that climb a reward under a temperature that falls.
pub struct Annealing {
    params: Params,
    landscape: Landscape,
    /// Steps of the chains in one step of the run.
    block: u64,
}

/// Everything that changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Steps of the chains so far.
    steps: u64,
    /// θ, point by point.
    x: Vec<f64>,
    /// Velocities, of the second order.
    v: Vec<f64>,
    /// Best ends of each chain, with restarts.
    best: Vec<f64>,
    /// The step at which each chain left the saddle; 0 if it has not.
    escaped: Vec<u64>,
}

/// Reusable buffers.
#[derive(Default)]
pub struct Scratch {
    z: Vec<f64>,
}

impl Experiment for Annealing {
    const NAME: &'static str = "annealing";
    const VERSION: u32 = 1;
    const SUMMARY: &'static str =
        "Temperature on rewards with many optima: equilibrium, cooling, and what else finds the best one";
    const README: &'static str = include_str!("README.md");
    const FINDINGS: &'static str = include_str!("findings.toml");
    const FIGURES: &'static str = include_str!("figures.toml");
    const METRICS: &'static [MetricSpec] = &observe::METRICS;
    const PRESETS: &'static [(&'static str, &'static str)] = &[(
        "funnel",
        "landscape = \"funnel\"\ndimensions = 20\nt_start = 1.0\nt_end = 0.02\nsteps = 20000\nchains = 200\nh = 0.005",
    )];

    const FORKABLE: &'static [&'static str] = &["friction", "h", "schedule", "steps", "t_end", "t_start"];

    type Params = Params;
    type State = State;
    type Scratch = Scratch;

    fn data(_: &Params) -> DataNeed {
        DataNeed::None
    }

    fn check(params: &Params) -> Result<(), ParamError> {
        params.check()
    }

    fn plan(params: &Params, _: &DataShape) -> Result<Plan, ParamError> {
        let numbers = u64::from(params.chains) * params.points() as u64 * u64::from(params.dimensions);
        let memory_bytes = (32 << 20) + 48 * numbers;
        Ok(Plan { steps: u64::from(params.steps).div_ceil(block(params)), memory_bytes })
    }

    fn new(params: Params, _: Data, _: u64) -> Result<Self, DataError> {
        let landscape = Landscape::new(params.landscape, params.dimensions as usize);
        Ok(Self { landscape, block: block(&params), params })
    }

    fn init(&self, draws: Draws) -> State {
        let chains = self.params.chains as usize;
        let mut x = vec![0.0; chains * self.params.points() * self.params.dimensions as usize];
        self.scatter(&mut x, draws, Stream::SynapseInit, 0);
        let v = if self.params.sampler == Sampler::Underdamped { vec![0.0; x.len()] } else { Vec::new() };
        let best = if self.params.restart_every > 0 { x.clone() } else { Vec::new() };
        let escaped = if self.params.landscape == Kind::Saddle { vec![0; chains] } else { Vec::new() };
        State { steps: 0, x, v, best, escaped }
    }

    fn step(&self, state: &mut State, scratch: &mut Scratch, draws: Draws) {
        let last = u64::from(self.params.steps);
        for k in 0..self.block.min(last - state.steps) {
            self.advance(state, scratch, draws, k);
        }
    }

    fn observe(&self, state: &State, _: Draws, out: &mut Metrics) {
        observe::observe(self, state, out);
    }
}

impl Annealing {
    /// Step `k` of the block.
    fn advance(&self, state: &mut State, scratch: &mut Scratch, draws: Draws, k: u64) {
        let params = &self.params;
        let langevin = Langevin {
            h: params.h,
            temperature: params.temperature(state.steps),
            drift_limit: if params.landscape == Kind::Saddle { f64::INFINITY } else { DRIFT_LIMIT },
            half_width: self.landscape.half_width(),
        };
        let n = state.x.len();
        scratch.z.resize(n, 0.0);
        // At T = 0 there is no noise to draw.
        if langevin.temperature > 0.0 {
            draws.fill_normal(Stream::SynapseDiffusion, k * n as u64, &mut scratch.z);
        } else {
            scratch.z.fill(0.0);
        }
        let (x, z) = (&mut state.x, &scratch.z);
        match params.sampler {
            Sampler::Overdamped => langevin.overdamped(&self.landscape, x, z),
            Sampler::Underdamped => {
                langevin.underdamped(&self.landscape, params.friction, x, &mut state.v, z)
            }
            Sampler::ParallelTempering => {
                let tempering = Tempering::geometric(params.t_end, params.t_start, params.replicas as usize);
                tempering.step(langevin, &self.landscape, x, z);
                let every = u64::from(params.exchange_every);
                if (state.steps + 1).is_multiple_of(every) {
                    let mut u = vec![0.0; n / params.dimensions as usize];
                    draws.fill_uniform_f64(Stream::SynapseSwap, k * u.len() as u64, &mut u);
                    tempering.exchange(&self.landscape, (state.steps + 1) / every, x, &u);
                }
            }
        }
        state.steps += 1;
        for (escaped, x) in state.escaped.iter_mut().zip(state.x.chunks_exact(2)) {
            if *escaped == 0 && x[1].abs() > 1.0 {
                *escaped = state.steps;
            }
        }
        let every = u64::from(params.restart_every);
        if every > 0 && state.steps.is_multiple_of(every) {
            self.keep_the_better(state);
            self.scatter(&mut state.x, draws, Stream::SynapseRestart, k * n as u64);
            state.v.fill(0.0);
        }
    }

    /// Keeps the ends that are better than those before.
    fn keep_the_better(&self, state: &mut State) {
        let d = self.landscape.dimensions();
        for (best, x) in state.best.chunks_exact_mut(d).zip(state.x.chunks_exact(d)) {
            if self.landscape.log_density(x) > self.landscape.log_density(best) {
                best.copy_from_slice(x);
            }
        }
    }

    /// Spreads points evenly over the cube; on the saddle all start on its stable side.
    fn scatter(&self, x: &mut [f64], draws: Draws, stream: Stream, first: u64) {
        let half = self.landscape.half_width();
        if half.is_infinite() {
            x.fill(0.0);
            return;
        }
        draws.fill_uniform_f64(stream, first, x);
        x.iter_mut().for_each(|u| *u = half * (2.0 * *u - 1.0));
    }

    /// What a chain has found: its best end with restarts, else where it is; the coldest replica.
    fn found<'a>(&self, state: &'a State) -> impl Iterator<Item = &'a [f64]> {
        let d = self.params.dimensions as usize;
        let points = if state.best.is_empty() { &state.x } else { &state.best };
        points.chunks_exact(d).step_by(self.params.points())
    }
}

/// Steps of the chains in one step of the run.
fn block(params: &Params) -> u64 {
    let numbers = params.chains as usize * params.points() * params.dimensions as usize;
    (WORK / numbers).max(1) as u64
}

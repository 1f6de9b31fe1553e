#![doc = include_str!("README.md")]

mod observe;
mod params;

use numerics::{
    Draws, Stream, stats,
    synaptic_sampling::{Epsp, PairRule, births},
};
use serde::{Deserialize, Serialize};

use crate::{Data, DataError, DataNeed, DataShape, Experiment, MetricSpec, Metrics, ParamError, Plan};

pub use params::{Params, Stepper};

/// Time between two looks at the population, in relaxation times.
const LOOK: f64 = 0.25;
/// The input's time course, for activity.
const EPSP: Epsp = Epsp { tau_rise_ms: 2.0, tau_fall_ms: 20.0 };
/// Postsynaptic spikes follow presynaptic ones by up to this, in ms.
const LAG_MS: f64 = 50.0;

/// Spines without activity: a population under prior and noise, and a cohort of new synapses that is followed.
pub struct SpineDynamics {
    params: Params,
    /// Snapshots between two looks at the population.
    look: u64,
}

/// Everything that changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// θ of the population.
    theta: Vec<f64>,
    /// θ of the population at the start.
    reference: Vec<f64>,
    /// Correlation of θ with its start, at every look.
    acf: Vec<f64>,
    /// θ of new synapses that were functional at every snapshot.
    alive: Vec<f64>,
    /// How many these were, at every snapshot.
    survivors: Vec<u32>,
}

impl Experiment for SpineDynamics {
    const NAME: &'static str = "spine-dynamics";
    const VERSION: u32 = 1;
    const SUMMARY: &'static str =
        "Spines under prior and noise: volumes, their changes, survival of new ones";
    const README: &'static str = include_str!("README.md");
    const FINDINGS: &'static str = include_str!("findings.toml");
    const FIGURES: &'static str = include_str!("figures.toml");
    const METRICS: &'static [MetricSpec] = &observe::METRICS;
    const PRESETS: &'static [(&'static str, &'static str)] = &[];

    const FORKABLE: &'static [&'static str] = &["b_per_s", "mu", "sigma", "temperature"];

    type Params = Params;
    type State = State;
    type Scratch = ();

    fn data(_: &Params) -> DataNeed {
        DataNeed::None
    }

    fn check(params: &Params) -> Result<(), ParamError> {
        params.check()
    }

    fn plan(params: &Params, _: &DataShape) -> Result<Plan, ParamError> {
        let numbers = 8 * u64::from(params.synapses) + 6 * u64::from(params.births) + params.snapshots();
        Ok(Plan { steps: params.snapshots(), memory_bytes: (64 << 20) + 8 * numbers })
    }

    fn new(params: Params, _: Data, _: u64) -> Result<Self, DataError> {
        let look = (LOOK / params.interval).round().max(1.0) as u64;
        Ok(Self { params, look })
    }

    fn init(&self, draws: Draws) -> State {
        let process = self.params.process();
        let mut theta = vec![0.0; self.params.synapses as usize];
        draws.fill_normal(Stream::SynapseInit, 0, &mut theta);
        theta.iter_mut().for_each(|z| *z = process.mu + process.stationary_sd() * *z);
        let interval = self.params.interval * process.tau();
        let count = self.params.births as usize;
        let alive = births(&process, interval, count, draws, Stream::SynapseBirth, 0);
        State { reference: theta.clone(), theta, acf: Vec::new(), alive, survivors: vec![self.params.births] }
    }

    fn step(&self, state: &mut State, (): &mut (), draws: Draws) {
        // Draws of the cohort follow those of the population.
        let first = u64::from(self.params.synapses);
        let step = self.params.step(self.params.interval);
        step.advance(&mut state.alive, draws, Stream::SynapseDiffusion, first);
        state.alive.retain(|theta| *theta > 0.0);
        state.survivors.push(state.alive.len() as u32);
        if (draws.step() + 1).is_multiple_of(self.look) {
            let step = self.params.step(self.look as f64 * self.params.interval);
            step.advance(&mut state.theta, draws, Stream::SynapseDiffusion, 0);
            self.pair(&mut state.theta, draws, Stream::SynapsePairing);
            state.acf.push(correlation(&state.reference, &state.theta));
        }
    }

    fn observe(&self, state: &State, draws: Draws, out: &mut Metrics) {
        observe::population(self, state, out);
        if out.is_last() {
            observe::changes(self, state, draws, out);
            observe::survival(&self.params, state, out);
        }
    }
}

impl SpineDynamics {
    /// One pairing of every synapse: its neuron fires some time after its input did. Nothing without activity.
    fn pair(&self, theta: &mut [f64], draws: Draws, stream: Stream) {
        if self.params.pair_step == 0.0 {
            return;
        }
        let rule = PairRule {
            step: self.params.pair_step,
            alpha: libm::exp(-2.0),
            cap: 5.0,
            theta_0: self.params.theta_0,
        };
        let mut lags = vec![0.0; theta.len()];
        draws.fill_uniform_f64(stream, 0, &mut lags);
        for (theta, lag) in theta.iter_mut().zip(lags) {
            *theta += rule.kick(*theta, EPSP.at(LAG_MS * lag));
        }
    }
}

/// Pearson's correlation.
fn correlation(x: &[f64], y: &[f64]) -> f64 {
    let (mx, my) = (stats::mean(x), stats::mean(y));
    let products: Vec<f64> = x.iter().zip(y).map(|(x, y)| (x - mx) * (y - my)).collect();
    stats::sum(&products) / ((x.len() as f64 - 1.0) * stats::sd(x) * stats::sd(y))
}

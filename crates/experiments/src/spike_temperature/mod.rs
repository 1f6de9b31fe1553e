#![doc = include_str!("README.md")]

mod circuit;
mod observe;
mod params;

use numerics::{Draws, sde::GridLaw};
use serde::{Deserialize, Serialize};

use crate::{Data, DataError, DataNeed, DataShape, Experiment, MetricSpec, Metrics, ParamError, Plan};
use circuit::{Circuit, Rules};

pub use circuit::Scratch;
pub use params::{Compensation, Params, Winner};

/// Simulated time of a step of the run, s.
const GRID_S: f64 = 10.0;

/// A circuit whose spikes act as a temperature.
pub struct SpikeTemperature {
    rules: Rules,
    /// Of each class of inputs: the law that is to be sampled, and the one that noise of spikes makes of it; none where neurons
    /// compete.
    laws: Vec<[GridLaw; 2]>,
}

/// Everything that changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    circuit: Circuit,
    /// θ of all synapses, sample after sample.
    samples: Vec<f64>,
}

impl Experiment for SpikeTemperature {
    const NAME: &'static str = "spike-temperature";
    const VERSION: u32 = 1;
    const SUMMARY: &'static str =
        "What the noise of spikes adds to the temperature of synapses, measured, predicted and compensated";
    const README: &'static str = include_str!("README.md");
    const FINDINGS: &'static str = include_str!("findings.toml");
    const FIGURES: &'static str = include_str!("figures.toml");
    const METRICS: &'static [MetricSpec] = &observe::METRICS;
    const PRESETS: &'static [(&'static str, &'static str)] = &[(
        "competing",
        "winner = \"competing\"\nneurons = 4\ninputs = 20\nburn_in_s = 1500.0\nduration_s = 4500.0",
    )];

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
        let synapses = params.synapses() as u64;
        let samples = synapses * ((params.duration_s - params.burn_in_s) / params.sample_every_s) as u64;
        let spikes = params.input_hz.iter().sum::<f64>() * f64::from(params.inputs)
            + params.output_hz * f64::from(params.neurons);
        let laws = 2 * 420_000 * params.input_hz.len() as u64;
        let memory_bytes = (32 << 20) + laws + 200 * synapses + 60 * samples + 40 * (spikes * GRID_S) as u64;
        Ok(Plan { steps: params.ticks(), memory_bytes })
    }

    fn new(params: Params, _: Data, _: u64) -> Result<Self, DataError> {
        let classes: Vec<_> = params.input_hz.iter().map(|&hz| params.class(hz)).collect();
        let known = params.winner == Winner::Taught && params.temperature > 0.0;
        let laws = if known {
            classes.iter().map(|class| [class.posterior(), class.plain_law()]).collect()
        } else {
            Vec::new()
        };
        Ok(Self { rules: Rules { params, classes }, laws })
    }

    fn init(&self, draws: Draws) -> State {
        State { circuit: Circuit::new(&self.rules, draws), samples: Vec::new() }
    }

    fn step(&self, state: &mut State, scratch: &mut Scratch, draws: Draws) {
        let params = &self.rules.params;
        let from = (params.burn_in_s / GRID_S).round() as u64;
        state.circuit.advance(&self.rules, scratch, draws.step() >= from, draws);
        let every = (params.sample_every_s / GRID_S).round() as u64;
        let passed = (draws.step() + 1).saturating_sub(from);
        if passed > 0 && passed.is_multiple_of(every) {
            state.samples.extend_from_slice(&state.circuit.theta);
        }
    }

    fn observe(&self, state: &State, _: Draws, out: &mut Metrics) {
        observe::observe(self, state, out);
    }
}

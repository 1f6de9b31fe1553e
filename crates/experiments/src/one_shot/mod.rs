#![doc = include_str!("README.md")]

mod code;
mod judge;
mod machine;
mod metrics;
mod observe;
mod origin;
mod params;
mod schedule;
mod spread;

use ndarray::Array2;
use numerics::{
    Draws,
    boltzmann::{Parameters, evaluate::reconstruction},
    logistic_regression::Features,
};
use serde::{Deserialize, Serialize};

use crate::{
    Data, DataError, DataNeed, DataShape, Experiment, MetricSpec, Metrics, ParamError, Plan, Source,
    SourceNeed,
    boltzmann::{Labelled, Network, TrainerScratch},
};
use code::CODES;
use judge::Judge;
use machine::Machine;
use observe::Accuracies;
use origin::Origin;
use schedule::{SHOTS, Schedule, Task};
use spread::{Clouds, Found, SYSTEMS};

pub use params::{Networks, Params};

/// A classifier that learns from a few labelled images, on features of networks that learned without labels.
pub struct OneShot {
    params: Params,
    seed: u64,
    schedule: Schedule,
    origin: Origin,
    labelled: Labelled,
    clouds: Clouds,
}

/// What was learned and judged so far.
#[derive(Debug, Serialize, Deserialize)]
pub struct State {
    /// Finished networks, as in [`Machine::ALL`].
    networks: Vec<Parameters>,
    /// The network in training.
    training: Option<Network>,
    /// In percent, in the order of the schedule.
    accuracies: Vec<f64>,
    /// As in [`SYSTEMS`].
    spread: Vec<Found>,
}

/// Buffers of training, and the test images as the current kind of features sees them.
#[derive(Default)]
pub struct Scratch {
    trainer: TrainerScratch,
    code: usize,
    test: Vec<Features>,
    system: usize,
    copies: Vec<Array2<f32>>,
}

impl OneShot {
    fn judge<'a>(&'a self, networks: &'a [Parameters]) -> Judge<'a> {
        Judge { params: &self.params, labelled: &self.labelled, seed: self.seed, networks }
    }

    /// Has `copies` copies of the test images in the scratch.
    fn encode(&self, state: &State, scratch: &mut Scratch, code: usize, copies: u32) {
        if scratch.code != code {
            (scratch.code, scratch.test) = (code, Vec::new());
        }
        for copy in scratch.test.len() as u32..copies {
            scratch.test.push(self.judge(&state.networks).encode_test(code, copy));
        }
    }

    /// Has `copies` codes of every image of the clouds in the scratch.
    fn encode_clouds(&self, state: &State, scratch: &mut Scratch, system: usize, copies: u32) {
        if scratch.system != system {
            (scratch.system, scratch.copies) = (system, Vec::new());
        }
        let parameters = &state.networks[SYSTEMS[system].machine.place()];
        for copy in scratch.copies.len() as u32..copies {
            scratch.copies.push(self.clouds.encode(system, parameters, &self.params, copy, self.seed));
        }
    }
}

impl Experiment for OneShot {
    const NAME: &'static str = "one-shot";
    const VERSION: u32 = 2;
    const SUMMARY: &'static str = "Classifiers that learn from one to ten images a class, on features of networks with stochastic synapses";
    const README: &'static str = include_str!("README.md");
    const FINDINGS: &'static str = include_str!("findings.toml");
    const FIGURES: &'static str = include_str!("figures.toml");
    const METRICS: &'static [MetricSpec] = &metrics::METRICS;
    const PRESETS: &'static [(&'static str, &'static str)] =
        &[("mnist", include_str!("mnist.toml")), ("mnist-final", include_str!("mnist_final.toml"))];

    type Params = Params;
    type State = State;
    type Scratch = Scratch;

    fn data(_: &Params) -> DataNeed {
        DataNeed::Images { builtin: "digits8x8" }
    }

    fn check(params: &Params) -> Result<(), ParamError> {
        Machine::RbseB.protocol(params).check()
    }

    fn plan(params: &Params, data: &DataShape) -> Result<Plan, ParamError> {
        let training = origin::training_steps(params, data)?;
        let DataShape::Images { count, rows, cols, test_count, labelled, .. } = *data else {
            return Err(ParamError::new("dataset", "", "it must hold images"));
        };
        let left = if test_count > 0 { test_count } else { count - params.train_images };
        if params.test_from.saturating_add(params.test_images) > left {
            let rule =
                format!("with `test_from`, {}, it must be at most the {left} test images", params.test_from);
            return Err(ParamError::new("test_images", params.test_images, rule));
        }
        if !labelled {
            return Err(ParamError::new("dataset", "", "its images must have labels"));
        }
        let (count, visible) = (u64::from(count), u64::from(rows) * u64::from(cols));
        Ok(Plan {
            steps: Schedule::new(params, training).steps(),
            memory_bytes: memory(params, count, visible),
        })
    }

    fn sources(params: &Params) -> &'static [SourceNeed] {
        match params.networks {
            Networks::Trained => &[],
            Networks::Given => &origin::NEEDS,
        }
    }

    fn new(params: Params, data: Data, seed: u64) -> Result<Self, DataError> {
        Self::new_from(params, data, Vec::new(), seed)
    }

    fn new_from(params: Params, data: Data, sources: Vec<Source>, seed: u64) -> Result<Self, DataError> {
        let shape = data.shape();
        Self::plan(&params, &shape).map_err(|error| DataError(error.to_string()))?;
        let training =
            origin::training_steps(&params, &shape).map_err(|error| DataError(error.to_string()))?;
        let schedule = Schedule::new(&params, training);
        let origin = Origin::new(&params, &data, &sources, seed)?;
        let labelled = Labelled::new(&params.labelled(), &data, seed)?;
        let few = "the test images must be of two classes at least, and six of the first ten of each";
        let clouds = Clouds::new(&labelled).ok_or_else(|| DataError(few.into()))?;
        Ok(Self { params, seed, schedule, origin, labelled, clouds })
    }

    fn init(&self, _: Draws) -> State {
        State { networks: self.origin.given(), training: None, accuracies: Vec::new(), spread: Vec::new() }
    }

    fn step(&self, state: &mut State, scratch: &mut Scratch, draws: Draws) {
        match self.schedule.task(draws.step()) {
            Task::Train { machine, step, last } => {
                let learned =
                    self.origin.step(machine, (step, last), &mut state.training, &mut scratch.trainer);
                state.networks.extend(learned);
            }
            Task::Encode { code, copy } => self.encode(state, scratch, code, copy + 1),
            Task::Judge { code, shots, draw } => {
                let copies = self.schedule.test_copies(CODES[code].reading) as u32;
                self.encode(state, scratch, code, copies);
                let judge = self.judge(&state.networks);
                state.accuracies.push(judge.accuracy(code, shots, draw, &scratch.test));
            }
            Task::Cloud { system, copy } => self.encode_clouds(state, scratch, system, copy + 1),
            Task::Spread { system } => {
                self.encode_clouds(state, scratch, system, self.params.cloud_codes);
                let parameters = &state.networks[SYSTEMS[system].machine.place()];
                state.spread.push(self.clouds.measure(parameters, &scratch.copies));
            }
        }
    }

    fn observe(&self, state: &State, draws: Draws, out: &mut Metrics) {
        let accuracies = Accuracies { values: &state.accuracies, draws: self.params.draws as usize };
        observe::observe(&accuracies, out);
        observe::observe_spread(&state.spread, &self.clouds, &state.networks, out);
        if out.wants("reconstruction_mse") {
            let error = |parameters: &Parameters| {
                reconstruction(&parameters.sampled(0, draws), &self.labelled.test, draws).mse as f32
            };
            let errors: Vec<f32> = state.networks.iter().map(error).collect();
            out.vector("reconstruction_mse", &errors);
        }
    }
}

/// An upper bound: the data as bytes, and as lists of 4-byte indices (at worst all pixels on) in every trainer and for
/// the labels; a network in training (twelve arrays of weights), the finished ones and a checkpoint with its compressed
/// copy; features of the test images, and what encodes and fits one set of labelled images.
fn memory(params: &Params, count: u64, visible: u64) -> u64 {
    let (hidden, networks) = (u64::from(params.hidden_units), Machine::ALL.len() as u64);
    let (train, test) = (u64::from(params.train_images), u64::from(params.test_images));
    let weights = 4 * visible * hidden;
    let data = count * visible + 4 * (networks + 1) * train * visible + 4 * test * visible;
    let learned = (12 + 2 * networks + 2 * (2 * networks + 4)) * weights;
    let columns = visible + hidden;
    let features =
        u64::from(params.test_copies) * test * 8 * hidden + 8 * test * visible + 24 * test * columns;
    let fitted = 10 * 10 * u64::from(params.copies) * 8 * 6 * columns + 1000 * 1000 * 32;
    let clouds = 2 * 4 * u64::from(params.cloud_codes) * 10 * 10 * hidden + 6 * 8 * hidden * hidden;
    data + learned + features + fitted + clouds + (16 << 20)
}

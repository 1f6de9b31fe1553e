#![doc = include_str!("README.md")]

mod code;
mod judge;
mod labels;
mod metrics;
mod network;
mod observe;
mod params;
mod schedule;

use numerics::{
    Draws,
    boltzmann::{Parameters, evaluate::reconstruction},
    logistic_regression::Features,
};
use serde::{Deserialize, Serialize};

use crate::{
    Data, DataError, DataNeed, DataShape, Experiment, MetricSpec, Metrics, ParamError, Plan,
    boltzmann::{Trainer, TrainerScratch},
};
use code::CODES;
use judge::Judge;
use labels::Labelled;
use network::Network;
use observe::Accuracies;
use schedule::{SHOTS, Schedule, Task};

pub use params::Params;

/// A classifier that learns from a few labelled images, on features of networks that learned without labels.
pub struct OneShot {
    params: Params,
    seed: u64,
    schedule: Schedule,
    /// As in [`Network::ALL`].
    trainers: Vec<Trainer>,
    labelled: Labelled,
}

/// What was learned and judged so far.
#[derive(Debug, Serialize, Deserialize)]
pub struct State {
    /// Finished networks, as in [`Network::ALL`].
    networks: Vec<Parameters>,
    /// The network in training.
    training: Option<numerics::boltzmann::State>,
    /// In percent, in the order of the schedule.
    accuracies: Vec<f64>,
}

/// Buffers of training, and the test images as the current kind of features sees them.
#[derive(Default)]
pub struct Scratch {
    trainer: TrainerScratch,
    code: usize,
    test: Vec<Features>,
}

impl OneShot {
    fn judge<'a>(&'a self, networks: &'a [Parameters]) -> Judge<'a> {
        Judge { params: &self.params, labelled: &self.labelled, seed: self.seed, networks }
    }

    fn train(&self, state: &mut State, scratch: &mut Scratch, network: usize, step: u64, last: bool) {
        let trainer = &self.trainers[network];
        if step == 0 {
            scratch.trainer = TrainerScratch::default();
        }
        // The draws of a run of `rbm` or `rbse` with this seed: the same network comes out.
        let training = state.training.get_or_insert_with(|| trainer.init(Draws::at(self.seed, 0)));
        trainer.step(training, &mut scratch.trainer, Draws::at(self.seed, step));
        if last {
            state.networks.extend(state.training.take().map(|training| training.parameters));
        }
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
}

impl Experiment for OneShot {
    const NAME: &'static str = "one-shot";
    const VERSION: u32 = 1;
    const SUMMARY: &'static str = "Classifiers that learn from one to ten images a class, on features of networks with stochastic synapses";
    const README: &'static str = include_str!("README.md");
    const FINDINGS: &'static str = include_str!("findings.toml");
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
        Network::RbseB.protocol(params).check()
    }

    fn plan(params: &Params, data: &DataShape) -> Result<Plan, ParamError> {
        let mut training = [0; Network::ALL.len()];
        for (steps, network) in training.iter_mut().zip(Network::ALL) {
            *steps = network.protocol(params).plan(data)?.steps;
        }
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

    fn new(params: Params, data: Data, seed: u64) -> Result<Self, DataError> {
        let plan = |network: Network| network.protocol(&params).plan(&data.shape());
        let mut training = [0; Network::ALL.len()];
        let mut trainers = Vec::new();
        for (steps, network) in training.iter_mut().zip(Network::ALL) {
            *steps = plan(network).map_err(|error| DataError(error.to_string()))?.steps;
            trainers.push(Trainer::new(network.protocol(&params), &data, seed)?);
        }
        let schedule = Schedule::new(&params, training);
        let labelled = Labelled::new(&params, &data, seed)?;
        Ok(Self { params, seed, schedule, trainers, labelled })
    }

    fn init(&self, _: Draws) -> State {
        State { networks: Vec::new(), training: None, accuracies: Vec::new() }
    }

    fn step(&self, state: &mut State, scratch: &mut Scratch, draws: Draws) {
        match self.schedule.task(draws.step()) {
            Task::Train { network, step, last } => self.train(state, scratch, network, step, last),
            Task::Encode { code, copy } => self.encode(state, scratch, code, copy + 1),
            Task::Judge { code, shots, draw } => {
                let copies = self.schedule.test_copies(CODES[code].reading) as u32;
                self.encode(state, scratch, code, copies);
                let judge = self.judge(&state.networks);
                state.accuracies.push(judge.accuracy(code, shots, draw, &scratch.test));
            }
        }
    }

    fn observe(&self, state: &State, draws: Draws, out: &mut Metrics) {
        let accuracies = Accuracies { values: &state.accuracies, draws: self.params.draws as usize };
        observe::observe(&accuracies, out);
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
    let (hidden, networks) = (u64::from(params.hidden_units), Network::ALL.len() as u64);
    let (train, test) = (u64::from(params.train_images), u64::from(params.test_images));
    let weights = 4 * visible * hidden;
    let data = count * visible + 4 * (networks + 1) * train * visible + 4 * test * visible;
    let learned = (12 + 2 * networks + 2 * (2 * networks + 4)) * weights;
    let columns = visible + hidden;
    let features =
        u64::from(params.test_copies) * test * 8 * hidden + 8 * test * visible + 24 * test * columns;
    let fitted = 10 * 10 * u64::from(params.copies) * 8 * 6 * columns + 1000 * 1000 * 32;
    data + learned + features + fitted + (16 << 20)
}

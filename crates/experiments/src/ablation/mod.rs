#![doc = include_str!("README.md")]

mod edit;
mod measure;
mod metrics;
mod observe;
mod params;
mod schedule;

use numerics::{
    Draws,
    boltzmann::{
        Law, Parameters, State as Machine,
        evaluate::{MixtureSum, pseudo_log_likelihood, reconstruction},
    },
    logistic_regression::Features,
    stats,
};
use serde::{Deserialize, Serialize};

use crate::{
    Data, DataError, DataNeed, DataShape, Experiment, MetricSpec, Metrics, ParamError, Plan, Source,
    SourceNeed,
    boltzmann::{Labelled, Network, Trainer, TrainerScratch},
    rbm::Rbm,
    rbse::Rbse,
};
use edit::silence;
use measure::{Measure, Outcome};
use observe::Results;
use schedule::{Case, Schedule, Task};

pub use params::{Model, Origin, Params};

/// What removing or changing synapses costs a trained network.
pub struct Ablation {
    params: Params,
    seed: u64,
    trainer: Trainer,
    schedule: Schedule,
    labelled: Labelled,
    /// The network of a finished run.
    given: Option<Parameters>,
    /// Training steps that the params stand for; learning again goes on from there.
    training: u64,
}

/// What was learned and measured so far.
#[derive(Debug, Serialize, Deserialize)]
pub struct State {
    /// The network; it learns first and then stays.
    network: Network,
    /// A pruned network that learns again.
    relearning: Option<Network>,
    /// The likelihood that is being summed.
    likelihood: MixtureSum,
    /// Accuracies on the draws of labelled images so far, in percent.
    accuracies: Vec<f64>,
    /// The case in work.
    current: Outcome,
    /// The cases that are done.
    outcomes: Vec<Outcome>,
}

/// Buffers of training; of a case the edited network, the synapses that it lacks, and the test images as it sees them.
#[derive(Default)]
pub struct Scratch {
    trainer: TrainerScratch,
    edited: Option<(usize, Parameters, Vec<u32>)>,
    encoded: (usize, Vec<Features>),
}

const NEEDS: &[SourceNeed] = &[SourceNeed { name: "network", experiments: &["rbm", "rbse"], required: true }];

impl Ablation {
    fn build(params: Params, data: &Data, given: Option<Parameters>, seed: u64) -> Result<Self, DataError> {
        let protocol = params.protocol();
        let shape = data.shape();
        let plan = protocol.plan(&shape).map_err(|error| DataError(error.to_string()))?;
        let schedule = Schedule::new(&params, plan.steps, sides(&params, &shape));
        let trainer = Trainer::new(protocol, data, seed)?;
        let labelled = match params.draws {
            0 => Labelled::default(),
            _ => Labelled::new(&params.labelled(), data, seed)?,
        };
        if let Some(network) = &given {
            fits(network, &params, &trainer)?;
        }
        Ok(Self { params, seed, trainer, schedule, labelled, given, training: plan.steps })
    }

    fn measure(&self) -> Measure<'_> {
        let (params, test) = (&self.params, &self.trainer.digits.test);
        Measure { params, test, labelled: &self.labelled, seed: self.seed }
    }

    /// A case's network before it learns again, and the synapses that it lacks.
    fn edited<'a>(
        &self,
        case: usize,
        state: &State,
        scratch: &'a mut Scratch,
    ) -> &'a (usize, Parameters, Vec<u32>) {
        if scratch.edited.as_ref().is_none_or(|(cached, ..)| *cached != case) {
            let network = state.network.parameters();
            let (parameters, lacking) = match self.schedule.cases[case] {
                Case::Edited(edit) => (edit.apply(&network, self.seed), Vec::new()),
                Case::Pruned { criterion, percent } | Case::Relearned { criterion, percent } => {
                    let mut lacking = criterion.order(&network, self.seed);
                    lacking.truncate(lacking.len() * percent as usize / 100);
                    let mut pruned = network.into_owned();
                    silence(&mut pruned.w, &lacking);
                    (pruned, lacking)
                }
            };
            scratch.edited = Some((case, parameters, lacking));
        }
        scratch.edited.as_ref().expect("it was just made")
    }

    /// A mini-batch with what was pruned held at 0. Batches and draws are those of the steps that would have followed
    /// training, the same for every case.
    fn relearn(&self, case: usize, batch: u64, state: &mut State, scratch: &mut Scratch) {
        let (_, parameters, lacking) = self.edited(case, state, scratch);
        let lacking = lacking.clone();
        let start = || Network::General(Machine::new(parameters.clone()));
        let network = state.relearning.get_or_insert_with(start);
        let draws = Draws::at(self.seed, self.training + batch);
        self.trainer.step(network, &mut scratch.trainer, draws);
        if let Network::General(machine) = network {
            silence(&mut machine.parameters.w, &lacking);
            silence(&mut machine.velocity.w, &lacking);
        }
    }

    /// Calls `f` with the network that a case is measured on.
    fn on_case<T>(
        &self,
        case: usize,
        state: &State,
        scratch: &mut Scratch,
        f: impl FnOnce(&Parameters) -> T,
    ) -> T {
        match &state.relearning {
            Some(network) => f(&network.parameters()),
            None => f(&self.edited(case, state, scratch).1),
        }
    }

    /// Has the first `copies` copies of the test images' features in the scratch, as far as they differ.
    fn encode(&self, case: usize, copies: u32, state: &State, scratch: &mut Scratch) {
        let (cached, mut encoded) = std::mem::take(&mut scratch.encoded);
        if cached != case {
            encoded.clear();
        }
        self.on_case(case, state, scratch, |network| {
            let more = encoded.len() as u32..copies;
            encoded.extend(more.map_while(|copy| self.measure().encode_test(network, copy)));
        });
        scratch.encoded = (case, encoded);
    }

    fn judge(&self, case: usize, draw: u32, state: &mut State, scratch: &mut Scratch) {
        self.encode(case, self.params.test_copies, state, scratch);
        let (_, test) = std::mem::take(&mut scratch.encoded);
        let accuracy =
            self.on_case(case, state, scratch, |network| self.measure().accuracy(network, draw, &test));
        scratch.encoded = (case, test);
        state.accuracies.push(accuracy);
    }

    fn end_case(state: &mut State) {
        let likelihood = std::mem::take(&mut state.likelihood).likelihood();
        state.current.likelihood = likelihood.map(|found| (found.log_mean, found.mean_log));
        let accuracies = std::mem::take(&mut state.accuracies);
        state.current.accuracy = (!accuracies.is_empty()).then(|| stats::mean(&accuracies));
        state.outcomes.push(std::mem::take(&mut state.current));
        state.relearning = None;
    }
}

impl Experiment for Ablation {
    const NAME: &'static str = "ablation";
    const VERSION: u32 = 2;
    const SUMMARY: &'static str =
        "What removing synapses or changing how reliably they release costs a trained network";
    const README: &'static str = include_str!("README.md");
    const FINDINGS: &'static str = include_str!("findings.toml");
    const FIGURES: &'static str = include_str!("figures.toml");
    const METRICS: &'static [MetricSpec] = &metrics::METRICS;
    const PRESETS: &'static [(&'static str, &'static str)] = &[("mnist", include_str!("mnist.toml"))];

    type Params = Params;
    type State = State;
    type Scratch = Scratch;

    fn data(_: &Params) -> DataNeed {
        DataNeed::Images { builtin: "digits8x8" }
    }

    fn check(params: &Params) -> Result<(), ParamError> {
        params.check()
    }

    fn plan(params: &Params, data: &DataShape) -> Result<Plan, ParamError> {
        let training = params.protocol().plan(data)?;
        let DataShape::Images { labelled, .. } = *data else {
            return Err(ParamError::new("dataset", "", "it must hold images"));
        };
        if !labelled && params.draws > 0 {
            let rule = "it must be 0, since the images of the data set have no labels";
            return Err(ParamError::new("draws", params.draws, rule));
        }
        let schedule = Schedule::new(params, training.steps, sides(params, data));
        let memory_bytes = training.memory_bytes + more_memory(params, data);
        Ok(Plan { steps: schedule.steps(), memory_bytes })
    }

    fn new(params: Params, data: Data, seed: u64) -> Result<Self, DataError> {
        Self::build(params, &data, None, seed)
    }

    fn sources(params: &Params) -> &'static [SourceNeed] {
        if params.network == Origin::Given { NEEDS } else { &[] }
    }

    fn new_from(params: Params, data: Data, sources: Vec<Source>, seed: u64) -> Result<Self, DataError> {
        let network = sources.first().map(given).transpose()?;
        Self::build(params, &data, network, seed)
    }

    fn init(&self, draws: Draws) -> State {
        let network = match &self.given {
            Some(parameters) => Network::General(Machine::new(parameters.clone())),
            None => self.trainer.init(draws),
        };
        let (likelihood, current) = (MixtureSum::default(), Outcome::default());
        let (accuracies, outcomes) = (Vec::new(), Vec::new());
        State { network, relearning: None, likelihood, accuracies, current, outcomes }
    }

    fn step(&self, state: &mut State, scratch: &mut Scratch, draws: Draws) {
        match self.schedule.task(draws.step()) {
            Task::Train => self.trainer.step(&mut state.network, &mut scratch.trainer, draws),
            Task::Relearn { case, batch } => self.relearn(case, batch, state, scratch),
            Task::Fit { case } => {
                let fit = self.on_case(case, state, scratch, |network| self.measure().fit(network));
                (state.current.mse, state.current.pll) = fit;
            }
            Task::Likelihood { case, member } => {
                let mut sum = std::mem::take(&mut state.likelihood);
                let count = self.schedule.members_per_step;
                self.on_case(case, state, scratch, |network| {
                    self.measure().add_members(network, member, count, &mut sum);
                });
                state.likelihood = sum;
            }
            Task::Encode { case, copy } => self.encode(case, copy + 1, state, scratch),
            Task::Accuracy { case, draw } => self.judge(case, draw, state, scratch),
        }
        if self.schedule.ends_case(draws.step()) {
            Self::end_case(state);
        }
    }

    fn observe(&self, state: &State, draws: Draws, out: &mut Metrics) {
        out.scalar("cases_done", state.outcomes.len() as f64);
        let parameters = state.network.parameters();
        let test = &self.trainer.digits.test;
        let watched = test.select(&(0..WATCHED.min(test.len() as u32)).collect::<Vec<_>>());
        let member = parameters.sampled(0, draws);
        out.scalar("reconstruction_mse", reconstruction(&member, &watched, draws).mse);
        out.scalar("pseudo_log_likelihood", pseudo_log_likelihood(&member, &watched, FLIPS, draws));
        if out.is_last() {
            let (cases, percent) = (&self.schedule.cases[..], &self.params.prune_percent[..]);
            Results { cases, outcomes: &state.outcomes, percent }.observe(out);
            observe::observe_bits(&parameters, self.params.p0, out);
        }
    }
}

/// Test images that are looked at while the run goes on, and flips per image.
const WATCHED: u32 = 500;
const FLIPS: usize = 8;

/// The network of a finished run.
fn given(source: &Source) -> Result<Parameters, DataError> {
    let network = match source.experiment.as_str() {
        "rbm" => source.state_of::<Rbm>()?,
        _ => source.state_of::<Rbse>()?,
    };
    Ok(network.parameters().into_owned())
}

/// Whether a given network is what the params say.
fn fits(network: &Parameters, params: &Params, trainer: &Trainer) -> Result<(), DataError> {
    let (visible, hidden) = network.w.dim();
    let expected = (trainer.digits.test.columns(), params.hidden_units as usize);
    if (visible, hidden) != expected {
        let (v, h) = expected;
        return Err(DataError(format!(
            "the given network has {visible} x {hidden} units, data and `hidden_units` say {v} x {h}"
        )));
    }
    if network.law != Law::Bernoulli {
        let law = network.law;
        return Err(DataError(format!(
            "the given network has synapses of law {law:?}; only Bernoulli synapses are edited"
        )));
    }
    Ok(())
}

/// Units of the smaller and the larger side.
fn sides(params: &Params, data: &DataShape) -> (u64, u64) {
    let DataShape::Images { rows, cols, .. } = *data else { return (u64::MAX, u64::MAX) };
    let (visible, hidden) = (u64::from(rows) * u64::from(cols), u64::from(params.hidden_units));
    (visible.min(hidden), visible.max(hidden))
}

/// Beyond what training takes, an upper bound: the network once more as it is edited, learned again (with velocities and
/// buffers) and sampled, orders of synapses, all of it in checkpoints; labelled images as lists; sums of likelihoods;
/// blocks of states; features and what fits them.
fn more_memory(params: &Params, data: &DataShape) -> u64 {
    let DataShape::Images { count, rows, cols, .. } = *data else { return 0 };
    let (visible, hidden) = (u64::from(rows) * u64::from(cols), u64::from(params.hidden_units));
    let (train, test) = (u64::from(params.train_images), u64::from(params.test_images));
    let weights = 4 * visible * hidden;
    let images = 4 * (train + test) * (visible + 1) + 8 * u64::from(count);
    let columns = visible + hidden;
    let states = 1024 * 12 * columns;
    let sums = 4 * 32 * test;
    let features = test * (8 * hidden * u64::from(params.test_copies) + 24 * columns);
    let labelled = 10 * u64::from(params.shots) * u64::from(params.copies);
    let fitted = labelled * 8 * 6 * columns + 1000 * 1000 * 32;
    40 * weights + images + states + sums + features + fitted
}

#[cfg(test)]
mod tests;

#![doc = include_str!("README.md")]

mod averages;
mod batch;
mod circuit;
mod control;
mod metrics;
mod observe;
mod params;
mod patterns;

use numerics::{
    Draws,
    collective::{Alone, Collective},
    wta::{Circuit, Traces},
};
use serde::{Deserialize, Serialize};

use crate::{Data, DataError, DataNeed, DataShape, Experiment, MetricSpec, Metrics, ParamError, Plan};
use averages::Averages;
use circuit::{Learns, Rules};
use patterns::Patterns;

pub use circuit::{Activity, Room};
pub use params::{BiasRule, EpspShape, Init, Mode, Params, RateRule, WinnerRule};

/// Parts of the run after which the divergence is kept, as numerators and divisors: 100, 400, 1,000, 4,000, 10,000 and
/// 30,000 of 40,000 presentations.
const MILESTONES: [(u64, u64); 6] = [(1, 400), (1, 100), (1, 40), (1, 10), (1, 4), (3, 4)];

/// One winner-take-all circuit that learns a mixture by STDP.
pub struct WtaMixture {
    params: Params,
    seed: u64,
    rules: Rules,
    patterns: Patterns,
}

/// The circuit and what it did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    circuit: Circuit,
    /// What is left of input spikes; none in mode ideal.
    traces: Option<Traces>,
    activity: Activity,
    /// Divergence after the parts of [`MILESTONES`]; synthetic patterns.
    milestones: Vec<f64>,
    averages: Option<Averages>,
}

impl State {
    /// The circuit as it is.
    pub fn circuit(&self) -> &Circuit {
        &self.circuit
    }
}

const PRESETS: [(&str, &str); 6] = [
    ("synthetic", include_str!("synthetic.toml")),
    ("equilibrium", include_str!("equilibrium.toml")),
    ("mnist", include_str!("mnist.toml")),
    ("mnist-034", include_str!("mnist_034.toml")),
    ("spiking", "mode = \"spiking\"\npresentations = 10000\n"),
    ("mnist-spiking", include_str!("mnist_spiking.toml")),
];

impl Experiment for WtaMixture {
    const NAME: &'static str = "wta-mixture";
    const VERSION: u32 = 2;
    const SUMMARY: &'static str =
        "Winner-take-all circuit that learns a mixture by STDP: expectation maximisation in spikes";
    const README: &'static str = include_str!("README.md");
    const FINDINGS: &'static str = include_str!("findings.toml");
    const FIGURES: &'static str = include_str!("figures.toml");
    const METRICS: &'static [MetricSpec] = &metrics::METRICS;
    const PRESETS: &'static [(&'static str, &'static str)] = &PRESETS;

    const FORKABLE: &'static [&'static str] = &[
        "circuit_hz",
        "drop_spikes",
        "eta",
        "eta_b",
        "input_hz",
        "mismatch_sd",
        "presentations",
        "weight_bits",
        "winner",
    ];

    type Params = Params;
    type State = State;
    type Scratch = Room;

    fn data(params: &Params) -> DataNeed {
        match params.patterns {
            params::Patterns::Images => DataNeed::Images { builtin: "digits8x8" },
            params::Patterns::Synthetic => DataNeed::None,
        }
    }

    fn check(params: &Params) -> Result<(), ParamError> {
        params.check()
    }

    fn plan(params: &Params, data: &DataShape) -> Result<Plan, ParamError> {
        let (pixels, stored) = match (params.patterns, data) {
            (params::Patterns::Synthetic, _) => {
                (u64::from(params.pixels), (4 * params.pixels as u64 + 24) << params.pixels)
            }
            (params::Patterns::Images, DataShape::Images { .. }) => images_plan(params, data)?,
            (params::Patterns::Images, _) => {
                return Err(ParamError::new("dataset", "", "it must hold images"));
            }
        };
        Ok(Plan {
            steps: params.presentations / u64::from(params.batch),
            memory_bytes: stored + memory(params, pixels),
        })
    }

    fn new(params: Params, data: Data, seed: u64) -> Result<Self, DataError> {
        Self::plan(&params, &data.shape()).map_err(|error| DataError(error.to_string()))?;
        let patterns = Patterns::new(&params, &data, seed)?;
        let rules = Rules::new(&params, patterns.pixels());
        Ok(Self { params, seed, rules, patterns })
    }

    fn init(&self, draws: Draws) -> State {
        let synthetic = match &self.patterns {
            Patterns::Synthetic(synthetic) => Some(synthetic),
            Patterns::Images(_) => None,
        };
        let circuit = self.rules.start(&self.params, synthetic, draws);
        let averages = (self.params.average_from < 1.0).then(|| Averages::new(&circuit));
        State {
            traces: self.rules.traces(&circuit),
            circuit,
            activity: Activity::default(),
            milestones: Vec::new(),
            averages,
        }
    }

    fn step(&self, state: &mut State, room: &mut Room, draws: Draws) {
        self.step_with(state, room, draws, &mut Alone);
    }

    fn shards(&self) -> u32 {
        self.params.shards
    }

    fn step_with(&self, state: &mut State, room: &mut Room, draws: Draws, team: &mut dyn Collective) {
        let State { circuit, traces, activity, milestones, averages } = state;
        let from = self.params.average_from * self.params.presentations as f64;
        if let Some(averages) = averages.as_mut().filter(|_| draws.step() as f64 >= from) {
            averages.take(circuit);
        }
        let shown = if self.params.batch > 1 {
            batch::show(self, circuit, draws, room, team)
        } else {
            let pattern = self.patterns.draw(draws, 0);
            self.rules.show(circuit, traces.as_mut(), pattern, Learns::Yes, draws, room)
        };
        activity.input_spikes += shown.input_spikes;
        activity.circuit_spikes += shown.circuit_spikes;
        if let Patterns::Synthetic(synthetic) = &self.patterns {
            let [before, after] = [draws.step(), draws.step() + 1].map(|steps| self.shown(steps));
            let at = MILESTONES.map(|(n, of)| (self.params.presentations * n / of).max(1));
            for _ in at.iter().filter(|&&at| before < at && at <= after) {
                milestones.push(synthetic.divergence(&self.rules.mixture(circuit)));
            }
        }
    }

    fn observe(&self, state: &State, draws: Draws, out: &mut Metrics) {
        let mixture = self.rules.mixture(&state.circuit);
        observe::observe_fit(self, state, &mixture, out);
        if !out.is_last() {
            return;
        }
        observe::observe_weights(self, state, &mixture, out);
        observe::observe_activity(self, state, self.shown(draws.step()), out);
        observe::observe_spikes(self, state, out);
        control::observe_em(self, &mixture, draws, out);
        control::observe_optimum(self, state, &mixture, out);
        if let Patterns::Synthetic(synthetic) = &self.patterns {
            if let [first, .., later, _] = state.milestones[..] {
                let course: Vec<f32> = state.milestones.iter().map(|&kl| kl as f32).collect();
                out.vector("kl_course", &course);
                out.scalar("kl_drop", later / first);
            }
            control::observe_starts(self, synthetic, out);
            control::observe_equilibrium(self, state, synthetic, out);
        }
    }
}

impl WtaMixture {
    /// Patterns shown in so many steps.
    fn shown(&self, steps: u64) -> u64 {
        steps * u64::from(self.params.batch)
    }
}

/// Pixels of a pattern, and bytes of the images as bytes and as lists.
fn images_plan(params: &Params, data: &DataShape) -> Result<(u64, u64), ParamError> {
    let &DataShape::Images { count, rows, cols, max, test_count, labelled } = data else {
        return Err(ParamError::new("dataset", "", "it must hold images"));
    };
    let available = count - test_count;
    if params.train_images > available || (test_count == 0 && params.train_images == count) {
        let rule = format!("there are {available} training images, and some must be left to test on");
        return Err(ParamError::new("train_images", params.train_images, rule));
    }
    let left = if test_count > 0 { test_count } else { count - params.train_images };
    if params.test_images > left {
        let rule = format!("it must be at most the {left} test images");
        return Err(ParamError::new("test_images", params.test_images, rule));
    }
    if params.threshold >= u32::from(max) {
        return Err(ParamError::new("threshold", params.threshold, format!("no pixel exceeds {max}")));
    }
    if 2 * params.crop >= rows.min(cols) {
        let rule = format!("nothing would be left of {rows} x {cols} pixels");
        return Err(ParamError::new("crop", params.crop, rule));
    }
    if !params.classes.is_empty() && !labelled {
        let classes = serde_json::to_value(&params.classes).unwrap_or_default();
        return Err(ParamError::new("classes", classes, "the images have no labels"));
    }
    let (count, pixels) = (u64::from(count), u64::from(rows) * u64::from(cols));
    let lists = 8 * (u64::from(params.train_images) + u64::from(params.test_images)) * (pixels + 1);
    Ok((pixels, count * pixels + lists))
}

/// Bytes of the circuit, a copy to look at, a checkpoint with its compressed copy, and the mixtures of the control.
fn memory(params: &Params, pixels: u64) -> u64 {
    let synapses = 2 * pixels * u64::from(params.neurons);
    let circuit = 5 * 4 * synapses + 3 * 8 * 2 * pixels;
    let mixtures = 6 * 8 * synapses + 16 * u64::from(params.train_images);
    5 * circuit + 4 * 8 * synapses + mixtures + (16 << 20)
}

#[cfg(test)]
mod tests;

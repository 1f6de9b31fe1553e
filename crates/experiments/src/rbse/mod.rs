#![doc = include_str!("README.md")]

mod params;

use numerics::{Draws, collective::Collective};

use crate::{
    Data, DataError, DataNeed, DataShape, Experiment, MetricSpec, Metrics, ParamError, Plan,
    boltzmann::{
        FIT_METRICS, Network, RELEASE_METRICS, Trainer, TrainerScratch, joined, observe_fit, observe_release,
    },
};

pub use params::{Model, Params};

/// Boltzmann machine whose synapses learn how reliably they release.
pub struct Rbse(Trainer);

static METRICS: [MetricSpec; FIT_METRICS.len() + RELEASE_METRICS.len()] =
    joined(&[&FIT_METRICS, &RELEASE_METRICS]);

/// `mnist`, the synaptic sampling machine, and release probabilities at the start as measured in cortex (table 1 of the poster).
const PRESETS: [(&str, &str); 7] = [
    ("mnist", include_str!("mnist.toml")),
    ("s2m", include_str!("s2m.toml")),
    ("cat_rat_l23_a", "p0 = 0.5\np0_sd = 0.05\n"),
    ("cat_rat_l23_b", "p0 = 0.46\np0_sd = 0.26\n"),
    ("cat_rat_l23_c", "p0 = 0.65\np0_sd = 0.18\n"),
    // The source gives the range 0.16 to 0.9: its middle, and the spread of an even law over it.
    ("rat_l56_a", "p0 = 0.53\np0_sd = 0.2136\n"),
    ("rat_l56_b", "p0 = 0.53\np0_sd = 0.22\n"),
];

impl Experiment for Rbse {
    const NAME: &'static str = "rbse";
    const VERSION: u32 = 4;
    const SUMMARY: &'static str =
        "Boltzmann machine whose synapses learn how reliably they release (RBSE models A and B)";
    const README: &'static str = include_str!("README.md");
    const FINDINGS: &'static str = include_str!("findings.toml");
    const FIGURES: &'static str = include_str!("figures.toml");
    const METRICS: &'static [MetricSpec] = &METRICS;
    const PRESETS: &'static [(&'static str, &'static str)] = &PRESETS;

    const FORKABLE: &'static [&'static str] = &[
        "ais_chains",
        "ais_temperatures",
        "cd_k",
        "epochs",
        "eta_end",
        "eta_w",
        "momentum_end",
        "momentum_start",
        "momentum_switch_epoch",
        "r",
        "release_target",
        "weight_decay",
    ];

    type Params = Params;
    type State = Network;
    type Scratch = TrainerScratch;

    fn data(_: &Params) -> DataNeed {
        DataNeed::Images { builtin: "digits8x8" }
    }

    fn check(params: &Params) -> Result<(), ParamError> {
        params.protocol().check()
    }

    fn plan(params: &Params, data: &DataShape) -> Result<Plan, ParamError> {
        params.protocol().plan(data)
    }

    fn new(params: Params, data: Data, seed: u64) -> Result<Self, DataError> {
        Trainer::new(params.protocol(), &data, seed).map(Self)
    }

    fn init(&self, draws: Draws) -> Network {
        self.0.init(draws)
    }

    fn step(&self, state: &mut Network, scratch: &mut TrainerScratch, draws: Draws) {
        self.0.step(state, scratch, draws);
    }

    fn shards(&self) -> u32 {
        self.0.shards()
    }

    fn step_with(
        &self,
        state: &mut Network,
        scratch: &mut TrainerScratch,
        draws: Draws,
        team: &mut dyn Collective,
    ) {
        self.0.step_with(state, scratch, draws, team);
    }

    fn observe(&self, state: &Network, draws: Draws, out: &mut Metrics) {
        observe_fit(&self.0, state, draws, out);
        observe_release(&self.0, state, draws, out);
    }
}

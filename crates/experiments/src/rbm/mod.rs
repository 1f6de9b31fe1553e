#![doc = include_str!("README.md")]

mod params;

use numerics::{Draws, collective::Collective};

use crate::{
    Data, DataError, DataNeed, DataShape, Experiment, MetricSpec, Metrics, ParamError, Plan,
    boltzmann::{FIT_METRICS, Network, Trainer, TrainerScratch, observe_fit},
};

pub use params::Params;

/// Restricted Boltzmann machine with reliable synapses: the control of `rbse`.
pub struct Rbm(Trainer);

static METRICS: [MetricSpec; FIT_METRICS.len()] = FIT_METRICS;

impl Experiment for Rbm {
    const NAME: &'static str = "rbm";
    const VERSION: u32 = 4;
    const SUMMARY: &'static str = "Restricted Boltzmann machine with reliable synapses, the control of rbse";
    const README: &'static str = include_str!("README.md");
    const FINDINGS: &'static str = include_str!("findings.toml");
    const METRICS: &'static [MetricSpec] = &METRICS;
    const PRESETS: &'static [(&'static str, &'static str)] = &[("mnist", include_str!("mnist.toml"))];

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
    }
}

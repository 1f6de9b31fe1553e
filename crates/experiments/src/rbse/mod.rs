#![doc = include_str!("README.md")]

mod params;

use numerics::Draws;

use crate::{
    Data, DataError, DataNeed, DataShape, Experiment, MetricSpec, Metrics, ParamError, Plan,
    boltzmann::{FIT_METRICS, Network, Trainer, TrainerScratch, observe_fit, observe_release, spec},
    metric::{
        Cadence::Every, Cadence::Tenth, ValueKind::Histogram, ValueKind::Scalar, ValueKind::Tiles,
        ValueKind::Vector,
    },
};

pub use params::{Model, Params};

/// Boltzmann machine whose synapses learn how reliably they release.
pub struct Rbse(Trainer);

const RELEASE_METRICS: [MetricSpec; 10] = [
    spec(
        "reliability_spearman",
        "1",
        Scalar,
        Every,
        "rank correlation of strength |w| and release probability p over all synapses; absent while all p are equal",
    ),
    spec(
        "reliability_spearman_active",
        "1",
        Scalar,
        Every,
        "the same over synapses of pixels that are on in more than 1 % of the training images",
    ),
    spec(
        "release_prob_top1",
        "1",
        Scalar,
        Every,
        "mean release probability of the strongest 1 % of synapses",
    ),
    spec(
        "release_prob_top10",
        "1",
        Scalar,
        Every,
        "mean release probability of the strongest 10 % of synapses",
    ),
    spec("release_prob_rest", "1", Scalar, Every, "mean release probability of the other 90 % of synapses"),
    spec(
        "release_prob_quantiles",
        "1",
        Vector,
        Every,
        "0, 5, 25, 50, 75, 95 and 100 % quantiles of the release probability",
    ),
    spec(
        "release_prob_traces",
        "1",
        Vector,
        Every,
        "release probability of 200 synapses that stay the same over the run",
    ),
    spec("release_prob_histogram", "1", Histogram, Tenth, "release probabilities of all synapses"),
    spec(
        "release_prob_fields",
        "1",
        Tiles,
        Tenth,
        "release probabilities into each of the first 100 hidden units",
    ),
    spec(
        "effective_weight_fields",
        "1",
        Tiles,
        Tenth,
        "effective weights log(1 − p + p e^w) into each of the first 100 hidden units",
    ),
];

static METRICS: [MetricSpec; 17] = {
    let mut all = [FIT_METRICS[0]; 17];
    let mut i = 0;
    while i < all.len() {
        all[i] = if i < FIT_METRICS.len() { FIT_METRICS[i] } else { RELEASE_METRICS[i - FIT_METRICS.len()] };
        i += 1;
    }
    all
};

impl Experiment for Rbse {
    const NAME: &'static str = "rbse";
    const VERSION: u32 = 2;
    const SUMMARY: &'static str =
        "Boltzmann machine whose synapses learn how reliably they release (RBSE models A and B)";
    const README: &'static str = include_str!("README.md");
    const FINDINGS: &'static str = include_str!("findings.toml");
    const METRICS: &'static [MetricSpec] = &METRICS;
    const PRESETS: &'static [(&'static str, &'static str)] = &[("mnist", include_str!("mnist.toml"))];

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

    fn observe(&self, state: &Network, draws: Draws, out: &mut Metrics) {
        observe_fit(&self.0, &state.parameters(), draws, out);
        observe_release(&self.0, &state.parameters(), out);
    }
}

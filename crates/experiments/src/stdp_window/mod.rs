#![doc = include_str!("README.md")]

mod params;
mod window;

use numerics::{Draws, Stream};
use serde::{Deserialize, Serialize};

use crate::{
    Cadence::{Every, Final},
    Data, DataError, DataNeed, DataShape, Experiment, MetricSpec, Metrics, ParamError, Plan,
    ValueKind::{Scalar, Vector},
    metric::spec,
    sampling::{scalar_if_finite, singles},
};
use window::Window;

pub use params::Params;

/// Pairings of a step.
const PAIRINGS: u64 = 100;

static METRICS: [MetricSpec; 14] = [
    spec("weight", "1", Scalar, Every, "mean weight of the synapses that are paired at random"),
    spec("equilibrium_ratio", "1", Scalar, Final, "their mean weight in the last third over ln(E[x]/α)"),
    spec("lags_ms", "ms", Vector, Final, "time from the presynaptic to the postsynaptic spike"),
    spec("window", "1", Vector, Final, "Δθ of one pair at these times"),
    spec(
        "window_error",
        "1",
        Scalar,
        Final,
        "greatest distance from the closed form, over the greatest change",
    ),
    spec("peak_lag_ms", "ms", Scalar, Final, "where Δθ is greatest"),
    spec("peak_change", "1", Scalar, Final, "Δθ there"),
    spec("potentiation_ms", "ms", Scalar, Final, "times at which a pair potentiates, in steps of 1 ms"),
    spec("potentiation_from_ms", "ms", Scalar, Final, "the first of these"),
    spec("potentiation_to_ms", "ms", Scalar, Final, "the last of these"),
    spec("depression", "1", Scalar, Final, "Δθ of the pair that is furthest apart, post before pre"),
    spec(
        "depression_spread",
        "1",
        Scalar,
        Final,
        "greatest less least Δθ for post before pre, over their size",
    ),
    spec("depression_lobe", "1", Scalar, Final, "Δθ at −10 ms over that at −60 ms, less 1"),
    spec("silent_change", "1", Scalar, Final, "greatest |Δθ| of pairs at a retracted synapse"),
];

/// One synapse under pairs of spikes, and many under random pairings.
pub struct StdpWindow {
    params: Params,
}

/// Everything that changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Pairings so far.
    pairings: u64,
    /// θ of the synapses.
    theta: Vec<f64>,
    /// Σ of all their weights, over the last third.
    total: f64,
    /// How many weights these are.
    count: u64,
}

impl Experiment for StdpWindow {
    const NAME: &'static str = "stdp-window";
    const VERSION: u32 = 1;
    const SUMMARY: &'static str =
        "What pairs of spikes do to a synapse of the sampling rule, and where it settles";
    const README: &'static str = include_str!("README.md");
    const FINDINGS: &'static str = include_str!("findings.toml");
    const FIGURES: &'static str = include_str!("figures.toml");
    const METRICS: &'static [MetricSpec] = &METRICS;
    const PRESETS: &'static [(&'static str, &'static str)] = &[];

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
        let memory_bytes = (16 << 20) + 32 * u64::from(params.synapses);
        Ok(Plan { steps: u64::from(params.pairings).div_ceil(PAIRINGS), memory_bytes })
    }

    fn new(params: Params, _: Data, _: u64) -> Result<Self, DataError> {
        Ok(Self { params })
    }

    fn init(&self, _: Draws) -> State {
        let theta = vec![self.params.theta_0.max(0.1); self.params.synapses as usize];
        State { pairings: 0, theta, total: 0.0, count: 0 }
    }

    fn step(&self, state: &mut State, (): &mut (), draws: Draws) {
        let (rule, trace) = (self.params.rule(), self.params.epsp().at(self.params.pairing_lag_ms));
        let mut uniform = vec![0.0; state.theta.len()];
        let last = u64::from(self.params.pairings);
        for k in 0..PAIRINGS.min(last - state.pairings) {
            let first = k * state.theta.len() as u64;
            draws.fill_uniform_f64(Stream::SynapsePairing, first, &mut uniform);
            for (theta, u) in state.theta.iter_mut().zip(&uniform) {
                let x = if *u < self.params.pairing_prob { trace } else { 0.0 };
                *theta += rule.kick(*theta, x);
            }
            state.pairings += 1;
            if 3 * state.pairings > 2 * last {
                state.total += self.mean_weight(&state.theta) * state.theta.len() as f64;
                state.count += state.theta.len() as u64;
            }
        }
    }

    fn observe(&self, state: &State, _: Draws, out: &mut Metrics) {
        out.scalar("weight", self.mean_weight(&state.theta));
        if !out.is_last() {
            return;
        }
        out.scalar("equilibrium_ratio", state.total / state.count as f64 / self.params.equilibrium());
        let window = Window::measure(&self.params);
        out.vector("lags_ms", &singles(window.lags_ms.iter().copied()));
        out.vector("window", &singles(window.change.iter().copied()));
        out.scalar("window_error", window.error);
        let (lag, change) = window.peak();
        out.scalar("peak_lag_ms", lag);
        out.scalar("peak_change", change);
        let potentiating = window.potentiating();
        out.scalar("potentiation_ms", potentiating.len() as f64);
        scalar_if_finite(out, "potentiation_from_ms", potentiating.first().copied().unwrap_or(f64::NAN));
        scalar_if_finite(out, "potentiation_to_ms", potentiating.last().copied().unwrap_or(f64::NAN));
        out.scalar("depression", window.change[0]);
        out.scalar("depression_spread", window.depression_spread());
        out.scalar("depression_lobe", window.at(-10) / window.at(-60) - 1.0);
        out.scalar("silent_change", window.silent_change);
    }
}

impl StdpWindow {
    fn mean_weight(&self, theta: &[f64]) -> f64 {
        let weight = |theta: &f64| if *theta > 0.0 { libm::exp(theta - self.params.theta_0) } else { 0.0 };
        theta.iter().fold(0.0, |sum, theta| sum + weight(theta)) / theta.len() as f64
    }
}

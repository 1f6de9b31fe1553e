#![doc = include_str!("README.md")]

mod check;
mod params;

use ndarray::{Array1, Array2};
use numerics::{
    Draws, Stream,
    boltzmann::{
        Law, Synapses,
        curve::CouplingCurve,
        exact::{TinyEnsemble, ascend, bars_and_stripes, collapsed_log_likelihood},
    },
    logistic::{logit, sigmoid},
};
use serde::{Deserialize, Serialize};

use crate::{
    Data, DataError, DataNeed, DataShape, Experiment, MetricSpec, Metrics, ParamError, Plan,
    metric::{Cadence::Every, Cadence::Final, ValueKind::Scalar, ValueKind::Vector},
};

pub use params::{Model, Params};

/// Standard deviation of weights before learning.
const W_SD: f64 = 0.01;
/// Largest |a|.
const A_LIMIT: f64 = 8.0;
/// ln of the spread at the start, of laws that have one: 0.1.
const LOG_SD: f64 = -std::f64::consts::LN_10;

/// A small ensemble that climbs the exact gradient of its exact likelihood.
pub struct Exact {
    params: Params,
    data: Vec<f64>,
}

/// What it has learned, row by row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    w: Vec<f64>,
    a: Vec<f64>,
    log_sd: Vec<f64>,
    b: Vec<f64>,
    c: Vec<f64>,
}

static METRICS: [MetricSpec; 7] = [
    MetricSpec {
        name: "log_likelihood",
        unit: "nats",
        kind: Scalar,
        cadence: Every,
        meaning: "exact log-likelihood of a pattern; at best −ln of the number of patterns",
    },
    MetricSpec {
        name: "curve_error",
        unit: "1",
        kind: Scalar,
        cadence: Every,
        meaning: "greatest distance of any synapse's p from the curve da/dw = r (1 − p/q); Bernoulli synapses of model A",
    },
    MetricSpec {
        name: "strengths",
        unit: "1",
        kind: Vector,
        cadence: Final,
        meaning: "w of every synapse, row by row",
    },
    MetricSpec {
        name: "release_prob",
        unit: "1",
        kind: Vector,
        cadence: Final,
        meaning: "p of every synapse, row by row",
    },
    MetricSpec {
        name: "gradient_error",
        unit: "1",
        kind: Scalar,
        cadence: Final,
        meaning: "greatest difference between the gradient of models A and B and central differences of the enumerated likelihood, on a machine of 3 x 2 units drawn by the seed",
    },
    MetricSpec {
        name: "collapse_error",
        unit: "1",
        kind: Scalar,
        cadence: Final,
        meaning: "greatest difference in P(v, h) between model A and the machine of effective weights ln E[e^W], on such a machine",
    },
    MetricSpec {
        name: "interior_gain",
        unit: "nats",
        kind: Scalar,
        cadence: Final,
        meaning: "what model B climbs, at the best of 200 points with random releases minus at the best with certain ones, on such a machine with Bernoulli synapses",
    },
];

impl Experiment for Exact {
    const NAME: &'static str = "exact";
    const VERSION: u32 = 1;
    const SUMMARY: &'static str =
        "Small ensembles that climb the exact gradient, and their equations against enumeration";
    const README: &'static str = include_str!("README.md");
    const FINDINGS: &'static str = include_str!("findings.toml");
    const FIGURES: &'static str = include_str!("figures.toml");
    const METRICS: &'static [MetricSpec] = &METRICS;
    const PRESETS: &'static [(&'static str, &'static str)] = &[];

    const FORKABLE: &'static [&'static str] = &["eta_w", "r", "steps"];

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
        Ok(Plan { steps: u64::from(params.steps), memory_bytes: 64 << 20 })
    }

    fn new(params: Params, _: Data, _: u64) -> Result<Self, DataError> {
        let data = bars_and_stripes(params.side as usize);
        Ok(Self { params, data })
    }

    fn init(&self, draws: Draws) -> State {
        let (visible, hidden) = self.shape();
        let mut w = vec![0.0; visible * hidden];
        draws.fill_normal(Stream::Init, 0, &mut w);
        w.iter_mut().for_each(|w| *w *= W_SD);
        State {
            w,
            a: vec![logit(self.params.p0); visible * hidden],
            log_sd: vec![LOG_SD; visible * hidden],
            b: vec![0.0; visible],
            c: vec![0.0; hidden],
        }
    }

    fn step(&self, state: &mut State, (): &mut (), _: Draws) {
        let mut model = self.ensemble(state);
        ascend(&mut model, &self.data, self.params.eta_w, self.params.r, A_LIMIT);
        let TinyEnsemble { w, a, log_sd, b, c, .. } = model;
        let flat = |array: Array2<f64>| array.into_iter().collect();
        *state = State { w: flat(w), a: flat(a), log_sd: flat(log_sd), b: b.to_vec(), c: c.to_vec() };
    }

    fn observe(&self, state: &State, draws: Draws, out: &mut Metrics) {
        out.scalar("log_likelihood", collapsed_log_likelihood(&self.ensemble(state), &self.data));
        if self.params.model == Model::A && self.law() == Law::Bernoulli {
            out.scalar("curve_error", self.curve_error(state));
        }
        if !out.is_last() {
            return;
        }
        let single = |xs: &[f64], f: fn(f64) -> f64| xs.iter().map(|&x| f(x) as f32).collect::<Vec<f32>>();
        out.vector("strengths", &single(&state.w, |w| w));
        out.vector("release_prob", &single(&state.a, sigmoid));
        out.scalar("gradient_error", check::gradient_error(self.law(), draws));
        out.scalar("collapse_error", check::collapse_error(self.law(), draws));
        out.scalar("interior_gain", check::interior_gain(draws));
    }
}

impl Exact {
    /// (V, H).
    fn shape(&self) -> (usize, usize) {
        ((self.params.side * self.params.side) as usize, self.params.hidden_units as usize)
    }

    fn law(&self) -> Law {
        self.params.law.with_sites(self.params.sites)
    }

    fn ensemble(&self, state: &State) -> TinyEnsemble {
        let array = |values: &[f64]| {
            Array2::from_shape_vec(self.shape(), values.to_vec()).expect("one number per synapse")
        };
        TinyEnsemble {
            synapses: match self.params.model {
                Model::Reliable => Synapses::Reliable,
                Model::A => Synapses::JointEnergy,
            },
            law: self.law(),
            w: array(&state.w),
            a: array(&state.a),
            log_sd: array(&state.log_sd),
            b: Array1::from_vec(state.b.clone()),
            c: Array1::from_vec(state.c.clone()),
        }
    }

    fn curve_error(&self, state: &State) -> f64 {
        let strongest = state.w.iter().fold(1.0, |most: f64, w| most.max(w.abs()));
        let curve = CouplingCurve::new(self.params.r, self.params.p0, A_LIMIT, strongest.min(100.0));
        let distance = |(&w, &a): (&f64, &f64)| (sigmoid(a) - curve.release_prob(w)).abs();
        state.w.iter().zip(&state.a).map(distance).fold(0.0, f64::max)
    }
}

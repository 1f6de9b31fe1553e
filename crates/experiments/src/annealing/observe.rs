//! What is observed of the chains.

use numerics::stats;

use super::{Annealing, State, landscape::GROWTH};
use crate::{
    Cadence::{Every, Final},
    MetricSpec, Metrics,
    ValueKind::{Matrix, Scalar},
    metric::spec,
    sampling::{scalar_if_finite, singles},
};

pub(super) static METRICS: [MetricSpec; 9] = [
    spec("temperature", "1", Scalar, Every, "T of the next step"),
    spec(
        "p_global",
        "1",
        Scalar,
        Every,
        "share of chains that are at the global optimum, or found it with restarts",
    ),
    spec(
        "mean_reward",
        "1",
        Scalar,
        Every,
        "mean of R(θ) over chains, or of the best R that each found with restarts",
    ),
    spec(
        "equilibrium_reward",
        "1",
        Scalar,
        Final,
        "E R at equilibrium with the last temperature, by quadrature",
    ),
    spec(
        "equilibrium_global",
        "1",
        Scalar,
        Final,
        "P(global optimum) at equilibrium with the last temperature",
    ),
    spec("escaped", "1", Scalar, Every, "share of chains that left the saddle, |y| > 1"),
    spec("escape_time", "1", Scalar, Final, "median time b t at which they did; infinite ones count as late"),
    spec("escape_time_ratio", "1", Scalar, Final, "that time over ln(1 + λ/(0.455 T))/(2 λ)"),
    spec("points", "1", Matrix, Final, "the first two numbers of θ of up to 1,000 chains"),
];

/// Median of the square of a standard normal number.
const MEDIAN_SQUARE: f64 = 0.454_936_423_119_572_8;
/// Points that are shown.
const SHOWN: usize = 1000;

pub(super) fn observe(model: &Annealing, state: &State, out: &mut Metrics) {
    let params = &model.params;
    out.scalar("temperature", params.temperature(state.steps));
    let saddle = !state.escaped.is_empty();
    if saddle {
        let escaped = state.escaped.iter().filter(|step| **step > 0).count();
        out.scalar("escaped", escaped as f64 / state.escaped.len() as f64);
    } else {
        let chains = f64::from(params.chains);
        let global = model.found(state).filter(|x| model.landscape.is_global(x)).count();
        out.scalar("p_global", global as f64 / chains);
        let rewards: Vec<f64> = model.found(state).map(|x| model.landscape.reward(x)).collect();
        out.scalar("mean_reward", stats::mean(&rewards));
    }
    if !out.is_last() {
        return;
    }
    let temperature = params.last_temperature();
    if temperature > 0.0
        && let Some((reward, global)) = model.landscape.equilibrium(temperature)
    {
        out.scalar("equilibrium_reward", reward);
        out.scalar("equilibrium_global", global);
    }
    if saddle {
        let late = |step: &u64| if *step == 0 { f64::INFINITY } else { params.h * *step as f64 };
        let median = stats::quantile(&state.escaped.iter().map(late).collect::<Vec<f64>>(), 0.5);
        scalar_if_finite(out, "escape_time", median);
        let theory = libm::log1p(GROWTH / (MEDIAN_SQUARE * temperature)) / (2.0 * GROWTH);
        scalar_if_finite(out, "escape_time_ratio", median / theory);
    } else if params.dimensions > 1 {
        out.matrix("points", 2, &singles(model.found(state).take(SHOWN).flat_map(|x| [x[0], x[1]])));
    }
}

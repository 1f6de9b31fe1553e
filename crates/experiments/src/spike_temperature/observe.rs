//! What is observed of the circuit.

use numerics::stats;

use super::{SpikeTemperature, State};
use crate::{
    Cadence::{Every, Final},
    MetricSpec, Metrics,
    ValueKind::{Histogram, Matrix, Scalar, Vector},
    metric::spec,
    sampling::singles,
};

pub(super) static METRICS: [MetricSpec; 11] = [
    spec("effective", "1", Scalar, Every, "temperature at which θ moves, mean over synapses"),
    spec("predicted", "1", Scalar, Every, "T of the rule's own noise plus T_add, mean over synapses"),
    spec(
        "within_tenth",
        "1",
        Scalar,
        Final,
        "share of synapses whose temperature is within 10 % of the predicted one",
    ),
    spec("within_tenth_apart", "1", Scalar, Final, "the same, predicted for kicks that are independent"),
    spec("effective_by_rate", "1", Vector, Final, "temperature at which θ moves, for each class of inputs"),
    spec("predicted_by_rate", "1", Vector, Final, "the predicted one"),
    spec("apart_by_rate", "1", Vector, Final, "predicted for kicks that are independent"),
    spec("temperatures", "1", Matrix, Final, "predicted and measured temperature of up to 1,000 synapses"),
    spec("ks", "1", Scalar, Final, "√n times Kolmogorov's D of all samples against p*^(1/T)"),
    spec("ks_warmer", "1", Scalar, Final, "the same against the law with the temperature T + T_add(θ)"),
    spec("ranks", "1", Histogram, Final, "P*(θ) of all samples, even if the law is right"),
];

/// Synapses that are shown.
const SHOWN: usize = 1000;
/// Bins of ranks.
const BINS: usize = 20;

pub(super) fn observe(model: &SpikeTemperature, state: &State, out: &mut Metrics) {
    let params = &model.rules.params;
    let tally = &state.circuit.tally;
    if tally.looks == 0 {
        return;
    }
    let looks = tally.looks as f64;
    let measured: Vec<f64> = (0..params.synapses()).map(|s| tally.effective(s, params.b)).collect();
    let predicted: Vec<f64> = tally.predicted.iter().map(|sum| sum / looks).collect();
    out.scalar("effective", stats::mean(&measured));
    out.scalar("predicted", stats::mean(&predicted));
    if !out.is_last() {
        return;
    }
    let apart: Vec<f64> = tally.apart.iter().map(|sum| sum / looks).collect();
    out.scalar("within_tenth", near(&measured, &predicted));
    out.scalar("within_tenth_apart", near(&measured, &apart));
    out.vector("effective_by_rate", &by_rate(model, &measured));
    out.vector("predicted_by_rate", &by_rate(model, &predicted));
    out.vector("apart_by_rate", &by_rate(model, &apart));
    let every = measured.len().div_ceil(SHOWN);
    let points = predicted.iter().zip(&measured).step_by(every).flat_map(|(&x, &y)| [x, y]);
    out.matrix("temperatures", 2, &singles(points));
    if model.laws.is_empty() || state.samples.is_empty() {
        return;
    }
    let ranks = |law: usize| -> Vec<f64> {
        let synapses = params.synapses();
        let rank = |(at, &theta): (usize, &f64)| {
            let input = at % synapses % params.all_inputs();
            model.laws[model.rules.class_of(input)][law].cdf(theta)
        };
        state.samples.iter().enumerate().map(rank).collect()
    };
    let [posterior, warmer] = [ranks(0), ranks(1)];
    let distance = |ranks: &[f64]| (ranks.len() as f64).sqrt() * stats::ks_statistic(ranks, |u| u);
    out.scalar("ks", distance(&posterior));
    out.scalar("ks_warmer", distance(&warmer));
    let edges: Vec<f64> = (0..=BINS).map(|k| k as f64 / BINS as f64).collect();
    out.histogram("ranks", &edges, &stats::histogram(posterior, &edges));
}

/// Share of values within a tenth of the expected ones.
fn near(values: &[f64], expected: &[f64]) -> f64 {
    let within =
        values.iter().zip(expected).filter(|(value, expected)| (*value / *expected - 1.0).abs() <= 0.1);
    within.count() as f64 / values.len() as f64
}

/// Means over the synapses of each class of inputs.
fn by_rate(model: &SpikeTemperature, values: &[f64]) -> Vec<f32> {
    let inputs = model.rules.params.all_inputs();
    let classes = 0..model.rules.classes.len();
    singles(classes.map(|class| {
        let own = values.iter().enumerate().filter(|(s, _)| model.rules.class_of(s % inputs) == class);
        stats::mean(&own.map(|(_, value)| *value).collect::<Vec<f64>>())
    }))
}

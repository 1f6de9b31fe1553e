//! What is observed of the population and of the cohort.

use numerics::{
    Draws, Stream,
    bootstrap::normal_cdf,
    stats::{self, Line},
    synaptic_sampling::survival_rate,
};

use super::{Params, SpineDynamics, State};
use crate::{
    Cadence::{Every, Final},
    MetricSpec, Metrics,
    ValueKind::{Histogram, Scalar, Vector},
    metric::spec,
    sampling::{scalar_if_finite, singles},
};

pub(super) static METRICS: [MetricSpec; 22] = [
    spec("functional_fraction", "1", Scalar, Every, "share of synapses with θ > 0"),
    spec("functional_theory", "1", Scalar, Every, "Φ(μ/(σ√T))"),
    spec("ks_log_w", "1", Scalar, Every, "√M times Kolmogorov's D of ln w against its normal law"),
    spec("skew_log_w", "1", Scalar, Every, "skewness of ln w, that of potential synapses included"),
    spec("mean_weight_ratio", "1", Scalar, Every, "mean of e^(θ − θ₀) over e^(μ − θ₀ + T σ²/2)"),
    spec("acf", "1", Vector, Every, "correlation of θ with its start, at every look"),
    spec("acf_error", "1", Scalar, Every, "greatest distance of the correlation from e^(−t/τ), up to 3 τ"),
    spec("log_w", "1", Histogram, Final, "ln w, that of potential synapses included"),
    spec(
        "multiplicative_slope",
        "1",
        Scalar,
        Final,
        "slope of ln sd(Δw) on ln w over 0.02 τ; e^(−0.02) by theory",
    ),
    spec("ks_giant_step", "1", Scalar, Final, "as ks_log_w, after a single step of 100 τ from θ = 5"),
    spec("kick_slope", "1", Scalar, Final, "slope of ln |Δθ| on ln w at one pairing; with activity"),
    spec("weight_kick_slope", "1", Scalar, Final, "slope of ln |Δw| on ln w at one pairing; with activity"),
    spec("survival_times", "tau", Vector, Final, "times of the snapshots in `survival`"),
    spec(
        "survival",
        "1",
        Vector,
        Final,
        "share of new synapses that were functional at every snapshot up to then",
    ),
    spec("survival_exponent", "1", Scalar, Final, "slope of ln S on ln t over 0.02 to 0.3 τ"),
    spec("survival_exponent_error", "1", Scalar, Final, "standard error of that line"),
    spec("r2_power", "1", Scalar, Final, "R² of that line"),
    spec("r2_exponential", "1", Scalar, Final, "R² of ln S on t over the same range"),
    spec("r2_power_all", "1", Scalar, Final, "R² of ln S on ln t from 0.02 to 3.5 τ"),
    spec("r2_tail", "1", Scalar, Final, "R² of ln S on t over 1.5 to 3.5 τ"),
    spec("tail_rate", "1/tau", Scalar, Final, "rate at which survivors are lost after 2.5 τ"),
    spec("tail_rate_ratio", "1", Scalar, Final, "that rate over the exact one"),
];

/// Snapshots of the list `survival`.
const SHOWN: usize = 80;
/// Points of a fitted line.
const FITTED: usize = 40;
/// Where the motion is nearly free diffusion, in τ.
const POWER: (f64, f64) = (0.02, 0.3);
/// Where it is nearly exponential, in τ.
const TAIL: (f64, f64) = (1.5, 3.5);
/// From here on faster modes are gone, in τ.
const LAST: f64 = 2.5;
/// The short step that shows multiplicative changes, in τ.
const SHORT: f64 = 0.02;
/// Times that the short step is tried.
const TRIES: usize = 32;
/// Synapses are sorted into so many groups of equal size.
const GROUPS: usize = 24;

/// The whole population as it is.
pub(super) fn population(model: &SpineDynamics, state: &State, out: &mut Metrics) {
    let params = &model.params;
    let process = params.process();
    let n = state.theta.len() as f64;
    let functional = state.theta.iter().filter(|theta| **theta > 0.0).count();
    out.scalar("functional_fraction", functional as f64 / n);
    out.scalar("functional_theory", normal_cdf(process.mu / process.stationary_sd()));
    out.scalar("ks_log_w", scaled_distance(params, &state.theta));
    out.scalar("skew_log_w", stats::skewness(&state.theta));
    let weights: Vec<f64> = state.theta.iter().map(|theta| libm::exp(theta - params.theta_0)).collect();
    let variance = process.stationary_sd() * process.stationary_sd();
    out.scalar(
        "mean_weight_ratio",
        stats::mean(&weights) / libm::exp(process.mu - params.theta_0 + 0.5 * variance),
    );
    out.vector("acf", &singles(state.acf.iter().copied()));
    let lag = model.look as f64 * params.interval;
    let early = state.acf.iter().enumerate().map(|(i, acf)| ((i + 1) as f64 * lag, acf));
    let errors = early.filter(|(t, _)| *t < 3.0 + 1e-9).map(|(t, acf)| (acf - libm::exp(-t)).abs());
    scalar_if_finite(out, "acf_error", errors.reduce(f64::max).unwrap_or(f64::NAN));
}

/// √M D of θ against the stationary law.
fn scaled_distance(params: &Params, theta: &[f64]) -> f64 {
    let (mu, sd) = (params.mu, params.process().stationary_sd());
    stats::ks_statistic(theta, |x| normal_cdf((x - mu) / sd)) * (theta.len() as f64).sqrt()
}

/// How synapses change in one step.
pub(super) fn changes(model: &SpineDynamics, state: &State, draws: Draws, out: &mut Metrics) {
    let params = &model.params;
    let (mu, sd) = (params.mu - params.theta_0, params.process().stationary_sd());
    let edges: Vec<f64> = (0..=48).map(|i| mu + sd * (f64::from(i) / 6.0 - 4.0)).collect();
    let counts = stats::histogram(state.theta.iter().map(|theta| theta - params.theta_0), &edges);
    out.histogram("log_w", &edges, &counts);
    scalar_if_finite(out, "multiplicative_slope", multiplicative_slope(params, &state.theta, draws));
    let mut far = vec![5.0; state.theta.len()];
    let first = (TRIES * far.len()) as u64;
    params.step(100.0).advance(&mut far, draws, Stream::ObserveSynapse, first);
    out.scalar("ks_giant_step", scaled_distance(params, &far));
    if params.pair_step > 0.0 {
        let mut after = state.theta.clone();
        model.pair(&mut after, draws, Stream::ObserveReference);
        let weight = |theta: f64| libm::exp(theta - params.theta_0);
        let moved = state.theta.iter().zip(&after).filter(|(before, after)| before != after);
        let (mut log_w, mut kick, mut change) = (Vec::new(), Vec::new(), Vec::new());
        for (&before, &after) in moved {
            log_w.push(before - params.theta_0);
            kick.push(libm::log((after - before).abs()));
            change.push(libm::log((weight(after) - weight(before)).abs()));
        }
        scalar_if_finite(out, "kick_slope", Line::through(&log_w, &kick).slope);
        scalar_if_finite(out, "weight_kick_slope", Line::through(&log_w, &change).slope);
    }
}

/// Slope of ln sd(Δw) on ln w over groups of synapses of similar weight.
fn multiplicative_slope(params: &Params, theta: &[f64], draws: Draws) -> f64 {
    let mut order: Vec<usize> = (0..theta.len()).collect();
    order.sort_unstable_by(|&a, &b| theta[a].total_cmp(&theta[b]));
    let weight = |theta: f64| libm::exp(theta - params.theta_0);
    let step = params.step(SHORT);
    let tries: Vec<Vec<f64>> = (0..TRIES)
        .map(|k| {
            let mut after = theta.to_vec();
            step.advance(&mut after, draws, Stream::ObserveSynapse, (k * theta.len()) as u64);
            after.iter().zip(theta).map(|(after, before)| weight(*after) - weight(*before)).collect()
        })
        .collect();
    // The outermost 2 % are too unlike each other for a group.
    let margin = theta.len() / 50;
    let inner = &order[margin..theta.len() - margin];
    let mut points = (Vec::new(), Vec::new());
    for group in inner.chunks(inner.len().div_ceil(GROUPS)) {
        let changes: Vec<f64> = tries.iter().flat_map(|of| group.iter().map(|&i| of[i])).collect();
        let logs: Vec<f64> = group.iter().map(|&i| theta[i] - params.theta_0).collect();
        points.0.push(stats::mean(&logs));
        points.1.push(libm::log(stats::sd(&changes)));
    }
    Line::through(&points.0, &points.1).slope
}

/// The cohort of new synapses.
pub(super) fn survival(params: &Params, state: &State, out: &mut Metrics) {
    let born = f64::from(state.survivors[0]);
    let share = |k: usize| f64::from(state.survivors[k]) / born;
    let time = |k: usize| k as f64 * params.interval;
    let last = state.survivors.iter().rposition(|alive| *alive > 0).unwrap_or(0);
    let shown = spaced(1, last, SHOWN);
    out.vector("survival_times", &singles(shown.iter().map(|&k| time(k))));
    out.vector("survival", &singles(shown.iter().map(|&k| share(k))));
    let fit = |(from, to): (f64, f64), x: fn(f64) -> f64| {
        let first = (from / params.interval - 1e-9).ceil().max(1.0) as usize;
        let end = ((to / params.interval + 1e-9) as usize).min(last);
        let places = spaced(first, end, FITTED);
        let xs: Vec<f64> = places.iter().map(|&k| x(time(k))).collect();
        let ys: Vec<f64> = places.iter().map(|&k| libm::log(share(k))).collect();
        Line::through(&xs, &ys)
    };
    let power = fit(POWER, libm::log);
    scalar_if_finite(out, "survival_exponent", power.slope);
    scalar_if_finite(out, "survival_exponent_error", power.slope_error);
    scalar_if_finite(out, "r2_power", power.r2);
    scalar_if_finite(out, "r2_exponential", fit(POWER, |t| t).r2);
    scalar_if_finite(out, "r2_power_all", fit((POWER.0, TAIL.1), libm::log).r2);
    scalar_if_finite(out, "r2_tail", fit(TAIL, |t| t).r2);
    let rate = tail_rate(params, &state.survivors);
    scalar_if_finite(out, "tail_rate", rate);
    scalar_if_finite(out, "tail_rate_ratio", rate / survival_rate(&params.process(), params.interval));
}

/// The rate of a constant hazard after 2.5 τ, from losses over snapshots at risk; NaN without one.
fn tail_rate(params: &Params, survivors: &[u32]) -> f64 {
    let first = (LAST / params.interval - 1e-9).ceil() as usize;
    let Some(tail) = survivors.get(first..).filter(|tail| tail.len() > 1) else { return f64::NAN };
    let lost = f64::from(tail[0] - tail[tail.len() - 1]);
    let at_risk = tail[..tail.len() - 1].iter().fold(0.0, |sum, alive| sum + f64::from(*alive));
    -libm::log1p(-lost / at_risk) / params.interval
}

/// Up to `n` whole numbers from `first` to `last`, evenly spaced in their logarithms, each once.
fn spaced(first: usize, last: usize, n: usize) -> Vec<usize> {
    if first > last {
        return Vec::new();
    }
    let ratio = libm::log(last as f64 / first as f64) / (n - 1) as f64;
    let mut places: Vec<usize> =
        (0..n).map(|i| (first as f64 * libm::exp(i as f64 * ratio)).round() as usize).collect();
    places.dedup();
    places
}

//! Whether strength and reliability of model A lie on the curve that their common gradient draws.

use numerics::{
    boltzmann::{Chain, Law, Learning, State, Synapses, compare_estimators, curve::CouplingCurve},
    stats,
};

use super::{View, spec};
use crate::boltzmann::{Estimator, ReleaseRule, rules::A_LIMIT};
use crate::{
    MetricSpec, Metrics,
    metric::{Cadence::Final, Cadence::Tenth, ValueKind::Scalar},
};

/// Strengths between which the curve is tested: below p has hardly moved, above are few.
const TESTED: (f64, f64) = (0.3, 4.0);

/// Repetitions behind the comparison of estimators.
const REPETITIONS: u32 = 40;

pub(super) const METRICS: [MetricSpec; 4] = [
    spec(
        "curve_r2",
        "1",
        Scalar,
        Tenth,
        "share of the variance of p at 0.3 < |w| < 4 that the curve da/dw = r (1 − p/q) explains; absent unless model A climbs from one p0, and while fewer than ten synapses are that strong",
    ),
    spec(
        "curve_error",
        "1",
        Scalar,
        Tenth,
        "greatest distance of any synapse's p from that curve; absent unless model A climbs from one p0",
    ),
    spec(
        "estimator_variance_ratio",
        "1",
        Scalar,
        Final,
        "variance of the gradient of w with drawn releases over that with conditional means, on the first mini-batch; absent unless `estimator` is sampled",
    ),
    spec(
        "estimator_mean_square_z",
        "1",
        Scalar,
        Final,
        "mean squared difference of the means of the two, in standard errors: about 1 if they agree; absent likewise",
    ),
];

pub(super) fn observe(view: &View<'_>, out: &mut Metrics) {
    let protocol = &view.trainer.protocol;
    let one_curve = view.parameters.synapses == Synapses::JointEnergy
        && view.parameters.law == Law::Bernoulli
        && protocol.release_rule == ReleaseRule::Gradient
        && protocol.p0_sd == 0.0;
    if !one_curve || !out.wants("curve_r2") {
        return;
    }
    let p = view.parameters.release_prob();
    let strongest = view.parameters.w.iter().fold(0.0, |most: f32, w| most.max(w.abs()));
    let curve = CouplingCurve::new(protocol.r, protocol.p0, A_LIMIT, f64::from(strongest).clamp(1.0, 20.0));
    let pairs: Vec<(f64, f64, f64)> = view
        .parameters
        .w
        .iter()
        .zip(&p)
        .map(|(&w, &p)| (f64::from(w.abs()), f64::from(p), curve.release_prob(f64::from(w))))
        .collect();
    let worst = pairs.iter().fold(0.0, |worst: f64, (_, p, curve)| worst.max((p - curve).abs()));
    out.scalar("curve_error", worst);
    let tested: Vec<&(f64, f64, f64)> =
        pairs.iter().filter(|(strength, ..)| TESTED.0 < *strength && *strength < TESTED.1).collect();
    if tested.len() >= 10 {
        out.scalar("curve_r2", explained(&tested));
    }
}

/// Compares drawn releases with conditional means on the network as it is now.
pub(super) fn observe_estimator(view: &View<'_>, out: &mut Metrics) {
    let protocol = &view.trainer.protocol;
    if protocol.estimator != Estimator::Sampled || !out.is_last() {
        return;
    }
    let batch = super::first(&view.trainer.digits.train, protocol.batch as usize);
    let state = State::new(view.parameters.clone());
    let learning = Learning { chain: Chain::Cd { k: 1 }, ..protocol.learning(0) };
    let found = compare_estimators(&state, &batch, &learning, REPETITIONS, view.trainer.seed);
    out.scalar("estimator_variance_ratio", found.variance_ratio);
    out.scalar("estimator_mean_square_z", found.mean_square_z);
}

/// 1 − Σ (p − curve)² / Σ (p − mean)²; 0 if all p are equal.
fn explained(pairs: &[&(f64, f64, f64)]) -> f64 {
    let p: Vec<f64> = pairs.iter().map(|(_, p, _)| *p).collect();
    let mean = stats::mean(&p);
    let total = stats::sum(&p.iter().map(|p| (p - mean) * (p - mean)).collect::<Vec<_>>());
    let left = stats::sum(&pairs.iter().map(|(_, p, curve)| (p - curve) * (p - curve)).collect::<Vec<_>>());
    if total > 0.0 { 1.0 - left / total } else { 0.0 }
}

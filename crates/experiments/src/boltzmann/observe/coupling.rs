//! Whether strength and reliability of model A lie on the curve that their common gradient draws.

use numerics::{
    boltzmann::{Law, Synapses, curve::CouplingCurve},
    stats,
};

use super::{View, spec};
use crate::boltzmann::{ReleaseRule, trainer::A_LIMIT};
use crate::{
    MetricSpec, Metrics,
    metric::{Cadence::Tenth, ValueKind::Scalar},
};

/// Strengths between which the curve is tested: below p has hardly moved, above are few.
const TESTED: (f64, f64) = (0.3, 4.0);

pub(super) const METRICS: [MetricSpec; 2] = [
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

/// 1 − Σ (p − curve)² / Σ (p − mean)²; 0 if all p are equal.
fn explained(pairs: &[&(f64, f64, f64)]) -> f64 {
    let p: Vec<f64> = pairs.iter().map(|(_, p, _)| *p).collect();
    let mean = stats::mean(&p);
    let total = stats::sum(&p.iter().map(|p| (p - mean) * (p - mean)).collect::<Vec<_>>());
    let left = stats::sum(&pairs.iter().map(|(_, p, curve)| (p - curve) * (p - curve)).collect::<Vec<_>>());
    if total > 0.0 { 1.0 - left / total } else { 0.0 }
}

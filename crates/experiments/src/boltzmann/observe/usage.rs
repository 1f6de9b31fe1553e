//! Release as an experimenter would measure it: of synapses in use.

use ndarray::Array2;
use numerics::{boltzmann::Rbm, stats};

use super::{View, release::Strengths, spec};
use crate::{
    MetricSpec, Metrics,
    metric::{Cadence::Tenth, ValueKind::Scalar},
};

pub(super) const METRICS: [MetricSpec; 6] = [
    spec(
        "posterior_release_top1",
        "1",
        Scalar,
        Tenth,
        "mean over the strongest 1 % of synapses of q, the release probability between two active units; for model B to first order in w",
    ),
    spec("posterior_release_top10", "1", Scalar, Tenth, "the same over the strongest 10 %"),
    spec("posterior_release_rest", "1", Scalar, Tenth, "the same over the other 90 %"),
    spec(
        "data_release_top1",
        "1",
        Scalar,
        Tenth,
        "mean over the strongest 1 % of synapses of the share of test images on which they release, p + (q − p) ⟨v h⟩",
    ),
    spec("data_release_top10", "1", Scalar, Tenth, "the same over the strongest 10 %"),
    spec("data_release_rest", "1", Scalar, Tenth, "the same over the other 90 %"),
];

pub(super) fn observe(view: &View<'_>, strengths: &Strengths, out: &mut Metrics) {
    if !out.wants("posterior_release_top1") {
        return;
    }
    let q = values(&view.parameters.posterior_release());
    let [top1, top10, rest] = strengths.means(|i| q[i]);
    out.scalar("posterior_release_top1", top1);
    out.scalar("posterior_release_top10", top10);
    out.scalar("posterior_release_rest", rest);
    let p = values(&view.parameters.release_prob());
    let used = values(&coactivity(view, &view.parameters.sampled(0, view.draws)));
    let [top1, top10, rest] = strengths.means(|i| p[i] + (q[i] - p[i]) * used[i]);
    out.scalar("data_release_top1", top1);
    out.scalar("data_release_top10", top10);
    out.scalar("data_release_rest", rest);
}

/// `⟨v_i P(h_j = 1 | v)⟩` over the test images, (V, H).
fn coactivity(view: &View<'_>, rbm: &Rbm) -> Array2<f32> {
    let hidden = rbm.hidden_prob(&view.test);
    let mut sums = Array2::<f32>::zeros(rbm.weights().raw_dim());
    for (image, hidden) in hidden.rows().into_iter().enumerate() {
        for &i in view.test.row(image) {
            let mut row = sums.row_mut(i as usize);
            row += &hidden;
        }
    }
    sums / view.test.len() as f32
}

/// Transmissions per image from pixels that are on: `Σ_ij ⟨v_i⟩ p_ij + (q_ij − p_ij) ⟨v_i h_j⟩` for model A, where
/// releases depend on the units, `Σ_ij ⟨v_i⟩ p_ij` for model B and for reliable synapses, whose p is 1.
pub(super) fn events(view: &View<'_>, rbm: &Rbm) -> f64 {
    let p = view.parameters.release_prob();
    let on = view.test.column_means();
    let mut sums: Vec<f64> = p
        .rows()
        .into_iter()
        .zip(&on)
        .map(|(row, &on)| f64::from(on) * stats::sum_f32(row.as_slice().expect("a row of a standard layout")))
        .collect();
    if view.parameters.synapses == numerics::boltzmann::Synapses::JointEnergy {
        let gained = (view.parameters.posterior_release() - p) * coactivity(view, rbm);
        sums.push(stats::sum(&values(&gained)));
    }
    stats::sum(&sums)
}

fn values(array: &Array2<f32>) -> Vec<f64> {
    array.iter().map(|&x| f64::from(x)).collect()
}

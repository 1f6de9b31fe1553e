//! Whether a machine that has learned images with their labels knows the labels of others.

use ndarray::Array2;

use super::{View, spec};
use crate::{
    MetricSpec, Metrics,
    boltzmann::labels::percent_right,
    metric::{Cadence::Every, Cadence::Final, ValueKind::Scalar},
};

/// Members of a mixture whose answers are averaged at the last step; before, one is asked.
const MEMBERS: u32 = 32;
/// Gibbs sweeps with pixels held.
const SWEEPS: usize = 60;

pub(super) const METRICS: [MetricSpec; 2] = [
    spec(
        "label_error",
        "percent",
        Scalar,
        Every,
        "test images whose class is not that of the least free energy given the pixels; of model B by the mean of P(class | pixels) over drawn members, one before the last step and 32 at it; absent unless `label_units` is set",
    ),
    spec(
        "label_error_chain",
        "percent",
        Scalar,
        Final,
        "test images whose class is not the one whose units are most active over 60 Gibbs sweeps with the pixels held, model B with fresh releases in every half sweep; absent likewise",
    ),
];

pub(super) fn observe(view: &View<'_>, out: &mut Metrics) {
    let View { parameters, draws, trainer, .. } = view;
    let Some(classes) = &trainer.digits.classes else { return };
    let images = classes.units.unlabelled(&view.test);
    let error = |answers: &Array2<f64>| 100.0 - percent_right(answers, &classes.test[..images.len()]);
    let members = if parameters.marginal().is_none() && out.is_last() { MEMBERS } else { 1 };
    let mut answers = Array2::zeros((classes.units.classes, images.len()));
    for copy in 0..members {
        answers += &classes.units.posterior(&parameters.sampled(copy, *draws), &images);
    }
    out.scalar("label_error", error(&answers));
    if out.is_last() {
        let activity = classes.units.clamped_activity(parameters, &images, SWEEPS, *draws);
        out.scalar("label_error_chain", error(&activity));
    }
}

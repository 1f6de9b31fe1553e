//! Whether features drawn by two moments agree with those of explicit masks.

use ndarray::Array2;
use numerics::{boltzmann::features, stats};

use super::{View, spec};
use crate::{
    MetricSpec, Metrics,
    metric::{Cadence::Final, ValueKind::Scalar},
};

/// Samples of one image by either way.
const SAMPLES: usize = 2400;
/// Synapses above which it is left out: every sample draws the release of each.
const MOST_SYNAPSES: usize = 1 << 18;

pub(super) const METRICS: [MetricSpec; 3] = [
    spec(
        "moment_mean_difference",
        "1",
        Scalar,
        Final,
        "features of one test image under explicit masks and by their two moments, 2,400 samples each: difference of the means, averaged over hidden units; absent above 262,144 synapses",
    ),
    spec(
        "moment_worst_difference",
        "1",
        Scalar,
        Final,
        "the same for the hidden unit that differs most; absent likewise",
    ),
    spec(
        "moment_sd_difference",
        "1",
        Scalar,
        Final,
        "greatest difference of a hidden unit's standard deviation; absent likewise",
    ),
];

pub(super) fn observe(view: &View<'_>, out: &mut Metrics) {
    let View { parameters, draws, test, .. } = view;
    if !out.is_last() || parameters.w.len() > MOST_SYNAPSES {
        return;
    }
    let image = test.select(&[0; SAMPLES]);
    let explicit = moments(&features::per_example_masks(parameters, &image, 0, *draws));
    let matched = moments(&features::moment_matched(parameters, &image, 1, *draws));
    let differences = |moment: fn(&(f64, f64)) -> f64| -> Vec<f64> {
        explicit.iter().zip(&matched).map(|(x, y)| (moment(x) - moment(y)).abs()).collect()
    };
    let worst = |differences: &[f64]| differences.iter().fold(0.0, |worst: f64, x| worst.max(*x));
    let means = differences(|(mean, _)| *mean);
    out.scalar("moment_mean_difference", stats::mean(&means));
    out.scalar("moment_worst_difference", worst(&means));
    out.scalar("moment_sd_difference", worst(&differences(|(_, sd)| *sd)));
}

/// Mean and standard deviation of each hidden unit's feature.
fn moments(features: &Array2<f32>) -> Vec<(f64, f64)> {
    let of = |unit: ndarray::ArrayView1<'_, f32>| {
        let values: Vec<f64> = unit.iter().map(|&x| f64::from(x)).collect();
        (stats::mean(&values), stats::sd(&values))
    };
    features.columns().into_iter().map(of).collect()
}

//! What is observed of a Boltzmann machine in training.

use ndarray::{Array2, ArrayView2, Axis};
use numerics::{
    BinaryRows, Draws,
    boltzmann::{
        Parameters,
        evaluate::{free_energy, pseudo_log_likelihood, reconstruction},
    },
    stats,
};

use super::Trainer;
use crate::{
    MetricSpec, Metrics,
    metric::{Cadence::Every, Cadence::Tenth, ValueKind::Histogram, ValueKind::Scalar, ValueKind::Tiles},
};

/// Flips per image of the pseudo-likelihood. Its standard error over 497 to 5,000 images is about 0.5 nats.
const FLIPS: usize = 32;
/// Units whose fields are shown.
const SHOWN_UNITS: usize = 100;
/// Samples that are shown, and the Gibbs sweeps behind each.
const SAMPLES: usize = 20;
const SWEEPS: usize = 100;
const BINS: usize = 40;
/// Test images that are looked at before the last step, where all of them are.
const WATCHED: usize = 1000;

/// Metrics of every Boltzmann machine, whatever its synapses.
pub(crate) const FIT_METRICS: [MetricSpec; 7] = [
    spec(
        "reconstruction_mse",
        "1",
        Scalar,
        Every,
        "mean squared error of test pixels after one pass up and down",
    ),
    spec("cross_entropy", "nats", Scalar, Every, "cross-entropy of a test image after one pass up and down"),
    spec(
        "pseudo_log_likelihood",
        "nats",
        Scalar,
        Every,
        "pseudo-log-likelihood of a test image, 32 flips per image; like all fits on the first 1,000 test images, at the last step on all",
    ),
    spec(
        "free_energy_gap",
        "nats",
        Scalar,
        Every,
        "mean free energy of test minus training images; it grows with overfitting",
    ),
    spec("weight_histogram", "1", Histogram, Tenth, "strengths w of all synapses"),
    spec("weight_fields", "1", Tiles, Tenth, "strengths w into each of the first 100 hidden units"),
    spec("samples", "1", Tiles, Tenth, "images after 100 Gibbs sweeps that begin at 20 test images"),
];

pub(crate) const fn spec(
    name: &'static str,
    unit: &'static str,
    kind: crate::ValueKind,
    cadence: crate::Cadence,
    meaning: &'static str,
) -> MetricSpec {
    MetricSpec { name, unit, kind, cadence, meaning }
}

/// Observes how well the machine fits, on the RBM that [`numerics::boltzmann::Parameters::sampled`] answers: the exact
/// marginal for reliable synapses and model A, one drawn ensemble member for model B.
pub(crate) fn observe_fit(trainer: &Trainer, parameters: &Parameters, draws: Draws, out: &mut Metrics) {
    let rbm = parameters.sampled(0, draws);
    let watched =
        if out.is_last() { trainer.digits.test.len() } else { WATCHED.min(trainer.digits.test.len()) };
    let test = &first(&trainer.digits.test, watched);
    let fit = reconstruction(&rbm, test, draws);
    out.scalar("reconstruction_mse", fit.mse);
    out.scalar("cross_entropy", fit.cross_entropy);
    out.scalar("pseudo_log_likelihood", pseudo_log_likelihood(&rbm, test, FLIPS, draws));
    let train = free_energy(&rbm, &first(&trainer.digits.train, test.len()));
    let mean = |energies: ndarray::Array1<f64>| stats::mean(&energies.to_vec());
    out.scalar("free_energy_gap", mean(free_energy(&rbm, test)) - mean(train));
    if out.wants("weight_histogram") {
        histogram(out, "weight_histogram", -4.0, 4.0, parameters.w.iter());
        fields(trainer, out, "weight_fields", parameters.w.view());
        let values: Vec<f32> =
            rbm.gibbs(&first(test, SAMPLES), 0..SWEEPS, draws).to_dense().into_iter().collect();
        out.tiles("samples", trainer.digits.rows, trainer.digits.cols, &values);
    }
}

/// The first `n` images, or all if there are fewer.
fn first(images: &BinaryRows, n: usize) -> BinaryRows {
    let places: Vec<u32> = (0..n.min(images.len()) as u32).collect();
    images.select(&places)
}

/// Observes strengths against release probabilities.
pub(crate) fn observe_release(trainer: &Trainer, parameters: &Parameters, out: &mut Metrics) {
    let p = parameters.release_prob();
    let strength: Vec<f64> = parameters.w.iter().map(|&w| f64::from(w.abs())).collect();
    let release: Vec<f64> = p.iter().map(|&p| f64::from(p)).collect();
    rank_correlation(out, "reliability_spearman", &strength, &release);
    let hidden = parameters.w.ncols();
    let on_active = |values: &[f64]| -> Vec<f64> {
        let rows = values.chunks(hidden).zip(&trainer.active).filter(|(_, active)| **active);
        rows.flat_map(|(row, _)| row.iter().copied()).collect()
    };
    rank_correlation(out, "reliability_spearman_active", &on_active(&strength), &on_active(&release));
    release_by_strength(&strength, &release, out);
    let traces: Vec<f32> = trainer.traced.iter().map(|&synapse| release[synapse] as f32).collect();
    out.vector("release_prob_traces", &traces);
    let quantiles = stats::quantiles(&release, &[0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0]);
    let quantiles: Vec<f32> = quantiles.iter().map(|&p| p as f32).collect();
    out.vector("release_prob_quantiles", &quantiles);
    if out.wants("release_prob_fields") {
        histogram(out, "release_prob_histogram", 0.0, 1.0, p.iter());
        fields(trainer, out, "release_prob_fields", p.view());
        fields(trainer, out, "effective_weight_fields", parameters.effective_weights().view());
    }
}

/// Left out while it is undefined: before the first step all release probabilities are equal.
fn rank_correlation(out: &mut Metrics, name: &'static str, strength: &[f64], release: &[f64]) {
    let rho = stats::spearman(strength, release);
    if rho.is_finite() {
        out.scalar(name, rho);
    }
}

/// Mean release probability of the strongest 1 %, the strongest 10 %, and the other 90 %.
fn release_by_strength(strength: &[f64], release: &[f64], out: &mut Metrics) {
    let mut order: Vec<usize> = (0..strength.len()).collect();
    order.sort_unstable_by(|&i, &j| strength[j].total_cmp(&strength[i]).then(i.cmp(&j)));
    let mean = |places: &[usize]| {
        let values: Vec<f64> = places.iter().map(|&i| release[i]).collect();
        stats::mean(&values)
    };
    let share = |percent: usize| (order.len() * percent).div_ceil(100);
    out.scalar("release_prob_top1", mean(&order[..share(1)]));
    out.scalar("release_prob_top10", mean(&order[..share(10)]));
    // A machine of one synapse has no other 90 %; its only one stands for them.
    out.scalar("release_prob_rest", mean(&order[share(10).min(order.len() - 1)..]));
}

/// Counts in equal bins; values beyond the ends count in the outermost.
fn histogram<'a>(
    out: &mut Metrics,
    name: &'static str,
    low: f64,
    high: f64,
    values: impl Iterator<Item = &'a f32>,
) {
    let width = (high - low) / BINS as f64;
    let edges: Vec<f64> = (0..=BINS).map(|i| low + width * i as f64).collect();
    let values = values.map(|&value| f64::from(value).clamp(low, high));
    out.histogram(name, &edges, &stats::histogram(values, &edges));
}

/// Columns of a (V, H) array as images, one per hidden unit.
fn fields(trainer: &Trainer, out: &mut Metrics, name: &'static str, array: ArrayView2<'_, f32>) {
    let shown = array.ncols().min(SHOWN_UNITS);
    let images: Array2<f32> =
        array.slice_axis(Axis(1), (..shown).into()).reversed_axes().as_standard_layout().into_owned();
    let values: Vec<f32> = images.iter().copied().collect();
    out.tiles(name, trainer.digits.rows, trainer.digits.cols, &values);
}

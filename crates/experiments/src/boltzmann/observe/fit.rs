//! How well a machine fits images, seen and unseen.

use ndarray::Axis;
use numerics::{
    BinaryRows,
    boltzmann::{
        Rbm,
        evaluate::{free_energy, pseudo_log_likelihood, reconstruction},
    },
    stats,
};

use super::{View, WATCHED, draw, first, spec};
use crate::{
    MetricSpec, Metrics,
    metric::{Cadence::Every, Cadence::Tenth, ValueKind::Histogram, ValueKind::Scalar, ValueKind::Tiles},
};

/// Hidden units whose correlations are measured.
const CORRELATED: usize = 256;
/// Samples that are shown, and the Gibbs sweeps behind each.
const SAMPLES: usize = 20;
const SWEEPS: usize = 100;
/// Members of a mixture whose fits are averaged at the last step; before, one is watched.
const MEMBERS: u32 = 8;

pub(super) const METRICS: [MetricSpec; 10] = [
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
        "pseudo-log-likelihood of a test image, by random flips, 32 an image; like all fits on the first 1,000 test images, at the last step on all and with 128 flips; of model B on one drawn member, at the last step the mean of eight that share the flips",
    ),
    spec(
        "generalisation_gap",
        "nats",
        Scalar,
        Every,
        "pseudo-log-likelihood of as many training images minus that of the test images",
    ),
    spec(
        "free_energy_gap",
        "nats",
        Scalar,
        Every,
        "mean free energy of test minus training images; it grows with overfitting",
    ),
    spec(
        "synaptic_events",
        "events",
        Scalar,
        Every,
        "transmissions per test image on the way up: synapses that release from a pixel that is on",
    ),
    spec(
        "hidden_correlation",
        "1",
        Scalar,
        Tenth,
        "mean |correlation| over test images of the probabilities of two hidden units; of the first 256 units and 1,000 images",
    ),
    spec("weight_histogram", "1", Histogram, Tenth, "strengths w of all synapses"),
    spec("weight_fields", "1", Tiles, Tenth, "strengths w into each of the first 100 hidden units"),
    spec("samples", "1", Tiles, Tenth, "images after 100 Gibbs sweeps that begin at 20 test images"),
];

/// Observes on the RBM that [`numerics::boltzmann::Parameters::sampled`] answers: the exact marginal for reliable
/// synapses and model A, drawn members of the ensemble for model B.
pub(super) fn observe(view: &View<'_>, out: &mut Metrics) {
    let View { parameters, draws, test, trainer, .. } = view;
    let members = if parameters.marginal().is_none() && out.is_last() { MEMBERS } else { 1 };
    let train = first(&trainer.digits.train, test.len());
    // Members share the flips: their mean is as exact as one machine's value.
    let flips = (view.flips / members as usize).max(1);
    let fits: Vec<Fit> = (0..members)
        .map(|copy| Fit::of(&parameters.sampled(copy, *draws), test, &train, flips, view))
        .collect();
    let mean = |value: fn(&Fit) -> f64| stats::mean(&fits.iter().map(value).collect::<Vec<_>>());
    out.scalar("reconstruction_mse", mean(|fit| fit.mse));
    out.scalar("cross_entropy", mean(|fit| fit.cross_entropy));
    out.scalar("pseudo_log_likelihood", mean(|fit| fit.test));
    out.scalar("generalisation_gap", mean(|fit| fit.train - fit.test));
    out.scalar("free_energy_gap", mean(|fit| fit.energy_gap));
    let rbm = parameters.sampled(0, *draws);
    out.scalar("synaptic_events", super::usage::events(view, &rbm));
    if out.wants("weight_histogram") {
        let hidden = rbm.hidden_prob(&first(test, WATCHED));
        let correlated = hidden.ncols().min(CORRELATED);
        let correlation = stats::mean_absolute_correlation(hidden.slice_axis(Axis(1), (..correlated).into()));
        // Undefined for a single unit, or units that never vary.
        if correlation.is_finite() {
            out.scalar("hidden_correlation", correlation);
        }
        draw::histogram(out, "weight_histogram", (-4.0, 4.0), parameters.w.iter());
        draw::fields(view, out, "weight_fields", parameters.w.view());
        let samples = rbm.gibbs(&first(test, SAMPLES), 0..SWEEPS, *draws);
        let pixels = samples.to_dense().slice_axis_move(Axis(1), (..trainer.digits.pixels()).into());
        let values: Vec<f32> = pixels.into_iter().collect();
        out.tiles("samples", trainer.digits.rows, trainer.digits.cols, &values);
    }
}

/// Fits of one RBM.
struct Fit {
    mse: f64,
    cross_entropy: f64,
    test: f64,
    train: f64,
    energy_gap: f64,
}

impl Fit {
    fn of(rbm: &Rbm, test: &BinaryRows, train: &BinaryRows, flips: usize, view: &View<'_>) -> Self {
        let up_and_down = reconstruction(rbm, test, view.draws);
        let energy = |images: &BinaryRows| stats::mean(&free_energy(rbm, images).to_vec());
        Self {
            mse: up_and_down.mse,
            cross_entropy: up_and_down.cross_entropy,
            test: pseudo_log_likelihood(rbm, test, flips, view.draws),
            train: pseudo_log_likelihood(rbm, train, flips, view.draws),
            energy_gap: energy(test) - energy(train),
        }
    }
}

//! What is observed.

use super::code::{CODES, Place};
use crate::metric::spec;
use crate::{
    Cadence::{Every, Final},
    MetricSpec,
    ValueKind::{Matrix, Scalar, Vector},
};

/// A paired difference of accuracies.
pub(super) struct Gain {
    /// Metric of its mean over draws, for each number of labelled images.
    pub(super) metric: &'static str,
    /// Metrics of its value on each draw, one for each number of labelled images.
    pub(super) draws: [&'static str; 4],
    pub(super) of: Place,
    /// Controls, of which the best counts.
    pub(super) over: &'static [Place],
    meaning: &'static str,
}

macro_rules! gain {
    ($name:literal, $of:ident over $($over:ident)|*, $meaning:literal) => {
        Gain {
            metric: $name,
            draws: [
                concat!($name, "_n1_draws"),
                concat!($name, "_n2_draws"),
                concat!($name, "_n5_draws"),
                concat!($name, "_n10_draws"),
            ],
            of: Place::$of,
            over: &[$(Place::$over),*],
            meaning: $meaning,
        }
    };
}

/// The differences that the claim and its controls are about.
pub(super) const GAINS: &[Gain] = &[
    gain!("gain_over_raw", RbseBChain over Raw, "accuracy of rbse_b_chain minus that of raw pixels"),
    gain!("gain_over_rbm", RbseBChain over RbmLow | RbmHigh,
          "accuracy of rbse_b_chain minus that of the better deterministic network of reliable synapses"),
    gain!("gain_over_rbm_chain", RbseBChain over RbmLowChain | RbmHighChain,
          "accuracy of rbse_b_chain minus that of the better network of reliable synapses with its own Gibbs chain"),
    gain!("gain_over_frozen_chain", RbseBChain over FrozenChain,
          "accuracy of rbse_b_chain minus that of the network with frozen release and its own Gibbs chain"),
    gain!("gain_of_masks", RbseBMasks over RbseBMean,
          "accuracy of rbse_b_masks minus that of mean weights in the same network: what masks alone do"),
];

/// Controls with several settings, as the better of them.
pub(super) const BEST: &[(&str, &[Place])] = &[
    ("accuracy_rbm", &[Place::RbmLow, Place::RbmHigh]),
    ("accuracy_rbm_chain", &[Place::RbmLowChain, Place::RbmHighChain]),
];

const OTHERS: [MetricSpec; 17] = [
    spec(
        "accuracy_rbse_b_chain_n1",
        "%",
        Scalar,
        Every,
        "accuracy of features after a Gibbs chain within a sampled member of the mixture, one image a class",
    ),
    spec(
        "accuracy_sd",
        "%",
        Matrix,
        Every,
        "standard deviation over draws; a row per kind of features, in the order of the accuracies, a column per number of images",
    ),
    spec(
        "gain_standard_errors",
        "%",
        Matrix,
        Final,
        "standard errors over draws of the gains, in their order; a column per number of images",
    ),
    spec("gain_wins", "draws", Matrix, Final, "draws on which a gain is above 0; as the standard errors"),
    spec(
        "reconstruction_mse",
        "1",
        Vector,
        Final,
        "mean squared error of test pixels after one pass up and down, for each network: two of reliable synapses, frozen, B, A, S2M",
    ),
    spread("spread_within_over_between", "variance of the codes of one image over that between classes"),
    spread("spread_dimensions", "effective number of dimensions in which the codes of one image scatter"),
    spread("spread_tangent_share", "share of that scatter along differences between images of the class"),
    spread("spread_tangent_chance", "the same share for scatter that knows no direction"),
    spread("spread_purity", "share of the 5 nearest other images that are of the code's class"),
    spec(
        "tangent_excess_masks",
        "1",
        Scalar,
        Final,
        "share of the scatter of masks alone (B) that lies along the class, minus chance",
    ),
    spec(
        "tangent_ratio_chain",
        "1",
        Scalar,
        Final,
        "share of the scatter of the chain (B) that lies along the class, over chance",
    ),
    picture("cloud_images_rbm", "mean codes of images in their first two principal components, RBM"),
    picture("cloud_images_rbse_b", "mean codes of images in their first two principal components, B"),
    picture("cloud_rbm_chain", "codes of the first image in that plane, RBM with its chain"),
    picture("cloud_rbse_b_masks", "codes of the first image in that plane, B with masks alone"),
    picture("cloud_rbse_b_chain", "codes of the first image in that plane, B with its chain"),
];

/// A measure of scatter for each system.
const fn spread(name: &'static str, meaning: &'static str) -> MetricSpec {
    spec(name, "1", Vector, Final, meaning)
}

/// Points, one a row.
const fn picture(name: &'static str, meaning: &'static str) -> MetricSpec {
    spec(name, "1", Matrix, Final, meaning)
}

const COUNT: usize = CODES.len() + BEST.len() + 5 * GAINS.len() + OTHERS.len();

/// All, in the order in which they are printed.
pub(super) static METRICS: [MetricSpec; COUNT] = {
    let mut all = [OTHERS[0]; COUNT];
    let (mut at, mut i) = (0, 0);
    while i < OTHERS.len() {
        all[at] = OTHERS[i];
        (at, i) = (at + 1, i + 1);
    }
    i = 0;
    while i < CODES.len() {
        all[at] = accuracy(CODES[i].metric);
        (at, i) = (at + 1, i + 1);
    }
    i = 0;
    while i < BEST.len() {
        all[at] = accuracy(BEST[i].0);
        (at, i) = (at + 1, i + 1);
    }
    i = 0;
    while i < GAINS.len() {
        all[at] = spec(GAINS[i].metric, "%", Vector, Every, GAINS[i].meaning);
        let mut shots = 0;
        while shots < 4 {
            all[at + 1 + shots] =
                spec(GAINS[i].draws[shots], "%", Vector, Final, "this gain on each draw of labelled images");
            shots += 1;
        }
        (at, i) = (at + 5, i + 1);
    }
    all
};

const fn accuracy(name: &'static str) -> MetricSpec {
    spec(name, "%", Vector, Every, "mean accuracy over draws at 1, 2, 5 and 10 labelled images a class")
}

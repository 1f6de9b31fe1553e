//! What is observed.

use super::{
    edit::{Criterion, Edit},
    measure::Outcome,
};
use crate::metric::spec;
use crate::{
    Cadence::{Every, Final},
    MetricSpec,
    ValueKind::{Scalar, Vector},
};

/// A way to measure a case.
pub(super) struct Quantity {
    unit: &'static str,
    meaning: &'static str,
    pub(super) of: fn(&Outcome) -> Option<f64>,
}

/// All quantities; the names of their metrics are in the same order.
const QUANTITIES: [Quantity; 5] = [
    Quantity {
        unit: "1",
        meaning: "mean squared error of test pixels after one pass up and down",
        of: |outcome| Some(outcome.mse),
    },
    Quantity {
        unit: "nats",
        meaning: "pseudo-log-likelihood of a test image",
        of: |outcome| Some(outcome.pll),
    },
    Quantity {
        unit: "nats",
        meaning: "exact log-likelihood ln E_W P(v|W) of a test image; absent above 14 units on both sides",
        of: |outcome| Some(outcome.likelihood?.0),
    },
    Quantity {
        unit: "nats",
        meaning: "exact E_W ln P(v|W) of a test image, a member on its own; absent above 14 units on both sides",
        of: |outcome| Some(outcome.likelihood?.1),
    },
    Quantity {
        unit: "%",
        meaning: "accuracy on test images after learning from few labelled ones; absent if `draws` is 0",
        of: |outcome| outcome.accuracy,
    },
];

/// Metrics of one case or one pruning curve.
pub(super) struct Row<K> {
    pub(super) key: K,
    names: [&'static str; 5],
}

macro_rules! rows {
    ($(#[$meta:meta])* $name:ident: [$kind:ty; $n:literal] = $($prefix:literal $suffix:literal $key:expr;)*) => {
        $(#[$meta])*
        pub(super) const $name: [Row<$kind>; $n] = [$(Row {
            key: $key,
            names: [
                concat!($prefix, "mse_", $suffix), concat!($prefix, "pll_", $suffix),
                concat!($prefix, "log_likelihood_", $suffix), concat!($prefix, "member_log_likelihood_", $suffix),
                concat!($prefix, "accuracy_", $suffix),
            ],
        }),*];
    };
}

rows! {
    /// Every edit.
    EDITS: [Edit; 6] =
    "edit_" "intact" Edit::Intact;
    "edit_" "hardened" Edit::Hardened;
    "edit_" "mean_weight" Edit::MeanWeight;
    "edit_" "mean_release" Edit::MeanRelease;
    "edit_" "permuted" Edit::Permuted;
    "edit_" "permuted_within" Edit::PermutedWithin;
}

rows! {
    /// Every pruning curve, without members on their own; whether it was learned again.
    CURVES: [(Criterion, bool); 6] =
    "prune_" "unreliable" (Criterion::Unreliable, false);
    "prune_" "weak" (Criterion::Weak, false);
    "prune_" "random" (Criterion::Random, false);
    "relearned_" "unreliable" (Criterion::Unreliable, true);
    "relearned_" "weak" (Criterion::Weak, true);
    "relearned_" "random" (Criterion::Random, true);
}

/// Quantities of pruning curves, as places in a row: all but that of members.
const ON_CURVES: [usize; 4] = [0, 1, 2, 4];

impl<K> Row<K> {
    /// Name and value of each of the five.
    pub(super) fn quantities(&self) -> impl Iterator<Item = (&'static str, &'static Quantity)> {
        const ALL: &[Quantity; 5] = &QUANTITIES;
        self.names.into_iter().zip(ALL)
    }

    /// Those that a pruning curve has.
    pub(super) fn curves(&self) -> impl Iterator<Item = (&'static str, &'static Quantity)> {
        self.quantities().enumerate().filter(|(place, _)| ON_CURVES.contains(place)).map(|(_, both)| both)
    }
}

const OTHERS: [MetricSpec; 6] = [
    spec("cases_done", "cases", Scalar, Every, "edited networks that are measured in full"),
    spec("reconstruction_mse", "1", Scalar, Every, "of the network before any edit, while it learns"),
    spec("pseudo_log_likelihood", "nats", Scalar, Every, "of the network before any edit, while it learns"),
    spec(
        "prune_percent",
        "%",
        Vector,
        Final,
        "share of synapses that is removed, for each element of the pruning curves",
    ),
    spec(
        "bits_per_synapse",
        "bit",
        Scalar,
        Final,
        "information that learning put into release probabilities, KL(p ‖ p0)/ln 2, mean over synapses",
    ),
    spec(
        "bits_by_strength",
        "bit",
        Vector,
        Final,
        "the same in each tenth of synapses, from the weakest to the strongest",
    ),
];

/// What pruning and learning again costs, against the whole network that learned as long.
pub(super) const COSTS: [(Criterion, [&str; 2]); 2] = [
    (Criterion::Unreliable, ["pruning_mse_ratio_unreliable", "pruning_accuracy_loss_unreliable"]),
    (Criterion::Weak, ["pruning_mse_ratio_weak", "pruning_accuracy_loss_weak"]),
];

const COSTS_MEANING: [(&str, &str); 2] = [
    ("1", "relearned mean squared error over that of the whole network that learned as long"),
    (
        "%",
        "percentage points of accuracy below the whole network that learned as long; absent if `draws` is 0",
    ),
];

const COUNT: usize = 2 * COSTS.len() + OTHERS.len() + 5 * EDITS.len() + ON_CURVES.len() * CURVES.len();

/// All, in the order in which they are printed.
pub(super) static METRICS: [MetricSpec; COUNT] = {
    let mut all = [OTHERS[0]; COUNT];
    let mut at = 0;
    while at < OTHERS.len() {
        all[at] = OTHERS[at];
        at += 1;
    }
    let mut row = 0;
    while row < EDITS.len() {
        let mut i = 0;
        while i < 5 {
            all[at] = spec(EDITS[row].names[i], QUANTITIES[i].unit, Scalar, Final, QUANTITIES[i].meaning);
            (at, i) = (at + 1, i + 1);
        }
        row += 1;
    }
    row = 0;
    while row < CURVES.len() {
        let mut i = 0;
        while i < ON_CURVES.len() {
            let quantity = &QUANTITIES[ON_CURVES[i]];
            all[at] = spec(CURVES[row].names[ON_CURVES[i]], quantity.unit, Vector, Final, quantity.meaning);
            (at, i) = (at + 1, i + 1);
        }
        row += 1;
    }
    row = 0;
    while row < COSTS.len() {
        let mut i = 0;
        while i < 2 {
            all[at] = spec(COSTS[row].1[i], COSTS_MEANING[i].0, Vector, Final, COSTS_MEANING[i].1);
            (at, i) = (at + 1, i + 1);
        }
        row += 1;
    }
    all
};

//! Learned release probabilities beside those measured in cortex.

use super::{release::Strengths, spec};
use crate::{
    MetricSpec, Metrics,
    metric::{Cadence::Every, ValueKind::Scalar},
};

/// Mean ± standard deviation, or the range, of release probabilities measured in cortex (table 1 of the poster).
const RANGES: [(&str, f64, f64); 5] = [
    ("share_in_cat_rat_l23_a", 0.45, 0.55),
    ("share_in_cat_rat_l23_b", 0.20, 0.72),
    ("share_in_cat_rat_l23_c", 0.47, 0.83),
    ("share_in_rat_l56_a", 0.16, 0.90),
    ("share_in_rat_l56_b", 0.31, 0.75),
];

pub(super) const METRICS: [MetricSpec; 5] = [
    spec(
        RANGES[0].0,
        "1",
        Scalar,
        Every,
        "share of p in 0.45 … 0.55, cortex of cat and rat, layers 2 and 3 (0.5 ± 0.05)",
    ),
    spec(
        RANGES[1].0,
        "1",
        Scalar,
        Every,
        "share of p in 0.20 … 0.72, cortex of cat and rat, layers 2 and 3 (0.46 ± 0.26)",
    ),
    spec(
        RANGES[2].0,
        "1",
        Scalar,
        Every,
        "share of p in 0.47 … 0.83, cortex of cat and rat, layers 2 and 3 (0.65 ± 0.18)",
    ),
    spec(
        RANGES[3].0,
        "1",
        Scalar,
        Every,
        "share of p in 0.16 … 0.90, the range in cortex of rat, layers 5 and 6",
    ),
    spec(
        RANGES[4].0,
        "1",
        Scalar,
        Every,
        "share of p in 0.31 … 0.75, cortex of rat, layers 5 and 6 (0.53 ± 0.22)",
    ),
];

pub(super) fn observe(strengths: &Strengths, out: &mut Metrics) {
    for (name, low, high) in RANGES {
        out.scalar(name, strengths.share(|p| (low..=high).contains(&p)));
    }
}

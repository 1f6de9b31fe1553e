//! How reliable the strong synapses are, and the weak.

use numerics::{boltzmann::Parameters, stats};

use super::{View, draw, spec};
use crate::{
    MetricSpec, Metrics,
    metric::{
        Cadence::Every, Cadence::Tenth, ValueKind::Histogram, ValueKind::Scalar, ValueKind::Tiles,
        ValueKind::Vector,
    },
};

pub(super) const METRICS: [MetricSpec; 19] = [
    spec(
        "reliability_spearman",
        "1",
        Scalar,
        Every,
        "rank correlation of strength |w| and release probability p over all synapses; absent while all p are equal",
    ),
    spec(
        "reliability_spearman_active",
        "1",
        Scalar,
        Tenth,
        "the same over synapses of pixels that are on in more than 1 % of the training images",
    ),
    spec(
        "release_prob_top1",
        "1",
        Scalar,
        Every,
        "mean release probability of the strongest 1 % of synapses",
    ),
    spec(
        "release_prob_top10",
        "1",
        Scalar,
        Every,
        "mean release probability of the strongest 10 % of synapses",
    ),
    spec("release_prob_rest", "1", Scalar, Every, "mean release probability of the other 90 % of synapses"),
    spec("release_prob_mean", "1", Scalar, Every, "mean release probability of all synapses"),
    spec(
        "release_prob_sd",
        "1",
        Scalar,
        Every,
        "standard deviation of the release probability over synapses",
    ),
    spec("share_reliable", "1", Scalar, Every, "share of synapses with p above 0.9"),
    spec("share_undecided", "1", Scalar, Every, "share of synapses with p between 0.4 and 0.6"),
    spec(
        "share_moved",
        "1",
        Scalar,
        Every,
        "share of synapses whose p has moved by more than 0.1 since the start",
    ),
    spec(
        "stochasticity_top10",
        "1",
        Scalar,
        Every,
        "mean of 4 p (1 − p) over the strongest 10 % of synapses: 1 for coins, 0 once they are certain",
    ),
    spec(
        "bits_per_synapse",
        "bits",
        Scalar,
        Every,
        "information in the release probability, relative to its start: mean of KL(p ‖ p at the start)",
    ),
    spec(
        "bits_by_decile",
        "bits",
        Vector,
        Tenth,
        "the same for each tenth of the synapses, from the weakest to the strongest",
    ),
    spec(
        "release_prob_by_decile",
        "1",
        Vector,
        Tenth,
        "mean release probability of each tenth of the synapses, from the weakest to the strongest",
    ),
    spec(
        "release_prob_quantiles",
        "1",
        Vector,
        Every,
        "0, 5, 25, 50, 75, 95 and 100 % quantiles of the release probability",
    ),
    spec(
        "release_prob_traces",
        "1",
        Vector,
        Every,
        "release probability of 200 synapses that stay the same over the run",
    ),
    spec("release_prob_histogram", "1", Histogram, Tenth, "release probabilities of all synapses"),
    spec(
        "release_prob_fields",
        "1",
        Tiles,
        Tenth,
        "release probabilities into each of the first 100 hidden units",
    ),
    spec(
        "effective_weight_fields",
        "1",
        Tiles,
        Tenth,
        "effective weights ln E[e^W], log(1 − p + p e^w) for Bernoulli synapses, into each of the first 100 hidden units",
    ),
];

/// Synapses row by row, and their order of strength.
pub(super) struct Strengths {
    strength: Vec<f64>,
    release: Vec<f64>,
    /// Their places, the strongest first.
    order: Vec<usize>,
}

impl Strengths {
    pub(super) fn new(parameters: &Parameters) -> Self {
        let strength: Vec<f64> = parameters.w.iter().map(|&w| f64::from(w.abs())).collect();
        let release = parameters.release_prob().iter().map(|&p| f64::from(p)).collect();
        let mut order: Vec<usize> = (0..strength.len()).collect();
        order.sort_unstable_by(|&i, &j| strength[j].total_cmp(&strength[i]).then(i.cmp(&j)));
        Self { strength, release, order }
    }

    /// Share of the synapses whose release probability is accepted.
    pub(super) fn share(&self, accepts: impl Fn(f64) -> bool) -> f64 {
        self.release.iter().filter(|&&p| accepts(p)).count() as f64 / self.release.len() as f64
    }

    /// Means of one value per synapse over the strongest 1 %, the strongest 10 %, and the other 90 %.
    pub(super) fn means(&self, value: impl Fn(usize) -> f64) -> [f64; 3] {
        let share = |percent: usize| (self.order.len() * percent).div_ceil(100);
        // A machine of one synapse has no other 90 %; its only one stands for them.
        let rest = share(10).min(self.order.len() - 1);
        [&self.order[..share(1)], &self.order[..share(10)], &self.order[rest..]]
            .map(|places| stats::mean(&places.iter().map(|&i| value(i)).collect::<Vec<_>>()))
    }

    /// Means of one value per synapse over each tenth, the weakest first; fewer parts with fewer than ten synapses.
    fn deciles(&self, value: impl Fn(usize) -> f64) -> Vec<f32> {
        let n = self.order.len();
        let parts = n.min(10);
        let part = |k: usize| {
            let places = &self.order[n - (k + 1) * n / parts..n - k * n / parts];
            stats::mean(&places.iter().map(|&i| value(i)).collect::<Vec<_>>()) as f32
        };
        (0..parts).map(part).collect()
    }
}

pub(super) fn observe(view: &View<'_>, strengths: &Strengths, out: &mut Metrics) {
    let Strengths { strength, release, .. } = strengths;
    rank_correlation(out, "reliability_spearman", strength, release);
    let [top1, top10, rest] = strengths.means(|i| release[i]);
    out.scalar("release_prob_top1", top1);
    out.scalar("release_prob_top10", top10);
    out.scalar("release_prob_rest", rest);
    out.scalar("release_prob_mean", stats::mean(release));
    out.scalar("release_prob_sd", stats::sd(release));
    out.scalar("share_reliable", strengths.share(|p| p > 0.9));
    out.scalar("share_undecided", strengths.share(|p| 0.4 < p && p < 0.6));
    let [_, spread, _] = strengths.means(|i| 4.0 * release[i] * (1.0 - release[i]));
    out.scalar("stochasticity_top10", spread);
    information(view, strengths, out);
    let traces: Vec<f32> = view.trainer.traced.iter().map(|&synapse| release[synapse] as f32).collect();
    out.vector("release_prob_traces", &traces);
    let quantiles = stats::quantiles(release, &[0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0]);
    let quantiles: Vec<f32> = quantiles.iter().map(|&p| p as f32).collect();
    out.vector("release_prob_quantiles", &quantiles);
    if out.wants("release_prob_fields") {
        active_only(view, strengths, out);
        let p = view.parameters.release_prob();
        draw::histogram(out, "release_prob_histogram", (0.0, 1.0), p.iter());
        draw::fields(view, out, "release_prob_fields", p.view());
        draw::fields(view, out, "effective_weight_fields", view.parameters.effective_weights().view());
    }
}

/// What the release probabilities say beyond their start.
fn information(view: &View<'_>, strengths: &Strengths, out: &mut Metrics) {
    let release = &strengths.release;
    let start = view.release_at_start();
    let moved = release.iter().zip(&start).filter(|(p, p0)| (*p - *p0).abs() > 0.1).count();
    out.scalar("share_moved", moved as f64 / release.len() as f64);
    let bits: Vec<f64> = release.iter().zip(&start).map(|(&p, &p0)| stats::bernoulli_bits(p, p0)).collect();
    out.scalar("bits_per_synapse", stats::mean(&bits));
    if out.wants("bits_by_decile") {
        out.vector("bits_by_decile", &strengths.deciles(|i| bits[i]));
        out.vector("release_prob_by_decile", &strengths.deciles(|i| release[i]));
    }
}

/// The rank correlation over synapses of pixels that are not always off.
fn active_only(view: &View<'_>, Strengths { strength, release, .. }: &Strengths, out: &mut Metrics) {
    let hidden = view.parameters.hidden_units();
    let on_active = |values: &[f64]| -> Vec<f64> {
        let rows = values.chunks(hidden).zip(&view.trainer.active).filter(|(_, active)| **active);
        rows.flat_map(|(row, _)| row.iter().copied()).collect()
    };
    rank_correlation(out, "reliability_spearman_active", &on_active(strength), &on_active(release));
}

/// Left out while it is undefined: before the first step all release probabilities are equal.
fn rank_correlation(out: &mut Metrics, name: &'static str, strength: &[f64], release: &[f64]) {
    let rho = stats::spearman(strength, release);
    if rho.is_finite() {
        out.scalar(name, rho);
    }
}

//! What the ensemble does that no single machine does: mean weights, and the mixture against its members.

use numerics::{
    boltzmann::evaluate::{mixture_likelihood, pseudo_log_likelihood, reconstruction},
    stats,
};

use super::{View, spec};
use crate::{
    MetricSpec, Metrics,
    metric::{Cadence::Final, Cadence::Tenth, ValueKind::Scalar},
};

/// Members of a mixture whose exact likelihoods are averaged; half as many for each unit above 14, whose states are
/// twice as many.
const MEMBERS: u32 = 400;

pub(super) const METRICS: [MetricSpec; 6] = [
    spec(
        "mean_weight_mse",
        "1",
        Scalar,
        Tenth,
        "reconstruction error of the one machine with the mean weights E[W], of model A the effective weights",
    ),
    spec("mean_weight_pll", "nats", Scalar, Tenth, "pseudo-log-likelihood of the same machine"),
    spec(
        "member_log_likelihood",
        "nats",
        Scalar,
        Final,
        "mean exact log-likelihood of drawn members of model B; absent for A and where both sides have more than 20 units",
    ),
    spec(
        "mixture_gain",
        "nats",
        Scalar,
        Final,
        "exact log-likelihood of the mixture minus that mean: what drawing weights adds; absent likewise",
    ),
    spec(
        "mixture_error",
        "nats",
        Scalar,
        Final,
        "greatest standard error of the mixture's log-likelihood from the choice of members; absent likewise",
    ),
    spec(
        "spread_mean",
        "1",
        Scalar,
        Tenth,
        "mean standard deviation of the transmitted amount; absent unless `law` is gaussian or bernoulli_gaussian",
    ),
];

pub(super) fn observe(view: &View<'_>, out: &mut Metrics) {
    let View { parameters, draws, test, .. } = view;
    if out.wants("mean_weight_mse") {
        let rbm = parameters.marginal().unwrap_or_else(|| parameters.mean_weights());
        out.scalar("mean_weight_mse", reconstruction(&rbm, test, *draws).mse);
        out.scalar("mean_weight_pll", pseudo_log_likelihood(&rbm, test, view.flips, *draws));
        if parameters.law.spreads() {
            let spread: Vec<f64> = parameters.log_sd.iter().map(|&s| libm::exp(f64::from(s))).collect();
            out.scalar("spread_mean", stats::mean(&spread));
        }
    }
    if out.is_last() && parameters.marginal().is_none() {
        let units = parameters.visible_units().min(parameters.hidden_units());
        let members = MEMBERS >> units.saturating_sub(14).min(8);
        if let Some(mixture) = mixture_likelihood(parameters, test, members, *draws) {
            out.scalar("log_likelihood_exact", mixture.log_mean);
            out.scalar("member_log_likelihood", mixture.mean_log);
            out.scalar("mixture_gain", mixture.gap);
            out.scalar("mixture_error", mixture.standard_error);
        }
    }
}

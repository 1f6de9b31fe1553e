//! Log-likelihoods: exact for few units, else between two estimates of the partition function.

use numerics::boltzmann::evaluate::{ais, exact_log_partition, log_likelihood};

use super::{View, spec};
use crate::{
    MetricSpec, Metrics,
    metric::{Cadence::Final, ValueKind::Scalar},
};

pub(super) const METRICS: [MetricSpec; 8] = [
    spec(
        "log_likelihood_ais",
        "nats",
        Scalar,
        Final,
        "log-likelihood of a test image by annealed importance sampling, on average too high; of model B's mean weights; absent unless `ais_temperatures` is set",
    ),
    spec(
        "log_likelihood_ais_reverse",
        "nats",
        Scalar,
        Final,
        "the same by annealing back from samples of the model, too low as far as these are exact; with the one above a bracket",
    ),
    spec(
        "log_z_ais",
        "nats",
        Scalar,
        Final,
        "log of the partition function by annealed importance sampling; absent unless `ais_temperatures` is set",
    ),
    spec(
        "log_z_error",
        "nats",
        Scalar,
        Final,
        "standard error of `log_z_ais` from the weights of its chains",
    ),
    spec(
        "log_z_spread",
        "nats",
        Scalar,
        Final,
        "standard deviation of the log-weights of the chains; below 1 `log_z_ais` can be trusted",
    ),
    spec("log_z_reverse", "nats", Scalar, Final, "log of the partition function by annealing backwards"),
    spec(
        "log_likelihood_exact",
        "nats",
        Scalar,
        Final,
        "exact log-likelihood of a test image, of model B that of the mixture of 400 drawn members (fewer above 14 units); absent if both sides have more than 20 units",
    ),
    spec(
        "log_z_exact",
        "nats",
        Scalar,
        Final,
        "exact log of the partition function, of model B's mean weights; absent if both sides have more than 20 units",
    ),
];

pub(super) fn observe(view: &View<'_>, out: &mut Metrics) {
    if !out.is_last() {
        return;
    }
    let View { parameters, test, .. } = view;
    let rbm = parameters.marginal().unwrap_or_else(|| parameters.mean_weights());
    annealed(view, &rbm, out);
    if let Some(log_z) = exact_log_partition(&rbm) {
        out.scalar("log_z_exact", log_z);
        if parameters.marginal().is_some() {
            out.scalar("log_likelihood_exact", log_likelihood(&rbm, test, log_z));
        }
    }
}

fn annealed(view: &View<'_>, rbm: &numerics::boltzmann::Rbm, out: &mut Metrics) {
    let (temperatures, chains) = (view.trainer.protocol.ais_temperatures, view.trainer.protocol.ais_chains);
    if temperatures == 0 {
        return;
    }
    let (temperatures, chains) = (temperatures as usize, chains as usize);
    // The samples to go back from cost as much as the way.
    let annealing = ais::Annealing { temperatures, chains, burn_in: temperatures };
    let train = &view.trainer.digits.train;
    let bracket = ais::bracket(rbm, &ais::base_biases(train), annealing, view.draws);
    let (forward, reverse) = (bracket.forward, bracket.reverse);
    out.scalar("log_likelihood_ais", log_likelihood(rbm, &view.test, forward.log_z));
    out.scalar("log_likelihood_ais_reverse", log_likelihood(rbm, &view.test, reverse.log_z));
    out.scalar("log_z_ais", forward.log_z);
    out.scalar("log_z_error", forward.standard_error);
    out.scalar("log_z_spread", forward.log_weight_sd);
    out.scalar("log_z_reverse", reverse.log_z);
}

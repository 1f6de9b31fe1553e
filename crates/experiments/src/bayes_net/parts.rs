//! Modules that learned in other runs, joined.

use numerics::bayes::{Network, module::Module};

use super::{
    BayesNet,
    params::{Params, Source as NetworkSource},
};
use crate::{DataError, Source, SourceNeed};

const fn need(name: &'static str, required: bool) -> SourceNeed {
    SourceNeed { name, experiments: &["bayes-net"], required }
}

/// As many as a job can name.
pub(super) const NEEDS: [SourceNeed; 8] = [
    need("part_1", true),
    need("part_2", false),
    need("part_3", false),
    need("part_4", false),
    need("part_5", false),
    need("part_6", false),
    need("part_7", false),
    need("part_8", false),
];

/// The modules of all sources, one for each variable of the network, in order.
///
/// # Errors
/// If a source learned another network, with other data or another seed where the network is drawn, or otherwise than the
/// first; if a module is missing or comes twice.
pub(super) fn join(
    params: &Params,
    network: &Network,
    (data_hash, seed): ([u8; 32], u64),
    sources: &[Source],
) -> Result<Vec<Module>, DataError> {
    let mut modules: Vec<Option<Module>> = vec![None; network.len()];
    let mut first: Option<Params> = None;
    for source in sources {
        let learned = source.params_of::<BayesNet>()?;
        let refuse = |what: &str| Err(DataError(format!("source `{}` {what}", source.name)));
        let is_same = |a: &Params, b: &Params| {
            (a.network, &a.sum_out, a.joint_variables, a.joint_alpha, a.ising_beta, a.parity_noise)
                == (b.network, &b.sum_out, b.joint_variables, b.joint_alpha, b.ising_beta, b.parity_noise)
        };
        let is_drawn = matches!(params.network, NetworkSource::RandomJoint | NetworkSource::RandomTable);
        if !is_same(params, &learned) || source.data_hash != data_hash || (is_drawn && source.seed != seed) {
            return refuse("learned another network; it must be that of this run");
        }
        let how = |p: &Params| {
            let rule = (p.anneal, p.eta_max, p.weight_floor, p.weight_bits, p.mismatch_sd);
            (p.mode, p.hidden, p.learning_s, rule, p.presentation_noise, p.prune_nats)
        };
        if how(first.get_or_insert_with(|| learned.clone())) != how(&learned) {
            return refuse("learned otherwise than the first; all parts must have learned alike");
        }
        for module in source.state_of::<BayesNet>()?.modules {
            let Some(place) = modules.get_mut(module.variable).filter(|_| module.fits(network)) else {
                return refuse("has a module that does not fit the network");
            };
            let name = &network.variables()[module.variable].name;
            if place.is_some() {
                return refuse(&format!("has a module of `{name}`, as a part before; each must come once"));
            }
            *place = Some(module);
        }
    }
    let missing = modules.iter().position(Option::is_none);
    if let Some(at) = missing {
        let name = &network.variables()[at].name;
        return Err(DataError(format!("no source has a module of `{name}`; each variable must have one")));
    }
    Ok(modules.into_iter().flatten().collect())
}

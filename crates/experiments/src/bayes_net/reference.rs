//! What batch EM makes of the same task, and how far learning ends from a local optimum.

use numerics::{
    Draws,
    bayes::module::{Module, Target, climb, em_step, fit},
};

use super::{
    BayesNet, State,
    observe::{greatest, mean, single},
    params::Training,
};
use crate::Metrics;

/// Steps of batch EM at most.
const EM_STEPS: u32 = 1000;
/// A local optimum this far above the best one known is another, in nats.
const APART: f64 = 0.01;

/// Joint KL of what EM makes of a module, in nats; `conditional` aside.
struct Climbed {
    /// The module as it learned.
    learned: f64,
    /// After one step of EM from there.
    stepped: f64,
    /// The local optimum to which EM takes it.
    nearest: f64,
    /// The local optimum to which EM goes from where the module began.
    own_start: Option<f64>,
    /// The best of further starts.
    best: f64,
    /// Conditional KL of that one.
    conditional: f64,
    /// What the noise of the rates alone leaves.
    floor: f64,
}

impl BayesNet {
    /// Batch EM from starts of its own, from where the modules began, and from what they learned.
    pub(super) fn observe_reference(&self, state: &State, draws: Draws, out: &mut Metrics) {
        if self.params.em_starts == 0 {
            return;
        }
        let climbed = |module| self.climbed(module, draws);
        let Some(all) = state.modules.iter().map(climbed).collect::<Option<Vec<Climbed>>>() else { return };
        let of = |what: fn(&Climbed) -> f64| all.iter().map(what).collect::<Vec<f64>>();
        let conditional = of(|module| module.conditional);
        out.vector("em_kl", &single(&conditional));
        out.scalar("em_kl_mean", mean(&conditional));
        let excess = of(|module| module.learned - module.nearest);
        out.vector("excess_kl", &single(&excess));
        out.scalar("excess_kl_worst", greatest(&excess));
        out.scalar("excess_over_floor", mean(&excess) / mean(&of(|module| module.floor)));
        out.scalar("em_step_kl", greatest(&of(|module| module.learned - module.stepped)));
        let known =
            |module: &Climbed| module.best.min(module.nearest).min(module.own_start.unwrap_or(f64::INFINITY));
        let caught = |kl: &dyn Fn(&Climbed) -> Option<f64>| {
            let each =
                all.iter().map(|module| Some(f64::from(u8::from(kl(module)? > known(module) + APART))));
            each.collect::<Option<Vec<f64>>>().map(|each| mean(&each))
        };
        out.vector("nearest_kl", &single(&of(|module| module.nearest)));
        out.scalar("local_optima", caught(&|module| Some(module.nearest)).expect("each has a nearest one"));
        if let Some(share) = caught(&|module| module.own_start) {
            out.vector("own_start_kl", &single(&of(|module| module.own_start.expect("all have one"))));
            out.scalar("em_local_optima", share);
        }
    }

    fn climbed(&self, module: &Module, draws: Draws) -> Option<Climbed> {
        let target = self.target(module)?;
        let best = fit(module, &target, (self.params.em_starts, EM_STEPS), draws);
        let mut near = module.clone();
        near.gains.clear();
        em_step(&mut near, &target);
        let stepped = near.joint_kl(&target);
        climb(&mut near, &target, EM_STEPS);
        // After pruning modules begin anew.
        let begun = self.params.all_learning_steps() - self.params.learning_steps();
        let own_start = (self.params.training == Training::Here).then(|| {
            let inputs: Vec<usize> = module.inputs.iter().map(|input| input.variable).collect();
            let mut own = self.fresh(module.variable, &inputs, draws.at_step(begun));
            own.gains.clear();
            climb(&mut own, &target, EM_STEPS);
            own.joint_kl(&target)
        });
        Some(Climbed {
            learned: module.joint_kl(&target),
            stepped,
            nearest: near.joint_kl(&target),
            own_start,
            best: best.joint_kl(&target),
            conditional: best.conditional_kl(&target),
            floor: self.floor(module, &target),
        })
    }

    /// The joint KL that noise leaves, in nats, to first order: half the relative variance of each free parameter.
    ///
    /// With rates A/n the i-th of N spikes has a part `A i^(A − 1)/N^A` of a weight, squares of which sum to
    /// `A²/((2A − 1) N)`. Spikes of one presentation see the same state: a Poisson number m of mean s counts as
    /// `E[m²]/E[m] = 1 + s` spikes. Neuron k counts by the share of its spikes, so that all of the module together have one N.
    /// A law of C cells has C − 1 parameters at most.
    fn floor(&self, module: &Module, target: &Target) -> f64 {
        let spikes = module.fired.iter().sum::<u64>() as f64;
        let of_neuron = module.inputs.iter().map(|input| input.values - 1).sum::<usize>() + 1;
        let free = (module.neurons() * of_neuron).min(target.law.len()) - 1;
        let a = self.params.anneal;
        let variance = a * a / (2.0 * a - 1.0) * (1.0 + self.rule().spikes) / spikes;
        0.5 * variance * free as f64
    }
}

//! Observing modules and network.

use numerics::{
    Draws, Stream,
    bayes::{
        module::{Module, divergence, held_out_kl},
        structure::auc,
    },
};

use super::{BayesNet, PRESENTATIONS, State, params::Mode};
use crate::Metrics;

/// Held-out states that are enough while learning.
const FEW: usize = 500;
/// What a state that never came counts as.
pub(super) const NEVER: f64 = 1e-5;
/// Networks with more states are iterated only at the last step.
const OFTEN: usize = 1024;
/// Probabilities that are shown as bars.
const BARS: usize = 64;

impl BayesNet {
    pub(super) fn observe_modules(&self, state: &State, out: &mut Metrics) {
        let few = self.held_out.len().min(FEW * self.network.len());
        let exact: Option<Vec<(f64, f64)>> = (state.modules.iter())
            .map(|module| {
                let target = self.target(module)?;
                Some((module.conditional_kl(&target), module.joint_kl(&target)))
            })
            .collect();
        let conditional: Vec<f64> = match &exact {
            Some(exact) => exact.iter().map(|(conditional, _)| *conditional).collect(),
            None => {
                let kl = |module| held_out_kl(&self.network, module, &self.held_out[..few]);
                state.modules.iter().map(kl).collect()
            }
        };
        out.vector("module_kl", &single(&conditional));
        out.scalar("module_kl_worst", greatest(&conditional));
        out.scalar("module_kl_mean", mean(&conditional));
        if let Some(exact) = exact {
            let joint: Vec<f64> = exact.iter().map(|(_, joint)| *joint).collect();
            out.vector("module_joint_kl", &single(&joint));
            out.scalar("module_joint_kl_worst", greatest(&joint));
        }
    }

    /// KL and total variation of the law in which the network rests, and the residual.
    pub(super) fn network_divergence(&self, modules: &[Module]) -> Option<(f64, f64, f64)> {
        let (_, joint) = self.joint.as_ref()?;
        let rest = self.rest(modules)?;
        Some((divergence(joint, &rest.law), variation(joint, &rest.law), rest.residual))
    }

    pub(super) fn observe_network(&self, state: &State, out: &mut Metrics) {
        let Some((states, joint)) = &self.joint else { return };
        if !out.wants("network_kl") || (states.count() > OFTEN && !out.is_last()) {
            return;
        }
        let Some(rest) = self.rest(&state.modules) else { return };
        let kl = divergence(joint, &rest.law);
        out.scalar("network_kl", kl);
        out.scalar("network_tv", variation(joint, &rest.law));
        if !out.is_last() {
            return;
        }
        out.scalar("stationary_residual", rest.residual);
        if let Some(before) = state.kl_before_pruning {
            out.scalar("kl_before_pruning", before);
            out.scalar("pruning_ratio", kl / before.max(f64::MIN_POSITIVE));
        }
        let shown = shown(joint);
        let pick = |law: &[f64]| shown.iter().map(|&at| law[at] as f32).collect::<Vec<f32>>();
        out.vector("joint_true", &pick(joint));
        out.vector("joint_learned", &pick(&rest.law));
        if let Some(read) = self.free_read(state) {
            out.vector("joint_read", &pick(&read));
        }
    }

    pub(super) fn observe_events(&self, state: &State, out: &mut Metrics) {
        let sum = |of: &dyn Fn(&Module) -> u64| {
            state.modules.iter().map(of).fold(0_u64, u64::saturating_add) as f64
        };
        let spikes = |module: &Module| module.fired.iter().sum::<u64>();
        let events = sum(&|module| spikes(module) * (module.inputs.len() * module.hidden) as u64);
        let updates = sum(&|module| spikes(module) * (module.input_neurons() + module.neurons()) as u64);
        let used = sum(&|module| module.fired.iter().filter(|n| **n > 0).count() as u64);
        out.scalar("used_neurons", used / sum(&|module| module.neurons() as u64));
        out.scalar("spikes", sum(&spikes));
        out.scalar("synaptic_events", events);
        out.scalar("plasticity_updates", updates);
        out.scalar("energy_uj", (events + updates) * self.params.event_pj * 1e-6);
    }

    pub(super) fn observe_held_out(&self, state: &State, out: &mut Metrics) {
        let kl: Vec<f64> =
            state.modules.iter().map(|module| held_out_kl(&self.network, module, &self.held_out)).collect();
        out.vector("held_out_kl", &single(&kl));
        out.scalar("held_out_kl_mean", mean(&kl));
        out.scalar("held_out_kl_worst", greatest(&kl));
    }

    /// Whether the weights tell which inputs are the Markov blanket.
    pub(super) fn observe_structure(&self, state: &State, draws: Draws, out: &mut Metrics) {
        if self.params.mode == Mode::Exact {
            return;
        }
        let others = (self.network.len() - 1).max(1) as f64;
        let kept: Vec<f64> = state.modules.iter().map(|module| module.inputs.len() as f64 / others).collect();
        out.scalar("inputs_kept", mean(&kept));
        let (mut areas, mut permuted, mut precisions) = (Vec::new(), Vec::new(), Vec::new());
        for module in &state.modules {
            // What was cut off tells nothing.
            let mut told = vec![0.0; self.network.len()];
            for (input, nats) in module.inputs.iter().zip(self.told(module)) {
                told[input.variable] = nats;
            }
            told.remove(module.variable);
            let blanket = self.network.blanket(module.variable);
            let others = (0..self.network.len()).filter(|&at| at != module.variable);
            let is_member: Vec<bool> = others.map(|at| blanket.contains(&at)).collect();
            let Some(area) = auc(&told, &is_member) else { continue };
            areas.push(area);
            let order = permutation(draws, module.variable, told.len());
            let shuffled: Vec<f64> = order.iter().map(|&at| told[at]).collect();
            permuted.extend(auc(&shuffled, &is_member));
            let mut by_told: Vec<usize> = (0..told.len()).collect();
            by_told.sort_by(|&a, &b| told[b].total_cmp(&told[a]).then(a.cmp(&b)));
            let members = is_member.iter().filter(|is| **is).count();
            let found = by_told[..members].iter().filter(|&&at| is_member[at]).count();
            precisions.push(found as f64 / members as f64);
        }
        if !areas.is_empty() {
            out.scalar("blanket_auc", mean(&areas));
            out.scalar("blanket_auc_permuted", mean(&permuted));
            out.scalar("blanket_precision", mean(&precisions));
        }
    }

    /// How well the states that were presented in the last stretch of learning would do as a law.
    pub(super) fn observe_training_sample(&self, state: &State, draws: Draws, out: &mut Metrics) {
        let Some((states, joint)) = &self.joint else { return };
        let (learning, all) = (self.params.learning_steps(), self.params.all_learning_steps());
        if learning == 0 {
            return;
        }
        let mut counts = vec![0.0; joint.len()];
        let mut shown = vec![0; self.network.len()];
        for step in all - learning..all {
            for k in 0..PRESENTATIONS {
                self.presented(k, draws.at_step(step), &mut shown);
                counts[states.index(&shown)] += 1.0;
            }
        }
        let n = (learning * PRESENTATIONS) as f64;
        let law: Vec<f64> = counts.iter().map(|count| (count / n).max(NEVER)).collect();
        let kl = divergence(joint, &law);
        out.scalar("sample_kl", kl);
        counts.iter_mut().for_each(|count| *count /= n);
        out.scalar("sample_tv", variation(joint, &counts));
        if let Some((network, _, _)) = self.network_divergence(&state.modules) {
            out.scalar("network_over_sample_kl", network / kl);
        }
    }
}

/// A permutation of 0..n for a module.
fn permutation(draws: Draws, variable: usize, n: usize) -> Vec<usize> {
    let mut keys = vec![0.0; n];
    draws.fill_uniform_f64(Stream::BayesSample, (1 << 40) + ((variable as u64) << 16), &mut keys);
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| keys[a].total_cmp(&keys[b]).then(a.cmp(&b)));
    order
}

/// Places of the states that are shown as bars.
fn shown(joint: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..joint.len()).collect();
    if joint.len() > BARS {
        order.sort_by(|&a, &b| joint[b].total_cmp(&joint[a]).then(a.cmp(&b)));
        order.truncate(BARS);
    }
    order
}

/// Half the sum of |p − q|.
pub(super) fn variation(p: &[f64], q: &[f64]) -> f64 {
    0.5 * p.iter().zip(q).fold(0.0, |sum, (p, q)| sum + (p - q).abs())
}

pub(super) fn single(xs: &[f64]) -> Vec<f32> {
    xs.iter().map(|x| *x as f32).collect()
}

pub(super) fn mean(xs: &[f64]) -> f64 {
    xs.iter().fold(0.0, |sum, x| sum + x) / xs.len() as f64
}

pub(super) fn greatest(xs: &[f64]) -> f64 {
    xs.iter().fold(f64::NEG_INFINITY, |greatest, x| greatest.max(*x))
}

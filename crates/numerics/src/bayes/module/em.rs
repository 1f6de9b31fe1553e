//! What a module could learn: batch expectation maximisation of the same mixture on the true law.

use super::{Module, Target};
use crate::{Draws, Stream};

/// The least ln of a probability that EM keeps.
const LOG_FLOOR: f64 = -40.0;

/// One step of batch EM on the true law: `π_vh = p*(v) E[q_h]`, `p_vh(x_j) = E[q_h 1(x_j)] / E[q_h]`, with q the softmax of the
/// group of v. Returns by how much the greatest weight or bias moved.
///
/// # Panics
/// If the target is not of this module.
///
/// # Source
/// Dempster, Laird & Rubin 1977, J. R. Stat. Soc. B 39:1.
pub fn em_step(module: &mut Module, target: &Target) -> f64 {
    let rows = module.rows().expect("a target is of few states");
    let (neurons, hidden) = (module.neurons(), module.hidden);
    assert_eq!(target.law.len(), rows.count() * module.values, "the target is of this module");
    let mut values = vec![0; module.inputs.len()];
    let (mut mass, mut counts) = (vec![0.0; neurons], vec![0.0; module.weights.len()]);
    let mut potentials = Vec::new();
    for (row, law) in target.law.chunks_exact(module.values).enumerate() {
        if law.iter().all(|p| *p == 0.0) {
            continue;
        }
        rows.write(row, &mut values);
        potentials.clear();
        potentials.extend_from_slice(&module.biases);
        for (input, &value) in module.inputs.iter().zip(&values) {
            module.excite(input.row + usize::from(value), 1.0, &mut potentials);
        }
        for (group, p) in potentials.chunks_exact_mut(hidden).zip(law) {
            let greatest = group.iter().fold(f64::NEG_INFINITY, |greatest, u| greatest.max(*u));
            group.iter_mut().for_each(|u| *u = libm::exp(*u - greatest));
            let total = group.iter().fold(0.0, |sum, u| sum + u);
            group.iter_mut().for_each(|u| *u *= p / total);
        }
        mass.iter_mut().zip(&potentials).for_each(|(sum, q)| *sum += q);
        for (input, &value) in module.inputs.iter().zip(&values) {
            let at = (input.row + usize::from(value)) * neurons;
            counts[at..at + neurons].iter_mut().zip(&potentials).for_each(|(sum, q)| *sum += q);
        }
    }
    let log = |p: f64| if p > 0.0 { libm::log(p).max(LOG_FLOOR) } else { LOG_FLOOR };
    let mut moved: f64 = 0.0;
    let mut set = |place: &mut f64, value: f64| {
        moved = moved.max((*place - value).abs());
        *place = value;
    };
    module.biases.iter_mut().zip(&mass).for_each(|(b, mass)| set(b, log(*mass)));
    for (at, (w, count)) in module.weights.iter_mut().zip(&counts).enumerate() {
        let mass = mass[at % neurons];
        set(w, if mass > 0.0 { log(count / mass) } else { *w });
    }
    moved
}

/// Steps of EM until no weight moves by more than 1e-6, at most `steps`; from there it is at a local optimum or nearly so.
///
/// # Panics
/// If the target is not of this module.
pub fn climb(module: &mut Module, target: &Target, steps: u32) {
    for _ in 0..steps {
        if em_step(module, target) < 1e-6 {
            return;
        }
    }
}

/// The best of some EM fits by the KL of their joint law; each [`climb`]s at most `steps` steps with synapses that pass on
/// all of their weight. Start k has weights from a softmax of the normal draws `((variable · 2¹⁰ + k) · 2²⁴) …` of `BayesEm`.
///
/// # Panics
/// If there is no start, or the target is not of this module.
pub fn fit(module: &Module, target: &Target, (starts, steps): (u32, u32), draws: Draws) -> Module {
    let start = |k: u32| {
        let mut fit = module.clone();
        fit.gains.clear();
        let first = ((fit.variable as u64) << 10 | u64::from(k)) << 24;
        draws.fill_normal(Stream::BayesEm, first, &mut fit.weights);
        normalise(&mut fit);
        fit.biases.fill(-libm::log(module.neurons() as f64));
        climb(&mut fit, target, steps);
        (fit.joint_kl(target), fit)
    };
    let best = (0..starts).map(start).min_by(|a, b| a.0.total_cmp(&b.0));
    best.expect("there is a start").1
}

/// Makes `Σ_x e^w(x) = 1` for every neuron and input.
fn normalise(module: &mut Module) {
    let neurons = module.neurons();
    for input in module.inputs.clone() {
        for n in 0..neurons {
            let rows = input.row..input.row + input.values;
            let total = rows.clone().fold(0.0, |sum, row| sum + libm::exp(module.weights[row * neurons + n]));
            let shift = libm::log(total);
            rows.for_each(|row| module.weights[row * neurons + n] -= shift);
        }
    }
}

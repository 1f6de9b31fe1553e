//! Which variables a module has found to matter.

use super::module::{Input, Module, divergence};

/// What the weights of each input tell, in nats: `Σ_n π_n KL(p_n(x_j) ‖ Σ_m π_m p_m(x_j))` over hidden neurons n, with π the
/// share of a neuron and p its law of the input's values. 0 for an input that is alike for all neurons.
pub fn input_information(module: &Module) -> Vec<f64> {
    let neurons = module.neurons();
    let share = softmax(module.biases.iter().copied());
    let of = |input: &Input| {
        let column = |n: usize| {
            let rows = input.row..input.row + input.values;
            softmax(rows.map(|row| module.weights[row * neurons + n]))
        };
        let laws: Vec<Vec<f64>> = (0..neurons).map(column).collect();
        let mut mean = vec![0.0; input.values];
        for (law, share) in laws.iter().zip(&share) {
            mean.iter_mut().zip(law).for_each(|(mean, p)| *mean += share * p);
        }
        laws.iter().zip(&share).fold(0.0, |sum, (law, share)| sum + share * divergence(law, &mean))
    };
    module.inputs.iter().map(of).collect()
}

/// How well scores tell members from others: the probability that a member drawn at random scores above another, ties
/// counted half. `None` without a member or without another.
///
/// # Panics
/// If the lengths differ.
///
/// # Source
/// Hanley & McNeil 1982, Radiology 143:29.
pub fn auc(scores: &[f64], is_member: &[bool]) -> Option<f64> {
    assert_eq!(scores.len(), is_member.len(), "one score each");
    let of = |member: bool| {
        scores.iter().zip(is_member).filter(move |(_, is)| **is == member).map(|(score, _)| *score)
    };
    let pairs = of(true).count() * of(false).count();
    let above = of(true)
        .flat_map(|a| of(false).map(move |b| f64::from(u8::from(a > b)) + 0.5 * f64::from(u8::from(a == b))));
    (pairs > 0).then(|| above.fold(0.0, |sum, x| sum + x) / pairs as f64)
}

fn softmax(xs: impl Iterator<Item = f64> + Clone) -> Vec<f64> {
    let greatest = xs.clone().fold(f64::NEG_INFINITY, f64::max);
    let exps: Vec<f64> = xs.map(|x| libm::exp(x - greatest)).collect();
    let total = exps.iter().fold(0.0, |sum, x| sum + x);
    exps.into_iter().map(|x| x / total).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Draws, bayes::knill_kersten};

    #[test]
    fn an_input_that_is_alike_for_all_neurons_tells_nothing() {
        let network = knill_kersten();
        let mut module = Module::new(&network, 3, &[0, 1, 2], 1, Draws::at(1, 0));
        module.weights.fill(-0.7);
        // Neuron 0 (value 0) wants y2 = 0, neuron 1 wants y2 = 1: one bit, given equal shares and certain weights.
        for (row, n, w) in [(2, 0, 0.0), (3, 0, -40.0), (2, 1, -40.0), (3, 1, 0.0)] {
            module.weights[row * 2 + n] = w;
        }
        let scores = input_information(&module);
        assert!(scores[0].abs() < 1e-15 && scores[2].abs() < 1e-15);
        assert!((scores[1] - std::f64::consts::LN_2).abs() < 1e-12, "{scores:?}");
    }

    #[test]
    fn the_area_under_the_curve_counts_pairs_in_order() {
        assert_eq!(auc(&[3.0, 1.0, 2.0], &[true, false, false]), Some(1.0));
        assert_eq!(auc(&[1.0, 3.0, 2.0], &[true, false, true]), Some(0.0));
        assert_eq!(auc(&[1.0, 1.0], &[true, false]), Some(0.5));
        assert_eq!(auc(&[1.0, 2.0], &[true, true]), None);
    }
}

//! Which variables a module has found to matter.

use super::module::{Module, divergence};

/// What each input tells of the variable beyond all others, in nats, as the weights have it: mean over states of
/// `KL(p(z | x) ‖ p(z | x without x_j))`.
///
/// An input without an active neuron adds nothing to any potential, which sums it out once `Σ_x e^w(x) = 1`; so this is the
/// conditional mutual information `I(z; x_j | other inputs)` in the law that the module implies, which is 0 outside the Markov
/// blanket.
///
/// # Shapes
/// `states`: (n, `variables`), states of the network.
///
/// # Panics
/// If there are no states.
pub fn input_information(module: &Module, states: &[u8], variables: usize) -> Vec<f64> {
    assert!(!states.is_empty(), "a mean is over states");
    let (mut potentials, mut left) = (Vec::new(), Vec::new());
    let (mut all, mut without) = (vec![0.0; module.values], vec![0.0; module.values]);
    let mut told = vec![0.0; module.inputs.len()];
    for state in states.chunks_exact(variables) {
        module.law(state, &mut potentials, &mut all);
        for (input, told) in module.inputs.iter().zip(&mut told) {
            module.law_without(input, state, &potentials, &mut left, &mut without);
            *told += divergence(&all, &without);
        }
    }
    let n = (states.len() / variables) as f64;
    told.iter_mut().for_each(|told| *told /= n);
    told
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Draws, Stream,
        bayes::{
            knill_kersten,
            module::{Target, fit},
        },
    };

    #[test]
    fn only_the_markov_blanket_tells_more_than_all_others() {
        // Fitted to the true law, y4 is told by y2 alone: H(y4) − H(y4 | y2), and y1 by y2 and y3.
        let network = knill_kersten();
        let joint = network.joint().expect("small");
        let n = 4000;
        let mut states = vec![0; n * 4];
        for (i, state) in states.chunks_exact_mut(4).enumerate() {
            network.sample(Draws::at(2, 0), Stream::BayesHeldOut, 4 * i as u64, state);
        }
        let told = |at: usize, inputs: &[usize]| {
            let module = Module::new(&network, at, inputs, 8, Draws::at(1, 0));
            let target = Target::new(&network, &joint, &module).expect("small");
            input_information(&fit(&module, &target, (5, 2000), Draws::at(1, 0)), &states, 4)
        };
        let bit = std::f64::consts::LN_2 + 0.87 * libm::log(0.87) + 0.13 * libm::log(0.13);
        let contour = told(3, &[0, 1, 2]);
        // Without y2, y1 and y3 still tell it: what is left is I(y4; y2 | y1, y3) < I(y4; y2).
        assert!(contour[0] < 1e-3 && contour[2] < 1e-3, "{contour:?}");
        assert!(contour[1] > 0.1 && contour[1] < bit, "{contour:?}");
        let reflectance = told(0, &[1, 2, 3]);
        assert!(reflectance[2] < 1e-3 && reflectance[0] > 0.1 && reflectance[1] > 0.1, "{reflectance:?}");
    }

    #[test]
    fn the_area_under_the_curve_counts_pairs_in_order() {
        assert_eq!(auc(&[3.0, 1.0, 2.0], &[true, false, false]), Some(1.0));
        assert_eq!(auc(&[1.0, 3.0, 2.0], &[true, false, true]), Some(0.0));
        assert_eq!(auc(&[1.0, 1.0], &[true, false]), Some(0.5));
        assert_eq!(auc(&[1.0, 2.0], &[true, true]), None);
    }
}

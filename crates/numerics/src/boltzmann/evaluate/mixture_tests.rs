use super::*;
use crate::boltzmann::exact::{TinyEnsemble, log_likelihood};
use crate::boltzmann::{Init, Synapses};
use ndarray::Array1;

const V: usize = 4;

/// A mixture small enough to be enumerated, the images it is asked about, and their weights.
fn tiny(synapses: Synapses) -> (Parameters, BinaryRows, Vec<f64>) {
    let init = Init { hidden_units: 3, p0: 0.6, w_sd: 1.5, ..Init::default() };
    let mean = Array1::from(vec![0.3, 0.6, 0.5, 0.2]);
    let mut parameters = Parameters::init(synapses, init, mean.view(), Draws::at(31, 0));
    parameters.c = Array1::from(vec![0.3, -0.5, 0.1]);
    let mut images = BinaryRows::new(V);
    let mut data = vec![0.0; 16];
    for image in [1_usize, 6, 13] {
        images.push((0..V as u32).filter(|i| image >> i & 1 == 1));
        data[image] = 1.0 / 3.0;
    }
    (parameters, images, data)
}

fn twin(parameters: &Parameters) -> TinyEnsemble {
    TinyEnsemble::from(parameters)
}

#[test]
fn the_likelihood_of_a_mixture_is_that_of_all_its_members_enumerated() {
    let (parameters, images, data) = tiny(Synapses::PriorMixture);
    let exact = log_likelihood(&twin(&parameters), &data);
    let sampled = mixture_likelihood(&parameters, &images, 8_000, Draws::at(31, 1)).expect("3 hidden units");
    // Its own bound on the error, 5 times: 6e-7 by chance; the seed is fixed.
    let bound = 5.0 * sampled.standard_error;
    assert!((sampled.log_mean - exact).abs() < bound, "{sampled:?}, not {exact}");
    assert!(bound < 0.05, "the error is small enough to notice a wrong sum: {bound}");
    assert!(sampled.gap > 0.0 && (sampled.log_mean - sampled.mean_log - sampled.gap).abs() < 1e-12);
}

#[test]
fn a_mixture_of_members_that_are_all_alike_gains_nothing() {
    let (mut parameters, images, data) = tiny(Synapses::PriorMixture);
    parameters.a.fill(40.0);
    let likelihood = mixture_likelihood(&parameters, &images, 10, Draws::at(31, 2)).expect("3 hidden units");
    assert!(likelihood.gap.abs() < 1e-12 && likelihood.standard_error < 1e-7, "{likelihood:?}");
    let reliable = TinyEnsemble { synapses: Synapses::Reliable, ..twin(&parameters) };
    // Energies are sums of some 5 terms in f32.
    assert!((likelihood.log_mean - log_likelihood(&reliable, &data)).abs() < 1e-5);
}

#[test]
fn an_ensemble_with_a_marginal_needs_one_member_only() {
    let (parameters, images, data) = tiny(Synapses::JointEnergy);
    let likelihood = mixture_likelihood(&parameters, &images, 400, Draws::at(31, 3)).expect("3 hidden units");
    assert!((likelihood.log_mean - log_likelihood(&twin(&parameters), &data)).abs() < 1e-5);
    assert_eq!((likelihood.gap, likelihood.standard_error), (0.0, 0.0));
}

#[test]
fn a_sum_over_members_is_the_same_whatever_their_order_and_pieces() {
    let logs = [[-3.0, -700.0], [-1.0, -2.0], [-20.0, -1.5]];
    let sum = |order: [usize; 3]| {
        let mut sum = MixtureSum::default();
        order.iter().for_each(|&k| sum.add(&logs[k]));
        sum.likelihood().expect("members were added")
    };
    let expected = [(-3.0_f64, -1.0_f64, -20.0_f64), (-700.0, -2.0, -1.5)]
        .map(|(a, b, c)| libm::log((libm::exp(a) + libm::exp(b) + libm::exp(c)) / 3.0));
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
        let found = sum(order);
        assert!((found.log_mean - (expected[0] + expected[1]) / 2.0).abs() < 1e-12, "{found:?}");
        assert!((found.mean_log - (-8.0 - 703.5 / 3.0) / 2.0).abs() < 1e-12);
    }
    assert_eq!(MixtureSum::default().likelihood(), None);
}

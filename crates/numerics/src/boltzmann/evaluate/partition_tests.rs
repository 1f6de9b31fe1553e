use super::*;
use crate::Draws;
use crate::boltzmann::exact::{TinyEnsemble, log_likelihood as enumerated, unit_distribution};
use crate::boltzmann::{Init, Parameters, Synapses};
use crate::logistic::softplus;
use ndarray::Array1;

fn random_rbm(v: usize, h: usize, w_sd: f64) -> Parameters {
    let init = Init { hidden_units: h, p0: 0.5, w_sd, ..Init::default() };
    let mean = Array1::from_shape_fn(v, |i| 0.1 + 0.8 * i as f32 / v as f32);
    let mut parameters = Parameters::init(Synapses::Reliable, init, mean.view(), Draws::at(21, 0));
    parameters.c = Array1::from_shape_fn(h, |j| 0.3 * (j as f32 - 1.0));
    parameters
}

fn rbm(v: usize, h: usize, w_sd: f64) -> Rbm {
    random_rbm(v, h, w_sd).marginal().expect("reliable synapses have a marginal")
}

#[test]
fn without_weights_the_partition_function_is_a_product_over_units() {
    let rbm = rbm(30, 7, 0.0);
    let biases = rbm.visible_biases().iter().chain(rbm.hidden_biases());
    let product: f64 = biases.map(|&bias| softplus(f64::from(bias))).sum();
    // 128 states of 30 softpluses of f32, each to 3 ulp of numbers below 4: 30 · 4 · 4e-7.
    assert!((exact_log_partition(&rbm).expect("7 hidden units") - product).abs() < 5e-5);
}

#[test]
fn both_sides_and_the_enumerated_distribution_give_the_same_likelihood() {
    let parameters = random_rbm(6, 5, 1.0);
    let rbm = parameters.marginal().expect("reliable synapses have a marginal");
    let twin = TinyEnsemble::from(&parameters);
    let mut images = BinaryRows::new(6);
    let mut data = vec![0.0; 64];
    for image in [3_usize, 17, 40, 63] {
        images.push((0..6).filter(|i| image >> i & 1 == 1));
        data[image] = 0.25;
    }
    let exact = exact_log_likelihood(&rbm, &images).expect("5 hidden units");
    assert!((exact - enumerated(&twin, &data)).abs() < 1e-5, "{exact}");
    assert!((unit_distribution(&twin).sum() - 1.0).abs() < 1e-12);
    // The larger side has the same sum.
    assert!((sum_states(&rbm, 6) - exact_log_partition(&rbm).expect("5 hidden units")).abs() < 1e-5);
}

#[test]
fn sums_over_several_blocks_of_states_are_those_of_the_other_side() {
    let rbm = rbm(13, 12, 0.7);
    let over_hidden = exact_log_partition(&rbm).expect("12 hidden units");
    assert!((over_hidden - sum_states(&rbm, 13)).abs() < 1e-4, "{over_hidden}");
}

#[test]
fn a_partition_function_of_many_units_on_both_sides_is_not_attempted() {
    assert_eq!(exact_log_partition(&rbm(EXACT_UNITS + 1, EXACT_UNITS + 1, 0.1)), None);
}

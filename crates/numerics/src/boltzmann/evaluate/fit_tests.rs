use super::super::super::exact::{TinyEnsemble, log_likelihood, unit_distribution};
use super::super::super::{Init, Parameters, Synapses};
use super::*;
use ndarray::{Array1, Array2};

const V: usize = 4;

/// A small RBM with strong weights, and its twin for enumeration.
fn tiny() -> (Rbm, TinyEnsemble) {
    let init = Init { hidden_units: 3, p0: 0.5, w_sd: 1.0, ..Init::default() };
    let mean = Array1::from(vec![0.3, 0.6, 0.5, 0.2]);
    let mut parameters = Parameters::init(Synapses::Reliable, init, mean.view(), Draws::at(8, 0));
    parameters.c = Array1::from(vec![0.3, -0.5, 0.1]);
    let twin = TinyEnsemble::from(&parameters);
    (parameters.marginal().expect("reliable synapses have a marginal"), twin)
}

/// All 16 images, image k with the pixels of its bits.
fn images() -> BinaryRows {
    let mut images = BinaryRows::new(V);
    for image in 0..1 << V {
        images.push((0..V as u32).filter(|i| image >> i & 1 == 1));
    }
    images
}

fn visible_distribution(twin: &TinyEnsemble) -> Vec<f64> {
    unit_distribution(twin).rows().into_iter().map(|row| row.sum()).collect()
}

#[test]
fn free_energies_are_the_logarithms_of_the_enumerated_probabilities() {
    let (rbm, twin) = tiny();
    let f = free_energy(&rbm, &images());
    let p = visible_distribution(&twin);
    for k in 1..16 {
        // Differences of f32 sums of some 5 terms of size 1: 1e-6.
        assert!((f[0] - f[k] - libm::log(p[k] / p[0])).abs() < 1e-5, "image {k}");
    }
}

#[test]
fn the_pseudo_likelihood_estimates_the_sum_of_exact_conditionals() {
    let (rbm, twin) = tiny();
    let p = visible_distribution(&twin);
    let conditional = |image: usize, i: usize| libm::log(p[image] / (p[image] + p[image ^ (1 << i)]));
    let terms: Vec<f64> =
        (0..16).flat_map(|image| (0..V).map(move |i| V as f64 * conditional(image, i))).collect();
    let repetitions = 4_000;
    let estimate = pseudo_log_likelihood(&rbm, &images(), repetitions, Draws::at(8, 1));
    // 4.5σ/√n over 64,000 random terms: 7e-6 by chance; the seed is fixed.
    let bound = 4.5 * stats::sd(&terms) / (16.0 * repetitions as f64).sqrt();
    assert!((estimate - stats::mean(&terms)).abs() < bound, "{estimate}, not {}", stats::mean(&terms));
}

#[test]
fn a_reconstruction_that_is_certain_has_the_errors_worked_by_hand() {
    // r = (1, 1, 0, 0) whatever the image is.
    let b = Array1::from(vec![100.0, 100.0, -100.0, -100.0]);
    let rbm = Rbm::new(Array2::zeros((V, 1)), b, Array1::zeros(1));
    let mut images = BinaryRows::new(V);
    images.push([0, 1]);
    images.push([1]);
    let errors = reconstruction(&rbm, &images, Draws::at(8, 2));
    assert!((errors.mse - 1.0 / 8.0).abs() < 1e-12);
    // One pixel missed outright: −log(1e-7), over two images; the rest is 7·1e-7.
    assert!((errors.cross_entropy + libm::log(1e-7) / 2.0).abs() < 1e-6);
}

#[test]
fn gibbs_samples_follow_the_enumerated_distribution() {
    let (rbm, twin) = tiny();
    let n = 40_000;
    let mut start = BinaryRows::new(V);
    (0..n).for_each(|_| start.push([]));
    // 40 sweeps forget the start: the largest correlation from sweep to sweep is about .5 here.
    let samples = rbm.gibbs(&start, 0..40, Draws::at(8, 3));
    let mut counts = [0.0; 16];
    for k in 0..n {
        counts[samples.row(k).iter().fold(0, |image, i| image | 1 << i)] += 1.0;
    }
    let chi_square: f64 = counts
        .iter()
        .zip(visible_distribution(&twin))
        .map(|(count, p)| (count - n as f64 * p) * (count - n as f64 * p) / (n as f64 * p))
        .sum();
    // 15 degrees of freedom: above 44.3 once in 10,000; the seed is fixed.
    assert!(chi_square < 44.3, "{chi_square}");
}

#[test]
fn gibbs_sampling_goes_on_where_it_stopped() {
    let (rbm, _) = tiny();
    let draws = Draws::at(8, 4);
    let halfway = rbm.gibbs(&images(), 0..5, draws);
    assert_eq!(rbm.gibbs(&halfway, 5..10, draws), rbm.gibbs(&images(), 0..10, draws));
    assert_ne!(rbm.gibbs(&images(), 5..10, draws), rbm.gibbs(&images(), 0..5, draws));
    assert_eq!(rbm.gibbs(&images(), 3..3, draws), images());
}

#[test]
fn the_draws_of_an_example_do_not_depend_on_what_follows_it() {
    let (rbm, _) = tiny();
    let few = images().select(&[0, 1, 2, 3, 4]);
    let all = rbm.gibbs(&images(), 0..3, Draws::at(8, 5));
    assert_eq!(rbm.gibbs(&few, 0..3, Draws::at(8, 5)), all.select(&[0, 1, 2, 3, 4]));
}

#[test]
fn a_better_model_has_a_higher_likelihood_by_every_measure() {
    let (rbm, twin) = tiny();
    // Data of the model itself, and the same model with its weights negated.
    let mut start = BinaryRows::new(V);
    (0..2_000).for_each(|_| start.push([]));
    let data = rbm.gibbs(&start, 0..40, Draws::at(8, 6));
    let wrong = Rbm::new(-rbm.weights(), rbm.visible_biases().clone(), rbm.hidden_biases().clone());
    let wrong_twin = TinyEnsemble { w: -&twin.w, ..twin.clone() };
    let p = visible_distribution(&twin);
    assert!(log_likelihood(&twin, &p) > log_likelihood(&wrong_twin, &p));
    let pll = |rbm| pseudo_log_likelihood(rbm, &data, 5, Draws::at(8, 7));
    assert!(pll(&rbm) > pll(&wrong));
}

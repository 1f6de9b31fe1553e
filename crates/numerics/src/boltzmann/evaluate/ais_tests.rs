use super::*;
use crate::boltzmann::evaluate::exact_log_partition;
use crate::boltzmann::{Chain, Init, Learning, Parameters, Scratch, State, Synapses, step};

/// 400 patterns of 6 × 6 pixels: one of four bars each way, a few pixels flipped.
fn patterns() -> BinaryRows {
    let mut rows = BinaryRows::new(36);
    for k in 0..400 {
        let draws = Draws::at(40, k);
        let (lines, upright) = (draws.below(Stream::ObservePick, 0, 63) + 1, k % 2 == 0);
        let mut words = [0; 36];
        draws.fill_u32(Stream::ObserveFlip, 0, &mut words);
        let pixel = |i: u32| {
            let line = if upright { i % 6 } else { i / 6 };
            (lines >> line & 1 == 1) != (words[i as usize] < u32::MAX / 30)
        };
        rows.push((0..36).filter(|&i| pixel(i)));
    }
    rows
}

/// An RBM of 36 × 20 units after some learning, with weights of size 1 to 4.
fn trained(images: &BinaryRows) -> Rbm {
    let init = Init { hidden_units: 20, p0: 0.5, w_sd: 0.1, ..Init::default() };
    let parameters =
        Parameters::init(Synapses::Reliable, init, images.column_means().view(), Draws::at(41, 0));
    let mut state = State::new(parameters);
    let learning = Learning { eta_w: 0.1, chain: Chain::Cd { k: 5 }, ..Learning::default() };
    let mut scratch = Scratch::default();
    for at in 0..2_000 {
        let first = (at as u32 % 8) * 50;
        let batch = images.select(&(first..first + 50).collect::<Vec<_>>());
        step(&mut state, &batch, &learning, &mut scratch, Draws::at(41, at));
    }
    state.parameters.marginal().expect("reliable synapses have a marginal")
}

#[test]
fn estimates_from_both_sides_agree_with_the_exact_partition_function() {
    let images = patterns();
    let rbm = trained(&images);
    let strongest = rbm.weights().iter().fold(0.0_f32, |m, w| m.max(w.abs()));
    assert!(strongest > 1.0, "the case is not trivial: {strongest}");
    let exact = exact_log_partition(&rbm).expect("20 hidden units");
    let base = base_biases(&images);
    let found = bracket(&rbm, &base, Annealing::default(), Draws::at(42, 0));
    println!("exact {exact}, {found:?}");
    for estimate in [found.forward, found.reverse] {
        // Its own standard error, 5 times, and 1e-4 for the sums in f32: 6e-7 by chance; the seed is fixed.
        let bound = 5.0 * estimate.standard_error + 1e-4;
        assert!((estimate.log_z - exact).abs() < bound, "{estimate:?}, exactly {exact}");
        assert!(estimate.log_weight_sd < 1.0 && estimate.standard_error < 0.1, "{estimate:?}");
    }
}

#[test]
fn few_temperatures_leave_the_truth_between_the_two_directions() {
    let images = patterns();
    let rbm = trained(&images);
    let exact = exact_log_partition(&rbm).expect("20 hidden units");
    let base = base_biases(&images);
    let coarse = Annealing { temperatures: 20, chains: 2, burn_in: 300 };
    let mean_of = |f: &dyn Fn(Draws) -> LogPartition| {
        let estimates: Vec<f64> = (0..60).map(|repeat| f(Draws::at(43, repeat)).log_z - exact).collect();
        (stats::mean(&estimates), stats::sd(&estimates) / 60_f64.sqrt())
    };
    // 600 sweeps from images forget these: the RBM is small and mixes.
    let samples = rbm.gibbs(&images, 0..300, Draws::at(43, 99));
    let (low, low_error) = mean_of(&|draws| forward(&rbm, &base, coarse, draws));
    let (high, high_error) = mean_of(&|draws| reverse(&rbm, &base, coarse, &samples, draws));
    println!("forward {low} ± {low_error}, reverse {high} ± {high_error}");
    // So few steps and chains are biased far beyond chance (3 SE; the seeds are fixed).
    assert!(low < -3.0 * low_error, "{low} ± {low_error}");
    assert!(high > 3.0 * high_error, "{high} ± {high_error}");
}

#[test]
fn without_weights_and_hidden_biases_every_weight_is_exactly_that_of_the_base_model() {
    let base = Array1::from(vec![0.5, -1.0, 2.0, 0.0]);
    let rbm = Rbm::new(Array2::zeros((4, 3)), base.clone(), Array1::zeros(3));
    let found = forward(&rbm, &base, Annealing { temperatures: 5, chains: 4, burn_in: 0 }, Draws::at(44, 0));
    let exact = base.iter().fold(3.0 * std::f64::consts::LN_2, |sum, &b| sum + softplus(f64::from(b)));
    assert!((found.log_z - exact).abs() < 1e-12, "{found:?}");
    assert!(found.standard_error < 1e-12 && found.log_weight_sd < 1e-12);
}

#[test]
fn chains_are_resampled_in_proportion_to_their_weights() {
    // Weights 1, 0, 2, 1 of four chains.
    let log_weights = [0.0, f64::NEG_INFINITY, std::f64::consts::LN_2, 0.0].map(|w| w - 700.0);
    assert_eq!(resampled(&log_weights), [0, 2, 2, 3]);
}

#[test]
fn base_rates_are_those_of_the_images_and_never_certain() {
    let mut images = BinaryRows::new(2);
    (0..3).for_each(|_| images.push([0]));
    let base = base_biases(&images);
    // 4 of 5, and 1 of 5.
    assert!((f64::from(base[0]) - libm::log(4.0)).abs() < 1e-6);
    assert!((f64::from(base[1]) + libm::log(4.0)).abs() < 1e-6);
    assert_eq!(base_biases(&BinaryRows::new(2)), Array1::from(vec![0.0, 0.0]));
}

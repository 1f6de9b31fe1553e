use super::*;
use crate::stdp::Stdp;
use crate::wta::{BiasRule, Learning, Rate, Synthetic, Winner, winner};

fn synthetic() -> Synthetic {
    Synthetic::new(6, 3, 0.15, Draws::at(12, 0))
}

#[test]
fn expectation_maximisation_never_loses_likelihood_and_finds_a_small_mixture() {
    let Synthetic { patterns, probability, .. } = synthetic();
    let mut best = f64::INFINITY;
    for start in 0..5 {
        let mut mixture = Mixture::start(3, &patterns, Some(&probability), (Draws::at(1, 0), start));
        let mut before = f64::NEG_INFINITY;
        for _ in 0..300 {
            let (next, log_likelihood) = mixture.em_step(&patterns, Some(&probability), 0.0);
            // Equal up to rounding of a sum of 64 terms.
            assert!(log_likelihood >= before - 1e-12, "{before} {log_likelihood}");
            (mixture, before) = (next, log_likelihood);
        }
        best = best.min(synthetic().divergence(&mixture));
    }
    assert!(best < 1e-4, "{best}");
}

#[test]
fn climbing_ends_where_a_step_gains_nothing() {
    let Synthetic { patterns, probability, .. } = synthetic();
    let start = Mixture::start(3, &patterns, Some(&probability), (Draws::at(1, 0), 0));
    let fit = start.climb(&patterns, Some(&probability), 0.0, (5000, 1e-10));
    assert!(fit.steps < 5000);
    let (_, again) = fit.mixture.em_step(&patterns, Some(&probability), 0.0);
    assert!((again - fit.log_likelihood).abs() < 1e-9);
    assert!(fit.log_likelihood > start.log_likelihood(&patterns, Some(&probability)));
}

#[test]
fn weights_that_are_logarithms_give_the_mixture_back() {
    let truth = synthetic().truth;
    let learning = Learning {
        stdp: Stdp { gain: 5.0, floor: -7.0 },
        rate: Rate::Constant(0.01),
        bias: BiasRule::Fixed,
        levels: None,
    };
    let circuit = Circuit::near(&truth, &learning, Draws::at(1, 0));
    let read = Mixture::of_circuit(&circuit, true);
    let far = (0..3)
        .flat_map(|k| read.on(k).iter().zip(truth.on(k)).map(|(a, b)| (a - b).abs()).collect::<Vec<_>>());
    // Each weight is up to 0.04 below its logarithm.
    assert!(far.fold(0.0, f64::max) < 0.02);
    let mut u = Vec::new();
    circuit.potentials(&[1, 2, 4, 7, 8, 10], &mut u);
    // 0 and 3 are on: potentials differ as the log joint probabilities do, c being the same for all.
    let mut row = BinaryRows::new(6);
    row.push([0, 3]);
    assert_eq!(winner(Winner::Argmax, &mut u, 0.0) as u32, truth.assign(&row)[0]);
}

#[test]
fn likelihoods_of_single_rows_are_those_worked_by_hand() {
    let mixture = Mixture::new(&[1.0, 3.0], &[0.2, 0.5, 0.9, 0.5]);
    let mut rows = BinaryRows::new(2);
    rows.push([0]);
    let expected = libm::log(0.25 * 0.2 * 0.5 + 0.75 * 0.9 * 0.5);
    assert!((mixture.log_likelihoods(&rows)[0] - expected).abs() < 1e-12);
    assert_eq!(mixture.assign(&rows), [1]);
}

use super::*;
use crate::{
    stdp::{Annealed, Stdp},
    wta::Levels,
};

const LEARNING: Learning = Learning {
    stdp: Stdp { gain: 1.0, floor: -7.0 },
    rate: Rate::Constant(0.01),
    bias: BiasRule::Prior { eta: 0.02, floor: -9.0 },
    levels: None,
};

fn code() -> PopulationCode {
    PopulationCode::new(&[2, 3])
}

fn circuit(learning: &Learning) -> Circuit {
    Circuit::new(&code(), 4, Start::Optimistic, learning, Draws::at(3, 0))
}

#[test]
fn an_untouched_neuron_beats_those_that_have_learned_only_after_an_optimistic_start() {
    for (start, least, greatest) in [(Start::Optimistic, -0.05, 0.0), (Start::LogGroup, -1.2, -0.69)] {
        let circuit = Circuit::new(&code(), 4, start, &LEARNING, Draws::at(3, 0));
        let all = (0..4).flat_map(|k| circuit.weights(k).to_vec());
        all.for_each(|w| assert!(w > least && w <= greatest, "{start:?}: {w}"));
        assert!(circuit.bias().iter().all(|b| (b + libm::logf(4.0)).abs() < 1e-6));
    }
}

#[test]
fn potentials_are_the_bias_and_the_weights_of_what_is_on() {
    let circuit = circuit(&LEARNING).with_mismatch(0.3, Draws::at(8, 0));
    let (mut u, mut row) = (Vec::new(), Vec::new());
    circuit.potentials(&[0, 3], &mut u);
    for (k, u) in u.into_iter().enumerate() {
        circuit.sent_row(k, &mut row);
        assert_eq!(u, circuit.bias()[k] + row[0] + row[3]);
        assert_ne!(row[0], circuit.weights(k)[0], "a synapse passes on a part of its own");
    }
}

#[test]
fn only_the_winner_learns_but_all_biases_change() {
    let mut circuit = circuit(&LEARNING);
    let before = circuit.clone();
    let y = [1.0, 0.0, 0.0, 0.5, 0.0];
    circuit.learn(2, &y, &LEARNING, (Draws::at(1, 0), 0));
    for k in [0, 1, 3] {
        assert_eq!(circuit.weights(k), before.weights(k));
        // d b = −η e^b / max(e^b, η): −η.
        assert!((circuit.bias()[k] - before.bias()[k] + 0.02).abs() < 1e-6);
    }
    for (i, (&after, &w)) in circuit.weights(2).iter().zip(before.weights(2)).enumerate() {
        let expected = LEARNING.stdp.step(f64::from(w), f64::from(y[i]), 0.01);
        // f32: two ulp of e^w and a rounding of w.
        assert!((f64::from(after) - expected).abs() < 1e-6, "{after} {expected}");
    }
    let bias = Stdp { gain: 1.0, floor: -9.0 }.step(f64::from(before.bias()[2]), 1.0, 0.02);
    assert!((f64::from(circuit.bias()[2]) - bias).abs() < 1e-6);
    assert_eq!(circuit.spikes(), [0, 0, 1, 0]);
}

#[test]
fn homeostasis_holds_the_sum_of_biases_and_lowers_that_of_the_winner() {
    let learning = Learning { bias: BiasRule::Homeostatic { eta: 0.04 }, ..LEARNING };
    let mut circuit = circuit(&learning);
    circuit.learn(1, &[0.0; 5], &learning, (Draws::at(1, 0), 0));
    let start = -libm::logf(4.0);
    for (k, expected) in [0.01, -0.03, 0.01, 0.01].into_iter().enumerate() {
        assert!((circuit.bias()[k] - start - expected).abs() < 1e-6);
    }
}

#[test]
fn every_rule_of_rates_is_that_of_a_single_synapse() {
    let annealed = Annealed { numerator: 1.0, offset: 10.0, floor: 0.001, ceiling: 1.0 };
    let rates = [Rate::Constant(0.01), Rate::Annealed(annealed), Rate::VarianceTracking(1.0)];
    for rate in rates {
        let learning = Learning { rate, ..LEARNING };
        let mut circuit = circuit(&learning);
        let mut w = f64::from(circuit.weights(0)[1]);
        let mut moments = crate::stdp::Moments::new(w);
        for spike in 1..=300_u64 {
            let y = f64::from(u8::from(spike % 3 == 0));
            circuit.learn(0, &[0.0, y as f32, 0.0, 1.0, 0.0], &learning, (Draws::at(1, spike), 0));
            let eta = match rate {
                Rate::Constant(eta) => eta,
                Rate::Annealed(rate) => rate.at(spike),
                Rate::VarianceTracking(eta0) => moments.rate(eta0, 1.0),
            };
            w = learning.stdp.step(w, y, eta);
            moments.track(w, eta);
        }
        // 300 roundings of 6e-8 |w| that mostly decay.
        assert!((f64::from(circuit.weights(0)[1]) - w).abs() < 2e-4, "{rate:?}: {w}");
    }
}

#[test]
fn weights_of_few_bits_stay_on_their_levels() {
    let levels = Levels { bits: 4, low: -7.0, high: 0.0 };
    let learning = Learning { levels: Some(levels), ..LEARNING };
    let mut circuit = circuit(&learning);
    for step in 0..200 {
        circuit.learn(1, &[1.0, 0.0, 0.0, 0.0, 1.0], &learning, (Draws::at(1, step), 0));
    }
    for w in circuit.weights(1) {
        let place = (f64::from(*w) + 7.0) / levels.spacing();
        assert!((place - place.round()).abs() < 1e-5, "{w}");
    }
    assert!(circuit.weights(1)[1] < 0.0, "an input that is never on loses its weight");
}

#[test]
fn a_stored_circuit_comes_back_whole_and_a_false_one_does_not() {
    let learning = Learning { rate: Rate::VarianceTracking(1.0), ..LEARNING };
    let circuit = circuit(&learning).with_mismatch(0.1, Draws::at(2, 0));
    let bytes = postcard::to_stdvec(&circuit).expect("plain numbers");
    assert_eq!(postcard::from_bytes::<Circuit>(&bytes).expect("it is its own"), circuit);
    let stored = |inputs, weights: usize, bias: usize, first: usize| {
        let zeros = |n| vec![0.0; n];
        Circuit::try_from(Stored {
            inputs,
            weights: zeros(weights),
            bias: zeros(bias),
            spikes: vec![0; bias],
            first: zeros(first),
            second: zeros(first),
            gains: Vec::new(),
        })
    };
    assert!(stored(3, 6, 2, 0).is_ok() && stored(3, 6, 2, 6).is_ok());
    assert!(stored(0, 0, 2, 0).is_err());
    assert!(stored(3, 5, 2, 0).is_err());
    assert!(stored(3, 6, 2, 5).is_err());
}

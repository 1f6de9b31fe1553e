use super::*;
use ndarray::{Array1, array};
use numerics::boltzmann::Init;

/// 20 × 4 synapses whose strengths and probabilities all differ.
fn network(synapses: Synapses) -> Parameters {
    let init = Init { hidden_units: 4, w_sd: 1.0, ..Init::default() };
    let mean = Array1::from_elem(20, 0.5);
    let mut network = Parameters::init(synapses, init, mean.view(), Draws::at(7, 0));
    let n = network.a.len();
    network.a.iter_mut().enumerate().for_each(|(k, a)| *a = k as f32 / n as f32 * 8.0 - 4.0);
    network
}

fn sorted(values: impl IntoIterator<Item = f32>) -> Vec<f32> {
    let mut values: Vec<f32> = values.into_iter().collect();
    values.sort_by(f32::total_cmp);
    values
}

#[test]
fn hardened_synapses_transmit_always_or_never() {
    let before = network(Synapses::PriorMixture);
    let after = Edit::Hardened.apply(&before, 1);
    assert_eq!(after.synapses, Synapses::Reliable);
    for ((w, a), hardened) in before.w.iter().zip(&before.a).zip(&after.w) {
        assert_eq!(*hardened, if *a > 0.0 { *w } else { 0.0 });
    }
}

#[test]
fn mean_weights_are_those_of_the_ensemble() {
    let before = network(Synapses::PriorMixture);
    let after = Edit::MeanWeight.apply(&before, 1).marginal().expect("reliable synapses have a marginal");
    assert_eq!(after.weights(), before.mean_weights().weights());
}

#[test]
fn permutations_keep_strengths_and_the_set_of_probabilities() {
    let before = network(Synapses::JointEnergy);
    for edit in [Edit::Permuted, Edit::PermutedWithin] {
        let after = edit.apply(&before, 1);
        assert_eq!((&after.w, &after.b, after.synapses), (&before.w, &before.b, before.synapses));
        assert_eq!(sorted(after.a.clone()), sorted(before.a.clone()), "{edit:?}");
        assert_ne!(after.a, before.a, "{edit:?}");
        assert_ne!(after.a, edit.apply(&before, 2).a, "another seed permutes otherwise");
    }
}

#[test]
fn permutations_within_tenths_stay_within_them() {
    let before = network(Synapses::PriorMixture);
    let after = Edit::PermutedWithin.apply(&before, 1);
    let mut order: Vec<usize> = (0..80).collect();
    let strength = before.w.as_slice().expect("standard layout");
    order.sort_by(|&i, &j| strength[i].abs().total_cmp(&strength[j].abs()));
    for tenth in order.chunks(8) {
        let of = |a: &Array2<f32>| sorted(tenth.iter().map(|&k| a.as_slice().expect("standard layout")[k]));
        assert_eq!(of(&after.a), of(&before.a));
    }
}

#[test]
fn the_mean_release_probability_stays() {
    let before = network(Synapses::PriorMixture);
    let after = Edit::MeanRelease.apply(&before, 1).release_prob();
    let mean = before.release_prob().iter().fold(0.0, |sum, &p| sum + f64::from(p)) / 80.0;
    // Of f32 log-odds: 1e-7.
    assert!(after.iter().all(|&p| (f64::from(p) - mean).abs() < 1e-6));
}

#[test]
fn reliable_networks_have_no_release_to_edit() {
    let before = network(Synapses::Reliable);
    for edit in Edit::ALL {
        assert_eq!(edit.apply(&before, 1), before, "{edit:?}");
    }
}

#[test]
fn the_first_to_go_are_the_least_by_the_criterion() {
    let network = network(Synapses::PriorMixture);
    let order = Criterion::Unreliable.order(&network, 1);
    assert_eq!(order, (0..80).collect::<Vec<u32>>(), "probabilities rise with the place");
    let order = Criterion::Weak.order(&network, 1);
    let strength = network.w.as_slice().expect("standard layout");
    assert!(order.is_sorted_by_key(|&k| strength[k as usize].abs()));
    let order = Criterion::Random.order(&network, 1);
    assert_ne!(order, Criterion::Random.order(&network, 2));
    assert_eq!(sorted(order.iter().map(|&k| k as f32)), (0..80).map(|k| k as f32).collect::<Vec<_>>());
}

#[test]
fn synapses_that_are_equally_reliable_go_in_random_order() {
    let mut network = network(Synapses::PriorMixture);
    network.a.fill(0.0);
    assert_eq!(Criterion::Unreliable.order(&network, 1), Criterion::Random.order(&network, 1));
}

#[test]
fn silenced_synapses_have_no_strength() {
    let mut w = array![[1.0, 2.0], [3.0, 4.0]];
    silence(&mut w, &[1, 2]);
    assert_eq!(w, array![[1.0, 0.0], [0.0, 4.0]]);
}

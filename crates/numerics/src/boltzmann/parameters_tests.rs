use super::super::{PersistentChains, State};
use super::*;
use crate::logistic::{sigmoid, softplus};

const RELEASING: [Synapses; 2] = [Synapses::JointEnergy, Synapses::PriorMixture];
const INIT: Init = Init { hidden_units: 50, p0: 0.3, w_sd: 0.01, law: Law::Bernoulli, sd0: 0.1 };

fn parameters(synapses: Synapses, w_sd: f64) -> Parameters {
    let mean: Array1<f32> = (0..40).map(|i| i as f32 / 39.0).collect();
    Parameters::init(synapses, Init { w_sd, ..INIT }, mean.view(), Draws::at(12, 0))
}

#[test]
fn learning_starts_from_weak_synapses_of_one_reliability_and_the_mean_image() {
    for synapses in RELEASING {
        let start = parameters(synapses, 0.01);
        let w: Vec<f64> = start.w.iter().map(|w| f64::from(*w)).collect();
        // 2,000 weights: 4.5σ of the mean (σ/√n) and of the deviation (σ/√2n).
        assert!(crate::stats::mean(&w).abs() < 4.5 * 0.01 / 2_000_f64.sqrt());
        assert!((crate::stats::sd(&w) - 0.01).abs() < 4.5 * 0.01 / 4_000_f64.sqrt());
        assert!(start.release_prob().iter().all(|p| (p - 0.3).abs() < 1e-6));
        assert!(start.c.iter().all(|c| *c == 0.0));
        assert!((start.b[0] - logit(0.01) as f32).abs() < 1e-6, "a pixel that is never on is clipped");
        assert!((sigmoid(f64::from(start.b[20])) - 20.0 / 39.0).abs() < 1e-6);
    }
    let reliable = parameters(Synapses::Reliable, 0.01);
    assert!(reliable.a.is_empty() && reliable.release_prob().iter().all(|p| *p == 1.0));
}

#[test]
fn effective_weights_and_posterior_releases_follow_their_formulas() {
    let parameters = parameters(Synapses::JointEnergy, 1.5);
    let (weff, q) = (parameters.effective_weights(), parameters.posterior_release());
    for ((&w, &a), (&weff, &q)) in parameters.w.iter().zip(&parameters.a).zip(weff.iter().zip(&q)) {
        let (w, a) = (f64::from(w), f64::from(a));
        // f32 of numbers around 1.
        assert!((f64::from(weff) - (softplus(a + w) - softplus(a))).abs() < 2e-6);
        assert!((f64::from(q) - sigmoid(a + w)).abs() < 1e-6);
    }
}

#[test]
fn model_b_alone_has_no_marginal_rbm() {
    assert!(parameters(Synapses::PriorMixture, 1.0).marginal().is_none());
    let reliable = parameters(Synapses::Reliable, 1.0);
    assert_eq!(reliable.marginal().expect("an RBM is its own marginal").weights(), &reliable.w);
    let joint = parameters(Synapses::JointEnergy, 1.0);
    assert_eq!(joint.marginal().expect("model A collapses").weights(), &joint.effective_weights());
    assert_eq!(joint.marginal(), Some(joint.sampled(3, Draws::at(1, 1))));
}

#[test]
fn sampled_rbms_of_the_mixture_keep_each_synapse_with_its_probability() {
    let parameters = parameters(Synapses::PriorMixture, 1.0);
    let draws = Draws::at(12, 1);
    let kept = |copy| {
        let rbm = parameters.sampled(copy, draws);
        assert!(rbm.weights().iter().zip(&parameters.w).all(|(x, w)| *x == 0.0 || x == w));
        rbm.weights().iter().filter(|x| **x != 0.0).count() as f64
    };
    let copies = 50_u32;
    let n = f64::from(copies) * 2_000.0;
    let total: f64 = (0..copies).map(kept).sum();
    // 4.5σ: 7e-6 by chance; the seed is fixed.
    assert!((total - 0.3 * n).abs() < 4.5 * (n * 0.3 * 0.7).sqrt(), "{total}");
    assert_eq!(parameters.sampled(7, draws), parameters.sampled(7, draws));
    assert_ne!(parameters.sampled(7, draws), parameters.sampled(8, draws));
}

#[test]
fn mean_weights_are_strength_times_release() {
    let parameters = parameters(Synapses::PriorMixture, 1.0);
    let mean = parameters.mean_weights();
    assert!(mean.weights().iter().zip(&parameters.w).all(|(m, w)| (m - 0.3 * w).abs() < 1e-6));
}

#[test]
fn a_state_survives_storage_bit_by_bit() {
    let mut state = State::new(parameters(Synapses::PriorMixture, 1.0)).with_chains(PersistentChains::init(
        9,
        50,
        Draws::at(1, 1),
    ));
    state.velocity.a[[0, 0]] = f32::from_bits(0x7FC0_1234);
    state.velocity.b[0] = -0.0;
    let bytes = postcard::to_stdvec(&state).expect("a state serialises");
    let restored: State = postcard::from_bytes(&bytes).expect("its bytes are a state");
    assert_eq!(restored.velocity.a[[0, 0]].to_bits(), 0x7FC0_1234);
    assert_eq!(restored.velocity.b[0].to_bits(), (-0.0_f32).to_bits());
    assert_eq!(postcard::to_stdvec(&restored).expect("a state serialises"), bytes);
}

#[test]
fn persistent_chains_start_from_fair_coins() {
    let chains = PersistentChains::init(100, 200, Draws::at(12, 2));
    let ones: usize = (0..100).map(|i| chains.hidden.row(i).len()).sum();
    // 20,000 coins, 4.5σ of √n/2.
    assert!((ones as f64 - 10_000.0).abs() < 4.5 * 20_000_f64.sqrt() / 2.0, "{ones}");
}

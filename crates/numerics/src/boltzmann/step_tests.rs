use super::super::{
    Chain, Init, Law, LocalRule, Masks, Parameters, PersistentChains, Statistics, Synapses, Velocity,
    evaluate, exact,
};
use super::*;
use crate::{Stream, stats};
use ndarray::{Array1, Array2, array};

const ALL: [Synapses; 3] = [Synapses::Reliable, Synapses::JointEnergy, Synapses::PriorMixture];

/// Far beyond what a sample needs to be certain: s(100) = 1 in f32.
const SURE: f32 = 100.0;

fn plain(eta_w: f64) -> Learning {
    Learning { eta_w, momentum: 0.0, weight_decay: 0.0, ..Learning::default() }
}

fn state(synapses: Synapses, w: Array2<f32>, a: Array2<f32>, b: Array1<f32>, c: Array1<f32>) -> State {
    State::new(Parameters { synapses, w, a, b, c, law: Law::Bernoulli, log_sd: Array2::zeros((0, 0)) })
}

fn close(x: f32, y: f64) -> bool {
    (f64::from(x) - y).abs() < 1e-6
}

/// Two visible units and a hidden one, all certain: data (0, 1), chain (1, 0), hidden always 1.
fn certain(synapses: Synapses) -> (State, BinaryRows) {
    let a = if synapses == Synapses::Reliable { Array2::zeros((0, 0)) } else { array![[0.0], [1.0]] };
    let mut batch = BinaryRows::new(2);
    batch.push([1]);
    (state(synapses, array![[0.5], [-0.25]], a, array![SURE, -SURE], array![SURE]), batch)
}

#[test]
fn a_step_of_an_rbm_is_that_worked_by_hand() {
    // D = (0, 1)·1 − (1, 0)·1 = (−1, 1); velocity after two steps at momentum ½: −(1 + ½)·0.1 and so on.
    let (mut state, batch) = certain(Synapses::Reliable);
    let learning = Learning { momentum: 0.5, weight_decay: 0.2, ..plain(0.1) };
    step(&mut state, &batch, &learning, &mut Scratch::default(), Draws::at(1, 0));
    // v = 0.1·(D − 0.2 w): 0.1·(−1 − 0.1) = −0.11 and 0.1·(1 + 0.05) = 0.105.
    assert!(close(state.parameters.w[[0, 0]], 0.39) && close(state.parameters.w[[1, 0]], -0.145));
    assert!((f64::from(state.parameters.b[0]) - 99.9).abs() < 1e-5);
    assert!((f64::from(state.parameters.b[1]) + 99.9).abs() < 1e-5);
    assert_eq!(state.parameters.c[0], SURE);
    step(&mut state, &batch, &learning, &mut Scratch::default(), Draws::at(1, 1));
    // v = ½·(−0.11) + 0.1·(−1 − 0.078) = −0.1628; ½·0.105 + 0.1·(1 + 0.029) = 0.1554.
    assert!(close(state.parameters.w[[0, 0]], 0.2272) && close(state.parameters.w[[1, 0]], 0.0104));
}

#[test]
fn a_step_of_model_a_is_that_worked_by_hand() {
    let (mut state, batch) = certain(Synapses::JointEnergy);
    step(&mut state, &batch, &plain(0.1), &mut Scratch::default(), Draws::at(1, 0));
    // dw = q D, da = (q − p) D; q = s(0 + .5), s(1 − .25); p = s(0), s(1); rate of a 1.6.
    let Parameters { w, a, .. } = &state.parameters;
    assert!(close(w[[0, 0]], 0.5 - 0.1 * 0.622_459_331) && close(w[[1, 0]], -0.25 + 0.1 * 0.679_178_699));
    assert!(close(a[[0, 0]], -1.6 * (0.622_459_331 - 0.5)));
    assert!(close(a[[1, 0]], 1.0 + 1.6 * (0.679_178_699 - 0.731_058_579)));
}

#[test]
fn a_step_of_model_b_is_that_worked_by_hand() {
    // Some seed in which exactly the second synapse releases; which one it is does not matter.
    for seed in 0..64 {
        let mut u = [0.0; 2];
        Draws::at(seed, 0).fill_uniform(Stream::Mask, 0, &mut u);
        if u[0] >= 0.5 && u[1] < 0.7 {
            let (mut state, batch) = certain(Synapses::PriorMixture);
            step(&mut state, &batch, &plain(0.1), &mut Scratch::default(), Draws::at(seed, 0));
            // dw = ξ D; da = p (1 − p) w D: ¼·½·(−1) and .196612·(−¼)·1, at rate 1.6.
            let Parameters { w, a, .. } = &state.parameters;
            assert!(close(w[[0, 0]], 0.5) && close(w[[1, 0]], -0.15));
            assert!(close(a[[0, 0]], -0.2) && close(a[[1, 0]], 1.0 - 1.6 * 0.196_611_933 * 0.25));
            return;
        }
    }
    panic!("a pattern of probability 0.35 is among 64 seeds");
}

#[test]
fn both_phases_of_the_mixture_share_one_mask() {
    // P(h = 1) is ξ itself, s(200 ξ − 100), in both phases: any difference would show as D ≠ 0.
    let mut released = [false; 2];
    for seed in 0..64 {
        let mut state =
            state(Synapses::PriorMixture, array![[200.0]], array![[0.0]], array![SURE], array![-SURE]);
        let before = state.parameters.clone();
        let mut batch = BinaryRows::new(1);
        batch.push([0]);
        let mut scratch = Scratch::default();
        step(&mut state, &batch, &plain(0.1), &mut scratch, Draws::at(seed, 0));
        assert_eq!(state.parameters, before, "seed {seed}");
        released[scratch.weights.mask[0] as usize] = true;
    }
    assert_eq!(released, [true, true], "both values of the mask were met");
}

#[test]
fn the_release_of_idle_synapses_does_not_move() {
    // Visible units that never fire: a sampled ξ in da would make every a a random walk.
    for synapses in [Synapses::JointEnergy, Synapses::PriorMixture] {
        let a = array![[0.0, 1.0], [-2.0, 0.5]];
        let mut state = state(
            synapses,
            array![[0.3, -0.2], [0.1, 0.7]],
            a.clone(),
            array![-SURE, -SURE],
            array![0.0, 0.4],
        );
        let mut batch = BinaryRows::new(2);
        (0..10).for_each(|_| batch.push([]));
        let mut scratch = Scratch::default();
        let mut method = Method::default();
        for t in 0..500 {
            if synapses == Synapses::JointEnergy && t == 250 {
                method.estimator = Estimator::Sampled;
            }
            step_by(&mut state, &batch, (&Learning::default(), &method), &mut scratch, Draws::at(2, t));
        }
        assert_eq!(state.parameters.a, a, "{synapses:?}");
    }
}

/// Random patterns and a state with weights of every size, for comparing implementations.
pub(in crate::boltzmann) fn random_case(
    (synapses, law): (Synapses, Law),
    n: usize,
    v: usize,
    h: usize,
) -> (State, BinaryRows) {
    let draws = Draws::at(77, 0);
    let mut batch = BinaryRows::new(v);
    for example in 0..n {
        let first = (example * v) as u64;
        batch.push(crate::distributions::bernoulli(draws, Stream::Split, first, &vec![0.3; v]));
    }
    let init = Init { hidden_units: h, p0: 0.4, w_sd: 0.8, law, sd0: 0.3 };
    let mut state = State::new(Parameters::init(synapses, init, batch.column_means().view(), draws));
    state.chains = PersistentChains::init(n, h, draws);
    (state, batch)
}

/// Every way to learn that has code of its own, with an ensemble that it fits.
fn methods() -> Vec<(Synapses, Law, Learning, Method)> {
    let (plain, usual) = (Method::default(), Learning { a_limit: 1.5, ..Learning::default() });
    let (a, b) = (Synapses::JointEnergy, Synapses::PriorMixture);
    let local = ReleaseRule::Local(LocalRule { branch: 7, ..LocalRule::default() });
    let fresh = |masks| Learning { masks, statistics: Statistics::Samples, ..usual };
    let mut methods = vec![
        (a, Law::Bernoulli, usual, Method { estimator: Estimator::Sampled, ..plain }),
        (a, Law::Bernoulli, usual, Method { release_rule: local, dropout: 0.5, ..plain }),
        (b, Law::Bernoulli, fresh(Masks::HalfStep), Method { release_rule: local, ..plain }),
        (b, Law::Bernoulli, fresh(Masks::Example), Method { release_rule: ReleaseRule::Frozen, ..plain }),
        (b, Law::Bernoulli, usual, Method { objective: Objective::MultiSample { masks: 3 }, ..plain }),
        (b, Law::BernoulliGaussian, fresh(Masks::Example), plain),
    ];
    for law in [Law::Gaussian, Law::BernoulliGaussian, Law::Quantal { sites: 3 }] {
        methods.extend([(a, law, usual, plain), (b, law, usual, plain)]);
    }
    let pcd = Learning { chain: Chain::Pcd { k: 1 }, ..usual };
    methods.extend(ALL.map(|synapses| (synapses, Law::Bernoulli, pcd, plain)));
    methods
}

#[test]
fn a_fresh_scratch_a_second_run_and_a_restored_state_give_the_same_bits() {
    for (synapses, law, learning, method) in methods() {
        let run = |renew: bool| {
            let (mut state, batch) = random_case((synapses, law), 8, 30, 10);
            let mut scratch = Scratch::default();
            for t in 0..6 {
                if renew {
                    scratch = Scratch::default();
                    let bytes = postcard::to_stdvec(&state).expect("a state serialises");
                    state = postcard::from_bytes(&bytes).expect("its bytes are a state");
                }
                step_by(&mut state, &batch, (&learning, &method), &mut scratch, Draws::at(4, t));
                // A batch of another size leaves its traces in the scratch.
                let (mut other, other_batch) = random_case((synapses, law), 3, 41, 7);
                step_by(&mut other, &other_batch, (&learning, &method), &mut scratch, Draws::at(4, t));
            }
            postcard::to_stdvec(&state).expect("a state serialises")
        };
        assert_eq!(run(false), run(true), "{synapses:?} {law:?} {learning:?} {method:?}");
    }
}

#[test]
fn spreads_stay_within_their_limits() {
    let (mut state, batch) = random_case((Synapses::JointEnergy, Law::Gaussian), 8, 30, 10);
    state.parameters.log_sd.fill(-0.01);
    let learning = Learning::default();
    let mut scratch = Scratch::default();
    for t in 0..20 {
        step(&mut state, &batch, &learning, &mut scratch, Draws::at(5, t));
    }
    let [least, greatest] = crate::boltzmann::law::LOG_SD_LIMITS.map(|x| x as f32);
    let log_sd = &state.parameters.log_sd;
    assert!(log_sd.iter().all(|x| (least..=greatest).contains(x)));
    assert!(log_sd.iter().any(|x| *x == greatest), "some synapse reached the limit");
}

#[test]
#[should_panic(expected = "`estimator` is sampled; it needs model A")]
fn a_method_that_does_not_fit_is_refused() {
    let (mut state, batch) = random_case((Synapses::PriorMixture, Law::Bernoulli), 2, 3, 4);
    let method = Method { estimator: Estimator::Sampled, ..Method::default() };
    step_by(&mut state, &batch, (&Learning::default(), &method), &mut Scratch::default(), Draws::at(5, 0));
}

/// FNV-1a, 64 bits.
fn fingerprint(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3))
}

#[test]
fn learning_gives_the_same_bits_on_every_machine() {
    // Fingerprints of the stored state, the same at every level. If one changes, the numbers of every
    // experiment with these machines change: raise their versions.
    let expected = [0xF516_5CFD_A198_B500, 0x5A0B_E23F_F92A_1587, 0x38C3_F7CE_E7D5_D4F6];
    let found = ALL.map(|synapses| {
        let learning = Learning { chain: Chain::Pcd { k: 2 }, ..Learning::default() };
        learned_bits((synapses, Law::Bernoulli), (25, 150, 77), &learning, &Method::default())
    });
    assert_eq!(found, expected, "{found:#x?}");
}

#[test]
fn every_method_gives_the_same_bits_on_every_machine() {
    // As above, in the order of the methods.
    let expected = [
        0xDA0D_F092_DEB0_6830,
        0xAAB0_B42D_E479_3B7F,
        0x8FA7_B4BF_2367_A990,
        0xB0AD_C083_FD7A_972C,
        0xB523_8557_4600_87AC,
        0x07A0_794A_11A9_00B3,
        0xC45C_D19C_17A9_26B9,
        0x1288_E2DA_9F4A_9BCF,
        0x6B1C_FA84_F84E_9986,
        0x0E5B_44C4_FAC5_5DE0,
        0x3C37_E87D_1E7F_F791,
        0x4C43_6EC3_3DD3_98F3,
        0x91FF_45F2_CBCD_4BC3,
        0x0C1E_00C5_9007_323B,
        0x2177_8AF2_ED26_FA7E,
    ];
    let found: Vec<u64> = methods()
        .iter()
        .map(|(synapses, law, learning, method)| {
            learned_bits((*synapses, *law), (9, 30, 10), learning, method)
        })
        .collect();
    assert_eq!(found, expected, "{found:#x?}");
}

/// The fingerprint after 20 steps on (examples, V, H).
fn learned_bits(
    ensemble: (Synapses, Law),
    (n, v, h): (usize, usize, usize),
    learning: &Learning,
    method: &Method,
) -> u64 {
    let (mut state, batch) = random_case(ensemble, n, v, h);
    let mut scratch = Scratch::default();
    for t in 0..20 {
        step_by(&mut state, &batch, (learning, method), &mut scratch, Draws::at(3, t));
    }
    fingerprint(&postcard::to_stdvec(&state).expect("a state serialises"))
}

#[test]
fn other_draws_give_another_step() {
    let run = |seed, t| {
        let (mut state, batch) = random_case((Synapses::JointEnergy, Law::Bernoulli), 8, 30, 18);
        step(&mut state, &batch, &Learning::default(), &mut Scratch::default(), Draws::at(seed, t));
        state.parameters.w
    };
    assert_ne!(run(1, 0), run(2, 0));
    assert_ne!(run(1, 0), run(1, 1));
}

#[test]
fn velocities_start_at_rest() {
    let (state, _) = random_case((Synapses::PriorMixture, Law::Bernoulli), 2, 3, 4);
    assert_eq!(state.velocity, Velocity::zeros(&state.parameters));
    assert!(state.velocity.a.iter().chain(&state.velocity.w).all(|v| *v == 0.0));
}

/// Every 3 × 3 bars-and-stripes pattern once.
fn patterns() -> (BinaryRows, Vec<f64>) {
    let data = exact::bars_and_stripes(3);
    let mut batch = BinaryRows::new(9);
    for image in (0..512_u32).filter(|&image| data[image as usize] > 0.0) {
        batch.push((0..9).filter(|i| image >> i & 1 == 1));
    }
    (batch, data)
}

#[test]
fn contrastive_divergence_teaches_every_ensemble_the_bars_and_stripes() {
    let (batch, data) = patterns();
    // Independent pixels have −9 log 2 = −6.24 of both likelihoods. The optima are −log 14 = −2.64 and,
    // as any pixel follows from the other eight, 0.
    for synapses in ALL {
        let init = Init { hidden_units: 16, p0: 0.5, w_sd: 0.01, ..Init::default() };
        let mean = batch.column_means();
        let mut state = State::new(Parameters::init(synapses, init, mean.view(), Draws::at(6, 0)));
        let learning =
            Learning { eta_w: 0.2, weight_decay: 0.0, chain: Chain::Cd { k: 5 }, ..Learning::default() };
        let mut scratch = Scratch::default();
        for t in 1..=3_000 {
            step(&mut state, &batch, &learning, &mut scratch, Draws::at(6, t));
        }
        let rbm = state.parameters.sampled(0, Draws::at(6, 3_001));
        let pll = evaluate::pseudo_log_likelihood(&rbm, &batch, 50, Draws::at(6, 3_001));
        println!("{synapses:?}: pseudo-log-likelihood {pll:.3}");
        assert!(pll > -0.5, "{synapses:?}: {pll}");
        if let Some(rbm) = state.parameters.marginal() {
            let wide = |x: &Array1<f32>| x.mapv(f64::from);
            let (b, c) = (wide(rbm.visible_biases()), wide(rbm.hidden_biases()));
            let tiny = exact::TinyEnsemble::rbm(rbm.weights().mapv(f64::from), b, c);
            let log_likelihood = exact::collapsed_log_likelihood(&tiny, &data);
            println!("{synapses:?}: log-likelihood {log_likelihood:.3}");
            assert!(log_likelihood > -3.5, "{synapses:?}: {log_likelihood}");
        }
        if synapses != Synapses::Reliable {
            let strength: Vec<f64> = state.parameters.w.iter().map(|w| f64::from(w.abs())).collect();
            let release: Vec<f64> = state.parameters.release_prob().iter().map(|p| f64::from(*p)).collect();
            let rho = stats::spearman(&strength, &release);
            println!("{synapses:?}: Spearman(|w|, p) {rho:.2}");
            assert!(rho > 0.4, "{synapses:?}: {rho}");
        }
    }
}

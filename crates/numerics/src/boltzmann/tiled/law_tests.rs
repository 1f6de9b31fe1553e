//! Laws of the tiled step: levels, scratches, resumption, freezing.

use super::super::super::{Init, Law, Masks, Parameters, PersistentChains, Synapses};
use super::super::Images;
use super::*;

/// Synapses, masks and statistics: every mode of the fast path.
pub(in super::super) fn modes() -> Vec<(Synapses, Masks, Statistics)> {
    let mut modes = Vec::new();
    for statistics in [Statistics::Probabilities, Statistics::Samples] {
        modes.push((Synapses::Reliable, Masks::Batch, statistics));
        modes.push((Synapses::JointEnergy, Masks::Batch, statistics));
        for masks in [Masks::Batch, Masks::HalfStep, Masks::Example] {
            modes.push((Synapses::PriorMixture, masks, statistics));
        }
    }
    modes
}

/// Random patterns and a state with weights of every size.
pub(in super::super) fn random_case(synapses: Synapses, n: usize, v: usize, h: usize) -> (State, BinaryRows) {
    let draws = Draws::at(77, 0);
    let mut batch = BinaryRows::new(v);
    for example in 0..n {
        let first = (example * v) as u64;
        batch.push(crate::distributions::bernoulli(draws, Stream::Split, first, &vec![0.3; v]));
    }
    let init = Init { hidden_units: h, law: Law::Bernoulli, p0: 0.4, w_sd: 0.5, sd0: 0.1 };
    let mut parameters = Parameters::init(synapses, init, batch.column_means().view(), draws);
    // Probabilities of release from .1 to .9, no two alike.
    let size = parameters.a.len() as f32;
    for (i, a) in parameters.a.iter_mut().enumerate() {
        *a = 4.4 * ((i * 7_919) as f32 % size / size - 0.5);
    }
    let state = State::new(parameters).with_chains(PersistentChains::init(n, h, draws));
    (state, batch)
}

fn stored(state: &State) -> Vec<u8> {
    postcard::to_stdvec(state).expect("a state serialises")
}

/// FNV-1a, 64 bits.
fn fingerprint(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3))
}

/// The state after some steps at a level.
fn after(level: Level, case: (State, BinaryRows), learning: &Learning, steps: u64) -> State {
    let (mut state, batch) = case;
    let images = Images::from(&batch);
    let picks: Vec<u32> = (0..batch.len() as u32).collect();
    let mut scratch = Scratch::default();
    for t in 0..steps {
        step_at(level, &mut state, images.batch(&picks), learning, &mut scratch, Draws::at(3, t));
    }
    state
}

#[test]
fn every_level_learns_the_same_bits() {
    for (synapses, masks, statistics) in modes() {
        for (v, h, chain) in
            [(37, 21, Chain::Pcd { k: 2 }), (130, 200, Chain::Cd { k: 1 }), (300, 65, Chain::Cd { k: 2 })]
        {
            let learning = Learning { masks, statistics, chain, ..Learning::default() };
            let run = |level| stored(&after(level, random_case(synapses, 6, v, h), &learning, 3));
            let expected = run(Level::Portable);
            for &level in Level::available() {
                assert!(run(level) == expected, "{level:?}: {synapses:?} {masks:?} {statistics:?} {v}×{h}");
            }
        }
    }
}

#[test]
fn every_level_trains_a_machine_of_usual_size_to_the_same_bits() {
    // 784 x 500: whole tiles, a last panel of 52 columns, and weights that train for a few steps. The portable level
    // does the arithmetic that defines the others.
    let (plain, per_sample) = (Statistics::Probabilities, Statistics::Samples);
    let (cd, pcd) = (Chain::Cd { k: 1 }, Chain::Pcd { k: 1 });
    for (synapses, masks, statistics, chain, momentum) in [
        (Synapses::Reliable, Masks::Batch, plain, cd, 0.5),
        (Synapses::Reliable, Masks::Batch, per_sample, cd, 0.5),
        (Synapses::Reliable, Masks::Batch, plain, pcd, 0.0),
        (Synapses::PriorMixture, Masks::Batch, plain, cd, 0.5),
        (Synapses::PriorMixture, Masks::HalfStep, plain, cd, 0.5),
        (Synapses::PriorMixture, Masks::Example, plain, cd, 0.5),
        (Synapses::JointEnergy, Masks::Batch, plain, cd, 0.5),
    ] {
        let learning = Learning { masks, statistics, chain, momentum, ..Learning::default() };
        let run = |level| stored(&after(level, random_case(synapses, 10, 784, 500), &learning, 3));
        let expected = run(Level::Portable);
        for &level in &Level::available()[1..] {
            assert!(run(level) == expected, "{level:?}: {synapses:?} {masks:?} {statistics:?} {chain:?}");
        }
    }
}

#[test]
fn learning_gives_the_same_bits_on_every_machine() {
    // Fingerprints of the stored state. If one changes, the numbers of every experiment with these
    // machines change: raise their versions.
    let expected: [u64; 10] = [
        0x6ADF_5DDF_2942_639C,
        0xEA68_AEDB_F444_2C45,
        0x783E_CCAF_0622_4350,
        0x38EF_1734_6279_5EAC,
        0xB1A3_7DEA_47E1_1B3A,
        0xC75D_BF19_0DFA_E7C9,
        0xC1F1_E55E_6105_EF12,
        0xAF56_E513_5931_160F,
        0xC221_BF51_F47B_F9EE,
        0x2034_6C6C_7F96_1E5C,
    ];
    let found: Vec<u64> = modes()
        .into_iter()
        .map(|(synapses, masks, statistics)| {
            let learning = Learning { masks, statistics, ..Learning::default() };
            fingerprint(&stored(&after(
                Level::detected(),
                random_case(synapses, 25, 150, 200),
                &learning,
                20,
            )))
        })
        .collect();
    assert_eq!(found, expected, "{found:#x?}");
}

#[test]
fn a_step_depends_on_the_stored_state_alone() {
    for (synapses, masks, statistics) in modes() {
        let learning =
            Learning { masks, statistics, chain: Chain::Pcd { k: 1 }, momentum: 0.9, ..Learning::default() };
        let (mut state, batch) = random_case(synapses, 7, 40, 70);
        let (mut other, _) = random_case(synapses, 7, 40, 70);
        let mut scratch = Scratch::default();
        for t in 0..6 {
            // One state goes on with one scratch, the other is stored and read with a scratch used elsewhere.
            step_rows(&mut state, &batch, &learning, &mut scratch, Draws::at(3, t));
            other = postcard::from_bytes(&stored(&other)).expect("what was stored is read");
            let mut elsewhere = Scratch::default();
            let (mut third, large) = random_case(Synapses::PriorMixture, 9, 90, 30);
            step_rows(&mut third, &large, &Learning::default(), &mut elsewhere, Draws::at(9, t));
            step_rows(&mut other, &batch, &learning, &mut elsewhere, Draws::at(3, t));
        }
        assert_eq!(state, other, "{synapses:?} {masks:?} {statistics:?}");
        assert_eq!(stored(&state), stored(&other));
    }
}

#[test]
fn a_step_without_momentum_forgets_the_velocities_and_those_after_it_begin_anew() {
    for (synapses, masks, statistics) in modes() {
        let (mut state, batch) = random_case(synapses, 7, 40, 70);
        let (mut other, _) = random_case(synapses, 7, 40, 70);
        for (t, momentum) in [0.5, 0.0, 0.0, 0.9, 0.5, 0.0].into_iter().enumerate() {
            let learning = Learning { masks, statistics, momentum, ..Learning::default() };
            // One state goes on, the other is stored and read, which tells it nothing of its velocities.
            other = postcard::from_bytes(&stored(&other)).expect("what was stored is read");
            for state in [&mut state, &mut other] {
                step_rows(state, &batch, &learning, &mut Scratch::default(), Draws::at(3, t as u64));
            }
            assert_eq!(stored(&state), stored(&other), "{synapses:?} {masks:?} {statistics:?}, step {t}");
            let velocity = state.to_general().velocity;
            let moves = velocity.w.iter().chain(&velocity.b).chain(&velocity.c).any(|&v| v != 0.0);
            assert_eq!(moves, momentum > 0.0, "{synapses:?} {masks:?} {statistics:?}, step {t}");
            assert!(momentum > 0.0 || velocity.a.iter().all(|&v| v == 0.0), "{synapses:?}, step {t}");
        }
    }
}

#[test]
fn steps_out_of_order_make_releases_of_their_own() {
    // The gates made for step 1 must not serve step 5, nor those of one method another.
    for masks in [Masks::Batch, Masks::HalfStep, Masks::Example] {
        let learning = Learning { masks, ..Learning::default() };
        let (mut state, batch) = random_case(Synapses::PriorMixture, 7, 40, 70);
        step_rows(&mut state, &batch, &Learning::default(), &mut Scratch::default(), Draws::at(3, 0));
        let mut fresh: State = postcard::from_bytes(&stored(&state)).expect("what was stored is read");
        for state in [&mut state, &mut fresh] {
            step_rows(state, &batch, &learning, &mut Scratch::default(), Draws::at(3, 5));
        }
        assert_eq!(state, fresh, "{masks:?}");
    }
}

#[test]
fn without_a_rate_the_logits_of_release_stay_bit_by_bit() {
    for (synapses, masks, statistics) in modes() {
        let learning = Learning { masks, statistics, release_rate_ratio: 0.0, ..Learning::default() };
        let (state, _) = random_case(synapses, 7, 40, 70);
        let moved = after(Level::detected(), random_case(synapses, 7, 40, 70), &learning, 5);
        assert_eq!(moved.parameters().a, state.parameters().a);
        assert_ne!(moved.parameters().w, state.parameters().w);
    }
}

#[test]
fn the_general_state_and_the_tiled_one_turn_into_each_other() {
    let (state, _) = random_case(Synapses::PriorMixture, 7, 40, 70);
    let learning = Learning { chain: Chain::Pcd { k: 1 }, ..Learning::default() };
    let state =
        after(Level::detected(), (state, random_case(Synapses::PriorMixture, 7, 40, 70).1), &learning, 2);
    assert_eq!(State::from(state.to_general()), state);
    assert_eq!(stored(&state), postcard::to_stdvec(&state.to_general()).expect("a state serialises"));
}

#[test]
fn reliable_synapses_and_model_a_learn_as_on_the_general_path() {
    // The same draws: what differs is the order of additions, and half precision of the factors of model A.
    for synapses in [Synapses::Reliable, Synapses::JointEnergy] {
        let (mut state, batch) = random_case(synapses, 12, 60, 45);
        let mut general = state.to_general();
        let mut scratch = super::super::super::Scratch::default();
        for (t, momentum) in (0..).zip([0.5, 0.5, 0.0, 0.0, 0.8, 0.5]) {
            let learning = Learning { chain: Chain::Cd { k: 2 }, momentum, ..Learning::default() };
            step_rows(&mut state, &batch, &learning, &mut Scratch::default(), Draws::at(4, t));
            super::super::super::step(&mut general, &batch, &learning, &mut scratch, Draws::at(4, t));
        }
        let (ours, theirs) = (state.parameters(), general.parameters);
        let worst = |x: &ndarray::Array2<f32>, y: &ndarray::Array2<f32>| {
            (x - y).iter().fold(0.0_f32, |worst, x| worst.max(x.abs()))
        };
        // One unit sampled otherwise would show as η/n = 0.008; half precision as 2⁻¹¹ of a change below 1.
        assert!(worst(&ours.w, &theirs.w) < 1e-3 && worst(&ours.a, &theirs.a) < 2e-3, "{synapses:?}");
    }
}

#[test]
#[should_panic(expected = "one persistent chain per example")]
fn a_batch_of_another_size_than_the_chains_is_refused() {
    let (mut state, mut batch) = random_case(Synapses::Reliable, 3, 10, 10);
    batch.push([1, 2]);
    let learning = Learning { chain: Chain::Pcd { k: 1 }, ..Learning::default() };
    step_rows(&mut state, &batch, &learning, &mut Scratch::default(), Draws::at(1, 0));
}

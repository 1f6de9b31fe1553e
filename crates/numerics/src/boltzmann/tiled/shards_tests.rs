use super::super::super::{Chain, Masks, Statistics, Synapses};
use super::super::step::law_tests::{modes, random_case};
use super::super::{Images, step};
use super::*;
use crate::collective::{Alone, tests::together};

fn picks(n: usize) -> Vec<u32> {
    (0..n as u32).collect()
}

#[test]
fn the_bits_depend_on_the_shards_and_not_on_who_computes_them() {
    for (synapses, masks, statistics) in modes() {
        for chain in [Chain::Cd { k: 1 }, Chain::Pcd { k: 2 }] {
            let learning = Learning { masks, statistics, chain, ..Learning::default() };
            let (start, batch) = random_case(synapses, 13, 70, 140);
            let (images, picks) = (Images::from(&batch), picks(13));
            let run = |team: &mut dyn Collective| {
                let (mut state, mut scratch) = (start.clone(), Scratch::default());
                for t in 0..2 {
                    let (batch, draws) = (images.batch(&picks), Draws::at(3, t));
                    step_in_shards(&mut state, batch, (&learning, 4), &mut scratch, draws, team);
                }
                state
            };
            let alone = run(&mut Alone);
            for size in [2, 3, 5] {
                let same = together(size, run).into_iter().all(|state| state == alone);
                assert!(same, "{size} members: {synapses:?} {masks:?} {statistics:?} {chain:?}");
            }
        }
    }
}

#[test]
fn shards_have_the_draws_of_the_whole_and_sum_what_it_sums() {
    for (synapses, masks, statistics) in modes() {
        let learning = Learning { masks, statistics, ..Learning::default() };
        let (whole, batch) = random_case(synapses, 29, 70, 140);
        let (images, picks) = (Images::from(&batch), picks(29));
        let run = |shards: usize| {
            let (mut state, mut scratch) = (whole.clone(), Scratch::default());
            for t in 0..3 {
                let (batch, draws) = (images.batch(&picks), Draws::at(3, t));
                match shards {
                    0 => step(&mut state, batch, &learning, &mut scratch, draws),
                    _ => {
                        let how = (&learning, shards);
                        step_in_shards(&mut state, batch, how, &mut scratch, draws, &mut Alone);
                    }
                }
            }
            state
        };
        let undivided = run(0);
        for shards in [1, 4, 29] {
            let divided = run(shards);
            let differences = differences(&undivided, &divided);
            // A unit sampled otherwise would move a weight by η/n = 0.003 at least; rounding to multiples of 2⁻²⁵ (32
            // examples of 2²⁵ are 2³⁰) moves it by no more than f32 does.
            assert!(differences < 2e-5, "{shards}: {differences} {synapses:?} {masks:?} {statistics:?}");
            // Counts are exact, so samples give the very bits of the undivided step.
            if statistics == Statistics::Samples && synapses == Synapses::Reliable && masks == Masks::Batch {
                assert!(divided == undivided, "{shards} shards");
            }
        }
    }
}

/// The greatest difference of any parameter.
pub(in super::super) fn differences(one: &State, other: &State) -> f32 {
    let values = |state: &State| -> Vec<f32> {
        state.all_lines().into_iter().flatten().flat_map(|line| line.0.as_flattened()).copied().collect()
    };
    values(one).into_iter().zip(values(other)).fold(0.0, |most, (x, y)| most.max((x - y).abs()))
}

#[test]
fn every_level_learns_the_same_bits_in_shards() {
    for (synapses, masks, statistics) in modes() {
        let learning = Learning { masks, statistics, chain: Chain::Pcd { k: 1 }, ..Learning::default() };
        let run = |level| {
            let (mut state, batch) = random_case(synapses, 9, 130, 100);
            let (images, picks) = (Images::from(&batch), picks(9));
            for t in 0..2 {
                let (batch, how) = (images.batch(&picks), (&learning, 3));
                let draws = Draws::at(3, t);
                step_in_shards_at(level, &mut state, batch, how, &mut Scratch::default(), draws, &mut Alone);
            }
            state
        };
        let expected = run(Level::Portable);
        for &level in Level::available() {
            assert!(run(level) == expected, "{level:?}: {synapses:?} {masks:?} {statistics:?}");
        }
    }
}

#[test]
#[should_panic(expected = "14 shards of 13 examples")]
fn more_shards_than_examples_are_refused() {
    let (mut state, batch) = random_case(Synapses::Reliable, 13, 7, 14);
    let (images, picks) = (Images::from(&batch), picks(13));
    let how = (&Learning::default(), 14);
    step_in_shards(
        &mut state,
        images.batch(&picks),
        how,
        &mut Scratch::default(),
        Draws::at(1, 0),
        &mut Alone,
    );
}

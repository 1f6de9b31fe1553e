use super::super::super::{Chain, Statistics, Synapses};
use super::super::Images;
use super::super::shards::tests::differences;
use super::super::step::law_tests::{modes, random_case};
use super::super::{step, step_in_shards};
use super::*;
use crate::collective::{Alone, tests::together};

fn turns<'a>(batch: Batch<'a>, learning: Learning, n: u64) -> Vec<Turn<'a>> {
    (0..n).map(|t| Turn { batch, learning, draws: Draws::at(3, t) }).collect()
}

#[test]
fn the_bits_do_not_depend_on_who_computes_a_shard() {
    for (synapses, masks, statistics) in modes() {
        let learning = Learning { masks, statistics, chain: Chain::Pcd { k: 1 }, ..Learning::default() };
        let (start, batch) = random_case(synapses, 13, 70, 140);
        let (images, picks) = (Images::from(&batch), (0..13).collect::<Vec<u32>>());
        let turns = turns(images.batch(&picks), learning, 3);
        let run = |team: &mut dyn Collective| {
            let mut state = start.clone();
            step_apart(&mut state, (&turns, 4), &mut Scratch::default(), team);
            step_apart(&mut state, (&turns, 4), &mut Scratch::default(), team);
            state
        };
        let alone = run(&mut Alone);
        assert!(alone.chains() != start.chains(), "chains move");
        for size in [2, 3, 5] {
            let same = together(size, run).into_iter().all(|state| state == alone);
            assert!(same, "{size} members: {synapses:?} {masks:?} {statistics:?}");
        }
    }
}

#[test]
fn one_shard_learns_what_an_undivided_machine_does() {
    let learning = Learning { statistics: Statistics::Samples, ..Learning::default() };
    let (start, batch) = random_case(Synapses::Reliable, 13, 70, 140);
    let (images, picks) = (Images::from(&batch), (0..13).collect::<Vec<u32>>());
    let turns = turns(images.batch(&picks), learning, 3);
    let (mut apart, mut whole, mut scratch) = (start.clone(), start.clone(), Scratch::default());
    step_apart(&mut apart, (&turns, 1), &mut scratch, &mut Alone);
    for turn in &turns {
        step(&mut whole, turn.batch, &turn.learning, &mut scratch, turn.draws);
    }
    // Changes are multiples of 2⁻⁴⁰, and parameters of this size have f32 spacings of 2⁻²³ and less.
    assert!(differences(&apart, &whole) < 3e-7);
}

#[test]
fn after_one_mini_batch_the_average_of_shards_is_the_step_of_the_whole() {
    // From velocities of 0 one step is linear in the statistics: the mean over shards of equal size is that of all.
    let learning = Learning::default();
    let (start, batch) = random_case(Synapses::Reliable, 12, 70, 140);
    let (images, picks) = (Images::from(&batch), (0..12).collect::<Vec<u32>>());
    let batch = images.batch(&picks);
    let (mut apart, mut together, mut scratch) = (start.clone(), start.clone(), Scratch::default());
    step_apart(&mut apart, (&turns(batch, learning, 1), 4), &mut scratch, &mut Alone);
    step_in_shards(&mut together, batch, (&learning, 4), &mut scratch, Draws::at(3, 0), &mut Alone);
    assert!(differences(&apart, &together) < 1e-6);
    // And after two it is not: this is another algorithm.
    step_apart(&mut apart, (&turns(batch, learning, 2), 4), &mut scratch, &mut Alone);
    for t in 0..2 {
        step_in_shards(&mut together, batch, (&learning, 4), &mut scratch, Draws::at(3, t), &mut Alone);
    }
    assert!(differences(&apart, &together) > 1e-4);
}

#[test]
fn what_is_not_finite_in_one_shard_shows_in_all() {
    let (mut state, batch) = random_case(Synapses::Reliable, 12, 7, 14);
    let (images, picks) = (Images::from(&batch), (0..12).collect::<Vec<u32>>());
    let wild = Learning { eta_w: 1e39, ..Learning::default() };
    let turns = turns(images.batch(&picks), wild, 2);
    step_apart(&mut state, (&turns, 2), &mut Scratch::default(), &mut Alone);
    assert!(state.parameters().w.iter().all(|w| w.is_nan()));
}

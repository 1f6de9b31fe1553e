use super::*;
use experiments::{Advance, Setup, digits8x8, find};
use serde_json::json;

use crate::Gang;

#[test]
fn sums_are_those_of_all_members_turn_by_turn() {
    for size in [1, 2, 3, 5] {
        let sums = together(size, |team| {
            let mut all = Vec::new();
            // Of no cell, one and several, shrinking and growing again.
            for n in [0, 3, 3 * CELL + 7, 1, CELL, 50_000] {
                let give = |i: usize| (i * (team.rank() + 1)) as i64 + 1;
                let mut wide: Vec<i64> = (0..n).map(give).collect();
                let mut narrow: Vec<i32> = wide.iter().map(|&x| x as i32).collect();
                team.sum_i32(&mut narrow);
                team.sum_i64(&mut wide);
                assert!(narrow.iter().zip(&wide).all(|(&x, &y)| i64::from(x) == y));
                all.push(wide);
            }
            all
        });
        let expected = |i: usize| (i * size * (size + 1) / 2 + size) as i64;
        for (rank, sums) in sums.iter().enumerate() {
            for sum in sums {
                assert!(sum.iter().enumerate().all(|(i, &x)| x == expected(i)), "member {rank} of {size}");
            }
        }
    }
}

#[test]
fn sums_wrap_around() {
    let sums = together(2, |team| {
        let mut numbers = [i32::MAX];
        team.sum_i32(&mut numbers);
        numbers[0]
    });
    assert_eq!(sums, [-2, -2]);
}

#[test]
fn everybody_hears_what_the_first_says() {
    let heard = together(3, |team| {
        (0..100_u8)
            .map(|turn| {
                let mut bytes = [turn.wrapping_mul(team.rank() as u8 + 1); 2];
                team.broadcast(&mut bytes);
                bytes[1]
            })
            .collect::<Vec<u8>>()
    });
    assert!(heard.iter().all(|heard| heard.iter().copied().eq(0..100)));
}

#[test]
fn nobody_waits_for_a_member_that_is_lost() {
    let outcomes = std::panic::catch_unwind(|| {
        together(3, |team| {
            assert!(team.rank() != 1, "told to");
            team.barrier();
        })
    });
    assert!(outcomes.is_err());
}

/// A short run of `rbm`, as its last word and what it said before.
fn run(gang: Gang, more: serde_json::Value, checkpoint: Option<(u64, Vec<u8>)>) -> Run {
    let kind = find("rbm").expect("in the catalogue");
    let small = json!({"hidden_units": 70, "batch": 26, "epochs": 1, "train_images": 300, "test_images": 20});
    let mut params = small.as_object().expect("an object").clone();
    params.extend(more.as_object().expect("an object").clone());
    let params = kind.resolve(None, &params).expect("valid params");
    let setup = Setup { params, seed: 3, data: digits8x8(), sources: Vec::new(), every: Some(4) };
    let mut simulation = gang.begin(kind, setup, checkpoint.map(|(_, bytes)| bytes)).expect("begins");
    let mut half = Vec::new();
    loop {
        if simulation.step() == 6 && half.is_empty() {
            half = simulation.checkpoint();
        }
        if let Advance::Done(digest) = simulation.advance() {
            return Run { digest: digest.to_string(), half };
        }
    }
}

struct Run {
    digest: String,
    half: Vec<u8>,
}

#[test]
fn a_run_with_shards_has_one_digest_whoever_computes_it_and_wherever_it_goes_on() {
    for more in [
        json!({"shards": 4}),
        json!({"shards": 4, "rule": "pcd", "statistics": "samples"}),
        json!({"shards": 3, "sync_every": 2, "epochs": 2}),
    ] {
        let alone = run(Gang::Alone, more.clone(), None);
        for threads in [2, 4, 5] {
            let gang = run(Gang::Threads(threads), more.clone(), None);
            assert_eq!(gang.digest, alone.digest, "{threads} threads, {more}");
            let resumed = run(Gang::Threads(2), more.clone(), Some((6, gang.half)));
            assert_eq!(resumed.digest, alone.digest, "from a checkpoint of {threads} threads, {more}");
        }
    }
    // What would be seen if the gang did nothing, or shards were not in the params.
    let undivided = run(Gang::Threads(2), json!({}), None);
    assert_ne!(undivided.digest, run(Gang::Threads(2), json!({"shards": 4}), None).digest);
}

#[test]
fn a_run_without_shards_is_the_leaders_own() {
    assert_eq!(run(Gang::Threads(3), json!({}), None).digest, run(Gang::Alone, json!({}), None).digest);
}

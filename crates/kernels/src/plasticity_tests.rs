use proptest::prelude::*;

use super::*;
use crate::Level;

const RULE: Rule = Rule { eta: 0.01, gain: 2.0, floor: -6.0 };

fn numbers(n: usize, seed: u32, low: f32, high: f32) -> Vec<f32> {
    let word = |i: usize| (i as u32 + 1).wrapping_mul(2_654_435_761).wrapping_add(seed.wrapping_mul(40_503));
    (0..n).map(|i| low + (high - low) * sample::uniform(word(i).wrapping_mul(2_246_822_519))).collect()
}

#[test]
fn a_synapse_learns_as_the_rule_says() {
    let mut w = [-1.0, -1.0, -5.9995, -5.9];
    learn(&mut w, &[1.0, 0.0, 0.0, 1.0], RULE);
    let e = libm::expf(-1.0);
    let expected = [-1.0 + 0.01 * (2.0 - e) / e, -1.01, -6.0, -5.9 + 0.01 * (2.0 - libm::expf(-5.9)) / 0.02];
    for (found, expected) in w.into_iter().zip(expected) {
        assert!((found - expected).abs() < 2e-6, "{found} {expected}");
    }
}

#[test]
fn the_rate_of_a_tracked_synapse_is_its_variance_over_that_of_its_probability() {
    let (mut w, mut first, mut second) = ([-1.0], [-1.1], [2.2]);
    learn_tracking(&mut w, &mut first, &mut second, &[1.0], RULE);
    let eta = 0.01 * (2.2 - 1.21) / (2.0 * libm::expf(1.1) + 1.0);
    let expected = -1.0 + eta * (2.0 * libm::expf(1.0) - 1.0);
    assert!((w[0] - expected).abs() < 1e-6);
    assert!((first[0] - (-1.1 + eta * (expected + 1.1))).abs() < 1e-6);
    assert!((second[0] - (2.2 + eta * (expected * expected - 2.2))).abs() < 1e-6);
}

#[test]
fn a_scaled_sum_starts_from_what_the_output_holds() {
    let mut out = [1.0, 2.0];
    add_scaled_rows(&[1.0, 2.0, 3.0, 4.0], &[1, 0, 1], &[2.0, 10.0, 0.5], &mut out);
    assert_eq!(out, [1.0 + 6.0 + 10.0 + 1.5, 2.0 + 8.0 + 20.0 + 2.0]);
}

#[test]
#[should_panic(expected = "a row of the table")]
fn a_scaled_row_outside_the_table_is_refused() {
    add_scaled_rows(&[1.0; 4], &[2], &[1.0], &mut [0.0; 2]);
}

#[test]
fn exponential_numbers_are_logarithms_of_the_rest() {
    let mut out = [0.0; 3];
    exponentials(&[0, 1 << 31, !0], &mut out);
    assert_eq!(out[0], 0.0);
    assert!((f64::from(out[1]) - std::f64::consts::LN_2).abs() < 1e-6);
    assert!((f64::from(out[2]) - 24.0 * std::f64::consts::LN_2).abs() < 1e-5);
}

proptest! {
    #[test]
    fn every_level_learns_and_adds_alike(n in 0_usize..90, seed in 0_u32..1000) {
        let (w, y) = (numbers(n, seed, -6.0, 1.0), numbers(n, seed + 7, 0.0, 1.3));
        let (first, second) = (numbers(n, seed + 1, -5.0, 0.0), numbers(n, seed + 2, 25.0, 30.0));
        let learned = |level| {
            let mut faded = w.clone();
            fade_at(level, &mut faded, RULE);
            let (mut plain, mut tracked) = (w.clone(), (w.clone(), first.clone(), second.clone()));
            learn_at(level, &mut plain, &y, RULE);
            learn_tracking_at(level, &mut tracked.0, &mut tracked.1, &mut tracked.2, &y, RULE);
            let mut product = 0.0;
            dot_at(level, &w, &y, &mut product);
            (plain, tracked, product, faded)
        };
        let portable = learned(Level::Portable);
        let mut zeros = w.clone();
        learn(&mut zeros, &vec![0.0; n], RULE);
        prop_assert_eq!(&portable.3, &zeros);
        let exact = w.iter().zip(&y).fold(0.0, |sum, (w, y)| sum + f64::from(*w) * f64::from(*y));
        // n terms below 8: an error of at most n/2 roundings of 8 n.
        prop_assert!((f64::from(portable.2) - exact).abs() <= 6e-8 * 4.0 * (n * n) as f64);
        for &level in Level::available() {
            prop_assert_eq!(&learned(level), &portable);
        }
    }

    #[test]
    fn every_level_adds_scaled_rows_in_their_order(width in 1_usize..150, n in 0_usize..9, seed in 0_u32..1000) {
        let table = numbers(6 * width, seed, -3.0, 3.0);
        let rows: Vec<u32> = (0..n as u32).map(|i| (i * 5 + seed) % 6).collect();
        let factors = numbers(n, seed + 3, 0.0, 1.0);
        let start = numbers(width, seed + 4, -1.0, 1.0);
        let plain: Vec<f32> = (0..width)
            .map(|j| {
                let term = |sum: f32, (&row, factor): (&u32, &f32)| sum + factor * table[row as usize * width + j];
                rows.iter().zip(&factors).fold(start[j], term)
            })
            .collect();
        for &level in Level::available() {
            let mut out = start.clone();
            add_scaled_rows_at(level, &table, &rows, &factors, &mut out);
            prop_assert_eq!(&out, &plain);
        }
    }

    #[test]
    fn every_level_draws_the_same_exponential_numbers(words in prop::collection::vec(any::<u32>(), 0..80)) {
        let mut portable = vec![0.0; words.len()];
        exponentials_at(Level::Portable, &words, &mut portable);
        for &level in Level::available() {
            let mut out = vec![0.0; words.len()];
            exponentials_at(level, &words, &mut out);
            prop_assert_eq!(&out, &portable);
        }
    }
}

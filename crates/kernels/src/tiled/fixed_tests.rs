use super::super::lists::Bits;
use super::super::statistics::{Kind, Pairs, Side, Table, pair, tabulate_samples};
use super::super::units::{Inputs, tabulate};
use super::super::{Line, Matrix, ascent};
use super::*;
use crate::Level;

/// States of some units: random bits, from a seed.
fn states(units: usize, examples: usize, seed: u64) -> Vec<u64> {
    let (words, mut x) = (units.div_ceil(64), seed | 1);
    let mut all = Vec::new();
    for at in 0..examples * words {
        x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let real = u64::MAX >> (64 - (units - at % words * 64).min(64));
        all.push((x ^ x >> 31) & real);
    }
    all
}

fn is_on(words: &[u64], units: usize, example: usize, unit: usize) -> bool {
    words[example * units.div_ceil(64) + unit / 64] >> (unit % 64) & 1 == 1
}

/// States of both layers at both ends of the chain.
struct Case {
    v: usize,
    h: usize,
    n: usize,
    visible: [Vec<u64>; 2],
    hidden: [Vec<u64>; 2],
}

impl Case {
    fn random(v: usize, h: usize, n: usize) -> Self {
        let two = |units, seed| [states(units, n, seed), states(units, n, seed + 1)];
        Self { v, h, n, visible: two(v, 5), hidden: two(h, 77) }
    }

    fn part(&self, level: Level, rows: std::ops::Range<usize>) -> (Table, Pairs) {
        let (mut table, mut pairs) = (Table::default(), Pairs::default());
        table.reset(Kind::Samples, self.h, rows.len());
        let cut = |words: &'_ Vec<u64>, units: usize| {
            words[rows.start * units.div_ceil(64)..rows.end * units.div_ceil(64)].to_vec()
        };
        for (side, words) in [Side::Data, Side::Model].into_iter().zip(&self.hidden) {
            tabulate_samples(level, Bits { words: &cut(words, self.h), units: self.h }, &mut table, side);
        }
        let [data, model] = self.visible.each_ref().map(|words| cut(words, self.v));
        let [data, model] = [&data, &model].map(|words| Bits { words, units: self.v });
        pair(level, data, model, &mut pairs);
        (table, pairs)
    }

    fn sums(&self, level: Level, cuts: &[usize]) -> FixedStatistics {
        let mut sums = FixedStatistics::default();
        sums.reset(self.v, self.h, self.n);
        for rows in cuts.windows(2) {
            let (table, pairs) = self.part(level, rows[0]..rows[1]);
            add_statistics(level, Tabulated { table: &table, pairs: &pairs }, &mut sums);
        }
        sums
    }

    fn count(&self, i: usize, j: usize) -> i32 {
        let both = |side: usize, e| {
            is_on(&self.visible[side], self.v, e, i) && is_on(&self.hidden[side], self.h, e, j)
        };
        (0..self.n).map(|e| i32::from(both(0, e)) - i32::from(both(1, e))).sum()
    }
}

fn at(sums: &FixedStatistics, row: usize, column: usize) -> i32 {
    let stride = sums.rows.next_multiple_of(16);
    sums.lines()[column / 64 * stride + row].as_flattened()[column % 64]
}

#[test]
fn counts_are_exact_however_the_examples_are_cut() {
    let case = Case::random(37, 130, 300);
    let one = scale(300) as i32;
    assert_eq!(one, 1 << 21, "512 examples of 2^21 are 2^30");
    for &level in Level::available() {
        for cuts in [&[0, 300][..], &[0, 1, 100, 227, 300], &[0, 127, 254, 300]] {
            let sums = case.sums(level, cuts);
            for (i, j) in (0..37).flat_map(|i| (0..130).map(move |j| (i, j))) {
                assert_eq!(at(&sums, i, j), one * case.count(i, j), "{level:?} {cuts:?}: {i}, {j}");
            }
        }
    }
}

#[test]
fn ascending_along_fixed_counts_is_ascending_along_the_counts() {
    let case = Case::random(21, 70, 90);
    let rates = ascent::Rates { w: 0.1, a: 0.0, momentum: 0.5, decay: 0.01, a_limit: 8.0 };
    for &level in Level::available() {
        let (table, pairs) = case.part(level, 0..90);
        let sums = case.sums(level, &[0, 45, 90]);
        let tabulated = ascent::Statistics::Tabulated(Tabulated { table: &table, pairs: &pairs });
        let climbed = [tabulated, ascent::Statistics::Fixed(&sums)].map(|statistics| {
            let values: Vec<f32> = (0..21 * 70).map(|i| (i % 17) as f32 * 0.01).collect();
            let [mut x, mut velocity] =
                [&values, &vec![0.0; 21 * 70]].map(|x| Matrix::from_values(21, 70, x));
            ascent::ascend(level, statistics, ascent::Moving { x: &mut x, velocity: &mut velocity }, rates);
            (x, velocity)
        });
        assert!(climbed[0] == climbed[1], "{level:?}");
        assert!(climbed[0].1.values().any(|x| x != 0.0));
    }
}

#[test]
fn the_greatest_statistics_fit_and_what_is_no_number_is_the_same_at_every_level() {
    for &level in Level::available() {
        for (input, expected) in [(90.0, 1 << 30), (f32::NAN, i32::MIN)] {
            let n = 4096;
            let (mut table, mut pairs) = (Table::default(), Pairs::default());
            table.reset(Kind::Probabilities, 1, n);
            for (side, x) in [(Side::Data, input), (Side::Model, -90.0)] {
                let lines = vec![Line([[x; 16]; 4]); n];
                let inputs = Inputs { lines: &lines, units: 1, examples: n };
                tabulate(level, inputs, None, &mut [], &mut table, side);
            }
            let (on, off) = (vec![1; n], vec![0; n]);
            let [data, model] = [&on, &off].map(|words| Bits { words, units: 1 });
            pair(level, data, model, &mut pairs);
            let mut sums = FixedStatistics::default();
            sums.reset(1, 1, n);
            add_statistics(level, Tabulated { table: &table, pairs: &pairs }, &mut sums);
            assert_eq!(at(&sums, 0, 0), expected, "{level:?} {input}");
        }
    }
}

#[test]
fn one_is_the_greatest_power_of_two_that_keeps_all_examples_within_the_limit() {
    for n in [1, 2, 3, 64, 100, 127, 128, 129, 1000, 4096] {
        let one = scale(n) as usize;
        assert!(one.is_power_of_two() && n * one <= LIMIT && 2 * n * one > LIMIT, "{n}: {one}");
        assert_eq!(
            (to_fixed(n as f32, scale(n)), to_fixed(-0.5, scale(n))),
            ((n * one) as i32, -(one as i32) / 2)
        );
    }
}

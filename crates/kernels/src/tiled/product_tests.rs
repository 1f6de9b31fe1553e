use super::super::lists::{Bits, Blocks, list, list_changes};
use super::*;
use crate::Level;
use proptest::prelude::*;

/// A matrix whose values are small whole numbers: sums are exact in any order.
fn whole_numbers(rows: usize, columns: usize) -> Matrix {
    let values: Vec<f32> = (0..rows * columns).map(|i| (i * 37 % 41) as f32 - 20.0).collect();
    Matrix::from_values(rows, columns, &values)
}

fn is_on(words: &[u64], units: usize, example: usize, unit: usize) -> bool {
    words[example * units.div_ceil(64) + unit / 64] >> (unit % 64) & 1 == 1
}

/// Random states of some examples.
fn states(units: usize, examples: usize, seed: u64) -> Vec<u64> {
    let mut x = seed | 1;
    (0..examples * units.div_ceil(64))
        .map(|_| {
            x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            x ^ x >> 29
        })
        .collect()
}

/// Column j of example e of a product in panels.
fn at(out: &[Line], examples: usize, e: usize, j: usize) -> f32 {
    out[j / 64 * examples + e].0.as_flattened()[j % 64]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn products_are_sums_over_the_units_that_are_on(
        v in 1_usize..300, h in 1_usize..200, seed: u64, some_released: bool,
    ) {
        let (examples, matrix) = (3, whole_numbers(v, h));
        let bits = states(64, matrix.lines().len(), seed ^ 5);
        let weights = Weights { matrix: &matrix, released: some_released.then_some(&bits[..]) };
        let weight = |i: usize, j: usize| {
            let released = !some_released || bits[j / 64 * matrix.stride() + i] >> (j % 64) & 1 == 1;
            if released { matrix.at(i, j) } else { 0.0 }
        };
        for &level in Level::available() {
            for (from, to, up) in [(v, h, true), (h, v, false)] {
                let words = states(from, examples, seed);
                let bits = Bits { words: &words, units: from };
                let bias = vec![Line([[0.5; 16]; 4]); to.div_ceil(64)];
                let mut out = vec![Line::ZERO; to.div_ceil(64) * examples];
                if up {
                    let mut active = Active::default();
                    list(level, bits, Blocks::Tiles, &mut active);
                    forward(level, weights, Product { active: &active, bias: &bias, out: &mut out });
                } else {
                    let mut groups = Groups::default();
                    groups.set(bits);
                    backward(level, weights, GroupProduct { groups: &groups, bias: &bias, out: &mut out });
                }
                for e in 0..examples {
                    for j in 0..to {
                        let expected: f32 = (0..from)
                            .filter(|&i| is_on(&words, from, e, i))
                            .map(|i| if up { weight(i, j) } else { weight(j, i) })
                            .sum();
                        prop_assert_eq!(at(&out, examples, e, j), 0.5 + expected, "{:?} {} {}", level, e, j);
                    }
                }
            }
        }
    }

    #[test]
    fn a_product_by_differences_is_the_product_of_the_later_state(v in 1_usize..300, h in 1_usize..200, seed: u64) {
        let (examples, matrix) = (3, whole_numbers(v, h));
        let (before, after) = (states(v, examples, seed), states(v, examples, !seed));
        let bias = vec![Line::ZERO; h.div_ceil(64)];
        for &level in Level::available() {
            let whole = |words: &[u64]| {
                let mut active = Active::default();
                list(level, Bits { words, units: v }, Blocks::Tiles, &mut active);
                let mut out = vec![Line::ZERO; h.div_ceil(64) * examples];
                let weights = Weights { matrix: &matrix, released: None };
                forward(level, weights, Product { active: &active, bias: &bias, out: &mut out });
                out
            };
            let (mut on, mut off) = (Active::default(), Active::default());
            let state = |words| Bits { words, units: v };
            list_changes(level, state(&before), state(&after), &mut on, &mut off);
            let mut out = vec![Line::ZERO; h.div_ceil(64) * examples];
            forward_changed(level, &matrix, &on, &off, &whole(&before), &mut out);
            let expected = whole(&after);
            for e in 0..examples {
                for j in 0..h {
                    prop_assert_eq!(at(&out, examples, e, j), at(&expected, examples, e, j));
                }
            }
        }
    }
}

#[test]
fn the_downward_product_of_an_example_depends_on_nothing_else() {
    // Its sums are those of rows in order, whatever the other examples are and however many.
    let (v, h) = (37, 70);
    let values: Vec<f32> = (0..v * h).map(|i| ((i * 7_919 % 10_007) as f32).sqrt() - 50.0).collect();
    let matrix = Matrix::from_values(v, h, &values);
    let weights = Weights { matrix: &matrix, released: None };
    for &level in Level::available() {
        let product = |words: &[u64]| {
            let mut groups = Groups::default();
            groups.set(Bits { words, units: h });
            let (bias, mut out) = ([Line([[0.1; 16]; 4])], vec![Line::ZERO; groups.examples()]);
            backward(level, weights, GroupProduct { groups: &groups, bias: &bias, out: &mut out });
            out
        };
        let words = states(h, 300, 9);
        let together = product(&words);
        for e in [0, 1, 99, 255, 256, 299] {
            assert_eq!(product(&words[2 * e..2 * e + 2])[0], together[e], "{level:?}, example {e}");
            let fours = (0..h).step_by(4).map(|first| {
                let on = (first..h.min(first + 4)).filter(|&j| is_on(&words, h, e, j));
                on.fold([0.0; 37], |sum, j| std::array::from_fn(|i: usize| sum[i] + matrix.at(i, j)))
            });
            let expected = fours.fold([0.1_f32; 37], |sum, four| std::array::from_fn(|i| sum[i] + four[i]));
            assert_eq!(together[e].0.as_flattened()[..v], expected, "{level:?}, example {e}");
        }
    }
}

#[test]
#[should_panic(expected = "one row per unit")]
fn lists_of_other_units_are_refused() {
    let matrix = whole_numbers(70, 10);
    let mut active = Active::default();
    list(Level::Portable, Bits { words: &[0; 2], units: 71 }, Blocks::Tiles, &mut active);
    let product = Product { active: &active, bias: &[Line::ZERO], out: &mut [Line::ZERO] };
    forward(Level::Portable, Weights { matrix: &matrix, released: None }, product);
}

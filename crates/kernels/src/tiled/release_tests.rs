//! Releases: how often, and that they are independent.

use super::ascent::{MixtureGates, Releases, derive_mixture};
use super::lists::{Active, Bits, Blocks, list};
use super::product::{Product, backward_released, forward_released};
use super::{Line, MaskDraws, Matrix};
use crate::Level;

/// One probability a column, every upper byte once, lower bytes of every size.
const COLUMNS: usize = 256;

/// The threshold of a column, in 65,536ths.
fn threshold(column: usize) -> u32 {
    (256 * column + column * 97 % 256).max(3) as u32
}

/// Logits of the columns' probabilities, for that many rows.
fn logits(rows: usize) -> Vec<f32> {
    let logit = |column| {
        let p = f64::from(threshold(column)) / 65_536.0;
        libm::log(p / (1.0 - p)) as f32
    };
    let row: Vec<f32> = (0..COLUMNS).map(logit).collect();
    row.repeat(rows)
}

fn draws(phase: u32) -> MaskDraws {
    MaskDraws { key: [11, 12, 13, 14], step: 7, phase, first: 0 }
}

/// Checks counts of releases out of n for each column.
fn check(counts: &[f64], n: f64) {
    let mut chi_square = 0.0;
    for (column, count) in counts.iter().enumerate() {
        let p = f64::from(threshold(column)) / 65_536.0;
        let z = (count - n * p) / (n * p * (1.0 - p)).sqrt();
        // |z| ≥ 5 by chance once in 7,000 tests of 256 columns; the draws are fixed.
        assert!(z.abs() < 5.0, "column {column}: {count} of {n}, p = {p}: {z} standard errors");
        chi_square += z * z;
    }
    // 256 degrees of freedom: mean 256, standard deviation 22.6.
    assert!((chi_square - 256.0).abs() < 5.0 * 22.6, "chi-square {chi_square}");
}

/// How often each column releases, for all units on in all examples: (panels, examples) of sums of ones.
fn column_sums(out: &[Line], examples: usize) -> Vec<f64> {
    let mut sums = vec![0.0; out.len() / examples * 64];
    for (at, line) in out.iter().enumerate() {
        for (j, x) in line.0.as_flattened().iter().enumerate() {
            sums[at / examples * 64 + j] += f64::from(*x);
        }
    }
    sums
}

#[test]
fn a_synapse_of_an_example_releases_with_its_probability_to_16_bits() {
    let (level, rows, examples, phases) = (Level::detected(), 784, 50, 40);
    let (weights, a) = (vec![1.0; rows * COLUMNS], logits(rows));
    let words = vec![u64::MAX; examples * rows.div_ceil(64)];
    let mut active = Active::default();
    list(level, Bits { words: &words, units: rows }, Blocks::Tiles, &mut active);
    let bias = vec![Line::ZERO; rows.div_ceil(64)];

    // Up: probabilities in the columns of the matrix.
    let (w, up) = (Matrix::from_values(rows, COLUMNS, &weights), Matrix::from_values(rows, COLUMNS, &a));
    // Down: the same of the transpose.
    let turned: Vec<f32> = (0..COLUMNS).flat_map(|i| vec![a[i]; rows]).collect();
    let (w_down, down) =
        (Matrix::from_values(COLUMNS, rows, &weights), Matrix::from_values(COLUMNS, rows, &turned));
    let mut counts = [vec![0.0; COLUMNS], vec![0.0; COLUMNS]];
    let mut out = vec![Line::ZERO; COLUMNS / 64 * examples];
    for phase in 0..phases {
        for (direction, counts) in counts.iter_mut().enumerate() {
            let (matrix, a) = if direction == 0 { (&w, &up) } else { (&w_down, &down) };
            let mut gates = MixtureGates::default();
            derive_mixture(level, a, Releases::Examples, &mut gates);
            let product = Product { active: &active, bias: &bias[..COLUMNS / 64], out: &mut out };
            let run = if direction == 0 { forward_released } else { backward_released };
            run(level, matrix, gates.thresholds(), draws(2 * phase + direction as u32), product);
            for (count, sum) in counts.iter_mut().zip(column_sums(&out, examples)) {
                *count += sum;
            }
        }
    }
    for counts in counts {
        check(&counts, (rows * examples) as f64 * f64::from(phases));
    }
}

#[test]
fn a_synapse_of_a_shared_mask_releases_with_its_probability_to_16_bits() {
    let (level, rows, phases) = (Level::detected(), 784, 400);
    let a = Matrix::from_values(rows, COLUMNS, &logits(rows));
    let mut gates = MixtureGates::default();
    derive_mixture(level, &a, Releases::HalfSteps(draws(0), phases), &mut gates);
    let mut counts = vec![0.0; COLUMNS];
    for phase in 0..phases as usize {
        for (at, bits) in gates.shared(phase).iter().enumerate() {
            for j in 0..64 {
                counts[at / a.stride() * 64 + j] += (bits >> j & 1) as f64;
            }
        }
    }
    check(&counts, rows as f64 * f64::from(phases));
}

/// Releases of 16 rows as bits of a number, for each phase, example and column; every p the same.
fn releases_of(p: f64, examples: usize, phases: u32) -> Vec<Vec<Vec<u32>>> {
    let level = Level::detected();
    let rows = 16;
    // Row i weighs 2ⁱ: the sum tells which rows released.
    let weights: Vec<f32> = (0..rows * COLUMNS).map(|at| f32::from(1_u16 << (at / COLUMNS))).collect();
    let w = Matrix::from_values(rows, COLUMNS, &weights);
    let logit = libm::log(p / (1.0 - p)) as f32;
    let mut gates = MixtureGates::default();
    derive_mixture(
        level,
        &Matrix::from_values(rows, COLUMNS, &vec![logit; rows * COLUMNS]),
        Releases::Examples,
        &mut gates,
    );
    let mut active = Active::default();
    list(level, Bits { words: &vec![u64::MAX; examples], units: rows }, Blocks::Tiles, &mut active);
    let mut out = vec![Line::ZERO; COLUMNS / 64 * examples];
    (0..phases)
        .map(|phase| {
            let product = Product { active: &active, bias: &[Line::ZERO; COLUMNS / 64], out: &mut out };
            forward_released(level, &w, gates.thresholds(), draws(phase), product);
            let at =
                |example: usize, j: usize| out[j / 64 * examples + example].0.as_flattened()[j % 64] as u32;
            (0..examples).map(|example| (0..COLUMNS).map(|j| at(example, j)).collect()).collect()
        })
        .collect()
}

#[test]
fn releases_of_neighbouring_examples_rows_columns_and_half_sweeps_are_independent() {
    let (examples, phases) = (64, 8);
    for p in [0.5, 0.3, 0.97] {
        let found = releases_of(p, examples, phases);
        // Both of a pair released: by example, row, column, phase.
        let mut both = [0_u32; 4];
        let mut pairs = [0_u32; 4];
        for phase in 0..phases as usize {
            for example in 0..examples {
                for j in 0..COLUMNS {
                    let x = found[phase][example][j];
                    let neighbours = [
                        found[phase].get(example + 1).map(|next| next[j]),
                        None,
                        found[phase][example].get(j + 1).copied(),
                        found.get(phase + 1).map(|next| next[example][j]),
                    ];
                    for (k, neighbour) in neighbours.into_iter().enumerate() {
                        if let Some(y) = neighbour {
                            both[k] += (x & y).count_ones();
                            pairs[k] += 16;
                        }
                    }
                    both[1] += (x & x >> 1).count_ones();
                    pairs[1] += 15;
                }
            }
        }
        let exact = libm::round(65_536.0 * p) / 65_536.0;
        for (name, (both, pairs)) in
            ["example", "row", "column", "half sweep"].iter().zip(both.iter().zip(pairs))
        {
            // Overlapping pairs of a chain: the variance of the mean is p²(1 − p²) + 2 p³(1 − p) over n. Rows share a
            // second byte, a covariance below 4e-6, far below a standard error here (3e-4).
            let variance =
                exact * exact * (1.0 - exact * exact) + 2.0 * exact * exact * exact * (1.0 - exact);
            let z =
                (f64::from(*both) / f64::from(pairs) - exact * exact) / (variance / f64::from(pairs)).sqrt();
            // Twelve tests: |z| ≥ 5 by chance once in 140,000; the draws are fixed.
            assert!(z.abs() < 5.0, "p {p}: pairs by {name} release together {z} standard errors too often");
        }
    }
}

#[test]
fn rows_that_only_ties_release_share_no_more_than_their_second_byte() {
    // p < 1/256: a release needs a tie. Rows of one example and column both tie with 2⁻¹⁶, and then decide together.
    let found = releases_of(128.0 / 65_536.0, 64, 40);
    let (mut both, mut ones, mut n) = (0_u32, 0_u32, 0_u32);
    for x in found.iter().flatten().flatten() {
        both += (x & x >> 1).count_ones();
        ones += x.count_ones();
        n += 16;
    }
    let (p, pairs) = (f64::from(ones) / f64::from(n), f64::from(n) * 15.0 / 16.0);
    assert!((p - 1.0 / 512.0).abs() < 5.0 * (p / f64::from(n)).sqrt());
    // Expected 2⁻¹⁷ of the pairs: 75 of them; independent rows would show half as many.
    let expected = pairs / 131_072.0;
    assert!((f64::from(both) - expected).abs() < 5.0 * expected.sqrt(), "{both} pairs, {expected} expected");
}

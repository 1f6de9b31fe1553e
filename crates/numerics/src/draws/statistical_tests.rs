//! Statistical tests of the draws. Every verdict is a standard normal z (or a χ² brought to one) held
//! to |z| < 4.9: 1e-6 by chance for each of the fewer than 600 verdicts, 6e-4 for the family. Seeds are
//! fixed, so a test that passes goes on passing.

use super::*;
use crate::stats;

const LIMIT: f64 = 4.9;
const N: usize = 1 << 18;

fn assert_normal(z: f64, what: &str) {
    assert!(z.abs() < LIMIT, "{what}: z = {z:.2}");
}

fn uniforms(seed: u64, step: u64, stream: Stream, first: u64) -> Vec<f64> {
    let mut u = vec![0.0; N];
    Draws::at(seed, step).fill_uniform(stream, first, &mut u);
    u.into_iter().map(f64::from).collect()
}

/// χ² of counts against equal expectations, as a z (Wilson and Hilferty's cube root).
fn chi_square_z(counts: &[u64]) -> f64 {
    let total: u64 = counts.iter().sum();
    let expected = total as f64 / counts.len() as f64;
    let chi_square: f64 =
        counts.iter().map(|c| (*c as f64 - expected) * (*c as f64 - expected) / expected).sum();
    let degrees = counts.len() as f64 - 1.0;
    let spread = 2.0 / (9.0 * degrees);
    (libm::cbrt(chi_square / degrees) - (1.0 - spread)) / spread.sqrt()
}

/// z of the correlation of two uniform samples: Σ 12 (x − ½)(y − ½)/√n.
fn correlation_z(x: &[f64], y: &[f64]) -> f64 {
    let terms: Vec<f64> = x.iter().zip(y).map(|(x, y)| 12.0 * (x - 0.5) * (y - 0.5)).collect();
    stats::sum(&terms) / (terms.len() as f64).sqrt()
}

/// z of the joint counts of pairs on a 32 × 32 grid.
fn pairs_z(x: &[f64], y: &[f64]) -> f64 {
    let mut counts = vec![0; 1_024];
    for (x, y) in x.iter().zip(y) {
        counts[(x * 32.0) as usize * 32 + (y * 32.0) as usize] += 1;
    }
    chi_square_z(&counts)
}

#[test]
fn every_byte_of_a_word_is_uniform() {
    let mut words = vec![0; 4 * N];
    Draws::at(1, 0).fill_u32(Stream::Hidden, 0, &mut words);
    for byte in 0..4 {
        for word_of_block in 0..4 {
            let mut counts = vec![0; 256];
            for word in words.iter().skip(word_of_block).step_by(4) {
                counts[(word >> (8 * byte) & 255) as usize] += 1;
            }
            assert_normal(chi_square_z(&counts), &format!("byte {byte} of word {word_of_block}"));
        }
    }
}

#[test]
fn uniform_numbers_follow_the_uniform_distribution() {
    let narrow = uniforms(2, 0, Stream::Visible, 0);
    let mut wide = vec![0.0; N];
    Draws::at(2, 1).fill_uniform_f64(Stream::Visible, 0, &mut wide);
    for u in [narrow, wide] {
        // P(√n·D > 2.7) = 2e^(−2·2.7²) = 9e-7.
        assert!(stats::ks_statistic(&u, |x| x) * (N as f64).sqrt() < 2.7);
        let centred: Vec<f64> = u.iter().map(|x| x - 0.5).collect();
        assert_normal(stats::sum(&centred) * (12.0 / N as f64).sqrt(), "mean");
    }
}

#[test]
fn neighbouring_indices_are_independent() {
    let u = uniforms(3, 0, Stream::Mask, 0);
    for lag in (1..=16).chain([20, 32, 64, 256, 1_024, 1 << 14]) {
        let (x, y) = (&u[..N - lag], &u[lag..]);
        assert_normal(correlation_z(x, y), &format!("lag {lag}"));
        assert_normal(pairs_z(x, y), &format!("pairs at lag {lag}"));
    }
}

#[test]
fn streams_steps_and_seeds_are_independent() {
    let here = uniforms(4, 100, Stream::Hidden, 0);
    let others = [Stream::Visible, Stream::Mask, Stream::Chain, Stream::Init, Stream::ObserveHidden]
        .map(|stream| (format!("{stream:?}"), uniforms(4, 100, stream, 0)))
        .into_iter()
        .chain(
            [101, 99, 102, 1 << 40]
                .map(|step| (format!("step {step}"), uniforms(4, step, Stream::Hidden, 0))),
        )
        .chain(
            [5, 6, 0, 1 << 40].map(|seed| (format!("seed {seed}"), uniforms(seed, 100, Stream::Hidden, 0))),
        );
    for (what, there) in others {
        assert_normal(correlation_z(&here, &there), &what);
        assert_normal(pairs_z(&here, &there), &format!("pairs with {what}"));
        assert_normal(correlation_z(&here[1..], &there[..N - 1]), &format!("{what}, shifted"));
    }
}

#[test]
fn changing_any_bit_of_the_address_changes_half_of_the_bits_of_the_block() {
    let block = |seed: u64, step: u64, index: u64| {
        let mut words = [0; 4];
        Draws::at(seed, step).fill_u32(Stream::Hidden, 4 * (index >> 2), &mut words);
        words
    };
    let trials = 512_u64;
    for bit in 0..64 {
        for field in 0..3 {
            if field == 2 && bit < 2 {
                continue; // these bits choose the word, not the block
            }
            let flipped: u32 = (0..trials)
                .map(|t| {
                    let (seed, step, index) = (t * 0x9E37_79B9, t * 31, t * 1_024);
                    let flip = |f| u64::from(field == f) << bit;
                    let other = block(seed ^ flip(0), step ^ flip(1), index ^ flip(2));
                    block(seed, step, index).iter().zip(other).map(|(a, b)| (a ^ b).count_ones()).sum::<u32>()
                })
                .sum();
            let bits = 128.0 * trials as f64;
            assert_normal(
                (f64::from(flipped) - bits / 2.0) / (bits / 4.0).sqrt(),
                &format!("bit {bit} of {field}"),
            );
        }
    }
}

#[test]
fn normal_numbers_have_the_moments_tails_and_distribution_of_normals() {
    let mut z = vec![0.0; N];
    Draws::at(6, 0).fill_normal(Stream::Init, 0, &mut z);
    let n = N as f64;
    let moment = |k: i32| stats::mean(&z.iter().map(|z| (0..k).fold(1.0, |p, _| p * z)).collect::<Vec<_>>());
    // Variances of z, z², z³, z⁴: 1, 2, 15, 96.
    for (k, expected, variance) in [(1, 0.0, 1.0), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0)] {
        assert_normal((moment(k) - expected) * (n / variance).sqrt(), &format!("moment {k}"));
    }
    for limit in [2.0, 3.0, 4.0] {
        let p = libm::erfc(limit * std::f64::consts::FRAC_1_SQRT_2);
        let beyond = z.iter().filter(|z| z.abs() > limit).count() as f64;
        // At 4, 16.6 are expected: Poisson, where 4.9σ is 4e-6 rather than 1e-6.
        assert_normal((beyond - n * p) / (n * p).sqrt(), &format!("beyond {limit}"));
    }
    let cdf = |x: f64| 0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2);
    assert!(stats::ks_statistic(&z, cdf) * n.sqrt() < 2.7);
    let ranks: Vec<f64> = z.iter().map(|z| cdf(*z)).collect();
    for lag in 1..=4 {
        assert_normal(correlation_z(&ranks[lag..], &ranks[..N - lag]), &format!("normals at lag {lag}"));
    }
}

#[test]
fn bounded_integers_are_equally_likely() {
    for n in [2, 3, 7, 10, 784] {
        let mut counts = vec![0; n as usize];
        for index in 0..100_000 {
            counts[Draws::at(7, 0).below(Stream::ObserveFlip, index, n) as usize] += 1;
        }
        assert_normal(chi_square_z(&counts), &format!("below {n}"));
    }
}

#[test]
fn every_order_of_four_is_equally_likely() {
    let mut counts = std::collections::BTreeMap::new();
    for step in 0..48_000 {
        *counts.entry(Draws::at(8, step).permutation(Stream::Order, 4)).or_insert(0) += 1;
    }
    assert_eq!(counts.len(), 24);
    assert_normal(chi_square_z(&counts.into_values().collect::<Vec<_>>()), "orders of four");
}

#[test]
fn a_faulty_generator_is_noticed() {
    // Negative control: a stream that repeats one draw in 50 of another (z ≈ 0.02·√n = 10 ± 1), and counts
    // of which one is 70 % too high (χ² 490 at 255 degrees of freedom, z ≈ 8).
    let u = uniforms(9, 0, Stream::Mask, 0);
    let mut copied = uniforms(9, 1, Stream::Mask, 0);
    for i in (0..N).step_by(50) {
        copied[i] = u[i];
    }
    assert!(pairs_z(&u, &copied) > LIMIT && correlation_z(&u, &copied) > LIMIT);
    let mut counts = vec![1_000; 256];
    counts[0] = 1_700;
    assert!(chi_square_z(&counts) > LIMIT);
}

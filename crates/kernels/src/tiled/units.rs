//! Sampling of units from their inputs.
//!
//! A unit with input x is one if `u (1 + e^−x) < 1`, which is u < s(x) without a division, for the
//! uniform number u of 24 bits ([`crate::sample::uniform`]). Unit i of example e takes word
//! `first + e · 2²⁰ + i` of its stream.

use super::math::one_over_sigmoid;
use super::matrix::{Line, real_columns, vectors};
use super::simd::Simd;
use super::statistics::{Side, Table};
use super::{PANEL, simd_kernel};
use crate::ars::Words;

/// Bits for the unit in the address of its draw.
pub const UNIT_BITS: u32 = 20;

/// Which draws sample units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnitDraws {
    /// Key of the generator.
    pub key: Words,
    /// Step of the run.
    pub step: u64,
    /// Word of unit 0 of example 0; a multiple of 16.
    pub first: u64,
}

/// Inputs of units.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// (panels, examples) lines.
    pub lines: &'a [Line],
    /// Number of units.
    pub units: usize,
    /// Number of examples.
    pub examples: usize,
}

simd_kernel! {
    /// Samples units as bits: unit i of example e is bit i mod 64 of word e · ⌈units/64⌉ + ⌊i/64⌋.
    ///
    /// # Panics
    /// If shapes do not fit or a draw has no address.
    pub fn sample<'a>(inputs: Inputs<'a>, draws: UnitDraws, words: &'a mut [u64]) = sample_body
}

simd_kernel! {
    /// Writes probabilities into one side of a table, and samples units if there are draws.
    ///
    /// # Panics
    /// If shapes do not fit or a draw has no address.
    pub fn tabulate<'a>(
        inputs: Inputs<'a>, draws: Option<UnitDraws>, words: &'a mut [u64], table: &'a mut Table, side: Side,
    ) = tabulate_body
}

impl Inputs<'_> {
    fn check(&self, draws: Option<UnitDraws>, words: &[u64]) {
        let panels = self.units.div_ceil(PANEL);
        assert_eq!(self.lines.len(), panels * self.examples, "one line per panel and example");
        if let Some(draws) = draws {
            assert_eq!(words.len(), panels * self.examples, "one word per panel and example");
            assert_eq!(draws.first % 16, 0, "draws begin at a multiple of 16");
            assert!(self.units <= 1 << UNIT_BITS, "at most 2^20 units");
        }
    }

    /// Line of draws of vector k.
    #[inline(always)]
    fn draw_line(draws: UnitDraws, example: usize, panel: usize, k: usize) -> u64 {
        draws.first / 16 + ((example as u64) << (UNIT_BITS - 4)) + (4 * panel + k) as u64
    }
}

#[inline(always)]
fn sample_body<S: Simd>(s: S, inputs: Inputs<'_>, draws: UnitDraws, words: &mut [u64]) {
    inputs.check(Some(draws), words);
    let keys = s.keys(draws.key, draws.step);
    let panels = inputs.units.div_ceil(PANEL);
    for p in 0..panels {
        let real = real_columns(inputs.units, p);
        for example in 0..inputs.examples {
            let line = &inputs.lines[p * inputs.examples + example];
            let mut bits = 0;
            for k in 0..vectors(inputs.units, p) {
                let over = one_over_sigmoid(s, s.load(&line.0[k]));
                let draw = s.draw(&keys, Inputs::draw_line(draws, example, p, k));
                bits |= u64::from(ones(s, draw, over)) << (16 * k);
            }
            words[example * panels + p] = bits & real;
        }
    }
}

/// One bit for each lane: u · `over` < 1.
#[inline(always)]
fn ones<S: Simd>(s: S, draw: S::B, over: S::F) -> u16 {
    s.below(s.mul(s.uniforms(draw), over), s.splat(1.0))
}

#[inline(always)]
fn tabulate_body<S: Simd>(
    s: S,
    inputs: Inputs<'_>,
    draws: Option<UnitDraws>,
    words: &mut [u64],
    table: &mut Table,
    side: Side,
) {
    inputs.check(draws, words);
    table.check(inputs.units, inputs.examples);
    match draws {
        Some(draws) => tabulate_with::<S, true>(s, inputs, draws, words, table, side),
        None => {
            let none = UnitDraws { key: [0; 4], step: 0, first: 0 };
            tabulate_with::<S, false>(s, inputs, none, words, table, side);
        }
    }
}

#[inline(always)]
fn tabulate_with<S: Simd, const SAMPLE: bool>(
    s: S,
    inputs: Inputs<'_>,
    draws: UnitDraws,
    words: &mut [u64],
    table: &mut Table,
    side: Side,
) {
    let keys = s.keys(draws.key, draws.step);
    let panels = inputs.units.div_ceil(PANEL);
    for p in 0..panels {
        let real = real_columns(inputs.units, p);
        for example in 0..inputs.examples {
            let line = &inputs.lines[p * inputs.examples + example];
            let mut bits = 0;
            for k in 0..vectors(inputs.units, p) {
                let over = one_over_sigmoid(s, s.load(&line.0[k]));
                let probability = s.keep((real >> (16 * k)) as u16, s.div(s.splat(1.0), over));
                table.set(s, side, p, example, k, probability);
                if SAMPLE {
                    let draw = s.draw(&keys, Inputs::draw_line(draws, example, p, k));
                    bits |= u64::from(ones(s, draw, over)) << (16 * k);
                }
            }
            if SAMPLE {
                words[example * panels + p] = bits & real;
            }
        }
    }
}

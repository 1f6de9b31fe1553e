//! Statistics in fixed point: whole numbers, whose sums over the parts of a mini-batch are the same whoever adds
//! them, and in whatever order.
//!
//! A statistic of n examples is at most n in size, so its multiple of [`scale`] is at most 2³⁰: sums over all parts
//! fit 32 bits with a bit to spare.

use super::ascent::Tabulated;
use super::matrix::vectors;
use super::simd::Simd;
use super::{PANEL, simd_kernel};

/// Greatest size of a number in fixed point.
const LIMIT: usize = 1 << 30;

/// One of a statistic over so many examples in fixed point: the greatest power of two that keeps it within 2³⁰.
///
/// # Panics
/// If there are none, or more than 2³⁰.
pub fn scale(examples: usize) -> f32 {
    assert!((1..=LIMIT).contains(&examples), "a mini-batch of 1 to 2^30 examples, not {examples}");
    (LIMIT / examples.next_power_of_two()) as f32
}

/// The number nearest to a statistic in fixed point, ties to even; at most 2³⁰ in size.
pub fn to_fixed(x: f32, scale: f32) -> i32 {
    (x * scale).round_ties_even() as i32
}

/// n·D of a mini-batch of n examples, in the lines of a [`super::Matrix`].
#[derive(Clone, Debug, Default)]
pub struct FixedStatistics {
    rows: usize,
    columns: usize,
    examples: usize,
    lines: Vec<[[i32; 16]; 4]>,
}

impl FixedStatistics {
    /// Zeros for a mini-batch of so many examples; keeps the memory.
    pub fn reset(&mut self, rows: usize, columns: usize, examples: usize) {
        (self.rows, self.columns, self.examples) = (rows, columns, examples);
        super::zeroed(&mut self.lines, rows.next_multiple_of(16) * columns.div_ceil(PANEL), [[0; 16]; 4]);
    }

    /// Examples of the whole mini-batch.
    pub fn examples(&self) -> usize {
        self.examples
    }

    /// All numbers, padding included, to be added to those of others.
    pub fn numbers_mut(&mut self) -> &mut [i32] {
        self.lines.as_flattened_mut().as_flattened_mut()
    }

    pub(super) fn check(&self, (rows, columns): (usize, usize)) {
        assert_eq!((self.rows, self.columns), (rows, columns), "one statistic per synapse");
    }

    pub(super) fn lines(&self) -> &[[[i32; 16]; 4]] {
        &self.lines
    }
}

simd_kernel! {
    /// Adds the statistics of a part of the mini-batch.
    ///
    /// # Panics
    /// If shapes do not fit or the part has more examples than the mini-batch.
    pub fn add_statistics<'a>(part: Tabulated<'a>, sums: &'a mut FixedStatistics) = add_body
}

#[inline(always)]
fn add_body<S: Simd>(s: S, part: Tabulated<'_>, sums: &mut FixedStatistics) {
    assert!(part.pairs.examples() <= sums.examples, "a part of the mini-batch");
    part.check((sums.rows, sums.columns));
    for panel in 0..sums.columns.div_ceil(PANEL) {
        match vectors(sums.columns, panel) {
            1 => add_panel::<S, 1>(s, part, panel, sums),
            2 => add_panel::<S, 2>(s, part, panel, sums),
            3 => add_panel::<S, 3>(s, part, panel, sums),
            _ => add_panel::<S, 4>(s, part, panel, sums),
        }
    }
}

#[inline(always)]
fn add_panel<S: Simd, const V: usize>(s: S, part: Tabulated<'_>, panel: usize, sums: &mut FixedStatistics) {
    let scale = s.splat(scale(sums.examples));
    let stride = sums.rows.next_multiple_of(16);
    let lines = &mut sums.lines[panel * stride..][..sums.rows];
    for (row, line) in lines.iter_mut().enumerate() {
        let nd: [S::F; V] = part.table.sums(s, panel, part.pairs.rows(row));
        for k in 0..V {
            s.add_whole(s.mul(nd[k], scale), &mut line[k]);
        }
    }
}

#[cfg(test)]
#[path = "fixed_tests.rs"]
mod tests;

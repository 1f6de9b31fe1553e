//! Probabilities of release as thresholds, and the addresses of the draws that meet them.

use super::lists::Active;
use super::matrix::{Bytes, Matrix, zeroed};
use super::simd::Simd;
use super::{PANEL, TILE};
use crate::ars::Words;

/// Upper and lower bytes of the probabilities of release in 65,536ths, one line each a line of a matrix.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Thresholds {
    high: Vec<Bytes>,
    low: Vec<Bytes>,
}

impl Thresholds {
    /// Zeros for every synapse of the matrix; keeps the memory.
    pub fn reset(&mut self, matrix: &Matrix) {
        zeroed(&mut self.high, matrix.lines().len(), Bytes::ZERO);
        zeroed(&mut self.low, matrix.lines().len(), Bytes::ZERO);
    }

    pub(super) fn high(&self) -> &[Bytes] {
        &self.high
    }

    pub(super) fn low(&self) -> &[Bytes] {
        &self.low
    }

    /// Sets line `at` from thresholds in 0..=65535.
    #[inline(always)]
    pub(super) fn set<S: Simd>(&mut self, s: S, at: usize, thresholds: [S::F; 4]) {
        let (high, low) = s.split_bytes(thresholds);
        s.store_bytes(high, &mut self.high[at].0);
        s.store_bytes(low, &mut self.low[at].0);
    }

    pub(super) fn is_for(&self, matrix: &Matrix) -> bool {
        self.high.len() == matrix.lines().len() && self.low.len() == matrix.lines().len()
    }

    pub(super) fn check(&self, matrix: &Matrix) {
        assert!(self.is_for(matrix), "thresholds for every synapse");
    }
}

/// Which draws decide the releases of one half sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaskDraws {
    /// Key of the generator.
    pub key: Words,
    /// Step of the run.
    pub step: u64,
    /// Number of the half sweep within the step, below 2²³.
    pub phase: u32,
    /// Place of the first example in its mini-batch, for releases of each example's own.
    pub first: u32,
}

/// Bits of an address, from the lowest: row (its uppermost value range holds second bytes), example, panel, phase.
const ROW_BITS: u32 = 17;
const EXAMPLE_BITS: u32 = 12;
const PANEL_BITS: u32 = 10;

/// The draws of one tile.
#[derive(Clone, Copy)]
pub(super) struct TileDraws {
    first: u64,
    second: u64,
}

impl MaskDraws {
    pub(super) fn check(self, active: &Active, columns: usize) {
        assert!(
            self.first as usize + active.examples() <= 1 << EXAMPLE_BITS,
            "releases of more than 2^12 examples have no address"
        );
        assert!(
            columns.div_ceil(PANEL) <= 1 << PANEL_BITS,
            "releases of more than 2^16 units have no address"
        );
        assert!(self.phase < 1 << 23, "half sweep {} has no address: at most 2^23", self.phase);
    }

    /// Line of draws for row `row` of the product of one example and panel:
    /// `phase · 2³⁹ + panel · 2²⁹ + example · 2¹⁷ + row`; second bytes have row 2¹⁶ + tile.
    #[inline(always)]
    pub(super) fn tile(self, panel: usize, block: usize) -> TileDraws {
        let panel = (u64::from(self.phase) << PANEL_BITS | panel as u64) << (EXAMPLE_BITS + ROW_BITS);
        let base = panel | u64::from(self.first) << ROW_BITS;
        TileDraws { first: base | (block * TILE) as u64, second: base | 1 << (ROW_BITS - 1) | block as u64 }
    }

    /// Line of draws for half a line of the mask that all examples share, so many phases on: 32 numbers of 16 bits.
    #[inline(always)]
    pub(super) fn shared(self, phase: usize, row: usize, panel: usize, half: usize) -> u64 {
        (u64::from(self.phase) + phase as u64) << 39 | (row as u64) << 16 | (2 * panel + half) as u64
    }
}

impl TileDraws {
    #[inline(always)]
    pub(super) fn row(self, example: usize, row: usize) -> u64 {
        self.first + ((example as u64) << ROW_BITS) + row as u64
    }

    #[inline(always)]
    pub(super) fn second(self, example: usize) -> u64 {
        self.second + ((example as u64) << ROW_BITS)
    }
}

//! Where the rows of a product come from.

use super::super::PANEL;
use super::super::groups::WORD;
use super::super::matrix::{Line, Matrix, vectors};
use super::super::simd::Simd;
use super::tables::{Row, WIDTH};

/// Half a panel of the product.
#[derive(Clone, Copy)]
pub(super) struct Strip {
    pub(super) panel: usize,
    /// Its first vector in the panel.
    pub(super) vector: usize,
}

/// A matrix whose rows are asked for strip by strip and word by word.
pub(super) trait Source<S: Simd> {
    /// Goes to the units of a word in a strip of V vectors.
    fn turn_to<const V: usize>(&mut self, s: S, strip: Strip, word: usize);

    /// Vector k of the strip, of one of the units.
    fn vector(&self, s: S, unit: usize, k: usize) -> S::F;
}

/// The rows of the matrix as they lie in memory.
pub(super) struct Direct<'a> {
    matrix: &'a Matrix,
    rows: &'a [Line],
    vector: usize,
}

impl<'a> Direct<'a> {
    #[inline(always)]
    pub(super) fn new(matrix: &'a Matrix) -> Self {
        Self { matrix, rows: &[], vector: 0 }
    }
}

impl<S: Simd> Source<S> for Direct<'_> {
    #[inline(always)]
    fn turn_to<const V: usize>(&mut self, _: S, strip: Strip, word: usize) {
        self.rows = &self.matrix.panel(strip.panel)[WORD * word..];
        self.vector = strip.vector;
    }

    #[inline(always)]
    fn vector(&self, s: S, unit: usize, k: usize) -> S::F {
        s.load(&self.rows[unit].0[self.vector + k])
    }
}

/// The same with zeros for synapses without a release.
pub(super) struct Masked<'a> {
    direct: Direct<'a>,
    released: &'a [u64],
    bits: &'a [u64],
}

impl<'a> Masked<'a> {
    #[inline(always)]
    pub(super) fn new(matrix: &'a Matrix, released: &'a [u64]) -> Self {
        Self { direct: Direct::new(matrix), released, bits: &[] }
    }
}

impl<S: Simd> Source<S> for Masked<'_> {
    #[inline(always)]
    fn turn_to<const V: usize>(&mut self, s: S, strip: Strip, word: usize) {
        self.direct.turn_to::<V>(s, strip, word);
        let first = strip.panel * self.direct.matrix.stride() + WORD * word;
        self.bits = &self.released[first..][..self.direct.rows.len()];
    }

    #[inline(always)]
    fn vector(&self, s: S, unit: usize, k: usize) -> S::F {
        let bits = self.bits[unit] >> (16 * (self.direct.vector + k));
        s.keep(bits as u16, self.direct.vector(s, unit, k))
    }
}

/// The transpose: units are columns of the matrix.
pub(super) struct Turned<'a> {
    matrix: &'a Matrix,
    released: Option<&'a [u64]>,
    rows: [Row; WORD],
}

impl<'a> Turned<'a> {
    #[inline(always)]
    pub(super) fn new(matrix: &'a Matrix, released: Option<&'a [u64]>) -> Self {
        Self { matrix, released, rows: [Row::ZERO; WORD] }
    }
}

impl<S: Simd> Source<S> for Turned<'_> {
    #[inline(always)]
    fn turn_to<const V: usize>(&mut self, s: S, strip: Strip, word: usize) {
        const { assert!(V <= WIDTH) };
        let (panel, begin) = (word * WORD / PANEL, word * WORD % PANEL / 16);
        let columns = (vectors(self.matrix.columns(), panel) - begin).min(WORD / 16);
        let first = panel * self.matrix.stride() + strip.panel * PANEL + 16 * strip.vector;
        for g in 0..V {
            let at = first + 16 * g;
            let from: &[Line; 16] = self.matrix.lines()[at..].first_chunk().expect("rows come in sixteens");
            for k in 0..columns {
                let to: &mut [Row; 16] = self.rows[16 * k..].first_chunk_mut().expect("32 rows");
                s.transpose(from, begin + k, to.each_mut().map(|row| &mut row.0[g]));
            }
        }
    }

    #[inline(always)]
    fn vector(&self, s: S, unit: usize, k: usize) -> S::F {
        s.load(&self.rows[unit].0[k])
    }
}

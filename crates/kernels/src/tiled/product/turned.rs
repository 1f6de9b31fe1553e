//! Strips of the transpose: the columns of some units, each with a few rows of the matrix.

use super::super::PANEL;
use super::super::matrix::{Line, Matrix, vectors};
use super::super::simd::Simd;
use super::groups::WORD;

/// Vectors of a strip: half a panel.
pub(super) const WIDTH: usize = 2;

/// A row of a strip.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Row(pub(super) [[f32; 16]; WIDTH]);

impl Row {
    pub(super) const ZERO: Self = Self([[0.0; 16]; WIDTH]);
}

/// Half a panel of the product.
#[derive(Clone, Copy)]
pub(super) struct Strip {
    pub(super) panel: usize,
    /// Its first vector in the panel.
    pub(super) vector: usize,
}

/// The transpose, strip by strip and word by word of units.
pub(super) struct Strips<'a> {
    matrix: &'a Matrix,
    released: Option<&'a [u64]>,
    rows: [Row; WORD],
}

impl<'a> Strips<'a> {
    /// The transpose of the matrix, with zeros where synapses have no release.
    #[inline(always)]
    pub(super) fn new(matrix: &'a Matrix, released: Option<&'a [u64]>) -> Self {
        Self { matrix, released, rows: [Row::ZERO; WORD] }
    }

    /// V vectors of the columns of the units of a word; beyond the last column they hold anything.
    #[inline(always)]
    pub(super) fn rows<S: Simd, const V: usize>(&mut self, s: S, strip: Strip, word: usize) -> &[Row; WORD] {
        const { assert!(V <= WIDTH) };
        let (panel, begin) = (word * WORD / PANEL, word * WORD % PANEL / 16);
        let columns = (vectors(self.matrix.columns(), panel) - begin).min(WORD / 16);
        for g in 0..V {
            let at = panel * self.matrix.stride() + strip.panel * PANEL + 16 * (strip.vector + g);
            let from: &[Line; 16] = self.matrix.lines()[at..].first_chunk().expect("rows come in sixteens");
            match self.released {
                None => self.turn(s, from, begin..begin + columns, g),
                Some(bits) => {
                    let mut kept = [Line::ZERO; 16];
                    for (i, to) in kept.iter_mut().enumerate() {
                        for k in begin..begin + columns {
                            let x = s.keep((bits[at + i] >> (16 * k)) as u16, s.load(&from[i].0[k]));
                            s.store(x, &mut to.0[k]);
                        }
                    }
                    self.turn(s, &kept, begin..begin + columns, g);
                }
            }
        }
        &self.rows
    }

    /// Turns these vectors of 16 rows of the matrix into vector g.
    #[inline(always)]
    fn turn<S: Simd>(&mut self, s: S, from: &[Line; 16], vectors: std::ops::Range<usize>, g: usize) {
        for (place, k) in vectors.enumerate() {
            let to: &mut [Row; 16] =
                self.rows[16 * place..].first_chunk_mut().expect("a word has whole vectors");
            s.transpose(from, k, to.each_mut().map(|row| &mut row.0[g]));
        }
    }
}

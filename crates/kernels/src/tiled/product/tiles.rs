//! Where the tiles of a product come from.

use super::super::matrix::{Line, Matrix, vectors};
use super::super::simd::Simd;
use super::super::{PANEL, TILE};

/// A matrix whose tiles are asked for one after the other.
pub(super) trait Source<S: Simd> {
    /// The rows of one block of units, in one panel of the product.
    fn tile(&mut self, s: S, panel: usize, block: usize) -> &[Line];
}

/// The tiles of the matrix as they lie in memory.
pub(super) struct Direct<'a> {
    pub(super) matrix: &'a Matrix,
}

impl<S: Simd> Source<S> for Direct<'_> {
    #[inline(always)]
    fn tile(&mut self, _: S, panel: usize, block: usize) -> &[Line] {
        let rows = self.matrix.panel(panel);
        &rows[block * TILE..rows.len().min((block + 1) * TILE)]
    }
}

/// Copies of the tiles in which synapses without a release are zero.
pub(super) struct Masked<'a> {
    matrix: &'a Matrix,
    released: &'a [u64],
    tile: [Line; TILE],
}

impl<'a> Masked<'a> {
    #[inline(always)]
    pub(super) fn new(matrix: &'a Matrix, released: &'a [u64]) -> Self {
        Self { matrix, released, tile: [Line::ZERO; TILE] }
    }
}

impl<S: Simd> Source<S> for Masked<'_> {
    #[inline(always)]
    fn tile(&mut self, s: S, panel: usize, block: usize) -> &[Line] {
        let rows = self.matrix.panel(panel);
        let part = block * TILE..rows.len().min((block + 1) * TILE);
        let bits = &self.released[panel * self.matrix.stride()..][part.clone()];
        let vectors = vectors(self.matrix.columns(), panel);
        for ((to, from), &bits) in self.tile.iter_mut().zip(&rows[part.clone()]).zip(bits) {
            keep(s, from, bits, vectors, to);
        }
        &self.tile[..part.len()]
    }
}

/// The row with zeros where the bits are.
#[inline(always)]
fn keep<S: Simd>(s: S, from: &Line, bits: u64, vectors: usize, to: &mut Line) {
    for k in 0..vectors {
        s.store(s.keep((bits >> (16 * k)) as u16, s.load(&from.0[k])), &mut to.0[k]);
    }
}

/// Tiles of the transpose: rows are the columns of the matrix.
pub(super) struct Turned<'a> {
    matrix: &'a Matrix,
    tile: [Line; TILE],
}

impl<'a> Turned<'a> {
    #[inline(always)]
    pub(super) fn new(matrix: &'a Matrix) -> Self {
        Self { matrix, tile: [Line::ZERO; TILE] }
    }
}

impl<S: Simd> Source<S> for Turned<'_> {
    #[inline(always)]
    fn tile(&mut self, s: S, panel: usize, block: usize) -> &[Line] {
        let matrix = self.matrix;
        let panels = block * TILE / PANEL..matrix.panels().min((block + 1) * TILE / PANEL);
        let rows = (matrix.stride() - panel * PANEL).min(PANEL);
        for (place, p) in panels.clone().enumerate() {
            let columns = vectors(matrix.columns(), p);
            for g in 0..rows / 16 {
                let at = p * matrix.stride() + panel * PANEL + 16 * g;
                let from: &[Line; 16] = matrix.lines()[at..].first_chunk().expect("rows come in sixteens");
                // A copy in order is what the prefetcher expects; turning reads columns.
                let mut rows = [Line::ZERO; 16];
                for (i, to) in rows.iter_mut().enumerate() {
                    for k in 0..columns {
                        s.store(s.load(&from[i].0[k]), &mut to.0[k]);
                    }
                }
                for k in 0..columns {
                    let to: &mut [Line; 16] = self.tile[place * PANEL + 16 * k..]
                        .first_chunk_mut()
                        .expect("a tile holds whole panels");
                    s.transpose(&rows, k, to.each_mut().map(|line| &mut line.0[g]));
                }
            }
        }
        &self.tile[..panels.len() * PANEL]
    }
}

//! Products strip by strip: half a panel of columns and 256 units are copied into the first cache.

use super::super::lists::Active;
use super::super::matrix::{Line, Matrix, vectors};
use super::super::simd::Simd;
use super::super::PANEL;
use super::Product;

/// Units of a strip. Sums of more than one strip depend on it: changing it changes the bits.
pub(in super::super) const STRIP_UNITS: usize = 256;
/// Vectors of a strip.
const WIDTH: usize = 2;

/// A row of a strip.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Row([[f32; 16]; WIDTH]);

impl Row {
    const ZERO: Self = Self([[0.0; 16]; WIDTH]);
}

/// Rows of a strip and one of zeros, which lists are padded with.
type Strip = [Row; STRIP_UNITS + 1];

/// Half a panel of the product and some units.
#[derive(Clone, Copy)]
pub(super) struct Place {
    panel: usize,
    /// First vector of the panel.
    vector: usize,
    block: usize,
}

/// Where strips come from.
pub(super) trait Source<S: Simd> {
    /// Copies V vectors of every row.
    fn copy<const V: usize>(&self, s: S, place: Place, strip: &mut Strip);
}

/// The rows of the matrix.
pub(super) struct Direct<'a> {
    pub(super) matrix: &'a Matrix,
    pub(super) released: Option<&'a [u64]>,
}

impl<S: Simd> Source<S> for Direct<'_> {
    #[inline(always)]
    fn copy<const V: usize>(&self, s: S, place: Place, strip: &mut Strip) {
        let stride = self.matrix.stride();
        let first = place.block * STRIP_UNITS;
        let part = place.panel * stride + first..place.panel * stride + stride.min(first + STRIP_UNITS);
        let from = &self.matrix.lines()[part.clone()];
        match self.released {
            None => {
                for (from, to) in from.iter().zip(strip) {
                    for k in 0..V {
                        s.store(s.load(&from.0[place.vector + k]), &mut to.0[k]);
                    }
                }
            }
            Some(bits) => {
                for ((from, bits), to) in from.iter().zip(&bits[part]).zip(strip) {
                    for k in 0..V {
                        let at = place.vector + k;
                        s.store(s.keep((bits >> (16 * at)) as u16, s.load(&from.0[at])), &mut to.0[k]);
                    }
                }
            }
        }
    }
}

/// The transpose: units are columns of the matrix.
pub(super) struct Turned<'a> {
    pub(super) matrix: &'a Matrix,
    pub(super) released: Option<&'a [u64]>,
}

impl<S: Simd> Source<S> for Turned<'_> {
    #[inline(always)]
    fn copy<const V: usize>(&self, s: S, place: Place, strip: &mut Strip) {
        let matrix = self.matrix;
        let first = place.block * STRIP_UNITS / PANEL;
        for (n, p) in (first..matrix.panels().min(first + STRIP_UNITS / PANEL)).enumerate() {
            let columns = vectors(matrix.columns(), p);
            for g in 0..V {
                let at = p * matrix.stride() + place.panel * PANEL + 16 * (place.vector + g);
                let from: &[Line; 16] = matrix.lines()[at..].first_chunk().expect("rows come in sixteens");
                // A copy in order is what the prefetcher expects; turning reads columns.
                let mut rows = [Line::ZERO; 16];
                for (i, to) in rows.iter_mut().enumerate() {
                    let bits = self.released.map_or(u64::MAX, |bits| bits[at + i]);
                    for k in 0..columns {
                        s.store(s.keep((bits >> (16 * k)) as u16, s.load(&from[i].0[k])), &mut to.0[k]);
                    }
                }
                for k in 0..columns {
                    let to = strip[n * PANEL + 16 * k..].first_chunk_mut::<16>().expect("a strip holds whole panels");
                    s.transpose(&rows, k, to.each_mut().map(|row| &mut row.0[g]));
                }
            }
        }
    }
}

/// The product with the rows of a source.
#[inline(always)]
pub(super) fn multiply<S: Simd>(s: S, source: impl Source<S>, columns: usize, product: Product<'_>) {
    let Product { active, bias, out } = product;
    if active.examples() == 0 {
        return;
    }
    let mut strip = [Row::ZERO; STRIP_UNITS + 1];
    for (panel, out) in out.chunks_exact_mut(active.examples()).enumerate() {
        let all = vectors(columns, panel);
        for vector in (0..all).step_by(WIDTH) {
            for block in 0..active.blocks() {
                let place = Place { panel, vector, block };
                if vector + 1 < all {
                    source.copy::<2>(s, place, &mut strip);
                    add::<S, 2>(s, &strip, active, place, &bias[panel], out);
                } else {
                    source.copy::<1>(s, place, &mut strip);
                    add::<S, 1>(s, &strip, active, place, &bias[panel], out);
                }
            }
        }
    }
}

/// Adds the active rows of a strip for every example.
#[inline(always)]
fn add<S: Simd, const V: usize>(
    s: S,
    strip: &Strip,
    active: &Active,
    place: Place,
    bias: &Line,
    out: &mut [Line],
) {
    for (example, out) in out.iter_mut().enumerate() {
        let start = if place.block == 0 { bias } else { &*out };
        let (entries, _) = active.entries(example, place.block).as_chunks::<4>();
        let mut sums = [[s.splat(0.0); V]; 4];
        for k in 0..V {
            sums[0][k] = s.load(&start.0[place.vector + k]);
        }
        for four in entries {
            for i in 0..4 {
                // SAFETY: entries are below the units of a block, or the row of zeros.
                let row = unsafe { strip.get_unchecked(usize::from(four[i])) };
                for k in 0..V {
                    sums[i][k] = s.add(sums[i][k], s.load(&row.0[k]));
                }
            }
        }
        for k in 0..V {
            let sum = s.add(s.add(sums[0][k], sums[1][k]), s.add(sums[2][k], sums[3][k]));
            s.store(sum, &mut out.0[place.vector + k]);
        }
    }
}

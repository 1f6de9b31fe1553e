//! Products in which every example has releases of its own.

use super::super::lists::Active;
use super::super::masking::{MaskDraws, Thresholds, TileDraws};
use super::super::matrix::{Bytes, Line, Matrix, vectors};
use super::super::simd::Simd;
use super::super::{PANEL, TILE, simd_kernel};
use super::Product;
use super::tiles::{Direct, Source, Turned};

simd_kernel! {
    /// `v·(W ξ) + bias` with a fresh ξ for every example, drawn only where a unit is active.
    ///
    /// Synapse (i, j) of an example releases if its random byte is below the upper byte of its threshold; at a
    /// tie a second byte, one a column for the rows of a tile, decides against the lower byte. So the
    /// probability is the threshold's, in 65,536ths, and two synapses depend on each other only if they
    /// share tile, column and example and both tie.
    ///
    /// # Panics
    /// If shapes do not fit or there is no address for an example (2¹² of them) or unit (2¹⁶).
    pub fn forward_released<'a>(matrix: &'a Matrix, thresholds: &'a Thresholds, draws: MaskDraws, product: Product<'a>)
        = forward_body
}

simd_kernel! {
    /// `h·(W ξ)ᵀ + bias` with a fresh ξ for every example; otherwise as [`forward_released`].
    ///
    /// # Panics
    /// As [`forward_released`].
    pub fn backward_released<'a>(matrix: &'a Matrix, thresholds: &'a Thresholds, draws: MaskDraws, product: Product<'a>)
        = backward_body
}

/// A tile of weights with the two bytes of every threshold.
struct Tile<'a> {
    weights: &'a [Line],
    high: &'a [Bytes],
    low: &'a [Bytes],
}

/// Where such tiles come from.
trait Tiles<S: Simd> {
    fn tile(&mut self, s: S, panel: usize, block: usize) -> Tile<'_>;
}

struct Forward<'a> {
    weights: Direct<'a>,
    thresholds: &'a Thresholds,
}

struct Backward<'a> {
    weights: Turned<'a>,
    matrix: &'a Matrix,
    thresholds: &'a Thresholds,
    high: [Bytes; TILE],
    low: [Bytes; TILE],
}

impl<S: Simd> Tiles<S> for Forward<'_> {
    #[inline(always)]
    fn tile(&mut self, s: S, panel: usize, block: usize) -> Tile<'_> {
        let first = panel * self.weights.matrix.stride() + block * TILE;
        let weights = self.weights.tile(s, panel, block);
        let part = first..first + weights.len();
        Tile { weights, high: &self.thresholds.high()[part.clone()], low: &self.thresholds.low()[part] }
    }
}

impl<S: Simd> Tiles<S> for Backward<'_> {
    #[inline(always)]
    fn tile(&mut self, s: S, panel: usize, block: usize) -> Tile<'_> {
        turn_bytes(s, self.matrix, self.thresholds.high(), (panel, block), &mut self.high);
        turn_bytes(s, self.matrix, self.thresholds.low(), (panel, block), &mut self.low);
        Tile { weights: self.weights.tile(s, panel, block), high: &self.high, low: &self.low }
    }
}

/// The bytes of one tile of the transpose.
#[inline(always)]
fn turn_bytes<S: Simd>(
    s: S,
    matrix: &Matrix,
    bytes: &[Bytes],
    (panel, block): (usize, usize),
    to: &mut [Bytes; TILE],
) {
    let panels = block * TILE / PANEL..matrix.panels().min((block + 1) * TILE / PANEL);
    let rows = (matrix.stride() - panel * PANEL).min(PANEL);
    for (place, p) in panels.enumerate() {
        for g in 0..rows / 16 {
            let at = p * matrix.stride() + panel * PANEL + 16 * g;
            let from = bytes[at..].first_chunk().expect("rows come in sixteens");
            for k in 0..vectors(matrix.columns(), p) {
                let to = to[place * PANEL + 16 * k..].first_chunk_mut().expect("a tile holds whole panels");
                s.transpose_bytes(from, k, to, g);
            }
        }
    }
}

#[inline(always)]
fn forward_body<S: Simd>(
    s: S,
    matrix: &Matrix,
    thresholds: &Thresholds,
    draws: MaskDraws,
    product: Product<'_>,
) {
    product.check(matrix.rows(), matrix.columns());
    thresholds.check(matrix);
    let tiles = Forward { weights: Direct { matrix }, thresholds };
    multiply(s, tiles, matrix.columns(), draws, product);
}

#[inline(always)]
fn backward_body<S: Simd>(
    s: S,
    matrix: &Matrix,
    thresholds: &Thresholds,
    draws: MaskDraws,
    product: Product<'_>,
) {
    product.check(matrix.columns(), matrix.rows());
    thresholds.check(matrix);
    let (high, low) = ([Bytes::ZERO; TILE], [Bytes::ZERO; TILE]);
    let tiles = Backward { weights: Turned::new(matrix), matrix, thresholds, high, low };
    multiply(s, tiles, matrix.rows(), draws, product);
}

#[inline(always)]
fn multiply<S: Simd>(s: S, mut tiles: impl Tiles<S>, columns: usize, draws: MaskDraws, product: Product<'_>) {
    let Product { active, bias, out } = product;
    draws.check(active, columns);
    if active.examples() == 0 {
        return;
    }
    let keys = s.keys(draws.key, draws.step);
    for (p, out) in out.chunks_exact_mut(active.examples()).enumerate() {
        for block in 0..active.blocks() {
            let tile = tiles.tile(s, p, block);
            let from = From { active, block, bias: &bias[p], keys: &keys, lines: draws.tile(p, block) };
            match vectors(columns, p) {
                1 => from.add::<1>(s, &tile, out),
                2 => from.add::<2>(s, &tile, out),
                3 => from.add::<3>(s, &tile, out),
                _ => from.add::<4>(s, &tile, out),
            }
        }
    }
}

/// What is added to the products of one panel, and with which draws.
struct From<'a, S: Simd> {
    active: &'a Active,
    block: usize,
    bias: &'a Line,
    keys: &'a S::Keys,
    lines: TileDraws,
}

impl<S: Simd> From<'_, S> {
    #[inline(always)]
    fn add<const V: usize>(&self, s: S, tile: &Tile<'_>, out: &mut [Line]) {
        let rows = TILE.min(self.active.units() - self.block * TILE);
        let lengths = [tile.weights.len(), tile.high.len(), tile.low.len()];
        assert!(lengths.iter().all(|&n| n >= rows), "a row per unit of the block");
        for (example, out) in out.iter_mut().enumerate() {
            let start = if self.block == 0 { self.bias } else { &*out };
            let mut sums: [S::F; V] = std::array::from_fn(|k| s.load(&start.0[k]));
            let second = s.draw(self.keys, self.lines.second(example));
            for &entry in self.active.entries(example, self.block) {
                let row = usize::from(entry);
                // SAFETY: entries are below the units of their block, and there are as many rows of all three.
                let (weights, high, low) = unsafe {
                    (
                        tile.weights.get_unchecked(row),
                        tile.high.get_unchecked(row),
                        tile.low.get_unchecked(row),
                    )
                };
                let first = s.draw(self.keys, self.lines.row(example, row));
                let high = s.load_bytes(&high.0);
                let tied = s.below_tied(first, high, second, s.load_bytes(&low.0));
                let released = s.or(s.below_bytes(first, high), tied);
                for k in 0..V {
                    sums[k] = s.add_where(sums[k], released, k, s.load(&weights.0[k]));
                }
            }
            for k in 0..V {
                s.store(sums[k], &mut out.0[k]);
            }
        }
    }
}

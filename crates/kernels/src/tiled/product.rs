//! Products of binary units and weights: `v·W` (forward) and `h·Wᵀ` (backward), plus a bias.
//!
//! Few visible units are on, so `v·W` adds their rows one by one. Of the hidden units a third or half are on, in no
//! pattern that the processor could foresee: `h·Wᵀ` looks up the sum of the rows of four units at a time in tables
//! that all examples share ([`Groups`]).
//!
//! A column of a product is a sum of f32 in a fixed order. In `v·W`: within a tile the entries of even and of odd
//! place in the list form a chain each, the two are added at the end of the tile, and tiles follow one another. In
//! `h·Wᵀ`: the rows of four units are added in order, and so are the fours.

#![cfg_attr(
    target_arch = "x86_64",
    expect(
        clippy::pointers_in_nomem_asm_block,
        reason = "`in_register` passes an address on and does not follow it"
    )
)]

mod groups;
mod released;
mod rows;
mod tables;
mod tiles;
mod turned;

pub use groups::Groups;
pub use released::{backward_released, forward_released};
pub(crate) use rows::column_sums;

use super::lists::Active;
use super::matrix::{Line, Matrix, vectors};
use super::simd::Simd;
use super::{TILE, simd_kernel};
use tables::look_up;
use tiles::{Direct, Masked, Source};
use turned::Strips;

/// The number or address itself, in a register of its own.
///
/// An address that a loop adds up once for several loads, the compiler would have every load add up, and processors
/// split such loads in two.
macro_rules! in_register {
    ($x:expr) => {{
        let x = $x;
        #[cfg(target_arch = "x86_64")]
        let x = {
            let mut x = x;
            // SAFETY: no instruction at all.
            unsafe {
                std::arch::asm!("/* {0} */", inout(reg) x, options(pure, nomem, nostack, preserves_flags));
            }
            x
        };
        x
    }};
}
pub(crate) use in_register;

/// Weights of synapses, those without a release left out.
#[derive(Clone, Copy, Debug)]
pub struct Weights<'a> {
    /// W, (V, H).
    pub matrix: &'a Matrix,
    /// Which synapses release: bit c of word l is column c of line l of the matrix. All, if there are none.
    pub released: Option<&'a [u64]>,
}

/// Active units and where their product goes.
#[derive(Debug)]
pub struct Product<'a> {
    /// The units that are multiplied.
    pub active: &'a Active,
    /// What sums start from, one line a panel of the product.
    pub bias: &'a [Line],
    /// The product: (panels, examples) lines.
    pub out: &'a mut [Line],
}

simd_kernel! {
    /// `v·W + bias`, (examples, H).
    ///
    /// # Panics
    /// If shapes do not fit.
    pub fn forward<'a>(weights: Weights<'a>, product: Product<'a>) = forward_body
}

/// States of hidden units and where their product goes.
#[derive(Debug)]
pub struct GroupProduct<'a> {
    /// The units that are multiplied.
    pub groups: &'a Groups,
    /// What sums start from, one line a panel of the product.
    pub bias: &'a [Line],
    /// The product: (panels, examples) lines.
    pub out: &'a mut [Line],
}

simd_kernel! {
    /// `h·Wᵀ + bias`, (examples, V), from W itself: a few rows at a time are transposed in the first cache.
    ///
    /// # Panics
    /// If shapes do not fit.
    pub fn backward<'a>(weights: Weights<'a>, product: GroupProduct<'a>) = backward_body
}

simd_kernel! {
    /// `out = before + Σ rows on − Σ rows off`: the product of a state that differs little from an earlier one.
    ///
    /// # Shapes
    /// `before`, `out`: (panels, examples) lines.
    ///
    /// # Panics
    /// If shapes do not fit or the lists are cut into tiles.
    pub fn forward_changed<'a>(matrix: &'a Matrix, on: &'a Active, off: &'a Active, before: &'a [Line], out: &'a mut [Line])
        = changed_body
}

impl Weights<'_> {
    fn check(&self) {
        let lines = self.matrix.lines().len();
        assert!(self.released.is_none_or(|bits| bits.len() == lines), "one word of releases per line");
    }
}

impl Product<'_> {
    /// Checks the shapes of a product of `from` units with `to` columns.
    pub(super) fn check(&self, from: usize, to: usize) {
        let panels = to.div_ceil(super::PANEL);
        assert_eq!(self.active.units(), from, "one row per unit");
        assert_eq!(self.bias.len(), panels, "one line of bias per panel");
        assert_eq!(self.out.len(), panels * self.active.examples(), "one line per panel and example");
        assert_eq!(self.active.blocks(), from.div_ceil(TILE), "lists cut into tiles");
    }
}

#[inline(always)]
fn forward_body<S: Simd>(s: S, weights: Weights<'_>, product: Product<'_>) {
    weights.check();
    let matrix = weights.matrix;
    product.check(matrix.rows(), matrix.columns());
    match weights.released {
        None => multiply(s, Direct { matrix }, matrix.columns(), product),
        Some(bits) => multiply(s, Masked::new(matrix, bits), matrix.columns(), product),
    }
}

#[inline(always)]
fn backward_body<S: Simd>(s: S, weights: Weights<'_>, product: GroupProduct<'_>) {
    weights.check();
    let Weights { matrix, released } = weights;
    let panels = matrix.rows().div_ceil(super::PANEL);
    assert_eq!(product.groups.units(), matrix.columns(), "one column per unit");
    assert_eq!(product.bias.len(), panels, "one line of bias per panel");
    assert_eq!(product.out.len(), panels * product.groups.examples(), "one line per panel and example");
    look_up(s, Strips::new(matrix, released), matrix.rows(), product);
}

#[inline(always)]
fn multiply<S: Simd>(s: S, mut source: impl Source<S>, columns: usize, product: Product<'_>) {
    let Product { active, bias, out } = product;
    if active.examples() == 0 {
        return;
    }
    for (p, out) in out.chunks_exact_mut(active.examples()).enumerate() {
        for block in 0..active.blocks() {
            let tile = source.tile(s, p, block);
            match vectors(columns, p) {
                1 => add_tile::<S, 1>(s, tile, active, block, &bias[p], out),
                2 => add_tile::<S, 2>(s, tile, active, block, &bias[p], out),
                3 => add_tile::<S, 3>(s, tile, active, block, &bias[p], out),
                _ => add_tile::<S, 4>(s, tile, active, block, &bias[p], out),
            }
        }
    }
}

/// Adds the active rows of one tile for every example.
#[inline(always)]
fn add_tile<S: Simd, const V: usize>(
    s: S,
    tile: &[Line],
    active: &Active,
    block: usize,
    bias: &Line,
    out: &mut [Line],
) {
    assert!(tile.len() >= TILE.min(active.units() - block * TILE), "a row per unit of the block");
    for (example, out) in out.iter_mut().enumerate() {
        let start = if block == 0 { bias } else { &*out };
        let start: [S::F; V] = std::array::from_fn(|k| s.load(&start.0[k]));
        // SAFETY: entries are below the units of their block, and the tile has as many rows.
        let sums = unsafe { column_sums(s, tile, active.entries(example, block), start) };
        for k in 0..V {
            s.store(sums[k], &mut out.0[k]);
        }
    }
}

#[inline(always)]
fn changed_body<S: Simd>(
    s: S,
    matrix: &Matrix,
    on: &Active,
    off: &Active,
    before: &[Line],
    out: &mut [Line],
) {
    let examples = on.examples();
    for lists in [on, off] {
        assert_eq!((lists.units(), lists.blocks()), (matrix.rows(), 1), "whole lists, one row per unit");
        assert_eq!(lists.examples(), examples, "as many examples on as off");
    }
    let lines = matrix.panels() * examples;
    assert_eq!((before.len(), out.len()), (lines, lines), "one line per panel and example");
    for p in 0..matrix.panels() {
        let part = p * examples..(p + 1) * examples;
        let (before, out) = (&before[part.clone()], &mut out[part]);
        match vectors(matrix.columns(), p) {
            1 => change::<S, 1>(s, matrix.panel(p), on, off, before, out),
            2 => change::<S, 2>(s, matrix.panel(p), on, off, before, out),
            3 => change::<S, 3>(s, matrix.panel(p), on, off, before, out),
            _ => change::<S, 4>(s, matrix.panel(p), on, off, before, out),
        }
    }
}

#[inline(always)]
fn change<S: Simd, const V: usize>(
    s: S,
    panel: &[Line],
    on: &Active,
    off: &Active,
    before: &[Line],
    out: &mut [Line],
) {
    for (example, (before, out)) in before.iter().zip(out).enumerate() {
        let start: [S::F; V] = std::array::from_fn(|k| s.load(&before.0[k]));
        // SAFETY: entries are below the units, and the panel has as many rows (checked by the caller).
        let sums =
            unsafe { rows::changed_sums(s, panel, on.entries(example, 0), off.entries(example, 0), start) };
        for k in 0..V {
            s.store(sums[k], &mut out.0[k]);
        }
    }
}

#[cfg(test)]
#[path = "product_tests.rs"]
mod tests;

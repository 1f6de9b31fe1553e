//! Products of binary units and weights: `v·W` (forward) and `h·Wᵀ` (backward), plus a bias.
//!
//! Rows are summed in groups of four units: a table holds the sums of all 16 subsets of a group, and an example adds
//! one of them. A table serves all examples; those of a word of 64 units and half a panel of columns take 32 KiB of the
//! first cache.
//!
//! A column of a product is a sum of f32 in a fixed order: groups follow one another, and within one rows are added in
//! order. [`forward_changed`] and products with releases of every example's own add listed rows instead; these sums
//! depend on [`super::TILE`].

mod released;
mod rows;
mod sources;
mod tables;
mod tiles;

pub use released::{Listed, backward_released, forward_released};
pub(crate) use rows::column_sums;

use super::groups::Groups;
use super::lists::Active;
use super::matrix::{Line, Matrix, vectors};
use super::simd::Simd;
use super::simd_kernel;
use sources::{Direct, Masked, Turned};
use tables::multiply;

/// Weights of synapses, those without a release left out.
#[derive(Clone, Copy, Debug)]
pub struct Weights<'a> {
    /// W, (V, H).
    pub matrix: &'a Matrix,
    /// Which synapses release: bit c of word l is column c of line l of the matrix. All, if there are none.
    pub released: Option<&'a [u64]>,
}

/// States of units and where their product goes.
#[derive(Debug)]
pub struct Product<'a> {
    /// The units that are multiplied.
    pub groups: &'a Groups,
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

simd_kernel! {
    /// `h·Wᵀ + bias`, (examples, V), from W itself: every tile is transposed in the first cache.
    ///
    /// # Panics
    /// If shapes do not fit.
    pub fn backward<'a>(weights: Weights<'a>, product: Product<'a>) = backward_body
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
    fn check(&self, from: usize, to: usize) {
        let panels = to.div_ceil(super::PANEL);
        assert_eq!(self.groups.units(), from, "one row per unit");
        assert_eq!(self.bias.len(), panels, "one line of bias per panel");
        assert_eq!(self.out.len(), panels * self.groups.examples(), "one line per panel and example");
    }
}

#[inline(always)]
fn forward_body<S: Simd>(s: S, weights: Weights<'_>, product: Product<'_>) {
    weights.check();
    let matrix = weights.matrix;
    product.check(matrix.rows(), matrix.columns());
    match weights.released {
        None => multiply(s, Direct::new(matrix), matrix.columns(), product),
        Some(bits) => multiply(s, Masked::new(matrix, bits), matrix.columns(), product),
    }
}

#[inline(always)]
fn backward_body<S: Simd>(s: S, weights: Weights<'_>, product: Product<'_>) {
    weights.check();
    let matrix = weights.matrix;
    product.check(matrix.columns(), matrix.rows());
    multiply(s, Turned::new(matrix, weights.released), matrix.rows(), product);
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

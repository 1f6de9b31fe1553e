//! Rows of synapses whose parameter θ decides whether they are there: `w = e^(θ − θ₀) − e^(−θ₀)` for θ > 0, else 0.
//!
//! Weight and depression `α e^w` are functions of θ alone, always computed by the same operations, so that they can be computed
//! anew at any time with the same bits.

use crate::{level::at_every_level, math::exp};

/// Sums that run side by side; part of every result.
const LANES: usize = 16;
/// Rows that are summed side by side, so that no sum waits for itself.
const ROWS: usize = 4;
/// Below this a trace is none, so that it never becomes a subnormal number.
const NOTHING: f32 = 1e-12;

/// What all synapses share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rule {
    /// Learning rate times assumed number of data points.
    pub step: f32,
    /// θ₀.
    pub theta_0: f32,
    /// e^(−θ₀), subtracted so that the weight is continuous at θ = 0.
    pub rest: f32,
    /// α.
    pub alpha: f32,
    /// Greatest depression that learning takes into account.
    pub cap: f32,
    /// The least θ.
    pub floor: f32,
    /// How many of the first synapses of a row are inputs.
    pub inputs: usize,
}

/// The synapses of one neuron; slices of one length.
#[derive(Debug)]
pub struct Row<'a> {
    /// θ.
    pub theta: &'a mut [f32],
    /// Weights.
    pub w: &'a mut [f32],
    /// α e^w.
    pub depression: &'a mut [f32],
}

at_every_level! {
    /// `out[k] = Σ_i w[k, i] x[i]`, each in 16 lanes that are added as a tree.
    ///
    /// # Shapes
    /// `w`: (neurons, synapses) row by row · `x`: (synapses) · `out`: (neurons).
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn potentials / potentials_at(w: &[f32], x: &[f32], out: &mut [f32]) = potentials_body
}

at_every_level! {
    /// Traces that fall by the two factors; what is below 1e-12 becomes 0.
    pub fn fade / fade_at(fall: &mut [f32], rise: &mut [f32], factors: [f32; 2]) = fade_body
}

at_every_level! {
    /// What a spike of the neuron does: `θ += step e^(θ − θ₀) (x − min(cap, α e^w))` where θ > 0, at most `most`. Returns the
    /// neuron's new `Σ (α e^w − α)` over its inputs.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn learn / learn_at(row: &mut Row<'_>, x: &[f32], most: &[f32], rule: Rule, normaliser: &mut f32) = learn_body
}

at_every_level! {
    /// Brings θ into its bounds, those of synapses that may not be to `floor`, and computes what depends on it; the sum as
    /// [`learn`].
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn settle / settle_at(row: &mut Row<'_>, may_be: &[bool], most: &[f32], rule: Rule, normaliser: &mut f32)
        = settle_body
}

#[inline(always)]
fn potentials_body(w: &[f32], x: &[f32], out: &mut [f32]) {
    let n = x.len();
    assert_eq!(w.len(), n * out.len(), "a row of weights per neuron");
    let whole = out.len() / ROWS * ROWS;
    for first in (0..whole).step_by(ROWS) {
        let rows: [&[f32]; ROWS] = std::array::from_fn(|row| &w[(first + row) * n..(first + row + 1) * n]);
        out[first..first + ROWS].copy_from_slice(&dots(rows, x));
    }
    for row in whole..out.len() {
        [out[row]] = dots([&w[row * n..(row + 1) * n]], x);
    }
}

/// Products of several rows with `x`; those of a row do not depend on how many there are.
#[inline(always)]
fn dots<const N: usize>(rows: [&[f32]; N], x: &[f32]) -> [f32; N] {
    let mut lanes = [[0.0_f32; LANES]; N];
    let (blocks, rest) = x.as_chunks::<LANES>();
    let rows = rows.map(|row| {
        let (row_blocks, row_rest) = row.as_chunks::<LANES>();
        (&row_blocks[..blocks.len()], &row_rest[..rest.len()])
    });
    for (at, x) in blocks.iter().enumerate() {
        for (lanes, (row, _)) in lanes.iter_mut().zip(&rows) {
            for i in 0..LANES {
                lanes[i] += row[at][i] * x[i];
            }
        }
    }
    for (lanes, (_, row)) in lanes.iter_mut().zip(&rows) {
        for (i, x) in rest.iter().enumerate() {
            lanes[i] += row[i] * x;
        }
    }
    lanes.map(tree)
}

#[inline(always)]
fn tree(mut lanes: [f32; LANES]) -> f32 {
    let mut width = LANES / 2;
    while width > 0 {
        for i in 0..width {
            lanes[i] += lanes[i + width];
        }
        width /= 2;
    }
    lanes[0]
}

#[inline(always)]
fn fade_body(fall: &mut [f32], rise: &mut [f32], [slow, fast]: [f32; 2]) {
    for x in fall {
        let next = *x * slow;
        *x = if next < NOTHING { 0.0 } else { next };
    }
    for x in rise {
        let next = *x * fast;
        *x = if next < NOTHING { 0.0 } else { next };
    }
}

/// Weight and depression of a synapse.
#[inline(always)]
fn strength(theta: f32, rule: Rule) -> (f32, f32) {
    let grown = exp(theta - rule.theta_0) - rule.rest;
    let w = if theta > 0.0 && grown > 0.0 { grown } else { 0.0 };
    (w, rule.alpha * exp(w))
}

#[inline(always)]
fn learn_body(row: &mut Row<'_>, x: &[f32], most: &[f32], rule: Rule, normaliser: &mut f32) {
    let n = row.theta.len();
    assert!([row.w.len(), row.depression.len(), x.len(), most.len()] == [n; 4], "one value per synapse");
    let (theta, w, depression) = (&mut row.theta[..n], &mut row.w[..n], &mut row.depression[..n]);
    let (x, most) = (&x[..n], &most[..n]);
    for i in 0..n {
        let capped = if depression[i] < rule.cap { depression[i] } else { rule.cap };
        let moved = theta[i] + rule.step * (w[i] + rule.rest) * (x[i] - capped);
        let moved = if moved < most[i] { moved } else { most[i] };
        theta[i] = if theta[i] > 0.0 { moved } else { theta[i] };
        (w[i], depression[i]) = strength(theta[i], rule);
    }
    *normaliser = excess(&depression[..rule.inputs], rule.alpha);
}

#[inline(always)]
fn settle_body(row: &mut Row<'_>, may_be: &[bool], most: &[f32], rule: Rule, normaliser: &mut f32) {
    let n = row.theta.len();
    assert!([row.w.len(), row.depression.len(), may_be.len(), most.len()] == [n; 4], "one value per synapse");
    let (theta, w, depression) = (&mut row.theta[..n], &mut row.w[..n], &mut row.depression[..n]);
    let (may_be, most) = (&may_be[..n], &most[..n]);
    for i in 0..n {
        let below = if theta[i] < most[i] { theta[i] } else { most[i] };
        let within = if below > rule.floor { below } else { rule.floor };
        theta[i] = if may_be[i] { within } else { rule.floor };
        (w[i], depression[i]) = strength(theta[i], rule);
    }
    *normaliser = excess(&depression[..rule.inputs], rule.alpha);
}

/// `Σ (xs[i] − least)` in 16 lanes that are added as a tree.
#[inline(always)]
fn excess(xs: &[f32], least: f32) -> f32 {
    let mut lanes = [0.0_f32; LANES];
    let (whole, rest) = xs.as_chunks::<LANES>();
    for xs in whole {
        for i in 0..LANES {
            lanes[i] += xs[i] - least;
        }
    }
    for (lane, x) in lanes.iter_mut().zip(rest) {
        *lane += x - least;
    }
    tree(lanes)
}

#[cfg(test)]
#[path = "rewiring_tests.rs"]
mod tests;

//! Rows of plastic synapses: potentials of spiking neurons, and learning at a spike.
//!
//! The rule is `w ← max(w + η (c y − e^w) / max(e^w, c η), floor)`, one synapse after the other.

use crate::{level::at_every_level, math, sample};

/// How a row of synapses learns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rule {
    /// η, or η₀ where each synapse has a rate of its own.
    pub eta: f32,
    /// c.
    pub gain: f32,
    /// The least weight.
    pub floor: f32,
}

at_every_level! {
    /// Learns at one rate: `w[i]` with potential `y[i]`.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn learn / learn_at(w: &mut [f32], y: &[f32], rule: Rule) = learn_body
}

at_every_level! {
    /// Learns at one rate from potentials that are all 0.
    pub fn fade / fade_at(w: &mut [f32], rule: Rule) = fade_body
}

at_every_level! {
    /// Learns at a rate of each synapse's own: `η₀ (S₂ − S₁²) / (c e^−S₁ + 1)`; the running moments `first`, S₁, and
    /// `second`, S₂, then move towards the new w and w² at that rate.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn learn_tracking / learn_tracking_at(
        w: &mut [f32], first: &mut [f32], second: &mut [f32], y: &[f32], rule: Rule,
    ) = learn_tracking_body
}

at_every_level! {
    /// `out[j] = (out[j] + factors[0] table[rows[0], j]) + factors[1] table[rows[1], j] + …`, in this order.
    ///
    /// # Shapes
    /// `table`: (rows, width) row by row · `rows`, `factors`: one for each summand · `out`: (width).
    ///
    /// # Panics
    /// If a row is not in the table or lengths do not fit.
    pub fn add_scaled_rows / add_scaled_rows_at(table: &[f32], rows: &[u32], factors: &[f32], out: &mut [f32])
        = add_scaled_rows_body
}

at_every_level! {
    /// `out = Σ a[i] b[i]`, in 16 lanes that are added as a tree.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn dot / dot_at(a: &[f32], b: &[f32], out: &mut f32) = dot_body
}

at_every_level! {
    /// `out[i] = −ln(1 − u)`, u the uniform number of `words[i]`: standard exponential, at most 16.6.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn exponentials / exponentials_at(words: &[u32], out: &mut [f32]) = exponentials_body
}

/// One synapse.
#[inline(always)]
fn stepped(w: f32, y: f32, eta: f32, rule: Rule) -> f32 {
    let e = math::exp(w);
    let least = rule.gain * eta;
    let stepped = w + eta * (rule.gain * y - e) / if e > least { e } else { least };
    if stepped > rule.floor { stepped } else { rule.floor }
}

#[inline(always)]
fn learn_body(w: &mut [f32], y: &[f32], rule: Rule) {
    assert_eq!(w.len(), y.len(), "one potential per synapse");
    for (w, &y) in w.iter_mut().zip(y) {
        *w = stepped(*w, y, rule.eta, rule);
    }
}

#[inline(always)]
fn fade_body(w: &mut [f32], rule: Rule) {
    for w in w {
        *w = stepped(*w, 0.0, rule.eta, rule);
    }
}

#[inline(always)]
fn learn_tracking_body(w: &mut [f32], first: &mut [f32], second: &mut [f32], y: &[f32], rule: Rule) {
    let n = w.len();
    assert!([first.len(), second.len(), y.len()] == [n; 3], "one value per synapse");
    let (first, second, y) = (&mut first[..n], &mut second[..n], &y[..n]);
    for i in 0..n {
        let variance = second[i] - first[i] * first[i];
        let eta = rule.eta * variance / (rule.gain * math::exp(-first[i]) + 1.0);
        w[i] = stepped(w[i], y[i], eta, rule);
        first[i] += eta * (w[i] - first[i]);
        second[i] += eta * (w[i] * w[i] - second[i]);
    }
}

#[inline(always)]
fn add_scaled_rows_body(table: &[f32], rows: &[u32], factors: &[f32], out: &mut [f32]) {
    assert_eq!(rows.len(), factors.len(), "one factor per row");
    let width = out.len();
    let mut column = 0;
    // The widest block first: as many sums as fit the registers run side by side.
    while column < width {
        column += match width - column {
            128.. => scaled_block::<128>(table, rows, factors, column, out),
            64.. => scaled_block::<64>(table, rows, factors, column, out),
            32.. => scaled_block::<32>(table, rows, factors, column, out),
            16.. => scaled_block::<16>(table, rows, factors, column, out),
            8.. => scaled_block::<8>(table, rows, factors, column, out),
            4.. => scaled_block::<4>(table, rows, factors, column, out),
            2.. => scaled_block::<2>(table, rows, factors, column, out),
            _ => scaled_block::<1>(table, rows, factors, column, out),
        };
    }
}

/// The sums of N columns from `column` on; returns N.
#[inline(always)]
fn scaled_block<const N: usize>(
    table: &[f32],
    rows: &[u32],
    factors: &[f32],
    column: usize,
    out: &mut [f32],
) -> usize {
    let width = out.len();
    let out = out[column..].first_chunk_mut::<N>().expect("the caller saw that N columns are left");
    let mut sums = *out;
    for (&row, &factor) in rows.iter().zip(factors) {
        let values = table[row as usize * width + column..].first_chunk::<N>().expect("a row of the table");
        for (sum, value) in sums.iter_mut().zip(values) {
            *sum += factor * *value;
        }
    }
    *out = sums;
    N
}

#[inline(always)]
fn dot_body(a: &[f32], b: &[f32], out: &mut f32) {
    const LANES: usize = 16;
    assert_eq!(a.len(), b.len(), "one factor per factor");
    let mut lanes = [0.0_f32; LANES];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (a, b) in a.iter().zip(b) {
        for i in 0..LANES {
            lanes[i] += a[i] * b[i];
        }
    }
    for (i, (a, b)) in a_rest.iter().zip(b_rest).enumerate() {
        lanes[i] += a * b;
    }
    let mut width = LANES / 2;
    while width > 0 {
        for i in 0..width {
            lanes[i] += lanes[i + width];
        }
        width /= 2;
    }
    *out = lanes[0];
}

#[inline(always)]
fn exponentials_body(words: &[u32], out: &mut [f32]) {
    assert_eq!(words.len(), out.len(), "one word per number");
    for (number, &word) in out.iter_mut().zip(words) {
        *number = -math::ln(1.0 - sample::uniform(word));
    }
}

#[cfg(test)]
#[path = "plasticity_tests.rs"]
mod tests;

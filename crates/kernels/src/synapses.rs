//! What happens to every synapse at every step: collapse, release, and ascent of (w, a).
//!
//! `p = s(a)` is the release probability of an idle synapse, `q = s(a + w)` that of one between
//! two active units, `s(x) = 1/(1 + e^−x)`; `d` is the statistic ⟨v h⟩_data − ⟨v h⟩_model.

use crate::level::at_every_level;
use crate::math::{exp, exp_m1, ln_corrected, sigmoid};
use crate::sample::uniform;

/// Momentum ascent: `velocity = momentum · velocity + rate · (gradient − decay · x); x += velocity`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ascent {
    /// Step size.
    pub rate: f32,
    /// The part of the velocity that stays, in [0, 1).
    pub momentum: f32,
    /// Decay of the parameter, in units of the gradient.
    pub decay: f32,
}

impl Ascent {
    #[inline(always)]
    fn step(self, x: &mut f32, velocity: &mut f32, gradient: f32) {
        *velocity = self.momentum * *velocity + self.rate * (gradient - self.decay * *x);
        *x += *velocity;
    }
}

/// The learned parameters of all synapses and their velocities; four slices of one length.
#[derive(Debug)]
pub struct Learned<'a> {
    /// Strengths.
    pub w: &'a mut [f32],
    /// Logits of the release probabilities.
    pub a: &'a mut [f32],
    /// Velocities of w.
    pub w_velocity: &'a mut [f32],
    /// Velocities of a.
    pub a_velocity: &'a mut [f32],
}

/// How w and a climb.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rule {
    /// For w.
    pub w: Ascent,
    /// For a.
    pub a: Ascent,
    /// a is cut to ± this.
    pub a_limit: f32,
    /// d is multiplied by this first: one over the number of examples.
    pub d_scale: f32,
}

at_every_level! {
    /// `out = log(1 − p + p e^w) = log(1 + e^(a+w)) − log(1 + e^a)`, the weight a synapse has once summed out.
    ///
    /// Error ≤ 8 ulp of the result for |a| ≤ 8 and |w| ≤ 20: neither small w nor a large negative
    /// one cancels. w is cut to [−87, 87].
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn collapse / collapse_at(w: &[f32], a: &[f32], out: &mut [f32]) = collapse_body
}

at_every_level! {
    /// Draws which synapses release: `mask = 1` if `uniform(word) < p`, else 0; `out = w · mask`.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn release / release_at(w: &[f32], a: &[f32], words: &[u32], mask: &mut [f32], out: &mut [f32])
        = release_body
}

at_every_level! {
    /// Plain ascent of `x` along `gradient_scale · gradient`.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn ascend / ascend_at(
        x: &mut [f32], velocity: &mut [f32], gradient: &[f32], gradient_scale: f32, ascent: Ascent,
    ) = ascend_body
}

at_every_level! {
    /// Ascent of the joint-energy ensemble: `dw = q d`, `da = (q − p) d`.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn ascend_joint_energy / ascend_joint_energy_at(learned: Learned<'_>, d: &[f32], rule: Rule)
        = joint_energy_body
}

at_every_level! {
    /// Ascent of the prior mixture: `dw = mask d`, `da = p (1 − p) w d`.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn ascend_mixture / ascend_mixture_at(learned: Learned<'_>, mask: &[f32], d: &[f32], rule: Rule)
        = mixture_body
}

/// [`collapse`] of one synapse.
#[inline(always)]
pub fn collapsed(w: f32, a: f32) -> f32 {
    let odds = exp(-a); // (1 − p)/p
    let p = 1.0 / (1.0 + odds);
    let t = p * exp_m1(w);
    let near = 1.0 + t;
    let far = p * (odds + exp(w)); // the same sum without cancellation where it is small
    let small = t < -0.5;
    let u = if small { far } else { near };
    let correction = if small { 0.0 } else { (t - (near - 1.0)) / near };
    ln_corrected(u, correction)
}

#[inline(always)]
fn collapse_body(w: &[f32], a: &[f32], out: &mut [f32]) {
    assert!(w.len() == out.len() && a.len() == out.len(), "one value per synapse");
    for ((out, &w), &a) in out.iter_mut().zip(w).zip(a) {
        *out = collapsed(w, a);
    }
}

#[inline(always)]
fn release_body(w: &[f32], a: &[f32], words: &[u32], mask: &mut [f32], out: &mut [f32]) {
    let n = out.len();
    assert!([w.len(), a.len(), words.len(), mask.len()] == [n; 4], "one value per synapse");
    for i in 0..n {
        mask[i] = if uniform(words[i]) < sigmoid(a[i]) { 1.0 } else { 0.0 };
        out[i] = w[i] * mask[i];
    }
}

#[inline(always)]
fn ascend_body(x: &mut [f32], velocity: &mut [f32], gradient: &[f32], gradient_scale: f32, ascent: Ascent) {
    assert!(x.len() == velocity.len() && x.len() == gradient.len(), "one value per parameter");
    for ((x, velocity), &gradient) in x.iter_mut().zip(velocity).zip(gradient) {
        ascent.step(x, velocity, gradient_scale * gradient);
    }
}

#[inline(always)]
fn joint_energy_body(learned: Learned<'_>, d: &[f32], rule: Rule) {
    let Learned { w, a, w_velocity, a_velocity } = learned;
    climb(w, a, w_velocity, a_velocity, d, rule, |_, w, a| {
        let (p, q) = (sigmoid(a), sigmoid(a + w));
        (q, q - p)
    });
}

#[inline(always)]
fn mixture_body(learned: Learned<'_>, mask: &[f32], d: &[f32], rule: Rule) {
    let Learned { w, a, w_velocity, a_velocity } = learned;
    let mask = &mask[..d.len()];
    climb(w, a, w_velocity, a_velocity, d, rule, |i, w, a| {
        let p = sigmoid(a);
        (mask[i], p * (1.0 - p) * w)
    });
}

/// Ascent along `d` times the factors that `factors(i, w, a)` gives for w and for a.
///
/// The slices are arguments of their own, rather than a struct, to tell the compiler that they do
/// not overlap: with six of them it would not check at run time, and not use vectors.
#[inline(always)]
fn climb(
    w: &mut [f32],
    a: &mut [f32],
    w_velocity: &mut [f32],
    a_velocity: &mut [f32],
    d: &[f32],
    rule: Rule,
    factors: impl Fn(usize, f32, f32) -> (f32, f32),
) {
    let n = d.len();
    assert!([w.len(), a.len(), w_velocity.len(), a_velocity.len()] == [n; 4], "one value per synapse");
    let (w, a) = (&mut w[..n], &mut a[..n]);
    let (w_velocity, a_velocity) = (&mut w_velocity[..n], &mut a_velocity[..n]);
    for i in 0..n {
        let d = rule.d_scale * d[i];
        let (w_factor, a_factor) = factors(i, w[i], a[i]);
        rule.w.step(&mut w[i], &mut w_velocity[i], w_factor * d);
        rule.a.step(&mut a[i], &mut a_velocity[i], a_factor * d);
        a[i] = cut(a[i], rule.a_limit);
    }
}

/// x within ± `limit`; NaN stays NaN. (`f32::clamp` may panic, which keeps a loop from vectors.)
#[inline(always)]
fn cut(x: f32, limit: f32) -> f32 {
    let x = if x > limit { limit } else { x };
    if x < -limit { -limit } else { x }
}

#[cfg(test)]
#[path = "synapses_tests.rs"]
mod tests;

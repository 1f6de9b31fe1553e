//! Samplers of `p*^(1/T)`, one step for many chains at a time.
//!
//! Points lie one after the other in a slice, `dimensions` numbers each; every step takes one standard normal number for
//! each of them. Steps are counted in h = b dt. All are exact as h → 0 only.

mod tempering;

pub use tempering::Tempering;

use super::Target;

/// The size of a step and what bounds it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Langevin {
    /// h = b dt.
    pub h: f64,
    /// Temperature T.
    pub temperature: f64,
    /// Longest way that the drift moves a point in one step; infinite for none.
    pub drift_limit: f64,
    /// Points are reflected at the faces of the cube [−x, x]; infinite for none.
    pub half_width: f64,
}

impl Langevin {
    /// A step without limits.
    pub fn new(h: f64, temperature: f64) -> Self {
        Self { h, temperature, drift_limit: f64::INFINITY, half_width: f64::INFINITY }
    }

    /// Overdamped, Euler and Maruyama: `x ← x + h ∂log p* + √(2 h T) z`.
    ///
    /// # Panics
    /// If x does not hold whole points or z another number of numbers.
    pub fn overdamped(&self, target: &(impl Target + ?Sized), x: &mut [f64], z: &[f64]) {
        let mut drift = vec![0.0; target.dimensions()];
        let sd = (2.0 * self.h * self.temperature).sqrt();
        for (x, z) in points(target, x, z) {
            target.gradient(x, &mut drift);
            self.scale(&mut drift);
            for ((x, z), drift) in x.iter_mut().zip(z).zip(&drift) {
                *x = self.reflect(*x + drift + sd * z);
            }
        }
    }

    /// Preconditioned by M = L Lᵀ: `x ← x + h M ∂log p* + √(2 h T) L z`. `factor` holds L row by row, zeros above the
    /// diagonal. The stationary law is the same for every M.
    ///
    /// # Panics
    /// As [`Langevin::overdamped`], or if L is of another size.
    pub fn preconditioned(&self, target: &(impl Target + ?Sized), factor: &[f64], x: &mut [f64], z: &[f64]) {
        let n = target.dimensions();
        assert_eq!(factor.len(), n * n, "the factor is a square");
        let (mut gradient, mut half, mut drift) = (vec![0.0; n], vec![0.0; n], vec![0.0; n]);
        let sd = (2.0 * self.h * self.temperature).sqrt();
        for (x, z) in points(target, x, z) {
            target.gradient(x, &mut gradient);
            for (k, half) in half.iter_mut().enumerate() {
                *half = (k..n).fold(0.0, |sum, i| sum + factor[i * n + k] * gradient[i]);
            }
            let row = |i: usize, of: &[f64]| (0..=i).fold(0.0, |sum, k| sum + factor[i * n + k] * of[k]);
            drift.iter_mut().enumerate().for_each(|(i, drift)| *drift = row(i, &half));
            self.scale(&mut drift);
            for (i, x) in x.iter_mut().enumerate() {
                *x = self.reflect(*x + drift[i] + sd * row(i, z));
            }
        }
    }

    /// Underdamped, with unit masses and a friction, time step h: `v ← v + h ∂log p*`, half a way, `v ← c v + √((1 − c²) T) z`
    /// with c = e^(−friction h), half a way. It is BAOAB with the velocity taken half a kick later, so that one gradient
    /// serves a step; the points are the same. A wall turns the velocity.
    ///
    /// # Panics
    /// As [`Langevin::overdamped`], or if v has another length.
    ///
    /// # Source
    /// Leimkuhler & Matthews 2013, Appl. Math. Res. Express 2013:34 (BAOAB).
    pub fn underdamped(
        &self,
        target: &(impl Target + ?Sized),
        friction: f64,
        x: &mut [f64],
        v: &mut [f64],
        z: &[f64],
    ) {
        assert_eq!(x.len(), v.len(), "a velocity for each number");
        let keep = libm::exp(-friction * self.h);
        let sd = ((1.0 - keep * keep) * self.temperature).sqrt();
        let mut kick = vec![0.0; target.dimensions()];
        for ((x, z), v) in points(target, x, z).zip(v.chunks_exact_mut(target.dimensions())) {
            target.gradient(x, &mut kick);
            self.scale(&mut kick);
            for (((x, v), z), kick) in x.iter_mut().zip(v).zip(z).zip(&kick) {
                *v += kick;
                self.drift(x, v);
                *v = keep * *v + sd * z;
                self.drift(x, v);
            }
        }
    }

    /// Half a step at velocity v.
    fn drift(&self, x: &mut f64, v: &mut f64) {
        let free = *x + 0.5 * self.h * *v;
        *x = self.reflect(free);
        if *x != free {
            *v = -*v;
        }
    }

    /// h times a gradient, no longer than the limit.
    fn scale(&self, gradient: &mut [f64]) {
        let length = self.h * gradient.iter().fold(0.0, |sum, g| sum + g * g).sqrt();
        let scale = if length > self.drift_limit { self.h * self.drift_limit / length } else { self.h };
        gradient.iter_mut().for_each(|g| *g *= scale);
    }

    fn reflect(&self, x: f64) -> f64 {
        let inside = if x > self.half_width { 2.0 * self.half_width - x } else { x };
        if inside < -self.half_width { -2.0 * self.half_width - inside } else { inside }
    }
}

/// Points with their normal numbers.
fn points<'a>(
    target: &(impl Target + ?Sized),
    x: &'a mut [f64],
    z: &'a [f64],
) -> impl Iterator<Item = (&'a mut [f64], &'a [f64])> {
    let n = target.dimensions();
    assert!(
        x.len() == z.len() && x.len().is_multiple_of(n),
        "whole points and a normal number for each number"
    );
    x.chunks_exact_mut(n).zip(z.chunks_exact(n))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Draws, Stream, stats};

    /// Two numbers of unlike scales: variances 1 and 0.04.
    struct Ellipse;

    impl Target for Ellipse {
        fn dimensions(&self) -> usize {
            2
        }

        fn log_density(&self, x: &[f64]) -> f64 {
            -0.5 * (x[0] * x[0] + 25.0 * x[1] * x[1])
        }

        fn gradient(&self, x: &[f64], out: &mut [f64]) {
            (out[0], out[1]) = (-x[0], -25.0 * x[1]);
        }
    }

    const CHAINS: usize = 4000;

    /// Variances of both numbers after many steps from the origin.
    fn variances(mut step: impl FnMut(&mut [f64], &[f64]), steps: u64) -> [f64; 2] {
        let (mut x, mut z) = (vec![0.0; 2 * CHAINS], vec![0.0; 2 * CHAINS]);
        for n in 0..steps {
            Draws::at(5, n).fill_normal(Stream::SynapseDiffusion, 0, &mut z);
            step(&mut x, &z);
        }
        [0, 1].map(|k| {
            let xs: Vec<f64> = x.iter().skip(k).step_by(2).copied().collect();
            stats::sd(&xs) * stats::sd(&xs)
        })
    }

    /// Standard error of a variance of 4,000: 2.2 %; 10 % is 4.5 of them.
    fn assert_close(found: [f64; 2], expected: [f64; 2]) {
        for (found, expected) in found.into_iter().zip(expected) {
            assert!((found / expected - 1.0).abs() < 0.1, "{found} against {expected}");
        }
    }

    #[test]
    fn every_sampler_settles_in_the_tempered_law() {
        let expected = [0.5, 0.02];
        // Euler and Maruyama inflate the variance of the second number by 1/(1 − 0.002 · 25/2) = 1.026.
        let step = Langevin::new(0.002, 0.5);
        assert_close(variances(|x, z| step.overdamped(&Ellipse, x, z), 2000), expected);
        let step = Langevin::new(0.05, 0.5);
        let factor = [1.0, 0.0, 0.0, 0.2];
        assert_close(variances(|x, z| step.preconditioned(&Ellipse, &factor, x, z), 150), expected);
        let step = Langevin::new(0.1, 0.5);
        let mut v = vec![0.0; 2 * CHAINS];
        assert_close(variances(|x, z| step.underdamped(&Ellipse, 1.0, x, &mut v, z), 150), expected);
    }

    #[test]
    fn a_factor_below_the_diagonal_leaves_the_law_unchanged() {
        let step = Langevin::new(0.02, 0.5);
        let factor = [1.0, 0.0, 0.3, 0.3];
        assert_close(variances(|x, z| step.preconditioned(&Ellipse, &factor, x, z), 600), [0.5, 0.02]);
    }

    #[test]
    fn points_stay_in_their_box_and_a_drift_within_its_limit() {
        let step = Langevin { drift_limit: 0.1, half_width: 1.0, ..Langevin::new(0.1, 0.0) };
        let mut x = [0.5, 1.0];
        step.overdamped(&Ellipse, &mut x, &[0.0, 0.0]);
        let moved = ((x[0] - 0.5) * (x[0] - 0.5) + (x[1] - 1.0) * (x[1] - 1.0)).sqrt();
        assert!((moved - 0.1).abs() < 1e-12);
        let hot = Langevin { half_width: 1.0, ..Langevin::new(0.1, 1.0) };
        let mut x = [0.9, -0.9];
        hot.overdamped(&Ellipse, &mut x, &[2.0, -2.0]);
        assert!(x.iter().all(|x| x.abs() <= 1.0), "{x:?}");
    }
}

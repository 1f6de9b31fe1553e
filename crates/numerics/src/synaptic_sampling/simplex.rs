//! The minimum of a function without its gradient.

use serde::{Deserialize, Serialize};

/// A simplex that goes downhill, one move at a time.
///
/// # Source
/// Nelder & Mead 1965, Comput. J. 7:308, with the usual factors 1, 2, ½, ½.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Simplex {
    /// Corners with their values, the best first.
    corners: Vec<(f64, Vec<f64>)>,
}

impl Simplex {
    /// Around `start`, with a corner `size` away along each axis.
    pub fn new(f: impl Fn(&[f64]) -> f64, start: &[f64], size: f64) -> Self {
        let corner = |i: Option<usize>| {
            let mut x = start.to_vec();
            if let Some(i) = i {
                x[i] += size;
            }
            (f(&x), x)
        };
        let corners = [corner(None)].into_iter().chain((0..start.len()).map(|i| corner(Some(i)))).collect();
        let mut simplex = Self { corners };
        simplex.sort();
        simplex
    }

    /// The best corner and its value.
    pub fn best(&self) -> (&[f64], f64) {
        (&self.corners[0].1, self.corners[0].0)
    }

    /// Moves the worst corner, or shrinks towards the best.
    pub fn step(&mut self, f: impl Fn(&[f64]) -> f64) {
        let n = self.corners.len() - 1;
        let (worst, second) = (self.corners[n].clone(), self.corners[n - 1].0);
        let centre: Vec<f64> =
            (0..n).map(|i| self.corners[..n].iter().fold(0.0, |sum, (_, x)| sum + x[i]) / n as f64).collect();
        let at = |way: f64| {
            let x: Vec<f64> = centre.iter().zip(&worst.1).map(|(c, w)| c + way * (c - w)).collect();
            (f(&x), x)
        };
        let reflected = at(1.0);
        let better = if reflected.0 < self.corners[0].0 {
            let expanded = at(2.0);
            Some(if expanded.0 < reflected.0 { expanded } else { reflected })
        } else if reflected.0 < second {
            Some(reflected)
        } else {
            let contracted = if reflected.0 < worst.0 { at(0.5) } else { at(-0.5) };
            (contracted.0 < worst.0.min(reflected.0)).then_some(contracted)
        };
        match better {
            Some(corner) => self.corners[n] = corner,
            None => {
                let best = self.corners[0].1.clone();
                for (value, x) in &mut self.corners[1..] {
                    x.iter_mut().zip(&best).for_each(|(x, b)| *x = 0.5 * (*x + b));
                    *value = f(x);
                }
            }
        }
        self.sort();
    }

    /// NaN counts as worst.
    fn sort(&mut self) {
        self.corners.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_finds_the_end_of_a_bent_valley() {
        let valley = |x: &[f64]| {
            let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
            a * a + 100.0 * b * b
        };
        let mut simplex = Simplex::new(valley, &[-1.2, 1.0], 0.5);
        let mut last = f64::INFINITY;
        for _ in 0..300 {
            simplex.step(valley);
            assert!(simplex.best().1 <= last, "it never gets worse");
            last = simplex.best().1;
        }
        let (x, _) = simplex.best();
        assert!((x[0] - 1.0).abs() < 1e-4 && (x[1] - 1.0).abs() < 1e-4, "{x:?}");
    }
}

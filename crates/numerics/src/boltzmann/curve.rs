//! The curve on which strength and reliability of model A move together.
//!
//! Both gradients are multiples of the same D, so from one start (w ≈ 0, a = a₀) every synapse moves
//! along `da/dw = r (1 − s(a)/s(a + w))`, with r = η_a/η_w: strong synapses, of either sign,
//! become reliable. Holds for small steps without decay.

use crate::logistic::{logit, sigmoid};

/// Points per unit of w; a chord of 1/512 is off by less than 1e-5 in p for r ≤ 50.
const RESOLUTION: usize = 512;

/// p as a function of w, for one (r, p0).
#[derive(Clone, Debug)]
pub struct CouplingCurve {
    /// p at 0, 1/512, 2/512, …
    excitatory: Vec<f64>,
    /// p at 0, −1/512, −2/512, …
    inhibitory: Vec<f64>,
}

impl CouplingCurve {
    /// Integrates (Runge and Kutta, fourth order) out to |w| = `w_limit`, rounded up to an integer.
    ///
    /// `r`: rate ratio η_a/η_w · `p0`: release probability at w = 0, in (0, 1) · `a_limit`: |a| stays
    /// at most this.
    pub fn new(r: f64, p0: f64, a_limit: f64, w_limit: f64) -> Self {
        let points = w_limit.ceil() as usize * RESOLUTION;
        let branch = |sign: f64| {
            let step = sign / RESOLUTION as f64;
            let mut a = logit(p0);
            let mut branch = vec![p0];
            for point in 0..points {
                a = advance(r, point as f64 * step, a, step).clamp(-a_limit, a_limit);
                branch.push(sigmoid(a));
            }
            branch
        };
        Self { excitatory: branch(1.0), inhibitory: branch(-1.0) }
    }

    /// p at w, linear between points; beyond the limit the value there.
    pub fn release_prob(&self, w: f64) -> f64 {
        let branch = if w < 0.0 { &self.inhibitory } else { &self.excitatory };
        let last = branch.len() - 1;
        let place = (w.abs() * RESOLUTION as f64).min(last as f64);
        let low = place.floor() as usize;
        let high = (low + 1).min(last);
        branch[low] + (branch[high] - branch[low]) * place.fract()
    }
}

/// da/dw.
fn slope(r: f64, w: f64, a: f64) -> f64 {
    r * (1.0 - sigmoid(a) / sigmoid(a + w))
}

/// a after one step of the fourth-order Runge–Kutta method.
fn advance(r: f64, w: f64, a: f64, step: f64) -> f64 {
    let half = 0.5 * step;
    let k1 = slope(r, w, a);
    let k2 = slope(r, w + half, a + half * k1);
    let k3 = slope(r, w + half, a + half * k2);
    let k4 = slope(r, w + step, a + step * k3);
    a + step / 6.0 * (k1 + 2.0 * (k2 + k3) + k4)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows (r, p0) of the table, at these w; three digits each.
    const W: [f64; 8] = [-2.0, -1.0, -0.5, -0.25, 0.25, 0.5, 1.0, 2.0];
    const TABLE: [((f64, f64), [f64; 8]); 4] = [
        ((1.0, 0.5), [0.800, 0.581, 0.518, 0.504, 0.504, 0.513, 0.544, 0.621]),
        ((10.0, 0.5), [0.976, 0.864, 0.651, 0.541, 0.535, 0.615, 0.775, 0.909]),
        ((16.0, 0.5), [0.985, 0.910, 0.712, 0.563, 0.554, 0.668, 0.840, 0.942]),
        ((16.0, 0.3), [0.985, 0.899, 0.605, 0.380, 0.368, 0.534, 0.803, 0.938]),
    ];

    #[test]
    fn the_curve_agrees_with_the_table_of_the_numpy_prototype() {
        for ((r, p0), expected) in TABLE {
            let curve = CouplingCurve::new(r, p0, 8.0, 2.0);
            for (w, p) in W.into_iter().zip(expected) {
                let ours = curve.release_prob(w);
                // Half of the last printed digit, and 5e-5 for the prototype's coarser integration.
                assert!((ours - p).abs() < 5.5e-4, "r {r}, p0 {p0}, w {w}: {ours}, not {p}");
            }
        }
    }

    #[test]
    fn a_finer_integration_changes_nothing_that_matters() {
        for w in [-4.0, -1.3, -0.1, 0.1, 1.3, 4.0] {
            let steps = 100_000;
            let (mut a, step) = (logit(0.5), w / f64::from(steps));
            for i in 0..steps {
                a = advance(16.0, f64::from(i) * step, a, step).clamp(-8.0, 8.0);
            }
            let ours = CouplingCurve::new(16.0, 0.5, 8.0, 4.0).release_prob(w);
            assert!((ours - sigmoid(a)).abs() < 1e-5, "{w}");
        }
    }

    #[test]
    fn near_zero_the_logit_grows_with_the_square_of_the_strength() {
        // a ≈ a₀ + r (1 − p0) w²/2; the next term is of order w³.
        let curve = CouplingCurve::new(16.0, 0.5, 8.0, 1.0);
        let w = 1.0 / 64.0;
        let a = 0.5 * (logit(curve.release_prob(w)) + logit(curve.release_prob(-w)));
        assert!((a - 16.0 * 0.5 * w * w / 2.0).abs() < 0.05 * a);
    }

    #[test]
    fn beyond_the_limit_the_last_value_stays() {
        let curve = CouplingCurve::new(16.0, 0.5, 8.0, 1.0);
        assert_eq!(curve.release_prob(7.0), curve.release_prob(1.0));
        assert_eq!(curve.release_prob(f64::NEG_INFINITY), curve.release_prob(-1.0));
    }
}

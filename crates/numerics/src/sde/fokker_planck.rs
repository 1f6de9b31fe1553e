//! The density of one θ in time.

use super::GridLaw;

/// Density of `dθ = (b ∂log p* + T b') dt + √(2 T b) dW` on an interval with reflecting ends, b a function of θ.
///
/// `∂p/∂t = −∂J`, `J = b p ∂log p* − T b ∂p`. The flux between two cells is that of Chang and Cooper, with the drift
/// integrated between their middles: it vanishes exactly at `p*^(1/T)`. Steps in time are implicit, so the density stays
/// positive for every step; their error is of first order.
///
/// # Source
/// Chang & Cooper 1970, J. Comput. Phys. 6:1.
#[derive(Debug, Clone, PartialEq)]
pub struct FokkerPlanck {
    lower: f64,
    width: f64,
    /// Probability of each cell.
    mass: Vec<f64>,
    /// Rate from cell i to i + 1.
    up: Vec<f64>,
    /// Rate from cell i + 1 to i.
    down: Vec<f64>,
}

impl FokkerPlanck {
    /// All the probability in the cell of `start`. `b` is in 1/s.
    ///
    /// # Panics
    /// If the interval is empty, has fewer than two cells or does not hold `start`, or T is not above 0.
    pub fn new(
        log_target: impl Fn(f64) -> f64,
        b: impl Fn(f64) -> f64,
        temperature: f64,
        interval: (f64, f64),
        cells: usize,
        start: f64,
    ) -> Self {
        let (lower, upper) = interval;
        assert!(lower < upper && cells > 1, "a grid has cells");
        assert!(lower <= start && start < upper, "θ starts within the interval");
        assert!(temperature > 0.0, "a density needs noise");
        let width = (upper - lower) / cells as f64;
        let middle = |i: usize| lower + (i as f64 + 0.5) * width;
        let logs: Vec<f64> = (0..cells).map(|i| log_target(middle(i)) / temperature).collect();
        let mut mass = vec![0.0; cells];
        mass[(((start - lower) / width) as usize).min(cells - 1)] = 1.0;
        let face = |i: usize| temperature * b(middle(i) + 0.5 * width) / (width * width);
        let climb = |i: usize| logs[i + 1] - logs[i];
        let up = (0..cells - 1).map(|i| face(i) * bernoulli(-climb(i))).collect();
        let down = (0..cells - 1).map(|i| face(i) * bernoulli(climb(i))).collect();
        Self { lower, width, mass, up, down }
    }

    /// Advances by `dt` seconds in one implicit step.
    pub fn step(&mut self, dt: f64) {
        let n = self.mass.len();
        let leaves = |i: usize| self.up.get(i).unwrap_or(&0.0) + if i > 0 { self.down[i - 1] } else { 0.0 };
        // Thomas' elimination of (1 − dt L) p' = p; column sums are 1, so that no pivot vanishes.
        let mut upper = vec![0.0; n];
        let mut right = vec![0.0; n];
        for i in 0..n {
            let below = if i > 0 { -dt * self.up[i - 1] } else { 0.0 };
            let (upper_before, right_before) = if i > 0 { (upper[i - 1], right[i - 1]) } else { (0.0, 0.0) };
            let pivot = 1.0 + dt * leaves(i) - below * upper_before;
            upper[i] = self.down.get(i).map_or(0.0, |rate| -dt * rate) / pivot;
            right[i] = (self.mass[i] - below * right_before) / pivot;
        }
        for i in (0..n).rev() {
            let after = if i + 1 < n { self.mass[i + 1] } else { 0.0 };
            self.mass[i] = right[i] - upper[i] * after;
        }
    }

    /// Advances from time `from` to `to` in steps of a thousandth of the time reached, but of `shortest` at least.
    pub fn advance(&mut self, from: f64, to: f64, shortest: f64) {
        let mut time = from;
        while time < to {
            let dt = (1e-3 * time).max(shortest).min(to - time);
            self.step(dt);
            time += dt;
            // What rounding leaves is no step.
            if to - time < 1e-9 * to {
                break;
            }
        }
    }

    /// The law of θ now.
    pub fn law(&self) -> GridLaw {
        GridLaw::from_masses(self.lower, self.width, self.mass.iter().copied())
    }

    /// Density at the middle of each cell.
    pub fn density(&self) -> Vec<f64> {
        self.mass.iter().map(|mass| mass / self.width).collect()
    }

    /// Middles of the cells.
    pub fn middles(&self) -> Vec<f64> {
        (0..self.mass.len()).map(|i| self.lower + (i as f64 + 0.5) * self.width).collect()
    }
}

/// u/(e^u − 1), 1 at u = 0.
fn bernoulli(u: f64) -> f64 {
    if u.abs() < 1e-8 { 1.0 - 0.5 * u } else { u / libm::expm1(u) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{bootstrap::normal_cdf, stats};

    #[test]
    fn the_density_of_an_ornstein_uhlenbeck_process_is_the_known_one_at_every_time() {
        // σ = 1, b = 1, T = 0.7, from 2: mean 2 e^−t, variance T (1 − e^−2t).
        let mut law = FokkerPlanck::new(|x| -0.5 * x * x, |_| 1.0, 0.7, (-6.0, 6.0), 2000, 2.0);
        let mut from = 0.0;
        for to in [0.03, 0.1, 1.0, 3.0] {
            law.advance(from, to, 1e-5);
            from = to;
            let (mean, sd) = (2.0 * libm::exp(-to), (0.7 * -libm::expm1(-2.0 * to)).sqrt());
            let now = law.law();
            for z in [-2.0, -1.0, 0.0, 1.0, 2.0] {
                // Cells of 0.006 and steps of a thousandth: both errors are below 3e-3 of a distribution function.
                assert!((now.cdf(mean + z * sd) - normal_cdf(z)).abs() < 3e-3, "t = {to}, z = {z}");
            }
            assert!((stats::sum(&law.mass) - 1.0).abs() < 1e-9, "no probability is lost");
        }
    }

    #[test]
    fn it_settles_in_the_tempered_target_whatever_the_rate_depends_on() {
        let target = |x: f64| -0.25 * x * x * x * x + 0.4 * x;
        let mut law =
            FokkerPlanck::new(target, |x| 1.0 + 0.8 * libm::tanh(2.0 * x), 0.5, (-4.0, 4.0), 400, -1.0);
        (0..40).for_each(|_| law.step(10.0));
        let expected = GridLaw::new(|x| target(x) / 0.5, -4.0, 4.0, 400);
        for x in [-1.5, -0.5, 0.0, 0.7, 1.3] {
            assert!((law.law().cdf(x) - expected.cdf(x)).abs() < 1e-10, "{x}");
        }
    }
}

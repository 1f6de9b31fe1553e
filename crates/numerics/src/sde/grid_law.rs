//! Laws of one or two numbers by quadrature on a grid.

use crate::stats;

/// A law on an interval, from its log-density at the middle of equal cells.
///
/// Within a cell the density is taken as constant: with n cells over a smooth density the error of the distribution
/// function is of order 1/n².
#[derive(Debug, Clone, PartialEq)]
pub struct GridLaw {
    lower: f64,
    width: f64,
    /// P(X below the upper edge of each cell), after a leading 0.
    cumulative: Vec<f64>,
}

impl GridLaw {
    /// The law with density proportional to `exp(log_density)` on [lower, upper].
    ///
    /// # Panics
    /// If the interval or the number of cells is empty, or the density vanishes everywhere.
    pub fn new(log_density: impl Fn(f64) -> f64, lower: f64, upper: f64, cells: usize) -> Self {
        assert!(lower < upper && cells > 0, "a grid has cells");
        let width = (upper - lower) / cells as f64;
        let logs: Vec<f64> = (0..cells).map(|i| log_density(lower + (i as f64 + 0.5) * width)).collect();
        let total = stats::log_sum_exp(&logs);
        assert!(total.is_finite(), "the density is above 0 somewhere and finite");
        Self::from_masses(lower, width, logs.iter().map(|log| libm::exp(log - total)))
    }

    /// From the probability of each cell.
    pub(super) fn from_masses(lower: f64, width: f64, masses: impl Iterator<Item = f64>) -> Self {
        let mut sum = 0.0;
        let upper = masses.map(|mass| {
            sum += mass;
            sum
        });
        Self { lower, width, cumulative: [0.0].into_iter().chain(upper).collect() }
    }

    /// P(X < x).
    pub fn cdf(&self, x: f64) -> f64 {
        let place = ((x - self.lower) / self.width).max(0.0);
        let cell = place.floor() as usize;
        match self.cumulative.get(cell..cell + 2) {
            Some(ends) => (ends[0] + (ends[1] - ends[0]) * place.fract()) / self.total(),
            None => 1.0,
        }
    }

    /// The x with P(X < x) = u.
    pub fn quantile(&self, u: f64) -> f64 {
        let mass = u * self.total();
        let cells = self.cumulative.len() - 1;
        let cell = self.cumulative.partition_point(|below| *below <= mass).clamp(1, cells) - 1;
        let (low, high) = (self.cumulative[cell], self.cumulative[cell + 1]);
        let part = if high > low { ((mass - low) / (high - low)).clamp(0.0, 1.0) } else { 0.5 };
        self.lower + (cell as f64 + part) * self.width
    }

    /// E f(X).
    pub fn mean(&self, f: impl Fn(f64) -> f64) -> f64 {
        let values: Vec<f64> = (self.cumulative.windows(2).enumerate())
            .map(|(i, ends)| (ends[1] - ends[0]) * f(self.lower + (i as f64 + 0.5) * self.width))
            .collect();
        stats::sum(&values) / self.total()
    }

    fn total(&self) -> f64 {
        self.cumulative[self.cumulative.len() - 1]
    }
}

/// A law on a square, from its log-density at the middle of equal cells.
#[derive(Debug, Clone, PartialEq)]
pub struct PlaneLaw {
    lower: f64,
    width: f64,
    side: usize,
    /// Cells row by row: the first coordinate changes fastest.
    cells: GridLaw,
}

impl PlaneLaw {
    /// The law with density proportional to `exp(log_density)` on [lower, upper]², `side`² cells.
    ///
    /// # Panics
    /// As [`GridLaw::new`].
    pub fn new(log_density: impl Fn([f64; 2]) -> f64, lower: f64, upper: f64, side: usize) -> Self {
        let width = (upper - lower) / side as f64;
        let place = |i: usize| lower + (i as f64 + 0.5) * width;
        let at = |cell: f64| log_density([place(cell as usize % side), place(cell as usize / side)]);
        let cells = GridLaw::new(at, 0.0, (side * side) as f64, side * side);
        Self { lower, width, side, cells }
    }

    /// The point of three uniform numbers in [0, 1): one picks the cell, two the place in it.
    pub fn point(&self, u: [f64; 3]) -> [f64; 2] {
        let cell = (self.cells.quantile(u[0]) as usize).min(self.side * self.side - 1);
        let place = |i: usize, u: f64| self.lower + (i as f64 + u) * self.width;
        [place(cell % self.side, u[1]), place(cell / self.side, u[2])]
    }

    /// E f(X).
    pub fn mean(&self, f: impl Fn([f64; 2]) -> f64) -> f64 {
        let place = |i: usize| self.lower + (i as f64 + 0.5) * self.width;
        self.cells.mean(|cell| f([place(cell as usize % self.side), place(cell as usize / self.side)]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bootstrap::normal_cdf;

    #[test]
    fn a_normal_law_on_a_grid_is_the_normal_law() {
        let law = GridLaw::new(|x| -0.5 * x * x, -8.0, 8.0, 4000);
        for x in [-3.0, -1.0, 0.0, 0.3, 2.5] {
            // Cells of 0.004: h²/12 · f' ≈ 1e-6.
            assert!((law.cdf(x) - normal_cdf(x)).abs() < 2e-6, "{x}");
            assert!((law.quantile(law.cdf(x)) - x).abs() < 1e-6);
        }
        assert!((law.mean(|x| x * x) - 1.0).abs() < 1e-5);
        assert_eq!((law.cdf(-9.0), law.cdf(9.0)), (0.0, 1.0));
    }

    #[test]
    fn points_of_the_plane_have_the_moments_of_their_law() {
        // Correlated: 1 − 0.5 off the diagonal of the precision.
        let law = PlaneLaw::new(|[x, y]| -0.5 * (x * x + y * y - x * y), -6.0, 6.0, 300);
        let expected = 4.0 / 3.0;
        assert!((law.mean(|[x, _]| x * x) - expected).abs() < 1e-3);
        let corner = law.point([0.0, 0.0, 0.0]);
        assert!(corner[0] >= -6.0 && corner[1] >= -6.0);
        let far = law.point([1.0 - 1e-16, 0.5, 0.5]);
        assert!(far[0] <= 6.0 && far[1] <= 6.0);
    }
}

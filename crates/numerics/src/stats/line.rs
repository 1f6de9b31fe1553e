//! Straight lines through points, and skewness.

use super::{mean, sum};

/// The straight line of least squares.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    /// dy/dx.
    pub slope: f64,
    /// y at x = 0.
    pub intercept: f64,
    /// Share of the variance of y that it explains.
    pub r2: f64,
    /// Standard error of the slope if the points scatter independently; NaN below three points.
    pub slope_error: f64,
}

impl Line {
    /// Through the points (x, y). NaN where all x are equal.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn through(x: &[f64], y: &[f64]) -> Self {
        assert_eq!(x.len(), y.len(), "one y for each x");
        let (centre_x, centre_y) = (mean(x), mean(y));
        let product = |a: &[f64], b: &[f64], ca: f64, cb: f64| {
            sum(&a.iter().zip(b).map(|(a, b)| (a - ca) * (b - cb)).collect::<Vec<f64>>())
        };
        let (sxx, syy) = (product(x, x, centre_x, centre_x), product(y, y, centre_y, centre_y));
        let sxy = product(x, y, centre_x, centre_y);
        let slope = sxy / sxx;
        let unexplained = (syy - slope * sxy).max(0.0);
        let freedom = x.len() as f64 - 2.0;
        let slope_error = if freedom > 0.0 { (unexplained / freedom / sxx).sqrt() } else { f64::NAN };
        Self { slope, intercept: centre_y - slope * centre_x, r2: 1.0 - unexplained / syy, slope_error }
    }
}

/// Skewness: the third central moment over the cube of the standard deviation (divisor n); NaN for no spread.
pub fn skewness(xs: &[f64]) -> f64 {
    let centre = mean(xs);
    let squares: Vec<f64> = xs.iter().map(|x| (x - centre) * (x - centre)).collect();
    let cubes: Vec<f64> = xs.iter().map(|x| (x - centre) * (x - centre) * (x - centre)).collect();
    let variance = mean(&squares);
    mean(&cubes) / (variance * variance.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_through_points_is_that_worked_by_hand() {
        let exact = Line::through(&[1.0, 2.0, 4.0], &[5.0, 7.0, 11.0]);
        assert_eq!((exact.slope, exact.intercept, exact.r2), (2.0, 3.0, 1.0));
        // Sxx = 2, Sxy = 1, Syy = 2: slope 1/2, 1.5 of 2 left over, one degree of freedom.
        let rough = Line::through(&[0.0, 1.0, 2.0], &[0.0, 2.0, 1.0]);
        assert!((rough.slope - 0.5).abs() < 1e-15 && (rough.r2 - 0.25).abs() < 1e-15);
        assert!((rough.slope_error - 0.75_f64.sqrt()).abs() < 1e-15);
    }

    #[test]
    fn skewness_is_that_worked_by_hand() {
        // Mean 1, deviations −1, −1, 2: variance 2, third moment 2, 2/2^1.5.
        assert!((skewness(&[0.0, 0.0, 3.0]) - 1.0 / 2.0_f64.sqrt()).abs() < 1e-15);
        assert_eq!(skewness(&[-1.0, 0.0, 1.0]), 0.0);
    }
}

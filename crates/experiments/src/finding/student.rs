//! Student's distribution, for intervals of a mean over few seeds, and the normal tail.

use std::f64::consts::{PI, SQRT_2};

/// P(Z > x) of a standard normal Z.
pub(super) fn normal_tail(x: f64) -> f64 {
    libm::erfc(x / SQRT_2) / 2.0
}

/// P(|T| < t) of Student's T with `freedom` degrees: the finite series in the angle atan(t/√ν).
///
/// # Source
/// Abramowitz and Stegun 1964, 26.7.3 and 26.7.4.
fn central(t: f64, freedom: u32) -> f64 {
    let angle = libm::atan(t / f64::from(freedom).sqrt());
    let (sin, cos) = (libm::sin(angle), libm::cos(angle));
    let is_even = freedom.is_multiple_of(2);
    let (mut term, mut sum) = if is_even { (1.0, 1.0) } else { (cos, cos) };
    if freedom == 1 {
        sum = 0.0;
    }
    let mut k = if is_even { 2 } else { 3 };
    while k < freedom {
        term *= cos * cos * f64::from(k - 1) / f64::from(k);
        sum += term;
        k += 2;
    }
    if is_even { sin * sum } else { 2.0 / PI * (angle + sin * sum) }
}

/// The t with P(|T| < t) = `confidence`, by bisection.
///
/// # Panics
/// If there is no degree of freedom.
pub(super) fn two_sided(confidence: f64, freedom: u32) -> f64 {
    assert!(freedom >= 1, "an interval needs two values");
    let (mut low, mut high) = (0.0, 1e6);
    // 100 halvings of 1e6 are below the resolution of f64 anywhere in the range.
    for _ in 0..100 {
        let middle = 0.5 * (low + high);
        if central(middle, freedom) < confidence {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_tables() {
        // Abramowitz and Stegun 1964, table 26.10.
        for (freedom, t) in
            [(1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (5, 2.571), (9, 2.262), (30, 2.042)]
        {
            let found = two_sided(0.95, freedom);
            assert!((found - t).abs() < 5.1e-4, "{freedom} degrees: {found} against {t}");
        }
    }

    #[test]
    fn the_normal_tail_is_that_of_the_tables() {
        assert!((normal_tail(1.96) - 0.024_997_9).abs() < 1e-6);
        assert!((normal_tail(-1.0) - 0.841_344_7).abs() < 1e-6);
        assert!((normal_tail(6.0) - 9.865_9e-10).abs() < 1e-13);
    }
}

//! Covariances and correlations of units over examples.

use super::{mean, sum_f32};
use ndarray::{Array2, ArrayView2, Axis};

/// The covariance of the columns of (examples, units): (units, units), divisor examples − 1.
///
/// # Panics
/// If there are fewer than two examples.
pub fn covariance(examples: ArrayView2<'_, f32>) -> Array2<f64> {
    let (n, units) = examples.dim();
    assert!(n >= 2, "a covariance needs at least two examples");
    let means: Vec<f64> =
        examples.axis_iter(Axis(1)).map(|unit| sum_f32(&unit.to_vec()) / n as f64).collect();
    let mut products = vec![0.0; units * units];
    let mut centred = vec![0.0; units];
    // Example by example: the order of the additions is that of the rows.
    for example in examples.rows() {
        for ((c, x), mean) in centred.iter_mut().zip(example).zip(&means) {
            *c = f64::from(*x) - mean;
        }
        for (i, line) in products.chunks_exact_mut(units.max(1)).enumerate() {
            for (product, c) in line[i..].iter_mut().zip(&centred[i..]) {
                *product += centred[i] * c;
            }
        }
    }
    Array2::from_shape_fn((units, units), |(i, j)| products[i.min(j) * units + i.max(j)] / (n as f64 - 1.0))
}

/// Mean |ρ| over all pairs of units of (examples, units); units that never vary are left out.
///
/// NaN if fewer than two units vary.
///
/// # Panics
/// If there are fewer than two examples.
pub fn mean_absolute_correlation(examples: ArrayView2<'_, f32>) -> f64 {
    let covariance = covariance(examples);
    let sds: Vec<f64> = covariance.diag().iter().map(|variance| variance.sqrt()).collect();
    let varying: Vec<usize> = (0..sds.len()).filter(|&i| sds[i] > 0.0).collect();
    let mut correlations = Vec::new();
    for (k, &i) in varying.iter().enumerate() {
        correlations.extend(varying[..k].iter().map(|&j| (covariance[[i, j]] / (sds[i] * sds[j])).abs()));
    }
    mean(&correlations)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn the_covariance_is_that_worked_by_hand() {
        // Columns (1, 2, 6) and (0, 3, 0): deviations (−2, −1, 3) and (−1, 2, −1).
        let covariance = covariance(array![[1.0, 0.0], [2.0, 3.0], [6.0, 0.0]].view());
        assert_eq!(covariance, array![[7.0, -1.5], [-1.5, 3.0]]);
    }

    #[test]
    fn units_that_never_vary_have_no_part_in_the_mean_correlation() {
        let found =
            mean_absolute_correlation(array![[1.0, 5.0, 0.0], [2.0, 5.0, 3.0], [6.0, 5.0, 0.0]].view());
        assert!((found - 1.5 / 21.0_f64.sqrt()).abs() < 1e-15);
        assert!(mean_absolute_correlation(array![[1.0, 5.0], [2.0, 5.0]].view()).is_nan());
    }

    #[test]
    fn units_that_rise_and_fall_together_have_a_correlation_of_one() {
        let found = mean_absolute_correlation(array![[1.0, 3.0], [2.0, 1.0], [4.0, -3.0]].view());
        assert!((found - 1.0).abs() < 1e-15, "{found}");
    }
}

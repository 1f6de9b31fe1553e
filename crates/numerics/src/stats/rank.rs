//! Ranks and what depends on order only.

use super::sum;

/// The rank of each number from 1; equal numbers share the mean of their ranks.
pub fn ranks(xs: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..xs.len()).collect();
    order.sort_by(|&i, &j| xs[i].total_cmp(&xs[j]));
    let mut ranks = vec![0.0; xs.len()];
    let mut before = 0;
    // Numbers are compared by value here: −0 and 0 are tied although they sort apart.
    for tied in order.chunk_by(|&i, &j| xs[i] == xs[j]) {
        let shared = before as f64 + (tied.len() + 1) as f64 / 2.0;
        tied.iter().for_each(|&i| ranks[i] = shared);
        before += tied.len();
    }
    ranks
}

/// Spearman's rank correlation, ties shared; NaN if one side is constant.
///
/// # Panics
/// If the lengths differ.
pub fn spearman(xs: &[f64], ys: &[f64]) -> f64 {
    assert_eq!(xs.len(), ys.len(), "a correlation is between pairs");
    let middle = (xs.len() as f64 + 1.0) / 2.0;
    let centred =
        |values: &[f64]| -> Vec<f64> { ranks(values).into_iter().map(|rank| rank - middle).collect() };
    let (x, y) = (centred(xs), centred(ys));
    let product = |a: &[f64], b: &[f64]| sum(&a.iter().zip(b).map(|(a, b)| a * b).collect::<Vec<_>>());
    product(&x, &y) / (product(&x, &x) * product(&y, &y)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn equal_numbers_share_the_mean_of_their_ranks() {
        assert_eq!(ranks(&[10.0, 5.0, 10.0, 1.0, 10.0]), [4.0, 2.0, 4.0, 1.0, 4.0]);
        assert_eq!(ranks(&[0.0, -0.0]), [1.5, 1.5]);
    }

    #[test]
    fn a_correlation_with_ties_is_that_worked_by_hand() {
        // Ranks 1, 2.5, 2.5, 4 and 1, 3, 2, 4: 4.5/√(4.5 · 5).
        let rho = spearman(&[1.0, 2.0, 2.0, 3.0], &[1.0, 3.0, 2.0, 4.0]);
        assert!((rho - 4.5 / 22.5_f64.sqrt()).abs() < 1e-15, "{rho}");
        assert!(spearman(&[1.0, 1.0], &[1.0, 2.0]).is_nan());
    }

    proptest! {
        #[test]
        fn only_the_order_matters(xs in prop::collection::vec(-50_i32..50, 2..40)) {
            let xs: Vec<f64> = xs.into_iter().map(f64::from).collect();
            prop_assume!(xs.iter().any(|x| *x != xs[0]));
            let cubes: Vec<f64> = xs.iter().map(|x| x * x * x).collect();
            let falling: Vec<f64> = xs.iter().map(|x| -x).collect();
            prop_assert!((spearman(&xs, &cubes) - 1.0).abs() < 1e-12);
            prop_assert!((spearman(&xs, &falling) + 1.0).abs() < 1e-12);
        }
    }
}

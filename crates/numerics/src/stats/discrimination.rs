//! How well scores and spikes tell classes apart.

use ndarray::{Array1, Array2, ArrayView2};

use super::{covariance, quantiles, ranks};

/// Area under the ROC curve: the probability that a score of the class exceeds one of the others; ties count a half.
///
/// NaN if one side has no scores.
///
/// # Panics
/// If the lengths differ.
pub fn auc(scores: &[f64], is_class: &[bool]) -> f64 {
    assert_eq!(scores.len(), is_class.len(), "a class for each score");
    let n = is_class.iter().filter(|&&is| is).count() as f64;
    let ranks = ranks(scores);
    let sum = ranks.iter().zip(is_class).filter(|&(_, &is)| is).fold(0.0, |sum, (rank, _)| sum + rank);
    (sum - n * (n + 1.0) / 2.0) / (n * (scores.len() as f64 - n))
}

/// Mutual information of rows and columns of a table of counts, in bits: the plug-in estimate, which is too great by about
/// `(rows − 1)(columns − 1)/(2 n ln 2)`. 0 for an empty table.
///
/// # Panics
/// If the table has no columns or no whole rows.
pub fn information_bits(counts: &[f64], columns: usize) -> f64 {
    assert!(columns > 0 && counts.len().is_multiple_of(columns), "whole rows");
    let total = super::sum(counts);
    let rows: Vec<f64> = counts.chunks_exact(columns).map(super::sum).collect();
    let column = |j: usize| counts.iter().skip(j).step_by(columns).fold(0.0, |sum, n| sum + n);
    let sums: Vec<f64> = (0..columns).map(column).collect();
    let term = |(at, &n): (usize, &f64)| {
        let expected = rows[at / columns] * sums[at % columns];
        if n > 0.0 { n / total * libm::log2(n * total / expected) } else { 0.0 }
    };
    counts.iter().enumerate().map(term).fold(0.0, |sum, term| sum + term)
}

/// The quarter of each score among all of them: 0 … 3, equal scores alike.
///
/// # Panics
/// Without scores.
pub fn quarters(scores: &[f64]) -> Vec<usize> {
    let edges = quantiles(scores, &[0.25, 0.5, 0.75]);
    scores.iter().map(|score| edges.iter().take_while(|edge| score > edge).count()).collect()
}

/// A straight line between two classes: `weights · x > threshold` says the second.
#[derive(Debug, Clone, PartialEq)]
pub struct Discriminant {
    /// One a feature.
    pub weights: Array1<f64>,
    /// Half-way between the class means.
    pub threshold: f64,
}

impl Discriminant {
    /// Fisher's discriminant `(S + ridge)⁻¹ (m₂ − m₁)`, S the mean of both covariances.
    ///
    /// # Panics
    /// If a class has fewer than two examples, they differ in length, or S + ridge is not positive definite.
    pub fn fit(classes: [ArrayView2<'_, f32>; 2], ridge: f64) -> Self {
        let means = classes.map(|class| {
            class
                .columns()
                .into_iter()
                .map(|xs| super::sum_f32(&xs.to_vec()) / xs.len() as f64)
                .collect::<Array1<f64>>()
        });
        let mut spread = (covariance(classes[0]) + covariance(classes[1])) * 0.5;
        spread.diag_mut().iter_mut().for_each(|variance| *variance += ridge);
        let weights = solve(spread, &means[1] - &means[0]);
        let threshold = dot(&weights, &(&means[0] + &means[1])) / 2.0;
        Self { weights, threshold }
    }

    /// How far on the side of the second class.
    ///
    /// # Panics
    /// If it has another number of features.
    pub fn score(&self, features: &[f64]) -> f64 {
        assert_eq!(features.len(), self.weights.len(), "as many features as were fitted");
        features.iter().zip(&self.weights).fold(0.0, |sum, (x, w)| sum + x * w) - self.threshold
    }
}

fn dot(a: &Array1<f64>, b: &Array1<f64>) -> f64 {
    a.iter().zip(b).fold(0.0, |sum, (a, b)| sum + a * b)
}

/// Solves `a x = b` for a symmetric positive definite a (Cholesky).
fn solve(mut a: Array2<f64>, mut b: Array1<f64>) -> Array1<f64> {
    let n = b.len();
    for j in 0..n {
        for k in 0..j {
            let factor = a[[j, k]];
            for i in j..n {
                a[[i, j]] -= a[[i, k]] * factor;
            }
        }
        assert!(a[[j, j]] > 0.0, "a positive definite matrix");
        let root = a[[j, j]].sqrt();
        (j..n).for_each(|i| a[[i, j]] /= root);
    }
    for i in 0..n {
        let known = (0..i).fold(0.0, |sum, k| sum + a[[i, k]] * b[k]);
        b[i] = (b[i] - known) / a[[i, i]];
    }
    for i in (0..n).rev() {
        let known = (i + 1..n).fold(0.0, |sum, k| sum + a[[k, i]] * b[k]);
        b[i] = (b[i] - known) / a[[i, i]];
    }
    b
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn the_area_counts_pairs_in_the_right_order() {
        // Pairs (class, other): 3 > 1, 3 > 2, 2 > 1 and 2 = 2: 3.5 of 4.
        assert_eq!(auc(&[1.0, 2.0, 3.0, 2.0], &[false, false, true, true]), 0.875);
        assert_eq!(auc(&[1.0, 1.0, 1.0], &[false, true, true]), 0.5);
        assert!(auc(&[1.0], &[true]).is_nan());
    }

    #[test]
    fn information_is_that_worked_by_hand() {
        assert!((information_bits(&[5.0, 0.0, 0.0, 5.0], 2) - 1.0).abs() < 1e-15);
        assert_eq!(information_bits(&[2.0, 4.0, 1.0, 2.0], 2), 0.0);
        // p = 3/8, 1/8, 1/8, 3/8: ¾ log₂ 1.5 − ¼.
        let expected = 0.75 * libm::log2(1.5) - 0.25;
        assert!((information_bits(&[3.0, 1.0, 1.0, 3.0], 2) - expected).abs() < 1e-15);
        assert_eq!(information_bits(&[0.0; 4], 2), 0.0);
    }

    #[test]
    fn quarters_are_of_equal_size_unless_scores_are_equal() {
        assert_eq!(quarters(&[4.0, 1.0, 2.0, 3.0, 8.0, 7.0, 5.0, 6.0]), [1, 0, 0, 1, 3, 3, 2, 2]);
        assert_eq!(quarters(&[1.0; 5]), [0; 5]);
    }

    #[test]
    fn the_discriminant_is_that_worked_by_hand() {
        let first = array![[1.0, 0.0], [-1.0, 0.0], [0.0, 2.0], [0.0, -2.0]];
        let second = first.clone() + &array![[2.0, 4.0]];
        let found = Discriminant::fit([first.view(), second.view()], 1.0);
        // Variances 2/3 and 8/3, + 1: weights 2/(5/3) and 4/(11/3).
        let expected = [6.0 / 5.0, 12.0 / 11.0];
        assert!(found.weights.iter().zip(expected).all(|(w, e)| (w - e).abs() < 1e-12), "{found:?}");
        assert!(found.score(&[1.0, 2.0]).abs() < 1e-12 && found.score(&[2.0, 4.0]) > 0.0);
    }

    #[test]
    fn features_that_vary_together_are_weighed_by_what_each_adds() {
        let a = array![[4.0, 2.0, 0.0], [2.0, 3.0, 1.0], [0.0, 1.0, 2.0]];
        let x = solve(a.clone(), array![2.0, -1.0, 5.0]);
        for (row, b) in a.rows().into_iter().zip([2.0, -1.0, 5.0]) {
            assert!((dot(&row.to_owned(), &x) - b).abs() < 1e-12);
        }
    }
}

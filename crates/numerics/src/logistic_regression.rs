//! Multinomial logistic regression with a quadratic penalty.
//!
//! Minimises `mean over examples of −log P(label | x) + λ/2 Σ W²` with
//! `P(k | x) ∝ exp(b_k + Σ_j W_kj x_j)`. The penalty is relative to the *mean* loss, so that copies of
//! the examples leave the solution where it is; the biases are free of it. The objective is convex and
//! strictly so in W: there is one W.
//!
//! Examples are centred (the biases absorb it), and if they are fewer than their features they are
//! rotated into the space that they span, where the optimum lies; then L-BFGS. All sums have a fixed
//! order and `exp` and `log` are software, which a general optimiser would not promise.
//!
//! # Source
//! Nocedal & Wright 2006, Numerical Optimization, algorithms 7.4 and 7.5 (L-BFGS) and 3.1 (line search).

mod coordinates;
mod lbfgs;
mod objective;

use kernels::dense::multiply;
use ndarray::{Array2, ArrayView2};

use coordinates::Coordinates;
use objective::{Objective, soften};

/// Examples by their features, in the layout that products want.
#[derive(Clone, Debug, PartialEq)]
pub struct Features {
    examples: usize,
    columns: usize,
    /// (columns, examples).
    by_column: Vec<f64>,
}

/// A fitted model.
#[derive(Clone, Debug, PartialEq)]
pub struct Classifier {
    classes: usize,
    /// W, (classes, columns).
    weights: Vec<f64>,
    /// b, (classes).
    biases: Vec<f64>,
}

/// A classifier and how well the minimum was reached.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// What was fitted.
    pub classifier: Classifier,
    /// Iterations of L-BFGS.
    pub iterations: usize,
    /// Euclidean norm of the gradient at the solution; at most 1e-6 unless 1,000 iterations did not do.
    pub gradient_norm: f64,
}

impl Features {
    /// Copies (examples, columns).
    pub fn new(rows: ArrayView2<'_, f32>) -> Self {
        let (examples, columns) = rows.dim();
        let by_column = rows.columns().into_iter().flatten().map(|&x| f64::from(x)).collect();
        Self { examples, columns, by_column }
    }

    /// How many examples.
    pub fn examples(&self) -> usize {
        self.examples
    }
}

/// Fits a classifier of `classes` classes, from W = 0 and b = 0.
///
/// # Panics
/// If there are no examples, columns or classes, there is not one label below `classes` an example, or the penalty
/// is not above 0.
pub fn fit(features: &Features, labels: &[u8], classes: usize, penalty: f64) -> Fit {
    assert!(features.examples > 0 && features.columns > 0, "a fit needs examples with features");
    assert_eq!(labels.len(), features.examples, "one label per example");
    assert!(labels.iter().all(|&label| usize::from(label) < classes), "labels are below {classes}");
    assert!(penalty > 0.0, "the penalty is above 0, not {penalty}: without it W may be infinite");
    let coordinates = Coordinates::new(features);
    let mut objective = Objective::new(&coordinates, labels, classes, penalty);
    let start = vec![0.0; objective.parameters()];
    let minimum = lbfgs::minimise(|x, gradient| objective.evaluate(x, gradient), start);
    let (weights, biases) = minimum.x.split_at(minimum.x.len() - classes);
    let weights = coordinates.to_columns(weights);
    let shift = |k: usize| {
        let row = &weights[k * features.columns..][..features.columns];
        row.iter().zip(&coordinates.means).fold(0.0, |sum, (w, mean)| sum + w * mean)
    };
    let biases = (0..classes).map(|k| biases[k] - shift(k)).collect();
    let classifier = Classifier { classes, weights, biases };
    Fit { classifier, iterations: minimum.iterations, gradient_norm: minimum.gradient_norm }
}

impl Classifier {
    /// W, (classes, columns).
    pub fn weights(&self) -> ArrayView2<'_, f64> {
        let shape = (self.classes, self.weights.len() / self.classes);
        ArrayView2::from_shape(shape, &self.weights).expect("one weight per class and column")
    }

    /// b, (classes).
    pub fn biases(&self) -> &[f64] {
        &self.biases
    }

    /// `P(k | x)`, (classes, examples).
    ///
    /// # Panics
    /// If the features have other columns than those of the fit.
    pub fn probabilities(&self, features: &Features) -> Array2<f64> {
        assert_eq!(self.weights.len(), self.classes * features.columns, "the columns of the fit");
        let mut scores = vec![0.0; self.classes * features.examples];
        multiply(&self.weights, features.columns, &features.by_column, features.examples, &mut scores);
        soften(&mut scores, &self.biases);
        Array2::from_shape_vec((self.classes, features.examples), scores).expect("one per class and example")
    }
}

#[cfg(test)]
#[path = "logistic_regression/tests.rs"]
mod tests;

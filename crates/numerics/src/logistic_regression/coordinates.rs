//! The coordinates in which the weights are searched: centred, and no more of them than examples.

use super::Features;
use kernels::dense::multiply;

/// Squared length, relative to the longest example, below which what is left of an example is rounding.
const RANK_TOLERANCE: f64 = 1e-13;

/// Centred examples in an orthonormal basis.
pub(super) struct Coordinates {
    /// How many.
    pub(super) examples: usize,
    /// Coordinates of an example.
    pub(super) depth: usize,
    /// Mean of every column before centring.
    pub(super) means: Vec<f64>,
    /// (examples, depth).
    pub(super) by_example: Vec<f64>,
    /// (depth, examples).
    pub(super) by_coordinate: Vec<f64>,
    basis: Basis,
}

enum Basis {
    /// The columns themselves.
    Columns,
    /// The span of the examples: `Z_p = L Q`, Q with orthonormal rows.
    Span {
        /// L, lower triangular, (depth, depth).
        factor: Vec<f64>,
        /// Z_p, the centred examples at the pivots, (depth, columns).
        pivots: Vec<f64>,
    },
}

impl Coordinates {
    pub(super) fn new(features: &Features) -> Self {
        let (n, columns) = (features.examples, features.columns);
        let means: Vec<f64> = features.by_column.chunks_exact(n).map(crate::stats::mean).collect();
        let centred = features.by_column.chunks_exact(n).zip(&means);
        let by_column: Vec<f64> =
            centred.flat_map(|(column, mean)| column.iter().map(move |x| x - mean)).collect();
        let by_example = transposed(&by_column, columns, n);
        if n < columns
            && let Some((order, by_span)) = cholesky(&by_example, &by_column, n)
        {
            let depth = order.len();
            let rows_at_pivots = |rows: &[f64], width: usize| {
                order.iter().flat_map(|&i| rows[i * width..][..width].to_vec()).collect()
            };
            let factor = rows_at_pivots(&by_span, depth);
            let pivots = rows_at_pivots(&by_example, columns);
            let by_coordinate = transposed(&by_span, n, depth);
            let basis = Basis::Span { factor, pivots };
            return Self { examples: n, depth, means, by_example: by_span, by_coordinate, basis };
        }
        Self {
            examples: n,
            depth: columns,
            means,
            by_example,
            by_coordinate: by_column,
            basis: Basis::Columns,
        }
    }

    /// Weights (classes, depth) as weights (classes, columns).
    pub(super) fn to_columns(&self, weights: &[f64]) -> Vec<f64> {
        let Basis::Span { factor, pivots } = &self.basis else { return weights.to_vec() };
        let (depth, columns) = (self.depth, pivots.len() / self.depth);
        // W = V Q = V L⁻¹ Z_p: solve A L = V from the last coordinate to the first.
        let mut solved = weights.to_vec();
        for row in solved.chunks_exact_mut(depth) {
            for k in (0..depth).rev() {
                let known = (k + 1..depth).fold(0.0, |sum, m| sum + row[m] * factor[m * depth + k]);
                row[k] = (row[k] - known) / factor[k * depth + k];
            }
        }
        let mut out = vec![0.0; weights.len() / depth * columns];
        multiply(&solved, depth, pivots, columns, &mut out);
        out
    }
}

/// Cholesky factor with pivots of the Gram matrix Z Zᵀ: the pivots and the coordinates (examples, depth) of all
/// examples, which have the same inner products as the examples. None if all examples are alike.
fn cholesky(by_example: &[f64], by_column: &[f64], n: usize) -> Option<(Vec<usize>, Vec<f64>)> {
    let mut gram = vec![0.0; n * n];
    multiply(by_example, by_example.len() / n, by_column, n, &mut gram);
    let mut left: Vec<f64> = (0..n).map(|i| gram[i * n + i]).collect();
    let longest = left.iter().fold(0.0, |a: f64, &b| a.max(b));
    // (depth, examples) while it grows.
    let (mut order, mut factor): (Vec<usize>, Vec<Vec<f64>>) = (vec![], vec![]);
    while order.len() < n {
        let pivot = (0..n).fold(0, |best, i| if left[i] > left[best] { i } else { best });
        if left[pivot] <= RANK_TOLERANCE * longest {
            break;
        }
        let mut line = gram[pivot * n..][..n].to_vec();
        for known in &factor {
            let weight = known[pivot];
            line.iter_mut().zip(known).for_each(|(x, y)| *x -= weight * y);
        }
        let length = left[pivot].sqrt();
        line.iter_mut().for_each(|x| *x /= length);
        // What is zero but for rounding.
        order.iter().for_each(|&earlier| line[earlier] = 0.0);
        line[pivot] = length;
        left.iter_mut().zip(&line).for_each(|(left, x)| *left = (*left - x * x).max(0.0));
        order.push(pivot);
        left[pivot] = 0.0;
        factor.push(line);
    }
    if order.is_empty() {
        return None;
    }
    let by_coordinate = factor.concat();
    let by_example = transposed(&by_coordinate, order.len(), n);
    Some((order, by_example))
}

/// (rows, columns) as (columns, rows).
fn transposed(from: &[f64], rows: usize, columns: usize) -> Vec<f64> {
    (0..columns).flat_map(|j| (0..rows).map(move |i| from[i * columns + j])).collect()
}

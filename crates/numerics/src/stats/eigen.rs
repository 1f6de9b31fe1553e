//! Eigenvectors of symmetric matrices.

use ndarray::{Array1, Array2, ArrayView2};

/// Sweeps over all pairs; quadratic convergence needs about ten at 500 rows.
const SWEEPS: usize = 60;

/// Eigenvalues, falling, and eigenvectors, one a row, of a symmetric matrix (n, n).
///
/// Jacobi's rotations, cyclic by rows, in plain arithmetic and square roots: the same bits on every machine.
/// Eigenvalues are within some 1e-15 of the greatest; of each vector the element of greatest size is positive. Equal
/// eigenvalues keep the order of their diagonal places. About 50 n³ additions and multiplications.
///
/// # Panics
/// If the matrix is not square, or holds numbers that are not finite.
///
/// # Source
/// Jacobi 1846, J. reine angew. Math. 30:51; Golub & Van Loan 2013, section 8.5.
pub fn symmetric_eigen(matrix: ArrayView2<'_, f64>) -> (Array1<f64>, Array2<f64>) {
    let n = matrix.nrows();
    assert_eq!(matrix.ncols(), n, "a symmetric matrix is square");
    assert!(matrix.iter().all(|x| x.is_finite()), "eigenvectors are of finite numbers");
    let mut a = matrix.as_standard_layout().into_owned();
    let mut vectors = Array2::eye(n);
    let total = a.iter().fold(0.0, |sum, x| sum + x * x);
    for _ in 0..SWEEPS {
        let off = (0..n).fold(0.0, |sum, p| (p + 1..n).fold(sum, |sum, q| sum + a[[p, q]] * a[[p, q]]));
        if off <= 1e-32 * total {
            break;
        }
        for p in 0..n {
            for q in p + 1..n {
                rotate(&mut a, &mut vectors, p, q);
            }
        }
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| a[[j, j]].total_cmp(&a[[i, i]]));
    let values = order.iter().map(|&i| a[[i, i]]).collect();
    let mut sorted = Array2::zeros((n, n));
    for (mut row, &i) in sorted.rows_mut().into_iter().zip(&order) {
        let vector = vectors.row(i);
        let greatest = vector.iter().fold(0.0_f64, |m, x| if x.abs() > m.abs() { *x } else { m });
        row.assign(&(&vector * greatest.signum()));
    }
    (values, sorted)
}

/// Makes a[p, q] zero by a rotation of rows and columns p < q; `vectors` collects the rotations.
fn rotate(a: &mut Array2<f64>, vectors: &mut Array2<f64>, p: usize, q: usize) {
    let apq = a[[p, q]];
    if apq == 0.0 {
        return;
    }
    let theta = (a[[q, q]] - a[[p, p]]) / (2.0 * apq);
    // The smaller root, for the smaller angle; at an infinite theta it is 0.
    let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
    let cos = 1.0 / (t * t + 1.0).sqrt();
    let sin = t * cos;
    let n = a.nrows();
    for k in 0..n {
        let (x, y) = (a[[k, p]], a[[k, q]]);
        a[[k, p]] = cos * x - sin * y;
        a[[k, q]] = sin * x + cos * y;
    }
    rotate_rows(a, p, q, cos, sin);
    rotate_rows(vectors, p, q, cos, sin);
    (a[[p, q]], a[[q, p]]) = (0.0, 0.0);
}

fn rotate_rows(matrix: &mut Array2<f64>, p: usize, q: usize, cos: f64, sin: f64) {
    let n = matrix.ncols();
    let all = matrix.as_slice_mut().expect("both matrices are in standard layout");
    let (before, from_q) = all.split_at_mut(q * n);
    for (x, y) in before[p * n..][..n].iter_mut().zip(&mut from_q[..n]) {
        (*x, *y) = (cos * *x - sin * *y, sin * *x + cos * *y);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Draws, Stream};
    use ndarray::array;

    #[test]
    fn a_matrix_of_two_rows_has_the_eigenvalues_worked_by_hand() {
        let (values, vectors) = symmetric_eigen(array![[2.0, 1.0], [1.0, 2.0]].view());
        let half = std::f64::consts::FRAC_1_SQRT_2;
        assert!((values[0] - 3.0).abs() < 1e-15 && (values[1] - 1.0).abs() < 1e-15);
        assert!((vectors[[0, 0]] - half).abs() < 1e-15 && (vectors[[0, 1]] - half).abs() < 1e-15);
        assert!((vectors[[1, 0]] + vectors[[1, 1]]).abs() < 1e-15);
    }

    #[test]
    fn vectors_are_orthonormal_and_bring_the_matrix_back() {
        let n = 40;
        let mut z = vec![0.0; n * n];
        Draws::at(51, 0).fill_normal(Stream::Init, 0, &mut z);
        let half = Array2::from_shape_vec((n, n), z).expect("n × n draws");
        let matrix = &half + &half.t();
        let (values, vectors) = symmetric_eigen(matrix.view());
        assert!(values.as_slice().expect("a new array").is_sorted_by(|a, b| a >= b));
        let product = |x: &Array2<f64>, d: &Array1<f64>, i: usize, j: usize| {
            (0..n).fold(0.0, |sum, k| sum + x[[i, k]] * d[k] * x[[j, k]])
        };
        let columns = vectors.t().to_owned();
        let unit = Array2::from_shape_fn((n, n), |(i, j)| product(&vectors, &Array1::ones(n), i, j))
            - Array2::<f64>::eye(n);
        let again = Array2::from_shape_fn((n, n), |(i, j)| product(&columns, &values, i, j)) - &matrix;
        // Some 10 sweeps of 40 rotations an element at 1e-16 of values near 20.
        assert!(unit.iter().chain(&again).all(|x| x.abs() < 1e-12));
    }

    #[test]
    fn diagonal_and_empty_matrices_are_their_own_answer() {
        let (values, vectors) = symmetric_eigen(array![[1.0, 0.0], [0.0, 4.0]].view());
        assert_eq!((values, vectors), (array![4.0, 1.0], array![[0.0, 1.0], [1.0, 0.0]]));
        assert_eq!(symmetric_eigen(Array2::zeros((0, 0)).view()).0.len(), 0);
        assert_eq!(symmetric_eigen(Array2::zeros((3, 3)).view()).1, Array2::<f64>::eye(3));
    }
}

//! Products of small dense matrices in f64, for what is fitted rather than simulated.

use crate::level::at_every_level;

/// Columns of the result that are summed side by side.
const LANES: usize = 16;

at_every_level! {
    /// `out[i, j] = ((0 + a[i, 0] b[0, j]) + a[i, 1] b[1, j]) + …`: each sum in the order of the inner index.
    ///
    /// # Shapes
    /// `a`: (rows, depth) · `b`: (depth, width) · `out`: (rows, width), all row by row; what `out` holds is lost.
    ///
    /// # Panics
    /// If `depth` or `width` is 0, or the lengths do not fit.
    pub fn multiply / multiply_at(a: &[f64], depth: usize, b: &[f64], width: usize, out: &mut [f64]) = product
}

#[inline(always)]
fn product(a: &[f64], depth: usize, b: &[f64], width: usize, out: &mut [f64]) {
    assert!(depth > 0 && width > 0, "a matrix has rows and columns");
    let rows = a.len() / depth;
    assert_eq!(a.len(), rows * depth, "a is (rows, depth)");
    assert_eq!(b.len(), depth * width, "b is (depth, width)");
    assert_eq!(out.len(), rows * width, "out is (rows, width)");
    let whole = width - width % LANES;
    // A strip of b is as wide as the sums that fit the registers and stays in the first cache for all rows of a.
    for column in (0..whole).step_by(LANES) {
        let mut row = 0;
        while row < rows {
            row += if rows - row >= 2 {
                block::<2, LANES>(a, depth, b, width, (row, column), out)
            } else {
                block::<1, LANES>(a, depth, b, width, (row, column), out)
            };
        }
    }
    for column in whole..width {
        for row in 0..rows {
            block::<1, 1>(a, depth, b, width, (row, column), out);
        }
    }
}

/// The sums of R rows and N columns from `at` on; returns R.
#[inline(always)]
fn block<const R: usize, const N: usize>(
    a: &[f64],
    depth: usize,
    b: &[f64],
    width: usize,
    (row, column): (usize, usize),
    out: &mut [f64],
) -> usize {
    let mut sums = [[0.0; N]; R];
    let a = &a[row * depth..][..R * depth];
    for k in 0..depth {
        let values =
            b[k * width + column..].first_chunk::<N>().expect("the caller saw that N columns are left");
        for i in 0..R {
            let factor = a[i * depth + k];
            for j in 0..N {
                sums[i][j] += factor * values[j];
            }
        }
    }
    for i in 0..R {
        out[(row + i) * width + column..][..N].copy_from_slice(&sums[i]);
    }
    R
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Level;
    use proptest::prelude::*;

    #[test]
    fn a_product_is_that_worked_by_hand() {
        let mut out = [9.0; 4];
        multiply(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 3, &[1.0, 0.0, 0.0, 1.0, 1.0, 1.0], 2, &mut out);
        assert_eq!(out, [4.0, 5.0, 10.0, 11.0]);
    }

    #[test]
    #[should_panic(expected = "b is (depth, width)")]
    fn a_matrix_of_another_shape_is_refused() {
        multiply(&[1.0; 6], 3, &[1.0; 5], 2, &mut [0.0; 4]);
    }

    proptest! {
        #[test]
        fn every_level_adds_in_the_order_of_the_inner_index(
            (rows, depth, width) in (0_usize..5, 1_usize..9, 1_usize..40), seed in 0_u32..1000,
        ) {
            let number = |i: usize| f64::from((i as u32 + seed).wrapping_mul(2_654_435_761)) / 1e6 - 2e3;
            let a: Vec<f64> = (0..rows * depth).map(number).collect();
            let b: Vec<f64> = (0..depth * width).map(|i| number(i + 77)).collect();
            let plain: Vec<f64> = (0..rows * width)
                .map(|at| {
                    let (i, j) = (at / width, at % width);
                    (0..depth).fold(0.0, |sum, k| sum + a[i * depth + k] * b[k * width + j])
                })
                .collect();
            for &level in Level::available() {
                let mut out = vec![f64::NAN; rows * width];
                multiply_at(level, &a, depth, &b, width, &mut out);
                prop_assert_eq!(&out, &plain);
            }
        }
    }
}

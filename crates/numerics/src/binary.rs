//! Binary matrices as lists of ones: examples × units, mostly zeros.

use kernels::rows::Lists;
use kernels::sample;
use ndarray::{Array1, Array2, ArrayView2};
use serde::{Deserialize, Serialize};

/// A binary matrix: for each row the ascending columns that hold a one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct BinaryRows {
    columns: u32,
    starts: Vec<u32>,
    ones: Vec<u32>,
}

/// What a stored matrix says before it is believed.
#[derive(Deserialize)]
struct Unchecked {
    columns: u32,
    starts: Vec<u32>,
    ones: Vec<u32>,
}

/// A stored binary matrix contradicts itself.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("binary matrix: {0}")]
pub struct MalformedRows(&'static str);

impl TryFrom<Unchecked> for BinaryRows {
    type Error = MalformedRows;

    fn try_from(Unchecked { columns, starts, ones }: Unchecked) -> Result<Self, MalformedRows> {
        if starts.first() != Some(&0) || starts.last().map(|&end| end as usize) != Some(ones.len()) {
            return Err(MalformedRows("the rows must cover all ones"));
        }
        if !starts.is_sorted() {
            return Err(MalformedRows("every row must start where the one before ends"));
        }
        let matrix = Self { columns, starts, ones };
        let ascending =
            |row: &[u32]| row.is_sorted_by(|a, b| a < b) && row.last().is_none_or(|&j| j < columns);
        if (0..matrix.len()).all(|i| ascending(matrix.row(i))) {
            Ok(matrix)
        } else {
            Err(MalformedRows("the ones of a row must ascend and be columns"))
        }
    }
}

impl Default for BinaryRows {
    fn default() -> Self {
        Self::new(0)
    }
}

impl BinaryRows {
    /// A matrix of no rows yet.
    pub fn new(columns: usize) -> Self {
        Self {
            columns: u32::try_from(columns).expect("fewer than 2^32 columns"),
            starts: vec![0],
            ones: vec![],
        }
    }

    /// The matrix whose ones are the entries of `dense` that `is_one` accepts.
    pub fn from_dense<T>(dense: ArrayView2<'_, T>, is_one: impl Fn(&T) -> bool) -> Self {
        let mut matrix = Self::new(dense.ncols());
        for row in dense.rows() {
            matrix.push(row.iter().enumerate().filter(|(_, x)| is_one(x)).map(|(j, _)| j as u32));
        }
        matrix
    }

    /// Appends a row, given its ones.
    ///
    /// # Panics
    /// If they do not ascend or are not columns.
    pub fn push(&mut self, ones: impl IntoIterator<Item = u32>) {
        let start = self.ones.len();
        self.ones.extend(ones);
        let row = &self.ones[start..];
        assert!(row.is_sorted_by(|a, b| a < b), "the ones of a row ascend");
        assert!(row.last().is_none_or(|&j| j < self.columns), "the ones of a row are columns");
        self.end_row();
    }

    /// Appends a row of Bernoulli units: one where the uniform number of `words[j]` is below `p[j]`.
    ///
    /// # Panics
    /// If there is not one word and one probability a column.
    pub(crate) fn push_sampled(&mut self, words: &[u32], p: &[f32]) {
        assert_eq!(p.len(), self.columns(), "one probability per column");
        sample::append_ones(words, p, &mut self.ones);
        self.end_row();
    }

    fn end_row(&mut self) {
        self.starts.push(u32::try_from(self.ones.len()).expect("fewer than 2^32 ones"));
    }

    /// Removes all rows and sets the number of columns; keeps the memory.
    pub fn reset(&mut self, columns: usize) {
        self.columns = u32::try_from(columns).expect("fewer than 2^32 columns");
        self.starts.truncate(1);
        self.ones.clear();
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns as usize
    }

    /// The columns where row `i` holds a one, ascending.
    pub fn row(&self, i: usize) -> &[u32] {
        &self.ones[self.starts[i] as usize..self.starts[i + 1] as usize]
    }

    /// The rows as lists for the kernels.
    pub fn lists(&self) -> Lists<'_> {
        Lists::new(&self.starts, &self.ones)
    }

    /// The given rows, in the given order.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn select(&self, rows: &[u32]) -> Self {
        let mut selected = Self::new(self.columns());
        self.select_into(rows, &mut selected);
        selected
    }

    /// [`BinaryRows::select`] into a matrix that keeps its memory.
    pub fn select_into(&self, rows: &[u32], selected: &mut Self) {
        selected.reset(self.columns());
        for &i in rows {
            selected.ones.extend_from_slice(self.row(i as usize));
            selected.end_row();
        }
    }

    /// The transpose, into a matrix that keeps its memory.
    pub fn transpose_into(&self, transposed: &mut Self) {
        transposed.reset(self.len());
        transposed.starts.resize(self.columns() + 1, 0);
        transposed.ones.resize(self.ones.len(), 0);
        let starts = &mut transposed.starts;
        for &j in &self.ones {
            starts[j as usize + 1] += 1;
        }
        for j in 0..self.columns() {
            starts[j + 1] += starts[j];
        }
        // Filling moves every start to its end, which is the next one's start: shifted back below.
        for i in 0..self.len() {
            for &j in self.row(i) {
                let next = &mut starts[j as usize];
                transposed.ones[*next as usize] = i as u32;
                *next += 1;
            }
        }
        starts.rotate_right(1);
        starts[0] = 0;
    }

    /// Rows × columns of 0 and 1.
    pub fn to_dense(&self) -> Array2<f32> {
        let mut dense = Array2::zeros((self.len(), self.columns()));
        for i in 0..self.len() {
            for &j in self.row(i) {
                dense[[i, j as usize]] = 1.0;
            }
        }
        dense
    }

    /// The part of rows that hold a one, for each column; NaN without rows.
    pub fn column_means(&self) -> Array1<f32> {
        let mut counts = vec![0_u32; self.columns()];
        for &j in &self.ones {
            counts[j as usize] += 1;
        }
        counts.into_iter().map(|count| (f64::from(count) / self.len() as f64) as f32).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;
    use proptest::prelude::*;

    #[test]
    fn a_dense_matrix_comes_back() {
        let pixels = array![[0_u8, 200, 127], [128, 0, 0], [0, 0, 0]];
        let matrix = BinaryRows::from_dense(pixels.view(), |&x| x > 127);
        assert_eq!(matrix.row(0), [1]);
        assert_eq!(matrix.to_dense(), array![[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]);
        assert_eq!(matrix.column_means(), array![1.0 / 3.0, 1.0 / 3.0, 0.0]);
        assert_eq!(matrix.select(&[2, 0]).to_dense(), array![[0.0, 0.0, 0.0], [0.0, 1.0, 0.0]]);
    }

    #[test]
    #[should_panic(expected = "the ones of a row ascend")]
    fn a_row_with_a_one_twice_is_refused() {
        BinaryRows::new(3).push([1, 1]);
    }

    #[test]
    fn stored_matrices_that_contradict_themselves_are_refused() {
        let stored = |columns, starts: &[u32], ones: &[u32]| {
            BinaryRows::try_from(Unchecked { columns, starts: starts.to_vec(), ones: ones.to_vec() })
        };
        assert!(stored(3, &[0, 1, 3], &[2, 0, 1]).is_ok());
        assert!(stored(3, &[], &[]).is_err());
        assert!(stored(3, &[0, 1, 3], &[2, 0]).is_err());
        assert!(stored(3, &[0, 3, 1, 3], &[0, 1, 2]).is_err());
        assert!(stored(3, &[0, 1], &[3]).is_err());
        assert!(stored(3, &[0, 2], &[1, 0]).is_err());
    }

    proptest! {
        #[test]
        fn a_transpose_swaps_rows_and_columns(
            (n, m, bits) in (0_usize..12, 0_usize..12)
                .prop_flat_map(|(n, m)| (Just(n), Just(m), prop::collection::vec(any::<bool>(), n * m))),
        ) {
            let dense = Array2::from_shape_vec((n, m), bits).expect("n × m bits");
            let matrix = BinaryRows::from_dense(dense.view(), |&x| x);
            let mut transposed = BinaryRows::new(5);
            transposed.push([2, 4]);
            matrix.transpose_into(&mut transposed);
            prop_assert_eq!(transposed.columns(), n);
            prop_assert_eq!(transposed.to_dense().reversed_axes(), matrix.to_dense());
        }
    }
}

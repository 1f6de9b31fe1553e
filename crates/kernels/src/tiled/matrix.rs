//! Matrices in panels of 64 columns.

use super::PANEL;

/// A row of a panel: 64 columns as four vectors, on a cache line.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C, align(64))]
pub struct Line(pub [[f32; 16]; 4]);

/// A row of a panel of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(64))]
pub struct Bytes(pub [u8; 64]);

/// A row of a panel of half-precision numbers, as their bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(64))]
pub struct Halves(pub [[u16; 16]; 4]);

impl Line {
    /// All zeros.
    pub const ZERO: Self = Self([[0.0; 16]; 4]);
}

impl Bytes {
    /// All zeros.
    pub const ZERO: Self = Self([0; 64]);
}

impl Halves {
    /// All zeros.
    pub const ZERO: Self = Self([[0; 16]; 4]);
}

/// A matrix of f32: panel after panel, each row by row.
///
/// Columns are padded to whole panels and the rows of a panel to multiples of 16, with zeros that
/// kernels keep.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    rows: usize,
    columns: usize,
    lines: Vec<Line>,
}

impl Matrix {
    /// Zeros.
    pub fn zeros(rows: usize, columns: usize) -> Self {
        let lines = vec![Line::ZERO; rows.next_multiple_of(16) * columns.div_ceil(PANEL)];
        Self { rows, columns, lines }
    }

    /// The matrix with these values, row by row.
    ///
    /// # Panics
    /// If there are not rows × columns values.
    pub fn from_values(rows: usize, columns: usize, values: &[f32]) -> Self {
        assert_eq!(values.len(), rows * columns, "one value per row and column");
        let mut matrix = Self::zeros(rows, columns);
        let stride = matrix.stride();
        for (i, row) in values.chunks_exact(columns.max(1)).enumerate() {
            for (p, part) in row.chunks(PANEL).enumerate() {
                matrix.lines[p * stride + i].0.as_flattened_mut()[..part.len()].copy_from_slice(part);
            }
        }
        matrix
    }

    /// Makes all values 0.
    pub fn clear(&mut self) {
        self.lines.fill(Line::ZERO);
    }

    /// The values, row by row.
    pub fn values(&self) -> impl ExactSizeIterator<Item = f32> {
        (0..self.rows * self.columns).map(|at| self.at(at / self.columns, at % self.columns))
    }

    /// One value.
    ///
    /// # Panics
    /// If there is no such row or column.
    pub fn at(&self, row: usize, column: usize) -> f32 {
        assert!(row < self.rows && column < self.columns, "row {row}, column {column} of {self:?}");
        self.lines[column / PANEL * self.stride() + row].0.as_flattened()[column % PANEL]
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Rows of a panel in memory.
    pub fn stride(&self) -> usize {
        self.rows.next_multiple_of(16)
    }

    /// Number of panels.
    pub fn panels(&self) -> usize {
        self.columns.div_ceil(PANEL)
    }

    /// All lines: row i of panel p is line p · [`Matrix::stride`] + i.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// The lines, to be changed; padding must stay 0.
    pub fn lines_mut(&mut self) -> &mut [Line] {
        &mut self.lines
    }

    /// The lines of one panel.
    pub(crate) fn panel(&self, panel: usize) -> &[Line] {
        &self.lines[panel * self.stride()..][..self.stride()]
    }
}

/// How many vectors of 16 hold the columns of a panel: 4, or fewer in the last.
#[inline(always)]
pub(crate) fn vectors(columns: usize, panel: usize) -> usize {
    (columns - panel * PANEL).min(PANEL).div_ceil(16)
}

/// One bit for each column of a panel that is not padding.
#[inline(always)]
pub(crate) fn real_columns(columns: usize, panel: usize) -> u64 {
    u64::MAX >> (PANEL - (columns - panel * PANEL).min(PANEL))
}

/// Makes `lines` that many zeros; keeps the memory.
pub fn zeroed<T: Copy>(lines: &mut Vec<T>, n: usize, zero: T) {
    lines.clear();
    lines.resize(n, zero);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_gives_back_its_values_and_pads_with_zeros() {
        let values: Vec<f32> = (0..21 * 70).map(|i| i as f32 + 1.0).collect();
        let matrix = Matrix::from_values(21, 70, &values);
        assert!(matrix.values().eq(values.iter().copied()));
        assert_eq!((matrix.panels(), matrix.stride(), matrix.lines().len()), (2, 32, 64));
        let stored: f32 = matrix.lines().iter().flat_map(|line| line.0.as_flattened()).sum();
        assert_eq!(stored, values.iter().sum::<f32>());
        assert_eq!(matrix.at(20, 69), 21.0 * 70.0);
    }

    #[test]
    fn the_last_panel_has_the_columns_that_are_left() {
        assert_eq!((vectors(70, 0), vectors(70, 1), vectors(64, 0), vectors(500, 7)), (4, 1, 4, 4));
        assert_eq!((real_columns(70, 0), real_columns(70, 1), real_columns(64, 0)), (u64::MAX, 63, u64::MAX));
    }
}

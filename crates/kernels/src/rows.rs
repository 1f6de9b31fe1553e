//! Binary row sums, the one loop of RBM training.
//!
//! For binary `v` the product `v·W` is the sum of the rows of `W` where `v` is one. Forward
//! (rows of W), backward (rows of Wᵀ) and statistics (rows of the hidden probabilities) are all
//! this loop. A column is one chain of f32 additions in the order of its list, so the result
//! depends on neither the level nor the width of a block.

use crate::level::at_every_level;

/// For each output the table rows that enter its sum, in order.
#[derive(Clone, Copy, Debug)]
pub struct Lists<'a> {
    starts: &'a [u32],
    rows: &'a [u32],
}

impl<'a> Lists<'a> {
    /// List `i` is `rows[starts[i]..starts[i + 1]]`.
    ///
    /// # Panics
    /// If `starts` does not rise from 0 to the number of rows.
    pub fn new(starts: &'a [u32], rows: &'a [u32]) -> Self {
        assert_eq!(starts.first(), Some(&0), "the first list starts at 0");
        assert_eq!(starts.last().map(|&end| end as usize), Some(rows.len()), "the last list ends at the end");
        assert!(starts.is_sorted(), "every list starts where the one before ends");
        Self { starts, rows }
    }

    /// How many lists there are.
    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// Whether there is no list at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// List `i`.
    ///
    /// # Panics
    /// If `i` is not below [`Lists::len`].
    #[inline(always)]
    pub fn get(&self, i: usize) -> &'a [u32] {
        &self.rows[self.starts[i] as usize..self.starts[i + 1] as usize]
    }
}

at_every_level! {
    /// `out[i] = ((out[i] + table[l₀]) + table[l₁]) + …` over the rows l of list i, in order.
    ///
    /// # Shapes
    /// `table`: (rows, width) row by row · `out`: (lists, width), what it holds is the first summand.
    ///
    /// # Panics
    /// If a listed row is not in the table or `out` has another length.
    pub fn add_rows / add_rows_at(table: &[f32], width: usize, lists: Lists<'_>, out: &mut [f32]) = add
}

at_every_level! {
    /// `out[i] = ((out[i] − table[l₀]) − table[l₁]) − …` over the rows l of list i, in order.
    ///
    /// Shapes and panics as for [`add_rows`].
    pub fn subtract_rows / subtract_rows_at(table: &[f32], width: usize, lists: Lists<'_>, out: &mut [f32])
        = subtract
}

/// `to[j, i] = from[i, j]`, in tiles that stay in the first cache.
///
/// # Shapes
/// `from`: (rows, columns) row by row · `to`: (columns, rows).
///
/// # Panics
/// If a slice has another length.
pub fn transpose(from: &[f32], rows: usize, columns: usize, to: &mut [f32]) {
    const TILE: usize = 16;
    assert_eq!(from.len(), rows * columns, "one value per row and column");
    assert_eq!(to.len(), rows * columns, "one value per row and column");
    for i0 in (0..rows).step_by(TILE) {
        for j0 in (0..columns).step_by(TILE) {
            for j in j0..columns.min(j0 + TILE) {
                let line = &mut to[j * rows..][..rows];
                for i in i0..rows.min(i0 + TILE) {
                    line[i] = from[i * columns + j];
                }
            }
        }
    }
}

#[inline(always)]
fn add(table: &[f32], width: usize, lists: Lists<'_>, out: &mut [f32]) {
    accumulate(table, width, lists, out, |sum, value| sum + value);
}

#[inline(always)]
fn subtract(table: &[f32], width: usize, lists: Lists<'_>, out: &mut [f32]) {
    accumulate(table, width, lists, out, |sum, value| sum - value);
}

#[inline(always)]
fn accumulate(
    table: &[f32],
    width: usize,
    lists: Lists<'_>,
    out: &mut [f32],
    combine: impl Fn(f32, f32) -> f32 + Copy,
) {
    assert_eq!(out.len(), lists.len() * width, "one sum per list and column");
    for i in 0..lists.len() {
        let rows = lists.get(i);
        let out = &mut out[i * width..][..width];
        let mut column = 0;
        // The widest block first: as many sums as fit the registers run side by side.
        while column < width {
            column += match width - column {
                128.. => block::<128>(table, rows, column, out, combine),
                64.. => block::<64>(table, rows, column, out, combine),
                32.. => block::<32>(table, rows, column, out, combine),
                16.. => block::<16>(table, rows, column, out, combine),
                8.. => block::<8>(table, rows, column, out, combine),
                4.. => block::<4>(table, rows, column, out, combine),
                _ => block::<1>(table, rows, column, out, combine),
            };
        }
    }
}

/// The sums of N columns from `column` on; returns N.
#[inline(always)]
fn block<const N: usize>(
    table: &[f32],
    rows: &[u32],
    column: usize,
    out: &mut [f32],
    combine: impl Fn(f32, f32) -> f32,
) -> usize {
    let width = out.len();
    let out = out[column..].first_chunk_mut::<N>().expect("the caller saw that N columns are left");
    let mut sums = *out;
    for &row in rows {
        let values = table[row as usize * width + column..].first_chunk::<N>().expect("a row of the table");
        for (sum, value) in sums.iter_mut().zip(values) {
            *sum = combine(*sum, *value);
        }
    }
    *out = sums;
    N
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Level;
    use proptest::prelude::*;

    #[test]
    fn a_sum_starts_from_what_the_output_holds() {
        let table = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]; // 3 rows of 2
        let lists = Lists::new(&[0, 2, 2, 3], &[0, 2, 1]);
        let mut out = [10.0, 20.0, 30.0, 40.0, 50.0, 60.0];
        add_rows(&table, 2, lists, &mut out);
        assert_eq!(out, [16.0, 28.0, 30.0, 40.0, 53.0, 64.0]);
        subtract_rows(&table, 2, lists, &mut out);
        assert_eq!(out, [10.0, 20.0, 30.0, 40.0, 50.0, 60.0]);
    }

    #[test]
    #[should_panic(expected = "a row of the table")]
    fn a_row_outside_the_table_is_refused() {
        add_rows(&[0.0; 6], 2, Lists::new(&[0, 1], &[3]), &mut [0.0; 2]);
    }

    #[test]
    #[should_panic(expected = "every list starts where the one before ends")]
    fn lists_that_overlap_are_refused() {
        Lists::new(&[0, 2, 1, 3], &[0, 1, 2]);
    }

    /// A table, lists into it and what the sums start from.
    fn case() -> impl Strategy<Value = (usize, Vec<f32>, Vec<u32>, Vec<u32>)> {
        (1_usize..300, 1_usize..20, 0_usize..6).prop_flat_map(|(width, rows, n)| {
            let table = prop::collection::vec(-1e3_f32..1e3, width * rows);
            let lists = prop::collection::vec(prop::collection::vec(0..rows as u32, 0..30), n);
            (Just(width), table, lists).prop_map(|(width, table, lists)| {
                let mut starts = vec![0];
                starts.extend(lists.iter().scan(0, |end, list| {
                    *end += list.len() as u32;
                    Some(*end)
                }));
                (width, table, starts, lists.concat())
            })
        })
    }

    proptest! {
        #[test]
        fn every_level_adds_and_subtracts_in_list_order((width, table, starts, rows) in case()) {
            let lists = Lists::new(&starts, &rows);
            let start: Vec<f32> = (0..lists.len() * width).map(|i| i as f32 * 0.37).collect();
            let plain = |sign: f32| {
                let mut out = start.clone();
                for i in 0..lists.len() {
                    for &row in lists.get(i) {
                        for j in 0..width {
                            out[i * width + j] += sign * table[row as usize * width + j];
                        }
                    }
                }
                out
            };
            for &level in Level::available() {
                let (mut added, mut subtracted) = (start.clone(), start.clone());
                add_rows_at(level, &table, width, lists, &mut added);
                subtract_rows_at(level, &table, width, lists, &mut subtracted);
                prop_assert_eq!(&added, &plain(1.0));
                prop_assert_eq!(&subtracted, &plain(-1.0));
            }
        }

        #[test]
        fn a_transpose_swaps_rows_and_columns(rows in 0_usize..50, columns in 0_usize..50) {
            let from: Vec<f32> = (0..rows * columns).map(|i| i as f32).collect();
            let mut to = vec![0.0; from.len()];
            transpose(&from, rows, columns, &mut to);
            for i in 0..rows {
                for j in 0..columns {
                    prop_assert_eq!(to[j * rows + i], from[i * columns + j]);
                }
            }
        }
    }
}

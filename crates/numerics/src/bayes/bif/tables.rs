//! Declared names, and tables put together from their entries.

use std::collections::BTreeMap;

use super::{BifError, token::Token};
use crate::bayes::network::CELLS;

/// Variables as declared: name, values, line.
#[derive(Default)]
pub(super) struct Declared {
    pub(super) variables: Vec<(String, Vec<String>, usize)>,
    places: BTreeMap<String, usize>,
}

impl Declared {
    pub(super) fn add(&mut self, name: Token<'_>, values: Vec<String>) -> Result<(), BifError> {
        let place = self.variables.len();
        if let Some(before) = self.places.insert(name.text.to_owned(), place) {
            let before = self.variables[before].2;
            let detail =
                format!("variable `{}` comes twice, first in line {before}; it must come once", name.shown());
            return Err(BifError::new(name.line, detail));
        }
        self.variables.push((name.text.to_owned(), values, name.line));
        Ok(())
    }

    pub(super) fn find(&self, name: &Token<'_>) -> Result<usize, BifError> {
        let unknown = || format!("`{}` is no variable of the network", name.shown());
        self.places.get(name.text).copied().ok_or_else(|| BifError::new(name.line, unknown()))
    }

    /// The row that these values of the parents name.
    pub(super) fn row(
        &self,
        line: usize,
        parents: &[usize],
        values: &[Token<'_>],
    ) -> Result<usize, BifError> {
        if values.len() != parents.len() {
            let (given, parents) = (values.len(), parents.len());
            return Err(BifError::new(
                line,
                format!("the row names {given} values; there are {parents} parents"),
            ));
        }
        let mut row = 0_usize;
        for (&parent, value) in parents.iter().zip(values) {
            let (name, known, _) = &self.variables[parent];
            let place = known.iter().position(|known| known == value.text).ok_or_else(|| {
                BifError::new(
                    value.line,
                    format!("`{}` is no value of `{name}`, which has {}", value.shown(), known.join(", ")),
                )
            })?;
            row = row.saturating_mul(known.len()).saturating_add(place);
        }
        Ok(row)
    }
}

/// Which part of a table an entry gives.
pub(super) enum Table {
    Row(usize),
    Whole,
    Default,
}

/// Numbers as written.
pub(super) struct Entry {
    pub(super) line: usize,
    pub(super) table: Table,
    pub(super) numbers: Vec<f64>,
}

/// The whole table, row by row, and the line of each row. `counts` are the numbers of values of the parents.
pub(super) fn fill(
    (line, name, values): (usize, &str, usize),
    counts: &[usize],
    entries: Vec<Entry>,
) -> Result<(Vec<f64>, Vec<usize>), BifError> {
    let rows = counts.iter().fold(1_usize, |rows, &n| rows.saturating_mul(n));
    let cells = rows.saturating_mul(values);
    if cells > CELLS {
        let detail = format!("the table of `{name}` has {cells} numbers; it must have at most {CELLS}");
        return Err(BifError::new(line, detail));
    }
    let mut table = vec![0.0; cells];
    let mut lines = vec![0; rows];
    let mut default = None;
    for Entry { line, table: part, numbers } in entries {
        let expected = if matches!(part, Table::Whole) { cells } else { values };
        if numbers.len() != expected {
            let found = numbers.len();
            let detail =
                format!("an entry of the table of `{name}` has {found} numbers; it must have {expected}");
            return Err(BifError::new(line, detail));
        }
        let covered = match part {
            Table::Default => {
                if default.replace((line, numbers)).is_some() {
                    let detail = format!("the table of `{name}` has two defaults; it must have one");
                    return Err(BifError::new(line, detail));
                }
                continue;
            }
            Table::Row(row) => row..row + 1,
            Table::Whole => 0..rows,
        };
        for row in covered {
            if lines[row] != 0 {
                let before = lines[row];
                let detail =
                    format!("a row of `{name}` comes twice, first in line {before}; it must come once");
                return Err(BifError::new(line, detail));
            }
            lines[row] = line;
            for value in 0..values {
                // One row holds its numbers as they come; a whole table runs through the values of the variable first.
                let from = if numbers.len() == values { value } else { value * rows + row };
                table[row * values + value] = numbers[from];
            }
        }
    }
    let absent = lines.iter().filter(|line| **line == 0).count();
    if let (Some((from, numbers)), true) = (&default, absent > 0) {
        for row in (0..rows).filter(|&row| lines[row] == 0).collect::<Vec<_>>() {
            table[row * values..(row + 1) * values].copy_from_slice(numbers);
            lines[row] = *from;
        }
    } else if absent > 0 {
        let detail =
            format!("{absent} of {rows} rows of the table of `{name}` are missing; all must be given");
        return Err(BifError::new(line, detail));
    }
    Ok((table, lines))
}

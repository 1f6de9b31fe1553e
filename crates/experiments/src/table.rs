//! Tables of numbers, from CSV.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{Data, DataError};

/// Columns of numbers with names. Text stands for the number of its first appearance in its column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// Names, each once.
    pub columns: Vec<String>,
    /// Cells row by row; all finite.
    pub cells: Vec<f64>,
}

/// Most columns.
const MOST_COLUMNS: usize = 64;
/// Longest name or text.
const LONGEST: usize = 128;

/// Reads a table from a CSV file: a line of names, then a line of cells for each row, separated by commas; empty lines and lines
/// that begin with `#` are left out. In the column `spine_id` cells may be text.
///
/// # Errors
/// The line and what is wrong with it.
pub fn table_from_csv(bytes: &[u8]) -> Result<Data, DataError> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = 1 + bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count();
        DataError(format!("line {line}: the text is not UTF-8"))
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines = text.lines().enumerate().map(|(i, line)| (i + 1, line.trim()));
    let mut lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let (at, names) = lines.next().ok_or_else(|| DataError("the table is empty".into()))?;
    let columns: Vec<String> = names.split(',').map(|name| unquoted(name).to_owned()).collect();
    check_names(&columns).map_err(|what| wrong(at, what))?;
    let (mut cells, mut texts) = (Vec::new(), BTreeMap::new());
    for (at, line) in lines {
        let before = cells.len();
        for (cell, column) in line.split(',').zip(&columns) {
            cells.push(number(unquoted(cell), column, &mut texts).map_err(|what| wrong(at, what))?);
        }
        let found = line.split(',').count();
        if found != columns.len() {
            return Err(wrong(at, format!("it has {found} cells; there are {} columns", columns.len())));
        }
        debug_assert_eq!(cells.len(), before + columns.len());
        if cells.len() as u64 * 8 > Data::LIMIT_BYTES {
            return Err(wrong(at, "the table is too large".into()));
        }
    }
    if cells.is_empty() {
        return Err(DataError("the table has no rows".into()));
    }
    Ok(Data::Table(Arc::new(Table { columns, cells })))
}

fn wrong(line: usize, what: String) -> DataError {
    DataError(format!("line {line}: {what}"))
}

fn unquoted(cell: &str) -> &str {
    let cell = cell.trim();
    cell.strip_prefix('"').and_then(|cell| cell.strip_suffix('"')).unwrap_or(cell)
}

fn check_names(columns: &[String]) -> Result<(), String> {
    if columns.len() > MOST_COLUMNS {
        return Err(format!("there are {} columns; at most {MOST_COLUMNS}", columns.len()));
    }
    for (i, name) in columns.iter().enumerate() {
        if name.is_empty() || name.len() > LONGEST {
            return Err(format!("column {} has no name, or one of more than {LONGEST} bytes", i + 1));
        }
        if columns[..i].contains(name) {
            return Err(format!("two columns are called `{name}`"));
        }
    }
    Ok(())
}

fn number(cell: &str, column: &str, texts: &mut BTreeMap<String, u32>) -> Result<f64, String> {
    if column == "spine_id" {
        if cell.is_empty() || cell.len() > LONGEST {
            return Err(format!("`{column}` is empty or longer than {LONGEST} bytes"));
        }
        let next = texts.len() as u32;
        return Ok(f64::from(*texts.entry(cell.to_owned()).or_insert(next)));
    }
    match cell.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        _ => Err(format!(
            "`{column}` is `{}`; it must be a finite number",
            cell.chars().take(40).collect::<String>()
        )),
    }
}

impl Table {
    /// Rows.
    pub fn rows(&self) -> usize {
        self.cells.len() / self.columns.len()
    }

    /// The numbers of a column; none without it.
    pub fn column(&self, name: &str) -> Option<Vec<f64>> {
        let place = self.columns.iter().position(|column| column == name)?;
        Some(self.cells.iter().skip(place).step_by(self.columns.len()).copied().collect())
    }

    /// Whether the numbers fit together.
    ///
    /// # Errors
    /// Names what does not.
    pub fn check(&self) -> Result<(), DataError> {
        check_names(&self.columns).map_err(DataError)?;
        if self.columns.is_empty()
            || self.cells.is_empty()
            || !self.cells.len().is_multiple_of(self.columns.len())
        {
            return Err(DataError("a table has whole rows".into()));
        }
        if self.cells.iter().any(|cell| !cell.is_finite()) {
            return Err(DataError("a cell is not a finite number".into()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Arc<Table>, String> {
        match table_from_csv(text.as_bytes()) {
            Ok(Data::Table(table)) => Ok(table),
            Ok(_) => panic!("a table is a table"),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn names_numbers_and_text_are_read() {
        let table =
            read("# spines\nspine_id, day,volume\n\na,0,0.5\n\"b\",0,1e-1\na,4,0.7\n").expect("valid");
        assert_eq!(table.columns, ["spine_id", "day", "volume"]);
        assert_eq!(table.column("spine_id"), Some(vec![0.0, 1.0, 0.0]));
        assert_eq!(table.column("volume"), Some(vec![0.5, 0.1, 0.7]));
        assert_eq!((table.rows(), table.column("present")), (3, None));
        table.check().expect("what was read fits together");
    }

    #[test]
    fn what_is_no_table_is_refused_with_its_line() {
        for (text, line) in [
            ("", "empty"),
            ("a,b\n", "no rows"),
            ("a,a\n1,2\n", "line 1: two columns"),
            ("a,b\n1,2\n1\n", "line 3: it has 1 cells"),
            ("a,b\n1,2\n1,2,3\n", "line 3: it has 3 cells"),
            ("a,b\n1,NaN\n", "line 2: `b` is `NaN`"),
            ("a,b\n1,x\n", "line 2: `b` is `x`"),
            ("a,b\n\n1,inf\n", "line 3: `b` is `inf`"),
        ] {
            let error = read(text).expect_err("it is refused");
            assert!(error.contains(line), "{text:?}: {error}");
        }
        assert!(table_from_csv(b"a\n1\n\xff\n").expect_err("no text").to_string().contains("line 3"));
    }
}

//! Tables of imaged spines, from CSV.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{Data, DataError};

/// Columns of numbers with names, one row for a look at a spine: `spine_id`, `day`, `volume`, perhaps `present`; others
/// are kept and not read. Text stands for the number of its first appearance in its column.
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
/// Volumes are at least 0, `present` is 0 or 1 (without it a volume of 0 is that of an absent spine), and days rise within a spine.
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
    let mut rows = Rows::new(&columns).map_err(|what| wrong(at, what))?;
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
        rows.take(&cells[before..]).map_err(|what| wrong(at, what))?;
        if cells.len() as u64 * 8 > Data::LIMIT_BYTES {
            return Err(wrong(at, "the table is too large".into()));
        }
    }
    if cells.is_empty() {
        return Err(DataError("the table has no rows".into()));
    }
    Ok(Data::Table(Arc::new(Table { columns, cells })))
}

/// Columns that every table has.
const NEEDED: [&str; 3] = ["spine_id", "day", "volume"];

/// Rows as they come, each held against those before it.
struct Rows {
    /// Places of the columns that are read.
    needed: [usize; 3],
    present: Option<usize>,
    /// Day of the last look at each spine.
    last: Vec<f64>,
}

impl Rows {
    fn new(columns: &[String]) -> Result<Self, String> {
        let place = |name: &str| columns.iter().position(|column| column == name);
        let mut needed = [0; 3];
        for (needed, name) in needed.iter_mut().zip(NEEDED) {
            let missing = || format!("there is no column `{name}` among `{}`", cut(&columns.join(",")));
            *needed = place(name).ok_or_else(missing)?;
        }
        Ok(Self { needed, present: place("present"), last: Vec::new() })
    }

    fn take(&mut self, row: &[f64]) -> Result<(), String> {
        let [id, day, volume] = self.needed.map(|place| row[place]);
        // Numbers are given in the order of their first appearance.
        if id > self.last.len() as f64 || id < 0.0 || id.fract() != 0.0 {
            return Err(format!("`spine_id` is number {id}; spines are numbered as they come"));
        }
        if volume < 0.0 {
            return Err(format!("`volume` is {volume}; it must be at least 0"));
        }
        if let Some(present) = self.present.map(|place| row[place]) {
            if present != 0.0 && present != 1.0 {
                return Err(format!("`present` is {present}; it must be 0 or 1"));
            }
            if present == 1.0 && volume == 0.0 {
                return Err("`volume` is 0; it must be above 0 where the spine is present".into());
            }
        }
        match self.last.get_mut(id as usize) {
            Some(last) if *last >= day => {
                return Err(format!(
                    "`day` is {day}; it must be after {last}, the day before of the same spine"
                ));
            }
            Some(last) => *last = day,
            None => self.last.push(day),
        }
        Ok(())
    }
}

fn cut(text: &str) -> String {
    text.chars().take(40).collect()
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
        _ => Err(format!("`{}` is `{}`; it must be a finite number", cut(column), cut(cell))),
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
        let mut rows = Rows::new(&self.columns).map_err(DataError)?;
        if self.cells.is_empty() || !self.cells.len().is_multiple_of(self.columns.len()) {
            return Err(DataError("a table has whole rows".into()));
        }
        if self.cells.iter().any(|cell| !cell.is_finite()) {
            return Err(DataError("a cell is not a finite number".into()));
        }
        for (at, row) in (1..).zip(self.cells.chunks_exact(self.columns.len())) {
            rows.take(row).map_err(|what| DataError(format!("row {at}: {what}")))?;
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
        assert_eq!(Data::decode(&Data::Table(table.clone()).encode()), Ok(Data::Table(table.clone())));
        table.check().expect("what was read fits together");
    }

    #[test]
    fn what_is_no_table_is_refused_with_its_line() {
        let names = "spine_id,day,volume,present\n";
        for (rows, said) in [
            ("", "no rows"),
            ("a,0,1\n", "line 2: it has 3 cells"),
            ("a,0,1,1\na,1,1,1,1\n", "line 3: it has 5 cells"),
            ("a,0,NaN,1\n", "line 2: `volume` is `NaN`"),
            ("a,x,1,1\n", "line 2: `day` is `x`"),
            ("\n# a note\na,0,inf,1\n", "line 4: `volume` is `inf`"),
            ("a,0,-0.1,1\n", "line 2: `volume` is -0.1; it must be at least 0"),
            ("a,0,1,1\nb,3,1,1\na,0,1,1\n", "line 4: `day` is 0; it must be after 0"),
            ("a,0,1,2\n", "line 2: `present` is 2"),
            ("a,0,0,1\n", "line 2: `volume` is 0; it must be above 0"),
            (",0,1,1\n", "line 2: `spine_id` is empty"),
        ] {
            let error = read(&format!("{names}{rows}")).expect_err("it is refused");
            assert!(error.contains(said), "{rows:?}: {error}");
        }
        for (text, said) in [
            ("", "empty"),
            ("day,day\n1,2\n", "line 1: two columns"),
            ("# spines\nspine_id,day\na,2\n", "line 2: there is no column `volume`"),
        ] {
            let error = read(text).expect_err("it is refused");
            assert!(error.contains(said), "{text:?}: {error}");
        }
        assert!(table_from_csv(b"a\n1\n\xff\n").expect_err("no text").to_string().contains("line 3"));
    }

    #[test]
    fn stored_rows_that_no_file_gives_are_refused() {
        let table = |cells: [f64; 6]| {
            let columns = NEEDED.map(str::to_owned).to_vec();
            Data::decode(&Data::Table(Arc::new(Table { columns, cells: cells.to_vec() })).encode())
        };
        assert!(table([0.0, 0.0, 1.0, 0.0, 1.0, 1.0]).is_ok());
        for cells in
            [[0.0, 0.0, 1.0, 7.0, 1.0, 1.0], [0.0, 0.0, 1.0, 0.0, 0.0, 1.0], [0.0, 0.0, 1.0, 0.0, 1.0, -1.0]]
        {
            assert!(table(cells).expect_err("it is refused").to_string().contains("row 2"), "{cells:?}");
        }
    }
}

//! Tables without lines: they read well on a terminal and cut well with `awk`.

use comfy_table::{Attribute, Cell, CellAlignment, Color, ContentArrangement, presets};

use super::Paint;

/// A table that grows row by row.
pub(crate) struct Table {
    table: comfy_table::Table,
    paint: Paint,
}

impl Table {
    /// With these headings; those that begin with `>` stand over numbers, aligned right.
    pub(crate) fn new(paint: Paint, headings: &[&str]) -> Self {
        let mut table = comfy_table::Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        if !paint.is_on() {
            table.force_no_tty();
        }
        let heading = |text: &&str| Cell::new(text.trim_start_matches('>')).add_attribute(Attribute::Dim);
        table.set_header(headings.iter().map(heading));
        for (column, heading) in table.column_iter_mut().zip(headings) {
            column.set_padding((0, 2));
            if heading.starts_with('>') {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        Self { table, paint }
    }

    /// Breaks long texts where the terminal ends, rather than lines.
    pub(crate) fn wrapped(mut self) -> Self {
        self.table.set_content_arrangement(ContentArrangement::Dynamic);
        self
    }

    /// One more row; cells that are the name of a state get its colour.
    pub(crate) fn row<S: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = S>) {
        let paint = self.paint;
        self.table.add_row(cells.into_iter().map(|cell| coloured(paint, cell.as_ref())));
    }
}

fn coloured(paint: Paint, text: &str) -> Cell {
    let color = match text {
        _ if !paint.is_on() => return Cell::new(text),
        "succeeded" | "live" | "holds" => Color::Green,
        "failed" | "fails" => Color::Red,
        "cancelled" | "paused" => Color::Yellow,
        "running" => Color::Cyan,
        _ => return Cell::new(text),
    };
    Cell::new(text).fg(color)
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for line in self.table.lines() {
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_numbers_stand_right() {
        let mut table = Table::new(Paint::OFF, &["run", ">step"]);
        table.row(["0", "5"]);
        table.row(["10", "1,234"]);
        assert_eq!(table.to_string(), "run   step\n0        5\n10   1,234\n");
    }
}

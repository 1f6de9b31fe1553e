//! Pictures with a row for each series: bars and tables.

use experiments::{Better, Column, Series, interval_95};
use maud::{Markup, html};

use super::{
    chart::{WIDTH, at, colour},
    figure::Drawn,
    scale::Scale,
    source::{Source, words},
};
use crate::text::{number, plus_minus};

impl<'a> Source<'a> {
    /// The values over seeds of each series.
    fn finals(&self) -> Result<Vec<(&'a str, Vec<f64>)>, String> {
        let of_series = |series: &'a Series| {
            let mut values = Vec::new();
            for job in self.jobs(series) {
                for run in self.runs(&job)? {
                    values.push(Self::scalar(run, self.metric(series), self.at(series))?);
                }
            }
            Ok((series.label.as_str(), values))
        };
        self.figure().series.iter().map(of_series).collect()
    }

    /// Lying, so that names have room.
    pub(super) fn bars(&self) -> Result<Drawn, String> {
        const ROW: f64 = 26.0;
        let rows = self.finals()?;
        let longest = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        let (left, right) = (20.0 + 6.8 * longest as f64, WIDTH - 84.0);
        let values = rows.iter().flat_map(|(_, values)| {
            let ends = interval_95(values).map_or(vec![], |(low, high)| vec![low, high]);
            values.iter().copied().chain(ends)
        });
        let figure = self.figure();
        let scale = Scale::over(values, figure.y_range, figure.log_y, (left, right));
        let bottom = ROW * rows.len() as f64 + 6.0;
        let label = figure.y_label.clone().unwrap_or_else(|| words(figure.metric.as_deref().unwrap_or("")));
        let drawn = html! {
            @for (value, text) in scale.ticks(6) {
                @let x = at(scale.place(value));
                path class="grid" d=(format!("M{x} 4V{}", at(bottom))) {}
                text class="mid" x=(x) y=(at(bottom + 16.0)) { (text) }
            }
            @for (i, (name, values)) in rows.iter().enumerate() {
                @let y = 20.0 + ROW * i as f64;
                text class="end label" x=(at(left - 8.0)) y=(at(y)) dy="0.35em" { (name) }
                (row(values, &scale, y, i))
                text x=(at(right + 10.0)) y=(at(y)) dy="0.35em" { (number(mean(values))) }
            }
            text class="mid label" x=(at(0.5 * (left + right))) y=(at(bottom + 36.0)) { (label) }
        };
        Ok((drawn, WIDTH, bottom + 44.0))
    }

    pub(super) fn table(&self) -> Result<Drawn, String> {
        const ROW: f64 = 24.0;
        let figure = self.figure();
        let mut cells: Vec<Vec<Vec<f64>>> = Vec::with_capacity(figure.series.len());
        for series in &figure.series {
            let jobs = self.jobs(series).into_iter().map(|job| self.runs(&job));
            let jobs = jobs.collect::<Result<Vec<_>, _>>()?;
            let of_column = |column: &Column| {
                let runs = jobs.get(column.job).into_iter().flatten();
                let values = runs.map(|run| Self::scalar(run, &column.metric, column.at).ok());
                values.collect::<Option<Vec<f64>>>().unwrap_or_default()
            };
            cells.push(figure.columns.iter().map(of_column).collect());
        }
        let length = |text: &str| text.chars().count();
        let longest = |lengths: &mut dyn Iterator<Item = usize>| 6.8 * lengths.max().unwrap_or(0) as f64;
        let left = 16.0 + longest(&mut figure.series.iter().map(|series| length(&series.label)));
        let headings = figure.columns.iter().map(|column| length(&heading(column)));
        let column =
            20.0 + longest(&mut cells.iter().flatten().map(|values| length(&cell(values))).chain(headings));
        let width = left + column * figure.columns.len() as f64 + 8.0;
        let height = ROW * (figure.series.len() + 1) as f64 + 10.0;
        let best: Vec<Option<usize>> =
            figure.columns.iter().enumerate().map(|(c, column)| best(&cells, c, column)).collect();
        let drawn = html! {
            @for (c, column_of) in figure.columns.iter().enumerate() {
                text class="end label" x=(at(left + column * (c + 1) as f64)) y="16" { (heading(column_of)) }
            }
            path class="axis" d=(format!("M4 {0}H{1}", at(ROW), at(width - 4.0))) {}
            @for (r, (series, row)) in figure.series.iter().zip(&cells).enumerate() {
                @let y = at(ROW * (r + 1) as f64 + 17.0);
                text class="label" x="4" y=(y) { (series.label) }
                @for (c, values) in row.iter().enumerate() {
                    @let class = if best[c] == Some(r) { "end strong" } else { "end" };
                    text class=(class) x=(at(left + column * (c + 1) as f64)) y=(y) { (cell(values)) }
                }
                path class="grid" d=(format!("M4 {0}H{1}", at(ROW * (r + 2) as f64), at(width - 4.0))) {}
            }
        };
        Ok((drawn, width, height))
    }
}

fn row(values: &[f64], scale: &Scale, y: f64, series: usize) -> Markup {
    let dot = |&value: &f64| format!("M{} {}h0", at(scale.place(value)), at(y));
    let interval = interval_95(values).map(|(low, high)| {
        let (low, high) = (at(scale.place(low)), at(scale.place(high)));
        format!("M{low} {0}V{1}M{low} {2}H{high}M{high} {0}V{1}", at(y - 5.0), at(y + 5.0), at(y))
    });
    html! {
        @if let Some(interval) = interval { path class={"line bold " (colour(series))} d=(interval) {} }
        path class={"dots " (colour(series))} stroke-width="6" d=(values.iter().map(dot).collect::<String>()) {}
    }
}

fn heading(column: &Column) -> String {
    let arrow = match column.better {
        Some(Better::Less) => " ↓",
        Some(Better::More) => " ↑",
        None => "",
    };
    format!("{}{arrow}", column.label)
}

fn cell(values: &[f64]) -> String {
    match values {
        [] => "–".into(),
        [value] => number(*value),
        values => plus_minus(mean(values), sd(values)),
    }
}

fn sd(values: &[f64]) -> f64 {
    let mean = mean(values);
    (values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (values.len() as f64 - 1.0)).sqrt()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The row with the best mean in a column.
fn best(cells: &[Vec<Vec<f64>>], column: usize, of: &Column) -> Option<usize> {
    let sign = match of.better? {
        Better::Less => -1.0,
        Better::More => 1.0,
    };
    let filled = cells.iter().enumerate().filter(|(_, row)| !row[column].is_empty());
    let merits = filled.map(|(r, row)| (r, sign * mean(&row[column])));
    merits.reduce(|a, b| if b.1 > a.1 { b } else { a }).map(|(r, _)| r)
}

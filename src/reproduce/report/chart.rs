//! A chart with two axes: marks in, SVG out.

use maud::{Markup, html};

use super::scale::Scale;

pub(super) const WIDTH: f64 = 640.0;
pub(super) const HEIGHT: f64 = 360.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 48.0;
/// Height of a line of the legend.
const LEGEND: f64 = 18.0;
/// Colours of the style sheet.
const COLOURS: usize = 8;

/// What is drawn; `colour` counts series.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Mark {
    /// A line through points, broken where a value is missing.
    Line { points: Vec<(f64, f64)>, colour: usize, is_thin: bool },
    /// Points.
    Dots { points: Vec<(f64, f64)>, colour: usize, radius: f64 },
    /// An area from the horizontal axis to `y`, from one place to another.
    Area { steps: Vec<(f64, f64, f64)>, colour: usize },
}

/// Name and kind of an axis.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Axis {
    pub(super) label: String,
    pub(super) is_log: bool,
    pub(super) range: Option<(f64, f64)>,
    /// Words instead of numbers, at 0, 1, 2, …
    pub(super) names: Vec<String>,
}

/// A chart.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Chart {
    pub(super) x: Axis,
    pub(super) y: Axis,
    pub(super) marks: Vec<Mark>,
    /// Names of the series, by colour.
    pub(super) legend: Vec<String>,
}

/// A coordinate, short.
pub(super) fn at(x: f64) -> String {
    format!("{x:.1}")
}

/// The class of a series' colour.
pub(super) fn colour(series: usize) -> String {
    format!("s{}", series % COLOURS)
}

impl Mark {
    fn points(&self) -> Vec<(f64, f64)> {
        match self {
            Self::Line { points, .. } | Self::Dots { points, .. } => points.clone(),
            Self::Area { steps, .. } => {
                steps.iter().flat_map(|&(from, to, y)| [(from, y), (to, y), (from, 0.0)]).collect()
            }
        }
    }

    fn draw(&self, x: &Scale, y: &Scale) -> Markup {
        let place = |&(a, b): &(f64, f64)| (x.place(a), y.place(b));
        match self {
            Self::Line { points, colour: series, is_thin } => {
                let class = format!("line {} {}", colour(*series), if *is_thin { "thin" } else { "bold" });
                html! { path class=(class) d=(path(points, place)) {} }
            }
            Self::Dots { points, colour: series, radius } => {
                let dot = |point: &(f64, f64)| {
                    let (px, py) = place(point);
                    format!("M{} {}h0", at(px), at(py))
                };
                let dots: String =
                    points.iter().filter(|p| p.0.is_finite() && p.1.is_finite()).map(dot).collect();
                html! { path class={"dots " (colour(*series))} stroke-width=(at(2.0 * radius)) d=(dots) {} }
            }
            Self::Area { steps, colour: series } => {
                let ground = at(y.place(0.0));
                let step = |&(from, to, value): &(f64, f64, f64)| {
                    format!("V{}H{}", at(y.place(value)), at(x.place(to.max(from))))
                };
                let first = steps.first().map_or(0.0, |step| step.0);
                let top: String = steps.iter().map(step).collect();
                html! { path class={"area " (colour(*series))} d=(format!("M{} {ground}{top}V{ground}Z", at(x.place(first)))) {} }
            }
        }
    }
}

fn path(points: &[(f64, f64)], place: impl Fn(&(f64, f64)) -> (f64, f64)) -> String {
    let (mut text, mut is_open) = (String::new(), false);
    for point in points {
        if !(point.0.is_finite() && point.1.is_finite()) {
            is_open = false;
            continue;
        }
        let (x, y) = place(point);
        text += &format!("{}{} {}", if is_open { "L" } else { "M" }, at(x), at(y));
        is_open = true;
    }
    text
}

impl Chart {
    /// Adds a line for each of these and, if there are several, their mean in bold.
    pub(super) fn lines(&mut self, colour: usize, each: Vec<Vec<(f64, f64)>>) {
        let is_many = each.len() > 1;
        if is_many {
            self.marks.push(Mark::Line { points: mean(&each), colour, is_thin: false });
        }
        let thin = each.into_iter().map(|points| Mark::Line { points, colour, is_thin: is_many });
        self.marks.extend(thin);
    }

    /// As the inside of a picture, with its height.
    pub(super) fn draw(&self) -> (Markup, f64) {
        let rows = self.legend_rows();
        let top = TOP + LEGEND * rows.len() as f64;
        let height = HEIGHT + LEGEND * rows.len() as f64;
        let all: Vec<(f64, f64)> = self.marks.iter().flat_map(Mark::points).collect();
        let over = |axis: &Axis, values: Vec<f64>, places| {
            let named = (!axis.names.is_empty()).then(|| (-0.6, axis.names.len() as f64 - 0.4));
            Scale::over(values, axis.range.or(named), axis.is_log, places)
        };
        let x = over(&self.x, all.iter().map(|point| point.0).collect(), (LEFT, WIDTH - RIGHT));
        let y = over(&self.y, all.iter().map(|point| point.1).collect(), (height - BOTTOM, top));
        let drawn = html! {
            (self.frame(&x, &y, top, height))
            @for mark in &self.marks { (mark.draw(&x, &y)) }
            @for (row, names) in rows.iter().enumerate() {
                @for (place, series, name) in names {
                    @let y = TOP + LEGEND * row as f64;
                    rect class={"area solid " (colour(*series))} x=(at(*place)) y=(at(y - 4.0)) width="12" height="4" {}
                    text x=(at(place + 18.0)) y=(at(y + 2.0)) { (name) }
                }
            }
        };
        (drawn, height)
    }

    fn frame(&self, x: &Scale, y: &Scale, top: f64, height: f64) -> Markup {
        let (left, right, bottom) = (LEFT, WIDTH - RIGHT, height - BOTTOM);
        let names = self.x.names.iter().enumerate().map(|(place, name)| (place as f64, name.clone()));
        let x_ticks = if self.x.names.is_empty() { x.ticks(8) } else { names.collect() };
        html! {
            @for (value, label) in y.ticks(5) {
                @let place = at(y.place(value));
                path class="grid" d=(format!("M{left} {place}H{right}")) {}
                text class="end" x=(at(left - 7.0)) y=(place) dy="0.35em" { (label) }
            }
            @for (value, label) in x_ticks {
                @let place = at(x.place(value));
                path class="tick" d=(format!("M{place} {}v4", at(bottom))) {}
                text class="mid" x=(place) y=(at(bottom + 17.0)) { (label) }
            }
            path class="axis" d=(format!("M{left} {}V{}H{right}", at(top), at(bottom))) {}
            text class="mid label" x=(at(0.5 * (left + right))) y=(at(height - 9.0)) { (self.x.label) }
            @let middle = at(0.5 * (top + bottom));
            text class="mid label" transform=(format!("translate(15 {middle}) rotate(-90)")) { (self.y.label) }
        }
    }

    /// Place, series and name, row by row; none for a single series without a name.
    fn legend_rows(&self) -> Vec<Vec<(f64, usize, &str)>> {
        let (mut rows, mut place) = (Vec::new(), f64::INFINITY);
        for (series, name) in self.legend.iter().enumerate() {
            // About the width of a letter at the size of the style sheet.
            let width = 30.0 + 6.6 * name.chars().count() as f64;
            if place + width > WIDTH - RIGHT {
                rows.push(Vec::new());
                place = LEFT;
            }
            if let Some(row) = rows.last_mut() {
                row.push((place, series, name.as_str()));
            }
            place += width + 12.0;
        }
        rows
    }
}

/// The mean of several lines at the places that all of them have.
fn mean(lines: &[Vec<(f64, f64)>]) -> Vec<(f64, f64)> {
    let value = |line: &[(f64, f64)], x: f64| line.iter().find(|point| point.0 == x).map(|point| point.1);
    let places = lines.first().into_iter().flatten().map(|point| point.0);
    let at = |x: f64| {
        let values: Option<Vec<f64>> = lines.iter().map(|line| value(line, x)).collect();
        values.map(|values| (x, values.iter().sum::<f64>() / values.len() as f64))
    };
    places.filter_map(at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_breaks_where_a_value_is_missing() {
        let points = [(0.0, 0.0), (1.0, f64::NAN), (2.0, 2.0), (3.0, 3.0)];
        assert_eq!(path(&points, |&point| point), "M0.0 0.0M2.0 2.0L3.0 3.0");
    }

    #[test]
    fn several_lines_get_their_mean_and_one_does_not() {
        let mut chart = Chart::default();
        chart.lines(0, vec![vec![(0.0, 1.0), (1.0, 2.0)], vec![(0.0, 3.0), (1.0, 4.0), (2.0, 9.0)]]);
        let Mark::Line { points, is_thin, .. } = &chart.marks[0] else { panic!("the mean comes first") };
        assert_eq!((points.as_slice(), *is_thin), ([(0.0, 2.0), (1.0, 3.0)].as_slice(), false));
        assert_eq!(chart.marks.len(), 3);
        let mut one = Chart::default();
        one.lines(0, vec![vec![(0.0, 1.0)]]);
        assert!(matches!(&one.marks[..], [Mark::Line { is_thin: false, .. }]));
    }

    #[test]
    fn names_are_escaped_and_long_legends_take_rows() {
        let legend = vec!["<script>".to_owned(), "x".repeat(60), "y".repeat(60)];
        let chart = Chart { legend, ..Chart::default() };
        let (markup, height) = chart.draw();
        assert!(!markup.0.contains("<script>") && markup.0.contains("&lt;script&gt;"));
        assert!(height > HEIGHT + LEGEND);
    }
}

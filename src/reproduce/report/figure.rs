//! Figures as SVG: inside the report, and as files.

use experiments::FigureKind;
use maud::{Markup, PreEscaped, html};

use super::{
    chart::{Chart, Mark, WIDTH, at},
    source::{Source, words},
    tiles,
};
use crate::reproduce::{
    gather::{Gathered, Values},
    plan::Picture,
};

pub(super) const STYLE: &str = include_str!("figure.css");
/// Dots of a scatter plot, so that it stays small.
const DOTS: usize = 3000;

/// The inside of a picture with its width and height.
pub(super) type Drawn = (Markup, f64, f64);

/// A picture as an `svg` element; `is_file` makes it stand alone.
///
/// # Errors
/// Why it cannot be drawn.
pub(super) fn svg(picture: &Picture, gathered: &Gathered, is_file: bool) -> Result<Markup, String> {
    let (inside, width, height) = draw(picture, gathered)?;
    let figure = &picture.figure;
    let namespace = is_file.then_some("http://www.w3.org/2000/svg");
    let view = format!("0 0 {} {}", at(width), at(height));
    Ok(html! {
        svg class="fig" role="img" xmlns=[namespace] viewBox=(view) width=(at(width)) height=(at(height)) aria-label=(figure.title) {
            title { (figure.title) }
            @if is_file { style { (PreEscaped(STYLE)) } }
            (inside)
        }
    })
}

fn draw(picture: &Picture, gathered: &Gathered) -> Result<Drawn, String> {
    let source = Source { picture, gathered };
    let chart = |marks: Result<Chart, String>| {
        let (markup, height) = marks?.draw();
        Ok((markup, WIDTH, height))
    };
    match picture.figure.kind {
        FigureKind::Line => chart(source.line()),
        FigureKind::Scan => chart(source.scan()),
        FigureKind::Profile => chart(source.profile()),
        FigureKind::Histogram => chart(source.histogram()),
        FigureKind::Columns => chart(source.columns()),
        FigureKind::Scatter => chart(source.scatter()),
        FigureKind::Bars => source.bars(),
        FigureKind::Table => source.table(),
        FigureKind::Tiles => {
            let sheets = source.firsts()?;
            tiles::draw(&sheets, picture.figure.count)
        }
    }
}

impl Source<'_> {
    fn line(&self) -> Result<Chart, String> {
        let mut chart = self.chart("step", &words(self.figure().metric.as_deref().unwrap_or("")));
        for (i, series) in self.figure().series.iter().enumerate() {
            let (metric, at) = (self.metric(series), self.at(series));
            let mut lines = Vec::new();
            for job in self.jobs(series) {
                for run in self.runs(&job)? {
                    let course =
                        run.courses.get(metric).ok_or_else(|| format!("`{metric}` was not observed"))?;
                    let size = course.last().map_or(1, |(_, values)| values.data.len());
                    let elements = if at.is_some() { at..at.map(|at| at + 1) } else { Some(0)..Some(size) };
                    let (from, to) = (elements.start.unwrap_or(0), elements.end.unwrap_or(size));
                    let element = |k: usize| {
                        let point =
                            |(step, values): &(u64, Values)| Some((*step as f64, *values.data.get(k)?));
                        course.iter().filter_map(point).collect::<Vec<_>>()
                    };
                    if to - from > 1 {
                        // Many elements of one seed say more than their mean over seeds.
                        let thin = |k| Mark::Line { points: element(k), colour: i, is_thin: to - from > 12 };
                        chart.marks.extend((from..to).map(thin));
                        break;
                    }
                    lines.push(element(from));
                }
            }
            chart.lines(i, lines);
        }
        Ok(chart)
    }

    fn scan(&self) -> Result<Chart, String> {
        let figure = self.figure();
        let param = figure.scan.keys().next().map_or("", String::as_str);
        let mut chart = self.chart(&words(param), &words(figure.metric.as_deref().unwrap_or("")));
        for (i, series) in figure.series.iter().enumerate() {
            let (metric, at) = (self.metric(series), self.at(series));
            let mut lines = vec![Vec::new(); self.picture.seeds.len()];
            for (job, x) in self.jobs(series).iter().zip(figure.scanned()) {
                for (line, run) in lines.iter_mut().zip(self.runs(job)?) {
                    line.push((x, Self::scalar(run, metric, at)?));
                }
            }
            let points = lines.concat();
            chart.lines(i, lines);
            chart.marks.push(Mark::Dots { points, colour: i, radius: 2.5 });
        }
        Ok(chart)
    }

    fn profile(&self) -> Result<Chart, String> {
        let figure = self.figure();
        let mut chart = self.chart("", &words(figure.metric.as_deref().unwrap_or("")));
        for (i, series) in figure.series.iter().enumerate() {
            let mut lines = Vec::new();
            for job in self.jobs(series) {
                for run in self.runs(&job)? {
                    let values = &Self::last(run, self.metric(series))?.data;
                    let places = match &figure.x_metric {
                        Some(metric) => Self::last(run, metric)?.data.clone(),
                        None if figure.x.is_empty() => (0..values.len()).map(|k| k as f64).collect(),
                        None => figure.x.clone(),
                    };
                    lines.push(places.into_iter().zip(values.iter().copied()).collect());
                }
            }
            chart.lines(i, lines);
        }
        Ok(chart)
    }

    /// At each place a bar of every series, and a dot of every seed on it.
    fn columns(&self) -> Result<Chart, String> {
        let figure = self.figure();
        let mut chart = self.chart("", &words(figure.metric.as_deref().unwrap_or("")));
        let width = 0.8 / figure.series.len() as f64;
        for (i, series) in figure.series.iter().enumerate() {
            let mut lists: Vec<&[f64]> = Vec::new();
            for job in self.jobs(series) {
                for run in self.runs(&job)? {
                    lists.push(&Self::last(run, self.metric(series))?.data);
                }
            }
            let places = lists.iter().map(|list| list.len()).min().unwrap_or(0);
            let left = |k: usize| k as f64 - 0.4 + i as f64 * width;
            let mean = |k: usize| lists.iter().map(|list| list[k]).sum::<f64>() / lists.len() as f64;
            let bar = |k| [(left(k), left(k) + width, mean(k)), (left(k) + width, left(k + 1), 0.0)];
            let mut steps: Vec<_> = (0..places).flat_map(bar).collect();
            steps.pop();
            chart.marks.push(Mark::Area { steps, colour: i });
            let dot =
                |list: &&[f64]| (0..places).map(|k| (left(k) + width / 2.0, list[k])).collect::<Vec<_>>();
            let points = lists.iter().flat_map(dot).collect();
            chart.marks.push(Mark::Dots { points, colour: i, radius: 1.0 });
        }
        Ok(chart)
    }

    fn histogram(&self) -> Result<Chart, String> {
        let mut chart = self.chart(&words(self.figure().metric.as_deref().unwrap_or("")), "share");
        for (i, series) in self.figure().series.iter().enumerate() {
            let mut steps: Vec<(f64, f64, f64)> = Vec::new();
            for job in self.jobs(series) {
                for run in self.runs(&job)? {
                    let values = Self::last(run, self.metric(series))?;
                    let &[edges, bins] = values.shape.as_slice() else {
                        return Err("it is no histogram".into());
                    };
                    let (edges, counts) = values.data.split_at(edges);
                    let total: f64 = counts.iter().sum();
                    if steps.len() != bins {
                        steps = edges.windows(2).map(|pair| (pair[0], pair[1], 0.0)).collect();
                    }
                    let runs = self.picture.seeds.len() as f64;
                    steps.iter_mut().zip(counts).for_each(|(step, count)| step.2 += count / total / runs);
                }
            }
            chart.marks.push(Mark::Area { steps, colour: i });
        }
        Ok(chart)
    }

    fn scatter(&self) -> Result<Chart, String> {
        let figure = self.figure();
        let x_metric = figure.x_metric.as_deref();
        let mut chart =
            self.chart(&words(x_metric.unwrap_or("")), &words(figure.metric.as_deref().unwrap_or("")));
        for (i, series) in figure.series.iter().enumerate() {
            let mut points: Vec<(f64, f64)> = Vec::new();
            for job in self.jobs(series) {
                for run in self.runs(&job)? {
                    let values = Self::last(run, self.metric(series))?;
                    match (x_metric, values.shape.as_slice()) {
                        (Some(x), _) => points.extend(pairs(&Self::last(run, x)?.data, &values.data)),
                        (None, &[2, n]) if self.is_raster(series) => {
                            let (times, units) = values.data.split_at(n);
                            points.extend(pairs(times, units));
                        }
                        (None, [_, 2]) => {
                            points.extend(values.data.chunks_exact(2).map(|pair| (pair[0], pair[1])))
                        }
                        (None, shape) => {
                            return Err(format!("a matrix has two columns, not the shape {shape:?}"));
                        }
                    }
                }
            }
            let every = points.len().div_ceil(DOTS).max(1);
            let radius = if points.len() > 200 { 1.5 } else { 3.0 };
            let points = points.into_iter().step_by(every).collect();
            chart.marks.push(Mark::Dots { points, colour: i, radius });
        }
        Ok(chart)
    }
}

fn pairs(x: &[f64], y: &[f64]) -> Vec<(f64, f64)> {
    x.iter().copied().zip(y.iter().copied()).collect()
}

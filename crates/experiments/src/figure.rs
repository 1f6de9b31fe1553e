//! Figures: what a report draws, as data: which jobs, which metrics, which kind of picture.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::{
    Kind,
    finding::{FindingJob, Overlay, combinations},
};

/// A picture and the jobs that it shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// Name, unique in the experiment; part of the file's name.
    pub id: String,
    /// How it is drawn.
    pub kind: FigureKind,
    /// One line.
    pub title: String,
    /// What is seen, and which picture of the literature it answers to.
    pub caption: String,
    /// The finding of the same experiment that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<String>,
    /// Name and unit of the horizontal axis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x_label: Option<String>,
    /// Name and unit of the vertical axis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub y_label: Option<String>,
    /// Whether the horizontal axis is logarithmic.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub log_x: bool,
    /// Whether the vertical axis is logarithmic.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub log_y: bool,
    /// Ends of the vertical axis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub y_range: Option<(f64, f64)>,
    /// Metric of every series that does not name its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// Element of a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<usize>,
    /// Seeds; those of the command when absent.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::finding::seeds::seeds"
    )]
    pub seeds: Option<Vec<u64>>,
    /// Whether it is drawn only when asked for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub slow: bool,
    /// Values of one param, for a scan.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub scan: Map<String, Json>,
    /// Places of the elements on the horizontal axis, for a profile.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub x: Vec<f64>,
    /// Metric that gives these places, for a profile or a scatter plot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x_metric: Option<String>,
    /// How many tiles are shown of each series.
    #[serde(default = "tiles", skip_serializing_if = "is_tiles")]
    pub count: usize,
    /// Columns of a table.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<Column>,
    /// What is drawn.
    pub series: Vec<Series>,
}

/// How a figure is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FigureKind {
    /// A metric over steps: a thin line for each seed and their mean.
    Line,
    /// A final number over a param.
    Scan,
    /// A final list over places.
    Profile,
    /// Final counts.
    Histogram,
    /// Final lists as bars, the series beside each other at each place.
    Columns,
    /// Final images, the series side by side.
    Tiles,
    /// Points: two final lists, or a matrix of two columns.
    Scatter,
    /// Final numbers with their intervals.
    Bars,
    /// Final numbers: a row for each series, a column for each metric.
    Table,
}

/// One job of a figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Series {
    /// Its name in the legend.
    pub label: String,
    /// Experiment, where it is not the figure's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub experiment: Option<String>,
    /// Preset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
    /// Params.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub params: Map<String, Json>,
    /// Data set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset: Option<String>,
    /// Metric, where it is not the figure's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// Element of a list, where it is not the figure's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<usize>,
    /// Further jobs of a row of a table, as they differ from the first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<Overlay>,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Metric; a cell stays empty where the experiment of the row has none of this name.
    pub metric: String,
    /// Heading.
    pub label: String,
    /// Element of a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<usize>,
    /// Which job of the row: 0 is its own, others are counted from 1 in `also`; a cell stays empty where there is none.
    #[serde(default)]
    pub job: usize,
    /// Which is better.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub better: Option<Better>,
}

/// Which of two numbers is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// The smaller.
    Less,
    /// The greater.
    More,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    figure: Vec<Figure>,
}

/// The figures of an experiment.
pub fn figures(kind: &dyn Kind) -> Vec<Figure> {
    let file: File = toml::from_str(kind.figures_toml()).expect("figures are parsed by a test");
    file.figure
}

impl Figure {
    /// The metrics that a series is drawn from.
    pub fn metrics(&self, series: &Series) -> Vec<String> {
        let own = series.metric.as_ref().or(self.metric.as_ref()).into_iter().chain(&self.x_metric);
        own.chain(self.columns.iter().map(|column| &column.metric)).cloned().collect()
    }

    /// The values of the scanned param; none without a scan.
    pub fn scanned(&self) -> Vec<f64> {
        let values = self.scan.values().next().and_then(Json::as_array);
        values.into_iter().flatten().map(|value| value.as_f64().unwrap_or(f64::NAN)).collect()
    }

    /// The jobs of a series of this figure of `experiment`: one, or one for each value of the scan; of a row of a table
    /// all that it has.
    pub fn jobs(&self, experiment: &str, series: &Series) -> Vec<FindingJob> {
        let base = FindingJob {
            experiment: series.experiment.clone().unwrap_or_else(|| experiment.to_owned()),
            preset: series.preset.clone(),
            params: series.params.clone(),
            dataset: series.dataset.clone(),
        };
        let at = |params| base.with(&Overlay { params, ..Overlay::default() });
        let further = series.also.iter().map(|overlay| base.with(overlay));
        combinations(&self.scan).into_iter().map(at).chain(further).collect()
    }
}

fn tiles() -> usize {
    36
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_tiles(count: &usize) -> bool {
    *count == tiles()
}

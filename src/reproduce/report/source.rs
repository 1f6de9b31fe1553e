//! What figures are drawn from: the runs of their series.

use experiments::{Figure, FindingJob, Series, ValueKind};

use super::chart::{Axis, Chart};
use crate::reproduce::{
    gather::{Gathered, Measurement, Values},
    plan::Picture,
};

/// What a picture is drawn from.
pub(super) struct Source<'a> {
    pub(super) picture: &'a Picture,
    pub(super) gathered: &'a Gathered,
}

impl<'a> Source<'a> {
    pub(super) fn figure(&self) -> &'a Figure {
        &self.picture.figure
    }

    pub(super) fn jobs(&self, series: &Series) -> Vec<FindingJob> {
        self.figure().jobs(self.picture.experiment, series)
    }

    pub(super) fn metric<'b>(&'b self, series: &'b Series) -> &'b str {
        series.metric.as_ref().or(self.figure().metric.as_ref()).map_or("", String::as_str)
    }

    /// Whether the metric of a series is times and units of events.
    pub(super) fn is_raster(&self, series: &Series) -> bool {
        let metrics = experiments::find(self.picture.experiment).map_or(&[][..], experiments::Kind::metrics);
        metrics.iter().any(|spec| spec.name == self.metric(series) && spec.kind == ValueKind::Raster)
    }

    pub(super) fn at(&self, series: &Series) -> Option<usize> {
        series.at.or(self.figure().at)
    }

    /// The runs of a job, seed by seed.
    pub(super) fn runs(&self, job: &FindingJob) -> Result<Vec<&'a Measurement>, String> {
        let of_seed = |&seed| {
            let run = self.gathered.run(job, seed);
            run.map_err(|reason| format!("{}, seed {seed}: {reason}", job.label()))
        };
        self.picture.seeds.iter().map(of_seed).collect()
    }

    pub(super) fn last<'b>(run: &'b Measurement, metric: &str) -> Result<&'b Values, String> {
        run.last.get(metric).ok_or_else(|| format!("`{metric}` was not observed"))
    }

    /// A final number, or an element of a final list.
    pub(super) fn scalar(run: &Measurement, metric: &str, at: Option<usize>) -> Result<f64, String> {
        let values = &Self::last(run, metric)?.data;
        values.get(at.unwrap_or(0)).copied().ok_or_else(|| format!("`{metric}` has no element {at:?}"))
    }

    pub(super) fn chart(&self, x: &str, y: &str) -> Chart {
        let figure = self.figure();
        let label =
            |given: &Option<String>, otherwise: &str| given.clone().unwrap_or_else(|| otherwise.to_owned());
        let x = Axis { label: label(&figure.x_label, x), is_log: figure.log_x, ..Axis::default() };
        let y = Axis {
            label: label(&figure.y_label, y),
            is_log: figure.log_y,
            range: figure.y_range,
            ..Axis::default()
        };
        let legend: Vec<String> = figure.series.iter().map(|series| series.label.clone()).collect();
        Chart { x, y, marks: Vec::new(), legend }
    }

    /// The final value of each series, of the first seed.
    pub(super) fn firsts(&self) -> Result<Vec<(String, &'a Values)>, String> {
        let mut found = Vec::new();
        for series in &self.figure().series {
            let jobs = self.jobs(series);
            let runs = self.runs(jobs.first().ok_or("a series has a job")?)?;
            let run = runs.first().ok_or("there are no seeds")?;
            found.push((series.label.clone(), Self::last(run, self.metric(series))?));
        }
        Ok(found)
    }
}

/// A name as words.
pub(super) fn words(name: &str) -> String {
    name.replace('_', " ")
}

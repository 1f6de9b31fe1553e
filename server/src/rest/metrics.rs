//! `/runs/{id}/metrics`.

use axum::{extract::State, http::HeaderMap, response::Response};
use experiments::MetricSpec;
use jobs::{Job, MetricKind};
use serde::Deserialize;
use store::{MetricQuery, Series};
use utoipa::IntoParams;

use super::{
    answer::{MOST, at_most, number, tagged, tagged_bytes, within},
    body::{Metric, Metrics, Rows, ValueForm, value},
    extract::{Path, Query, accepts},
};
use crate::{app::App, fault::Fault};

/// Rows of a series unless asked otherwise.
pub(crate) const POINTS: u32 = 1_000;

/// Which values, and how written.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Range {
    /// First step, or `last` for the last row alone.
    #[param(pattern = "^([0-9]{1,15}|last)$", nullable = false)]
    from: Option<String>,
    /// Last step.
    #[param(minimum = 0, maximum = 9_007_199_254_740_991_u64, nullable = false)]
    to: Option<u64>,
    /// At most that many rows of a scalar: the first, the last, and of each bucket the least and the greatest.
    #[param(minimum = 2, maximum = 5_000, default = 1_000, nullable = false)]
    points: Option<u32>,
    /// How arrays are written.
    #[serde(default)]
    #[param(inline)]
    format: ValueForm,
}

/// Lists the metrics of a run.
#[utoipa::path(
    get, path = "/runs/{id}/metrics", operation_id = "list_metrics", tag = "metrics", params(super::RunPath),
    responses((status = 200, body = Metrics, description = "Its metrics"), (status = 304), (status = 404), (status = 409)),
)]
pub(super) async fn list_metrics(
    State(app): State<App>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, Fault> {
    let run = app.run(&id).await?;
    let job = app.job_of(&run).await?;
    let series = app.series(&job, &run).await?;
    tagged(&headers, &Metrics { metrics: series.into_iter().map(|series| metric(series, &job)).collect() })
}

/// Reads the values of a metric: real rows only, thinned when there are more than `points`.
///
/// `text/csv` and `application/x-ndjson` by `Accept`.
#[utoipa::path(
    get, path = "/runs/{id}/metrics/{name}", operation_id = "query_metrics", tag = "metrics",
    params(super::RunPath, ("name" = String, Path, description = "Name of the metric",
           pattern = "^[a-z][a-z0-9_]{0,63}$"), Range),
    responses(
        (status = 200, description = "Its values",
         content((Rows = "application/json"), (String = "text/csv"), (String = "application/x-ndjson"))),
        (status = 304), (status = 404), (status = 409),
    ),
)]
pub(super) async fn query_metrics(
    State(app): State<App>,
    headers: HeaderMap,
    Path((id, name)): Path<(String, String)>,
    Query(range): Query<Range>,
) -> Result<Response, Fault> {
    let points = within("points", range.points.unwrap_or(POINTS), 2, 5_000)?;
    let to = at_most("to", range.to.unwrap_or(MOST))?;
    let from = match range.from.as_deref() {
        None => Some(0),
        Some("last") => None,
        Some(step) => Some(number("from", step)?),
    };
    let run = app.run(&id).await?;
    let job = app.job_of(&run).await?;
    let series = app.store.series(run.id).await?.into_iter().find(|series| series.name == name);
    let kind = match (&series, declared(&job, &name)) {
        (Some(series), _) => series.kind,
        (None, Some(spec)) => kind_of(spec),
        (None, None) => return Err(no_metric(&job, &name)),
    };
    let from = from.unwrap_or_else(|| series.map_or(0, |series| series.last_step));
    let query = MetricQuery { run: run.id, name: name.clone(), from, to, points };
    let found = app.store.metrics(query).await?;
    let rows = found.rows.iter().map(|(step, _, one)| (*step, value(one, range.format))).collect();
    let rows = Rows { name, kind, sampled: found.sampled, total: found.total, rows };
    write(&headers, &rows)
}

/// As the client asked for it.
fn write(headers: &HeaderMap, rows: &Rows) -> Result<Response, Fault> {
    if accepts(headers, "text/csv") {
        return Ok(tagged_bytes(headers, "text/csv", csv(rows)));
    }
    if accepts(headers, "application/x-ndjson") {
        let line = |(step, value): &(u64, serde_json::Value)| {
            format!("{}\n", serde_json::json!({"step": step, "name": rows.name, "value": value}))
        };
        let lines: String = rows.rows.iter().map(line).collect();
        return Ok(tagged_bytes(headers, "application/x-ndjson", lines.into_bytes()));
    }
    tagged(headers, rows)
}

/// One line a row; numbers that are not finite by name, arrays as quoted JSON.
fn csv(rows: &Rows) -> Vec<u8> {
    let mut text = format!("step,{}\n", rows.name);
    for (step, value) in &rows.rows {
        let cell = match (value.as_f64(), value.get("nonfinite").and_then(|name| name.as_str())) {
            (Some(_), _) => value.to_string(),
            (None, Some(name)) => name.to_owned(),
            (None, None) => format!("\"{}\"", value.to_string().replace('"', "\"\"")),
        };
        text.push_str(&format!("{step},{cell}\n"));
    }
    text.into_bytes()
}

/// A series with what the catalogue says of it.
pub(crate) fn metric(series: Series, job: &Job) -> Metric {
    let spec = declared(job, &series.name);
    Metric {
        unit: spec.map_or("", |spec| spec.unit).to_owned(),
        meaning: spec.map_or("", |spec| spec.meaning).to_owned(),
        name: series.name,
        kind: series.kind,
        count: series.count,
        last_step: series.last_step,
        last: series.last.map(jobs::scalar_json),
    }
}

/// A metric as the experiment of the job declares it.
pub(crate) fn declared(job: &Job, name: &str) -> Option<&'static MetricSpec> {
    experiments::find(&job.spec.experiment)?.metrics().iter().find(|spec| spec.name == name)
}

/// What is answered for a metric that is neither declared nor stored.
pub(crate) fn no_metric(job: &Job, name: &str) -> Fault {
    let known = experiments::find(&job.spec.experiment).map_or(&[][..], |kind| kind.metrics());
    let known: Vec<&str> = known.iter().map(|spec| spec.name).collect();
    let name = crate::app::cut(name);
    Fault::not_found(format!("there is no metric `{name}`; {} has {}", job.spec.experiment, known.join(", ")))
}

/// How a declared metric is drawn.
pub(crate) fn kind_of(spec: &MetricSpec) -> MetricKind {
    match spec.kind {
        experiments::ValueKind::Scalar => MetricKind::Scalar,
        experiments::ValueKind::Vector => MetricKind::Vector,
        experiments::ValueKind::Histogram => MetricKind::Histogram,
        experiments::ValueKind::Matrix => MetricKind::Matrix,
        experiments::ValueKind::Tiles => MetricKind::Tiles,
        experiments::ValueKind::Raster => MetricKind::Raster,
        experiments::ValueKind::Bars => MetricKind::Bars,
    }
}

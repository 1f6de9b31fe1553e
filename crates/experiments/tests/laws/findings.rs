//! Laws about findings, targets and figures.

use std::collections::BTreeSet;

use experiments::{CATALOGUE, Expected, FigureKind, Finding, Kind, ValueKind, figures, findings, targets};
use serde_json::Value as Json;

fn all() -> Vec<(&'static str, Finding)> {
    let of = |kind: &&'static dyn Kind| findings(*kind).into_iter().map(|finding| (kind.name(), finding));
    CATALOGUE.iter().flat_map(of).collect()
}

fn kind_of(experiment: &str, metric: &str) -> Option<ValueKind> {
    let kind = experiments::find(experiment)?;
    kind.metrics().iter().find(|spec| spec.name == metric).map(|spec| spec.kind)
}

/// Every key of what was written is in what was read: nothing was passed over.
fn assert_read(place: &str, written: &toml::Value, read: &Json) {
    match (written, read) {
        (toml::Value::Table(table), Json::Object(object)) => {
            for (key, value) in table {
                let found = object.get(key).unwrap_or_else(|| panic!("{place}: unknown field `{key}`"));
                assert_read(&format!("{place}.{key}"), value, found);
            }
        }
        (toml::Value::Array(values), Json::Array(read)) => {
            values.iter().zip(read).for_each(|(value, read)| assert_read(place, value, read));
        }
        _ => {}
    }
}

#[test]
fn every_field_of_a_finding_and_a_figure_is_known() {
    for kind in CATALOGUE {
        let read = [
            ("finding", kind.findings_toml(), serde_json::to_value(findings(*kind))),
            ("figure", kind.figures_toml(), serde_json::to_value(figures(*kind))),
        ];
        for (name, text, read) in read {
            let written: toml::Table =
                text.parse().unwrap_or_else(|error| panic!("{}: {error}", kind.name()));
            let Some(written) = written.get(name) else { continue };
            assert_read(&format!("{} {name}", kind.name()), written, &read.expect("plain data"));
        }
    }
}

#[test]
fn every_experiment_has_findings_with_names_of_their_own_and_one_bound_each() {
    let mut names = BTreeSet::new();
    for (experiment, finding) in all() {
        let name = format!("{experiment}/{}", finding.id);
        let is_plain =
            finding.id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        assert!(is_plain && !finding.id.is_empty(), "{name} is lower case, digits and hyphens");
        finding.bound();
        assert!(names.insert(name.clone()), "two findings are called {name}");
    }
    for kind in CATALOGUE {
        assert!(!findings(*kind).is_empty(), "{} has no findings", kind.name());
    }
}

#[test]
fn findings_use_jobs_that_are_accepted_and_metrics_that_are_declared() {
    for (experiment, finding) in all() {
        for (job, metric) in finding.reads(experiment) {
            let place = format!("{experiment}/{}: {}", finding.id, job.label());
            job.identity().unwrap_or_else(|error| panic!("{place}: {error}"));
            let kind =
                kind_of(&job.experiment, &metric).unwrap_or_else(|| panic!("{place}: no metric `{metric}`"));
            let is_number = kind == ValueKind::Scalar || kind == ValueKind::Vector;
            assert!(is_number, "{place}: `{metric}` is neither a number nor a list");
        }
        let scanned =
            finding.scan.values().all(|values| values.as_array().is_some_and(|values| values.len() > 1));
        assert!(scanned, "{experiment}/{}: a scan gives two values at least for each param", finding.id);
    }
}

#[test]
fn findings_are_about_targets_and_as_strict_as_these() {
    let targets = targets();
    for (experiment, finding) in all() {
        let name = format!("{experiment}/{}", finding.id);
        let bound = targets.bound(&finding.target).unwrap_or_else(|error| panic!("{name}: {error}"));
        let Some(target) = bound else { continue };
        // A stricter bound fails more easily: one that is expected to fail is the target's own.
        let is_strict = match finding.expected {
            Expected::Holds => finding.bound().is_as_strict_as(target),
            Expected::Fails => finding.bound() == target,
        };
        assert!(is_strict, "{name}: {} is not as strict as {target} of {}", finding.bound(), finding.target);
    }
}

#[test]
fn only_known_failures_are_expected_to_fail_and_each_says_why() {
    let known = targets().known_failures;
    let failing: BTreeSet<String> = all()
        .into_iter()
        .filter(|(_, finding)| finding.expected == Expected::Fails)
        .map(|(experiment, finding)| {
            assert!(
                finding.why.is_some(),
                "{experiment}/{} is expected to fail and does not say why",
                finding.id
            );
            format!("{experiment}/{}", finding.id)
        })
        .collect();
    assert_eq!(failing, known.keys().cloned().collect());
    for (name, failure) in known {
        let is_measured = failure.measured.bytes().any(|byte| byte.is_ascii_digit());
        assert!(!failure.reason.is_empty() && is_measured, "{name}: a reason and measured figures");
    }
}

#[test]
fn figures_use_jobs_that_are_accepted_and_metrics_of_their_kind() {
    for kind in CATALOGUE {
        for figure in figures(*kind) {
            let place = format!("{} figure {}", kind.name(), figure.id);
            assert!(!figure.series.is_empty(), "{place} shows nothing");
            assert_eq!(
                figure.kind == FigureKind::Scan,
                figure.scan.len() == 1,
                "{place}: a scan has one param"
            );
            assert_eq!(
                figure.kind == FigureKind::Table,
                !figure.columns.is_empty(),
                "{place}: a table has columns"
            );
            let of_finding = |id: &String| findings(*kind).iter().any(|finding| finding.id == *id);
            assert!(
                figure.finding.as_ref().is_none_or(of_finding),
                "{place}: no finding {:?}",
                figure.finding
            );
            let is_table = figure.kind == FigureKind::Table;
            for series in &figure.series {
                assert!(
                    is_table || series.also.is_empty(),
                    "{place}: only rows of a table have further jobs"
                );
                for job in figure.jobs(kind.name(), series) {
                    job.identity().unwrap_or_else(|error| panic!("{place}: {error}"));
                    let metrics = figure.metrics(series);
                    assert!(!metrics.is_empty(), "{place}: no metric");
                    let is_fit = |metric: &String| match kind_of(&job.experiment, metric) {
                        None => figure.kind == FigureKind::Table,
                        Some(ValueKind::Histogram) => figure.kind == FigureKind::Histogram,
                        Some(ValueKind::Tiles) => figure.kind == FigureKind::Tiles,
                        Some(ValueKind::Matrix) => figure.kind == FigureKind::Scatter,
                        Some(_) => !matches!(figure.kind, FigureKind::Histogram | FigureKind::Tiles),
                    };
                    assert!(
                        metrics.iter().all(is_fit),
                        "{place}: {metrics:?} cannot be drawn as {:?}",
                        figure.kind
                    );
                }
            }
        }
    }
}

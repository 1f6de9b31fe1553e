//! Taking a report: everything is checked before anything is changed.

use std::collections::BTreeMap;

use jobs::{Change, Directive, MetricKind, MetricPoint, Millis, Report, RunState, Value};

use super::state::{SeriesRow, State};
use crate::{Result, StoreError, limits, rows};

impl State {
    pub(super) fn report(&mut self, report: &Report, now: Millis) -> Result<Directive> {
        let run = self.runs.get(&report.run).ok_or(StoreError::NoRun(report.run))?.run.clone();
        let mut said = report.said();
        let mut transition = jobs::apply(&run, &Change::Report(said.clone()), now, &self.policy)?;
        let directive = |transition: &jobs::Transition| transition.directive.expect("a report is answered");
        if !transition.changed {
            return Ok(directive(&transition));
        }
        limits::check_metrics(&report.metrics)?;
        if let Some(checkpoint) = &report.checkpoint {
            self.check_complete(report.run, checkpoint)?;
        }
        let holder = match &run.state {
            RunState::Running(lease) => lease.worker,
            _ => return Err(StoreError::Internal("a report was taken for a run that is not running".into())),
        };
        let row = &self.runs[&report.run];
        let Fresh { values, kinds, violations } = fresh(&row.series, report);
        let points = row.series.values().map(|series| series.rows.len()).sum::<usize>() + values.len();
        let new_names = kinds.keys().filter(|name| !row.series.contains_key(**name)).count();
        limits::check_totals(row.series.len() + new_names, points as u64, &self.policy)?;
        let agrees = violations.is_empty();
        if !agrees {
            said.violations = violations;
            transition = jobs::apply(&run, &Change::Report(said), now, &self.policy)?;
        }
        let series = &mut self.runs.get_mut(&report.run).expect("it was just read").series;
        for ((name, step), value) in values {
            let kind = kinds[name];
            let row =
                series.entry(name.to_owned()).or_insert_with(|| SeriesRow { kind, rows: BTreeMap::new() });
            row.rows.insert(step, (report.attempt, value.clone()));
        }
        if let Some(checkpoint) = report.checkpoint.as_ref().filter(|_| agrees) {
            self.insert_checkpoint(report.run, report.attempt, checkpoint, now);
        }
        self.touch_worker(holder, now);
        let directive = directive(&transition);
        self.persist(transition, now);
        Ok(directive)
    }
}

/// What a report adds, and where it disagrees with what is stored or with itself.
struct Fresh<'a> {
    values: BTreeMap<(&'a str, u64), &'a Value>,
    kinds: BTreeMap<&'a str, MetricKind>,
    violations: Vec<(String, u64)>,
}

fn fresh<'a>(stored: &BTreeMap<String, SeriesRow>, report: &'a Report) -> Fresh<'a> {
    let mut fresh = Fresh { values: BTreeMap::new(), kinds: BTreeMap::new(), violations: Vec::new() };
    for MetricPoint { name, step, value } in &report.metrics {
        let series = stored.get(name);
        let kind = rows::kind_of(value);
        let known = *fresh.kinds.entry(name).or_insert(series.map_or(kind, |series| series.kind));
        let first = series.and_then(|series| series.rows.get(step)).map(|(_, value)| value);
        let first = first.or_else(|| fresh.values.get(&(name.as_str(), *step)).copied());
        if known != kind || first.is_some_and(|first| !first.same_bits(value)) {
            fresh.violations.push((name.clone(), *step));
        } else if first.is_none() {
            fresh.values.insert((name, *step), value);
        }
    }
    fresh
}

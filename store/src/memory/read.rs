//! Reading a memory store.

use std::collections::BTreeSet;

use jobs::{Counts, Event, Job, JobId, Millis, Run, RunId, RunState, Value, WorkerInfo};

use super::state::{JobRow, State};
use crate::{
    JobPage, MetricQuery, Page, RankQuery, Ranked, Result, Rows, RunPage, Series, StoreError, limits, thin,
};

impl State {
    pub(super) fn job(&self, id: JobId) -> Result<Job> {
        let row = self.jobs.get(&id).ok_or(StoreError::NoJob(id))?;
        Ok(Job { counts: self.counts(row), ..row.job.clone() })
    }

    pub(super) fn jobs(&self, page: &Page<JobId>) -> JobPage {
        let older = |id: &JobId| page.after.is_none_or(|after| *id < after);
        let mut ids = self.jobs.keys().rev().copied().filter(older);
        let ids_here: Vec<_> = ids.by_ref().take(page.limit as usize).collect();
        JobPage {
            jobs: ids_here.into_iter().filter_map(|id| self.job(id).ok()).collect(),
            more: ids.next().is_some(),
        }
    }

    pub(super) fn runs(&self, job: JobId, page: &Page<u32>) -> Result<RunPage> {
        let row = self.jobs.get(&job).ok_or(StoreError::NoJob(job))?;
        let mut runs: Vec<&Run> = row.runs.iter().map(|id| &self.runs[id].run).collect();
        runs.retain(|run| page.after.is_none_or(|after| run.spec.index > after));
        runs.sort_by_key(|run| run.spec.index);
        let more = runs.len() > page.limit as usize;
        Ok(RunPage { runs: runs.into_iter().take(page.limit as usize).cloned().collect(), more })
    }

    pub(super) fn events(&self, job: JobId, after: u64, limit: u32) -> Result<Vec<Event>> {
        let row = self.jobs.get(&job).ok_or(StoreError::NoJob(job))?;
        Ok(row.events.iter().filter(|event| event.seq > after).take(limit as usize).cloned().collect())
    }

    pub(super) fn series(&self, run: RunId) -> Result<Vec<Series>> {
        let row = self.runs.get(&run).ok_or(StoreError::NoRun(run))?;
        let series = row.series.iter().filter_map(|(name, series)| {
            let (last_step, (_, value)) = series.rows.last_key_value()?;
            let last = match value {
                Value::Scalar(value) => Some(*value),
                Value::Array(_) => None,
            };
            let count = series.rows.len() as u64;
            Some(Series { name: name.clone(), kind: series.kind, count, last_step: *last_step, last })
        });
        Ok(series.collect())
    }

    pub(super) fn ranked(&self, query: &RankQuery) -> Vec<Ranked> {
        let is_meant = |run: &Run| {
            let experiment = &self.jobs[&run.job].job.spec.experiment;
            query.job.is_none_or(|job| job == run.job)
                && query.experiment.as_ref().is_none_or(|wanted| wanted == experiment)
        };
        let rows = self.runs.values().filter(|row| is_meant(&row.run));
        let mut ranked: Vec<Ranked> = rows
            .filter_map(|row| {
                let (step, (_, value)) = row.series.get(&query.metric)?.rows.last_key_value()?;
                let Value::Scalar(value) = *value else { return None };
                value.is_finite().then(|| Ranked { run: row.run.clone(), value, step: *step })
            })
            .collect();
        ranked.sort_by(|a, b| {
            let order = a.value.total_cmp(&b.value);
            let order = if query.descending { order.reverse() } else { order };
            order.then(a.run.id.cmp(&b.run.id))
        });
        ranked.truncate(query.limit as usize);
        ranked
    }

    pub(super) fn metrics(&self, query: &MetricQuery) -> Result<Rows> {
        let row = self.runs.get(&query.run).ok_or(StoreError::NoRun(query.run))?;
        let empty = Rows { sampled: false, total: 0, rows: Vec::new() };
        let Some(series) = row.series.get(&query.name).filter(|_| query.from <= query.to) else {
            return Ok(empty);
        };
        let range = || series.rows.range(query.from..=query.to);
        let scalar = |(step, (_, value)): (&u64, &(u32, Value))| match value {
            Value::Scalar(value) => Some((*step, thin::key(*value))),
            Value::Array(_) => None,
        };
        let total = range().count() as u64;
        let most = query.points.max(2);
        let row = |(step, (attempt, value)): (&u64, &(u32, Value))| (*step, *attempt, value.clone());
        let scalars: Vec<_> = range().filter_map(scalar).collect();
        if scalars.is_empty() {
            // Arrays have no extremes to keep: the first ones are answered, and the caller asks on.
            let mut bytes = 0;
            let fits = |(_, (_, value)): &(&u64, &(u32, Value))| {
                let fits = bytes < limits::ANSWER_BYTES;
                bytes += if let Value::Array(array) = value { array.data.len() } else { 0 };
                fits
            };
            let rows: Vec<_> = range().take_while(fits).take(most as usize).map(row).collect();
            Ok(Rows { sampled: (rows.len() as u64) < total, total, rows })
        } else if total <= u64::from(most) {
            Ok(Rows { sampled: false, total, rows: range().map(row).collect() })
        } else {
            let kept = thin::thin(&scalars, most);
            let rows = range().filter(|(step, _)| kept.contains(step)).map(row).collect();
            Ok(Rows { sampled: true, total, rows })
        }
    }

    pub(super) fn workers(&self, since: Millis) -> Vec<WorkerInfo> {
        self.workers.values().filter(|worker| worker.seen_at >= since).cloned().collect()
    }

    pub(super) fn queued_jobs(&self) -> u64 {
        let waiting = self.runs.values().filter(|row| matches!(row.run.state, RunState::Queued { .. }));
        let jobs = waiting.map(|row| row.run.job);
        jobs.collect::<BTreeSet<_>>().len() as u64
    }

    pub(super) fn run_counts(&self) -> Counts {
        let mut counts = Counts::default();
        self.runs.values().for_each(|row| count(&mut counts, &row.run.state));
        counts
    }

    pub(super) fn counts(&self, row: &JobRow) -> Counts {
        let mut counts = Counts::default();
        row.runs.iter().for_each(|id| count(&mut counts, &self.runs[id].run.state));
        counts
    }
}

fn count(counts: &mut Counts, state: &RunState) {
    let place = match state {
        RunState::Queued { .. } => &mut counts.queued,
        RunState::Running(_) => &mut counts.running,
        RunState::Paused => &mut counts.paused,
        RunState::Succeeded { .. } => &mut counts.succeeded,
        RunState::Failed { .. } => &mut counts.failed,
        RunState::Cancelled => &mut counts.cancelled,
    };
    *place += 1;
}

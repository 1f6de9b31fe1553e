//! Taking reports: everything in one transaction, or nothing.

use std::collections::BTreeSet;

use jobs::{Change, Directive, Policy, Report, Run, RunId, RunState, Transition, WorkerId};

use super::together::Reported;
use super::{Db, Row, bulk, checkpoints, lock, metrics, runs, workers};
use crate::{Result, StoreError, limits};

/// Takes reports of different runs; answers in their order. One error is that of all.
pub(super) async fn all(db: &mut Db, told: &[&Reported], policy: &Policy) -> Result<Vec<Directive>> {
    let ids: Vec<RunId> = told.iter().map(|told| told.report.run).collect();
    let (known, series) = lock::runs_with_series(db, &ids).await?;
    let mut taken = Vec::with_capacity(told.len());
    let mut directives = Vec::with_capacity(told.len());
    for told in told {
        let run = told.report.run;
        let before = known.iter().find(|known| known.id == run).ok_or(StoreError::NoRun(run))?;
        // The fence comes first: a report that is refused or was taken before must not touch anything.
        let transition = jobs::apply(before, &Change::Report(told.report.said()), told.now, policy)?;
        directives.push(directive(&transition));
        if transition.changed {
            limits::check_metrics(&told.report.metrics)?;
            taken.push(Taken { told, before, transition });
        }
    }
    let disputed = store(db, &mut taken, &series, policy).await?;
    for (told, directive) in told.iter().zip(&mut directives) {
        if disputed.contains(&told.report.run) {
            let taken = taken.iter().find(|taken| taken.told.report.run == told.report.run);
            *directive = taken.map_or(*directive, |taken| self::directive(&taken.transition));
        }
    }
    let now = told.iter().map(|told| told.now).max().unwrap_or_default();
    let unseen = taken.iter().filter_map(|taken| taken.unseen(policy).transpose());
    let workers = unseen.collect::<Result<BTreeSet<_>>>()?;
    workers::touch(db, &workers.into_iter().collect::<Vec<_>>(), now).await?;
    let changes = taken.into_iter().map(|taken| (taken.before, taken.transition, taken.told.now));
    runs::record(db, changes.collect()).await?;
    Ok(directives)
}

/// A report that changes its run.
struct Taken<'a> {
    told: &'a Reported,
    before: &'a Run,
    transition: Transition,
}

impl Taken<'_> {
    /// Its worker, unless that was heard of when progress was last told, a moment ago.
    fn unseen(&self, policy: &Policy) -> Result<Option<WorkerId>> {
        let RunState::Running(lease) = &self.before.state else {
            return Err(StoreError::Internal("a report was taken for a run that is not running".into()));
        };
        let lately =
            |told: u64| (told..told.saturating_add(policy.progress_event_ms)).contains(&self.told.now);
        Ok((!lease.told_at.is_some_and(lately)).then_some(lease.worker))
    }
}

fn directive(transition: &Transition) -> Directive {
    transition.directive.expect("a report is answered")
}

/// Stores metrics, runs and checkpoints; answers the runs that have other bits there, which changes what becomes of them.
async fn store(
    db: &mut Db,
    taken: &mut [Taken<'_>],
    series: &[Row],
    policy: &Policy,
) -> Result<BTreeSet<RunId>> {
    for Taken { told, .. } in taken.iter() {
        if let Some(checkpoint) = &told.report.checkpoint {
            checkpoints::check_complete(db, told.report.run, checkpoint, told.wrong_digest).await?;
        }
    }
    let reports: Vec<&Report> = taken.iter().map(|taken| &taken.told.report).collect();
    let merge = metrics::prepare(db, &reports, series, policy).await?;
    // What has ended never changes: runs that end are saved when it is sure how.
    let all = taken.iter().map(|taken| &taken.transition.run);
    let going_on: Vec<&Run> = all.filter(|run| !run.state.is_terminal()).collect();
    let mut violations = merge.store(db, &reports, &going_on, policy).await?;
    let disputed: BTreeSet<RunId> = violations.keys().copied().collect();
    for Taken { told, before, transition } in taken.iter_mut() {
        let Reported { report, now, .. } = told;
        if let Some(violations) = violations.remove(&report.run) {
            let said = jobs::Said { violations, ..report.said() };
            *transition = jobs::apply(before, &Change::Report(said), *now, policy)?;
        } else if let Some(checkpoint) = &report.checkpoint {
            checkpoints::insert(db, before, report.attempt, checkpoint, *now).await?;
        }
    }
    let is_late = |taken: &&Taken<'_>| {
        taken.transition.run.state.is_terminal() || disputed.contains(&taken.told.report.run)
    };
    let late: Vec<&Run> = taken.iter().filter(is_late).map(|taken| &taken.transition.run).collect();
    if !late.is_empty() {
        bulk::save_runs(db, &late).await?;
    }
    Ok(disputed)
}

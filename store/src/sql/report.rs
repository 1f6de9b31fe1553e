//! Taking a report: everything in one transaction, or nothing.

use jobs::{Change, Directive, Millis, Policy, Report, RunState, Value};

use super::{Db, checkpoints, metrics, runs, workers};
use crate::weight::Weight;
use crate::{Result, StoreError, limits};

pub(super) fn weight(report: &Report) -> Weight {
    let bytes = report.metrics.iter().map(|metric| match &metric.value {
        Value::Scalar(_) => 32,
        Value::Array(array) => array.data.len() + 64,
    });
    Weight::of(report.metrics.len() + 4, bytes.sum())
}

pub(super) async fn take(
    db: &mut Db,
    report: &Report,
    wrong_digest: bool,
    now: Millis,
    policy: &Policy,
) -> Result<Directive> {
    let before = runs::locked(db, report.run).await?;
    let mut said = report.said();
    // The fence comes first: a report that is refused or was taken before must not touch anything.
    let mut transition = jobs::apply(&before, &Change::Report(said.clone()), now, policy)?;
    let directive = |transition: &jobs::Transition| transition.directive.expect("a report is answered");
    if !transition.changed {
        return Ok(directive(&transition));
    }
    limits::check_metrics(&report.metrics)?;
    if let Some(checkpoint) = &report.checkpoint {
        checkpoints::check_complete(db, report.run, checkpoint, wrong_digest).await?;
    }
    said.violations = metrics::merge(db, report, policy).await?;
    if !said.violations.is_empty() {
        transition = jobs::apply(&before, &Change::Report(said), now, policy)?;
    } else if let Some(checkpoint) = &report.checkpoint {
        checkpoints::insert(db, &before, report.attempt, checkpoint, now).await?;
    }
    let RunState::Running(lease) = &before.state else {
        return Err(StoreError::Internal("a report was taken for a run that is not running".into()));
    };
    workers::touch(db, lease.worker, now).await?;
    let directive = directive(&transition);
    runs::persist(db, &before, transition, now).await?;
    Ok(directive)
}

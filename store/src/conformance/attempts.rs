//! Leases, fencing and the numbers of reports.

use std::sync::Arc;

use jobs::{Directive, Refused, RunState};

use super::fixture::{Bench, START, TTL, expires_at, run_id, says, scalar, succeeded};
use crate::{Store, StoreError};

/// The heart of the matter: who lost the lease writes nothing any more.
pub async fn a_report_from_a_stale_attempt_changes_nothing(store: Arc<dyn Store>) {
    let bench = Bench::with_job(store, 1).await;
    let first = bench.granted(1, START).await;
    bench.store.expire_leases(START + TTL).await.expect("expired");
    let second = bench.granted(2, START + TTL).await;
    assert_eq!((second.id, second.attempt), (first.id, 2));
    let before = (bench.run(first.id).await, bench.events().await);
    let checkpoint = bench.checkpoint(10, START).await;
    let mut stale = says(&first, 0, 10);
    stale.metrics = vec![scalar("loss", 10, 1.0)];
    stale.checkpoint = Some(checkpoint);
    let refused = bench.store.report(stale, START + TTL + 1).await;
    assert!(matches!(
        refused,
        Err(StoreError::Refused(Refused::Stale { attempt: 1, current: 2, state: "running" }))
    ));
    assert_eq!((bench.run(first.id).await, bench.events().await), before);
    assert!(bench.store.series(first.id).await.expect("readable").is_empty());
    assert!(bench.store.checkpoints(first.id).await.expect("readable").is_empty());
}

/// An answer got lost, the worker sends again.
pub async fn a_report_sent_again_is_answered_without_effect(store: Arc<dyn Store>) {
    let bench = Bench::with_job(store, 1).await;
    let run = bench.granted(1, START).await;
    let mut report = says(&run, 0, 10);
    report.metrics = vec![scalar("loss", 10, 1.0)];
    bench.report(report.clone(), START + 1_000).await;
    let before = (bench.run(run.id).await, bench.events().await);
    report.metrics = vec![scalar("loss", 10, 2.0), scalar("other", 10, 2.0)];
    let again = bench.report(report, START + 2_000).await;
    assert_eq!(again, Directive::Continue { lease_ms: TTL - 1_000 }, "what is left of the lease");
    assert_eq!((bench.run(run.id).await, bench.events().await), before);
    assert_eq!(bench.store.series(run.id).await.expect("readable").len(), 1);

    let mut last = says(&run, 1, 1_000);
    last.outcome = succeeded();
    bench.report(last.clone(), START + 3_000).await;
    let before = (bench.run(run.id).await, bench.events().await);
    assert_eq!(bench.report(last, START + 4_000).await, Directive::Continue { lease_ms: 0 });
    assert_eq!((bench.run(run.id).await, bench.events().await), before);
}

/// Reports cannot be left out.
pub async fn a_gap_in_reports_is_refused_with_the_number_that_comes_next(store: Arc<dyn Store>) {
    let bench = Bench::with_job(store, 1).await;
    let run = bench.granted(1, START).await;
    bench.report(says(&run, 0, 1), START).await;
    let refused = bench.store.report(says(&run, 2, 3), START).await;
    assert!(matches!(refused, Err(StoreError::Refused(Refused::OutOfRange { seq: 2, expected: 1 }))));
    assert_eq!(bench.run(run.id).await.step, 1);
    bench.report(says(&run, 1, 2), START).await;
}

/// There is no other heartbeat.
pub async fn a_report_renews_the_lease(store: Arc<dyn Store>) {
    let bench = Bench::with_job(store, 1).await;
    let run = bench.granted(1, START).await;
    assert_eq!(expires_at(&run), START + TTL);
    let answer = bench.report(says(&run, 0, 1), START + 20_000).await;
    assert_eq!(answer, Directive::Continue { lease_ms: TTL });
    assert_eq!(expires_at(&bench.run(run.id).await), START + 20_000 + TTL);
    assert!(bench.store.expire_leases(START + TTL).await.expect("looked").is_empty());
    assert!(matches!(bench.run(run.id).await.state, RunState::Running(_)));
}

/// One transaction: the good half of a bad report leaves no trace.
pub async fn a_refused_report_stores_nothing_of_it(store: Arc<dyn Store>) {
    let bench = Bench::with_job(store, 1).await;
    let run = bench.granted(1, START).await;
    let mut report = says(&run, 0, 10);
    report.metrics = vec![scalar("good", 10, 1.0), scalar("Bad", 10, 1.0)];
    assert!(matches!(bench.store.report(report, START).await, Err(StoreError::Limit(_))));
    let mut report = says(&run, 0, 10);
    report.metrics = vec![scalar("good", 10, 1.0)];
    report.checkpoint = Some(jobs::CheckpointRef { step: 10, digest: [1; 32], bytes: 3 });
    let refused = bench.store.report(report, START).await;
    assert!(matches!(refused, Err(StoreError::IncompleteCheckpoint { step: 10, .. })));
    assert!(bench.store.series(run.id).await.expect("readable").is_empty());
    assert_eq!(bench.run(run.id).await, run);
    assert_eq!(bench.run(run_id(1, 0)).await.next_seq, 0);
}

//! Jobs come in and are handed out.

use std::collections::BTreeSet;
use std::sync::Arc;

use jobs::{Capability, JobState};

use super::fixture::{Bench, START, asks, job, job_id, run_id, worker};
use crate::{Store, StoreError};

/// What was submitted can be read back, field by field.
pub async fn a_job_is_stored_with_its_runs_and_its_first_event(store: Arc<dyn Store>) {
    let bench = Bench::with_job(store, 3).await;
    let stored = bench.store.job(job_id(1)).await.expect("readable").expect("there");
    assert_eq!(stored.spec, job(1, 3).spec);
    assert_eq!((stored.counts.queued, stored.counts.total(), stored.last_seq), (3, 3, 1));
    assert_eq!((stored.counts.state(), stored.ended_at), (JobState::Queued, None));
    let run = bench.run(run_id(1, 2)).await;
    assert_eq!((run.job, &run.spec), (job_id(1), &job(1, 3).runs[2].spec));
    assert_eq!(bench.events().await, ["job_submitted"]);
}

/// A client that tries again gets its job, once.
pub async fn the_same_key_and_body_answer_the_first_job(store: Arc<dyn Store>) {
    let keyed = |n| crate::NewJob { idempotency: Some(("key".into(), [7; 32])), ..job(n, 2) };
    assert!(store.submit(keyed(1)).await.expect("stored").created);
    let again = store.submit(keyed(2)).await.expect("answered");
    assert_eq!((again.created, again.job.id, again.job.counts.queued), (false, job_id(1), 2));
    assert!(store.job(job_id(2)).await.expect("readable").is_none());
    let week = 7 * 24 * 3_600_000;
    let later = crate::NewJob { now: START + 1 + week, ..keyed(3) };
    assert!(store.submit(later).await.expect("stored").created, "a key is forgotten after a week");
}

/// A key stands for one request.
pub async fn the_same_key_with_another_body_is_refused(store: Arc<dyn Store>) {
    let keyed = |n, body| crate::NewJob { idempotency: Some(("key".into(), body)), ..job(n, 1) };
    store.submit(keyed(1, [7; 32])).await.expect("stored");
    let other = store.submit(keyed(2, [8; 32])).await;
    assert!(matches!(other, Err(StoreError::KeyReused(key)) if key == "key"));
    assert!(store.job(job_id(2)).await.expect("readable").is_none());
}

/// Priority, then index.
pub async fn the_best_run_is_granted_first(store: Arc<dyn Store>) {
    let bench = Bench::with_job(store, 2).await;
    let mut urgent = job(2, 1);
    urgent.spec.priority = 5;
    bench.submit(urgent).await;
    let granted = bench.acquire(1, START + 9).await.expect("a run waits");
    assert_eq!((granted.run.id, granted.run.attempt, granted.job.id), (run_id(2, 0), 1, job_id(2)));
    assert!(granted.checkpoint.is_none());
    assert_eq!(bench.granted(1, START + 9).await.id, run_id(1, 0));
    assert_eq!(bench.granted(1, START + 9).await.id, run_id(1, 1));
    assert!(bench.acquire(1, START + 9).await.is_none());
}

/// Experiment, version, memory and labels.
pub async fn a_worker_gets_only_what_it_can_run(store: Arc<dyn Store>) {
    let bench = Bench { store };
    let mut picky = job(1, 2);
    picky.spec.requires = [("zone".to_owned(), "a".to_owned())].into();
    picky.runs[0].spec.memory_bytes = 1 << 40; // too large for anybody: it must not hold up the second run
    bench.submit(picky).await;
    let mut other_zone = worker(1);
    other_zone.labels = [("zone".to_owned(), "b".to_owned())].into();
    let mut unlabelled = worker(2);
    unlabelled.labels.clear();
    let mut other_version = worker(3);
    other_version.catalogue = vec![Capability { experiment: "rbse".into(), version: 2 }];
    for worker in [other_zone, unlabelled, other_version] {
        assert!(bench.store.acquire(asks(worker, START)).await.expect("answered").is_none());
    }
    let mut small = asks(worker(4), START);
    small.free_memory = 1_099;
    assert!(bench.store.acquire(small.clone()).await.expect("answered").is_none());
    small.free_memory = 1_100;
    let granted = bench.store.acquire(small).await.expect("answered").expect("it fits");
    assert_eq!(granted.run.id, run_id(1, 1));
}

/// A large job does not starve a small one that came later.
pub async fn jobs_share_the_workers(store: Arc<dyn Store>) {
    let bench = Bench::with_job(store, 10).await;
    bench.submit(job(2, 2)).await;
    let mut granted = Vec::new();
    for _ in 0..4 {
        granted.push(bench.granted(1, START + 9).await.job);
    }
    assert_eq!(granted, [job_id(1), job_id(2), job_id(1), job_id(2)]);
}

/// Many workers ask at once; each run goes to one of them.
pub async fn concurrent_acquires_never_grant_a_run_twice(store: Arc<dyn Store>) {
    let bench = Bench::with_job(store, 20).await;
    let ask = |n| {
        let store = Arc::clone(&bench.store);
        tokio::spawn(async move { store.acquire(asks(worker(n), START + 1)).await.expect("answered") })
    };
    let tasks: Vec<_> = (0..40).map(ask).collect();
    let mut granted = Vec::new();
    for task in tasks {
        granted.extend(task.await.expect("no panic").map(|granted| granted.run));
    }
    assert_eq!(granted.iter().map(|run| run.id).collect::<BTreeSet<_>>().len(), 20);
    assert!(granted.len() == 20 && granted.iter().all(|run| run.attempt == 1));
}

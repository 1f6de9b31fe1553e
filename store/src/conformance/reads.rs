//! Events, pages, prefixes, workers.

use std::sync::Arc;

use jobs::{Class, EventKind, Outcome, WorkerId};
use uuid::Uuid;

use super::fixture::{Bench, START, job, job_id, run_id, says, scalar, worker};
use crate::{Page, Store, StoreError, Unfit, Verb};

/// Many writers at once, several jobs: each log counts 1, 2, ….
pub async fn events_are_numbered_without_gaps(store: Arc<dyn Store>) {
    let bench = Bench::with_job(store, 8).await;
    bench.submit(job(2, 8)).await;
    let work = |n| {
        let store = Arc::clone(&bench.store);
        tokio::spawn(async move {
            let bench = Bench { store };
            let run = bench.granted(n, START + 9).await;
            for seq in 0..5 {
                bench.report(says(&run, seq, seq + 1), START + seq * 1_000).await;
            }
        })
    };
    for task in (0..16).map(work).collect::<Vec<_>>() {
        task.await.expect("no panic");
    }
    bench.store.wish(job_id(1), Verb::Cancel, START).await.expect("noted");
    for n in [1, 2] {
        let events = bench.store.events(job_id(n), 0, 1_000).await.expect("readable");
        assert!(events.iter().map(|event| event.seq).eq(1..=1 + 8 * 6), "{} events", events.len());
        let job = bench.store.job(job_id(n)).await.expect("readable").expect("there");
        assert_eq!(job.last_seq, events.len() as u64);
    }
    let some = bench.store.events(job_id(1), 10, 3).await.expect("readable");
    assert_eq!(some.iter().map(|event| event.seq).collect::<Vec<_>>(), [11, 12, 13]);
}

/// Fast runs do not flood the log; what is told carries the scalars.
pub async fn progress_is_told_at_most_twice_a_second(store: Arc<dyn Store>) {
    let bench = Bench::with_job(store, 1).await;
    let run = bench.granted(1, START).await;
    for seq in 0..10 {
        let metrics = vec![scalar("loss", seq, f64::INFINITY), scalar("gain", seq, 0.5)];
        bench.report(jobs::Report { metrics, ..says(&run, seq, seq + 1) }, START + seq * 100).await;
    }
    let events = bench.store.events(job_id(1), 0, 100).await.expect("readable");
    let told: Vec<_> = events
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::RunProgressed { step, steps, scalars, .. } => {
                Some((event.at, *step, *steps, scalars.clone()))
            }
            _ => None,
        })
        .collect();
    assert_eq!(told.iter().map(|one| (one.0 - START, one.1)).collect::<Vec<_>>(), [(0, 1), (500, 6)]);
    let scalars = serde_json::json!({ "gain": 0.5, "loss": { "nonfinite": "inf" } });
    assert_eq!((told[0].2, serde_json::Value::Object(told[0].3.clone())), (1_000, scalars));
}

/// Lists go on where they ended.
pub async fn pages_follow_each_other(store: Arc<dyn Store>) {
    let bench = Bench { store };
    for n in 1..=5 {
        bench.submit(job(n, 7)).await;
    }
    let mut after = None;
    let mut seen = Vec::new();
    loop {
        let page = bench.store.jobs(Page { after, limit: 2 }).await.expect("readable");
        seen.extend(page.jobs.iter().map(|job| job.id));
        after = seen.last().copied();
        if !page.more {
            break;
        }
    }
    assert_eq!(seen, [5, 4, 3, 2, 1].map(job_id), "newest first");
    let page = bench.store.runs(job_id(3), Page { after: None, limit: 7 }).await.expect("readable");
    assert!(!page.more && page.runs.iter().map(|run| run.spec.index).eq(0..7));
    let page = bench.store.runs(job_id(3), Page { after: Some(2), limit: 3 }).await.expect("readable");
    assert!(page.more && page.runs.iter().map(|run| run.id).eq((3..6).map(|index| run_id(3, index))));
    assert_eq!(bench.store.run_counts().await.expect("readable").queued, 35);
    assert_eq!(bench.store.queued_jobs().await.expect("readable"), 5);
    bench.store.wish(job_id(2), crate::Verb::Cancel, START).await.expect("cancelled");
    assert_eq!(bench.store.queued_jobs().await.expect("readable"), 4);
}

/// By the last value, whatever came before, of runs that have ended and of those that go on; what is no number has no place.
pub async fn runs_are_ranked_by_the_last_value_of_a_metric(store: Arc<dyn Store>) {
    let bench = Bench { store };
    bench.submit(job(1, 6)).await;
    let last = [0.5, -2.0, f64::NAN, 0.5, f64::INFINITY, -0.0, 7.0];
    for (n, value) in last.into_iter().enumerate() {
        if n == 6 {
            bench.submit(job(2, 1)).await;
        }
        let run = bench.granted(1, START + n as u64).await;
        let metrics =
            vec![scalar("loss", 1, 9.0 - n as f64), scalar("loss", 2, value), scalar("gain", 1, 1.0)];
        bench.report(jobs::Report { metrics, ..says(&run, 0, 2) }, START + 10).await;
        if n % 3 == 0 {
            bench.report(jobs::Report { outcome: Some(ended()), ..says(&run, 1, 2) }, START + 10).await;
        }
    }
    let ranked = async |job, descending, limit| {
        let query = crate::RankQuery { metric: "loss".into(), experiment: None, job, descending, limit };
        let ranked = bench.store.ranked(query).await.expect("readable");
        assert!(ranked.iter().all(|one| one.step == 2));
        ranked.into_iter().map(|one| (one.run.id, one.value)).collect::<Vec<_>>()
    };
    let in_order = [
        (run_id(1, 1), -2.0),
        (run_id(1, 5), -0.0),
        (run_id(1, 0), 0.5),
        (run_id(1, 3), 0.5),
        (run_id(2, 0), 7.0),
    ];
    assert_eq!(ranked(None, false, 100).await, in_order);
    let greatest = [
        (run_id(2, 0), 7.0),
        (run_id(1, 0), 0.5),
        (run_id(1, 3), 0.5),
        (run_id(1, 5), -0.0),
        (run_id(1, 1), -2.0),
    ];
    assert_eq!(ranked(None, true, 100).await, greatest);
    assert_eq!(ranked(None, false, 2).await, in_order[..2]);
    assert_eq!(ranked(Some(job_id(1)), false, 100).await, in_order[..4]);
    let of = async |experiment: &str, metric: &str| {
        let (metric, experiment) = (metric.into(), Some(experiment.into()));
        let query = crate::RankQuery { metric, experiment, job: None, descending: false, limit: 100 };
        bench.store.ranked(query).await.expect("readable").len()
    };
    let experiment = job(1, 1).spec.experiment;
    assert_eq!(
        (of(&experiment, "gain").await, of(&experiment, "other").await, of("other", "gain").await),
        (7, 0, 0)
    );
}

fn ended() -> Outcome {
    Outcome::Failed { class: Class::UserError, message: "enough".into() }
}

/// As people type them.
pub async fn ids_can_be_cut_short(store: Arc<dyn Store>) {
    let bench = Bench::with_job(store, 2).await;
    let id = job_id(1).to_string();
    assert_eq!(bench.store.find_job(&id[..9]).await.expect("found"), Some(job_id(1)));
    assert_eq!(
        bench.store.find_job(&id.replace('-', "").to_uppercase()).await.expect("found"),
        Some(job_id(1))
    );
    assert_eq!(bench.store.find_job("ffffff").await.expect("looked"), None);
    assert!(matches!(bench.store.find_job("01900").await, Err(StoreError::NotAPrefix(_))));
    assert!(matches!(bench.store.find_run("019000").await, Err(StoreError::Ambiguous(_))));
    let id = run_id(1, 1).to_string();
    assert_eq!(bench.store.find_run(&id).await.expect("found"), Some(run_id(1, 1)));
}

/// Who registered, asked or reported lately.
pub async fn workers_are_remembered(store: Arc<dyn Store>) {
    let bench = Bench::with_job(store, 1).await;
    for n in [1, 2, 3] {
        bench.store.register(worker(n)).await.expect("registered");
    }
    assert_eq!(bench.store.workers(START).await.expect("readable"), [1, 2, 3].map(worker));
    let run = bench.granted(1, START + 10).await;
    bench.store.touch_worker(worker(2).id, START + 20).await.expect("noted");
    bench.store.touch_worker(worker(2).id, START + 15).await.expect("noted");
    bench.store.touch_worker(WorkerId(Uuid::from_u128(99)), START).await.expect("nobody we know");
    let seen = async |since| {
        let workers = bench.store.workers(since).await.expect("readable");
        workers.iter().map(|worker| (worker.name.clone(), worker.seen_at - START)).collect::<Vec<_>>()
    };
    assert_eq!(seen(START + 1).await, [("worker 1".to_owned(), 10), ("worker 2".to_owned(), 20)]);
    bench.report(says(&run, 0, 1), START + 30).await;
    assert_eq!(seen(START + 21).await, [("worker 1".to_owned(), 30)]);
}

/// No such job, no such run.
pub async fn unknown_ids_are_named(store: Arc<dyn Store>) {
    let (job, run) = (job_id(9), run_id(9, 0));
    assert!(store.job(job).await.expect("looked").is_none());
    assert!(store.run(run).await.expect("looked").is_none());
    let page = Page { after: None, limit: 1 };
    assert!(matches!(store.runs(job, page).await, Err(StoreError::NoJob(id)) if id == job));
    assert!(matches!(store.events(job, 0, 1).await, Err(StoreError::NoJob(id)) if id == job));
    assert!(matches!(store.wish(job, Verb::Cancel, START).await, Err(StoreError::NoJob(id)) if id == job));
    assert!(matches!(store.series(run).await, Err(StoreError::NoRun(id)) if id == run));
    assert!(matches!(store.checkpoints(run).await, Err(StoreError::NoRun(id)) if id == run));
    assert!(
        matches!(store.mark_corrupt(run, 1, Unfit::Damaged, START).await, Err(StoreError::NoRun(id)) if id == run)
    );
    let query = crate::MetricQuery { run, name: "loss".into(), from: 0, to: 9, points: 9 };
    assert!(matches!(store.metrics(query).await, Err(StoreError::NoRun(id)) if id == run));
}

/// Whoever comes too late learns it.
pub async fn a_closed_store_takes_nothing(store: Arc<dyn Store>) {
    store.ping().await.expect("it answers");
    store.close().await.expect("closed");
    store.close().await.expect("closing again is harmless");
    assert!(matches!(store.submit(job(1, 1)).await, Err(StoreError::Unusable(_))));
}

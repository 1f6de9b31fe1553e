//! Attempts end, runs end, jobs end.

use std::sync::Arc;

use jobs::{Class, EventKind, JobState, Refused, RunState};

use super::fixture::{Bench, START, TTL, expires_at, failed, job_id, run_id, says, succeeded};
use crate::{Store, StoreError, Verb};

/// The next attempt begins where the last checkpoint is, at once.
pub async fn a_lost_worker_s_run_goes_on_from_its_checkpoint(store: Arc<dyn Store>) {
    let bench = Bench::with_job(store, 1).await;
    let run = bench.granted(1, START).await;
    let mut report = says(&run, 0, 50);
    report.checkpoint = Some(bench.checkpoint(40, START).await);
    bench.report(report, START).await;
    assert_eq!(bench.store.expire_leases(START + TTL).await.expect("expired"), [job_id(1)]);
    assert_eq!(bench.run(run.id).await.uncounted_failures, 1);
    let granted = bench.acquire(2, START + TTL).await.expect("no back-off for a lost worker");
    assert_eq!((granted.run.attempt, granted.run.step), (2, 40));
    assert_eq!(granted.checkpoint.map(|checkpoint| (checkpoint.step, checkpoint.attempt)), Some((40, 1)));
    let expected = [
        "job_submitted",
        "run_started",
        "checkpoint_stored",
        "run_progressed",
        "run_requeued",
        "run_started",
    ];
    assert_eq!(bench.events().await, expected);
}

/// A counted failure backs off, and the time is kept.
pub async fn a_failed_run_waits_before_it_is_tried_again(store: Arc<dyn Store>) {
    let bench = Bench::with_job(store, 1).await;
    let run = bench.granted(1, START).await;
    let mut report = says(&run, 0, 0);
    report.outcome = failed(Class::Crash);
    bench.report(report, START).await;
    let RunState::Queued { not_before: Some(until) } = bench.run(run.id).await.state else {
        panic!("a crashed run is queued with a back-off");
    };
    assert!((START + 8_000..=START + 12_000).contains(&until), "10 s ± 20 %");
    assert!(bench.acquire(1, until - 1).await.is_none());
    assert_eq!(bench.granted(1, until).await.attempt, 2);
}

/// Three crashes are enough.
pub async fn the_budget_of_counted_failures_ends_the_run(store: Arc<dyn Store>) {
    let bench = Bench::with_job(store, 1).await;
    let mut now = START;
    for attempt in 1..=3 {
        now += 1_000_000;
        let run = bench.granted(1, now).await;
        assert_eq!(run.attempt, attempt);
        let mut report = says(&run, 0, 0);
        report.outcome = failed(Class::Timeout);
        bench.report(report, now).await;
    }
    let run = bench.run(run_id(1, 0)).await;
    assert_eq!(run.state, RunState::Failed { class: Class::Timeout, message: "it broke".into() });
    assert!(bench.acquire(1, now + 10_000_000).await.is_none());
    assert_eq!(bench.events().await.last(), Some(&"job_ended"));
}

/// A worker that renews its lease but never gets further, and one that takes too long.
pub async fn attempts_without_progress_end_the_run(store: Arc<dyn Store>) {
    let bench = Bench::with_job(store, 1).await;
    let run = bench.granted(1, START).await;
    let mut now = START;
    for seq in 0..60 {
        bench.report(says(&run, seq, 0), now).await;
        now += 10_000;
    }
    assert_eq!(now, START + 600_000);
    assert_eq!(bench.store.expire_leases(now - 1).await.expect("looked"), []);
    assert_eq!(bench.store.expire_leases(now).await.expect("looked"), [job_id(1)]);
    let run = bench.run(run.id).await;
    assert_eq!((run.state.name(), run.counted_failures), ("queued", 1));
}

/// Leases get time after the server was away.
pub async fn a_server_restart_costs_no_attempt(store: Arc<dyn Store>) {
    let bench = Bench::with_job(store, 1).await;
    let run = bench.granted(1, START).await;
    let back = START + 3_600_000;
    bench.store.extend_leases(back + TTL + 30_000).await.expect("extended");
    assert!(bench.store.expire_leases(back).await.expect("looked").is_empty());
    bench.report(says(&run, 0, 10), back + 1).await;
    assert_eq!(expires_at(&bench.run(run.id).await), back + TTL + 30_000, "a renewal never shortens a lease");
}

const DAYS: u64 = 3 * 24 * 3_600_000;

/// A server starts on a clock that was set back: its leases are no longer than ever, and a back-off ends.
pub async fn a_clock_that_was_set_back_makes_no_lease_longer(store: Arc<dyn Store>) {
    let bench = Bench::with_job(store, 2).await;
    let start = START + DAYS;
    let (held, crashed) = (bench.granted(1, start).await, bench.granted(1, start).await);
    let mut report = says(&crashed, 0, 0);
    report.outcome = failed(Class::Crash);
    bench.report(report, start).await;

    let until = START + TTL + 30_000;
    bench.store.extend_leases(until).await.expect("extended");
    assert!(bench.store.expire_leases(until - 1).await.expect("looked").is_empty());
    bench.report(says(&held, 0, 10), until - 1).await;
    assert_eq!(expires_at(&bench.run(held.id).await), until - 1 + TTL);
    let longest = until + jobs::Policy::default().backoff_cap_ms;
    assert_eq!(bench.granted(1, longest).await.attempt, 2, "the crashed one waits no longer than any");
    assert_eq!(bench.store.expire_leases(longest).await.expect("looked"), [job_id(1)], "nobody was heard of");
}

/// A server starts on a clock that was set ahead: no time-out counts the jump.
pub async fn a_clock_that_was_set_ahead_ends_no_attempt(store: Arc<dyn Store>) {
    let bench = Bench::with_job(store, 1).await;
    let run = bench.granted(1, START).await;
    let until = START + DAYS + TTL + 30_000;
    bench.store.extend_leases(until).await.expect("extended");
    assert!(bench.store.expire_leases(until - 1).await.expect("looked").is_empty());
    bench.report(says(&run, 0, 10), until - 1).await;
    assert!(bench.store.expire_leases(until - 1).await.expect("looked").is_empty());
    assert_eq!(bench.run(run.id).await.attempt, 1);
}

/// The class of the end says whether the server had been away; one report, and it has not.
pub async fn a_worker_that_never_comes_back_after_a_restart_is_told_from_a_lost_one(store: Arc<dyn Store>) {
    let bench = Bench::with_job(store, 2).await;
    let (silent, heard) = (bench.granted(1, START).await, bench.granted(1, START).await);
    let until = START + 3_600_000;
    bench.store.extend_leases(until).await.expect("extended");
    bench.report(says(&heard, 0, 10), START + 3_500_000).await;
    bench.store.expire_leases(until).await.expect("looked");
    let runs = [bench.run(silent.id).await, bench.run(heard.id).await];
    assert_eq!(runs.map(|run| (run.state.name(), run.uncounted_failures)), [("queued", 1), ("queued", 1)]);
    let events = bench.store.events(job_id(1), 0, 100).await.expect("readable");
    let class = |id| {
        events.iter().find_map(|event| match &event.kind {
            EventKind::RunRequeued { run, class, .. } if *run == id => Some(*class),
            _ => None,
        })
    };
    assert_eq!((class(silent.id), class(heard.id)), (Some(Class::ServerRestart), Some(Class::Lost)));
}

/// Succeeded and failed runs, then the job.
pub async fn the_last_run_ends_the_job(store: Arc<dyn Store>) {
    let bench = Bench::with_job(store, 2).await;
    let (good, bad) = (bench.granted(1, START).await, bench.granted(1, START).await);
    let mut report = says(&good, 0, 1_000);
    report.outcome = succeeded();
    bench.report(report, START + 1).await;
    let job = bench.store.job(job_id(1)).await.expect("readable").expect("there");
    assert_eq!((job.counts.state(), job.ended_at), (JobState::Running, None));
    let mut report = says(&bad, 0, 7);
    report.outcome = failed(Class::Diverged);
    bench.report(report, START + 2).await;
    let job = bench.store.job(job_id(1)).await.expect("readable").expect("there");
    assert_eq!((job.counts.succeeded, job.counts.failed, job.counts.total()), (1, 1, 2));
    assert_eq!((job.counts.state(), job.ended_at), (JobState::Failed, Some(START + 2)));
    let events = bench.events().await;
    assert_eq!(events[events.len() - 3..], ["run_ended", "run_ended", "job_ended"]);
    assert_eq!(job.last_seq, events.len() as u64);
}

/// Nothing moves it: no report, wish, lease or time.
pub async fn a_run_that_has_ended_takes_nothing(store: Arc<dyn Store>) {
    let bench = Bench::with_job(store, 1).await;
    let run = bench.granted(1, START).await;
    let mut report = says(&run, 0, 1_000);
    report.outcome = succeeded();
    bench.report(report, START).await;
    let before = (bench.run(run.id).await, bench.events().await);
    let refused = bench.store.report(says(&run, 1, 1_000), START).await;
    assert!(matches!(refused, Err(StoreError::Refused(Refused::Stale { state: "succeeded", .. }))));
    for verb in [Verb::Cancel, Verb::Pause, Verb::Resume] {
        bench.store.wish(job_id(1), verb, START).await.expect("a wish that comes too late is no error");
    }
    bench.store.extend_leases(START * 9).await.expect("nothing to extend");
    assert!(bench.store.expire_leases(START * 9).await.expect("looked").is_empty());
    assert!(bench.acquire(1, START * 9).await.is_none());
    assert_eq!((bench.run(run.id).await, bench.events().await), before);
}

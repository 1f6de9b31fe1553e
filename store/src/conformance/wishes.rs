//! Users cancel, pause and resume.

use std::sync::Arc;

use jobs::{Class, Directive, JobState, Outcome, Stop, Wish};

use super::fixture::{Bench, START, TTL, failed, job_id, run_id, says};
use crate::{Store, Verb};

/// Nobody has to be asked.
pub async fn a_queued_job_is_cancelled_at_once(store: Arc<dyn Store>) {
    let bench = Bench::with_job(store, 2).await;
    let job = bench.store.wish(job_id(1), Verb::Cancel, START).await.expect("obeyed");
    assert_eq!((job.counts.cancelled, job.counts.state()), (2, JobState::Cancelled));
    assert_eq!(bench.events().await, ["job_submitted", "run_ended", "run_ended", "job_ended"]);
    assert!(bench.acquire(1, START).await.is_none());
}

/// The worker is told, stops and says so.
pub async fn a_running_run_learns_of_the_cancel_with_its_next_report(store: Arc<dyn Store>) {
    let bench = Bench::with_job(store, 1).await;
    let run = bench.granted(1, START).await;
    let job = bench.store.wish(job_id(1), Verb::Cancel, START).await.expect("noted");
    assert_eq!((job.counts.running, bench.run(run.id).await.wish), (1, Wish::Cancel));
    assert_eq!(bench.report(says(&run, 0, 1), START).await, Directive::Stop(Stop::Cancelled));
    let mut report = says(&run, 1, 2);
    report.outcome = Some(Outcome::Stopped(Stop::Cancelled));
    bench.report(report, START).await;
    assert_eq!(bench.run(run.id).await.state.name(), "cancelled");
    assert_eq!(bench.run(run.id).await.wish, Wish::None);
}

/// Pause keeps the checkpoint; resume goes on from it; neither costs an attempt of the budget.
pub async fn a_paused_job_goes_on_after_resume(store: Arc<dyn Store>) {
    let bench = Bench::with_job(store, 2).await;
    let run = bench.granted(1, START).await;
    let job = bench.store.wish(job_id(1), Verb::Pause, START).await.expect("noted");
    assert_eq!((job.counts.paused, job.counts.running), (1, 1), "the queued one obeys at once");
    assert_eq!(bench.report(says(&run, 0, 1), START).await, Directive::Stop(Stop::Paused));
    let mut report = says(&run, 1, 30);
    report.checkpoint = Some(bench.checkpoint(30, START).await);
    report.outcome = Some(Outcome::Stopped(Stop::Paused));
    bench.report(report, START).await;
    let job = bench.store.job(job_id(1)).await.expect("readable").expect("there");
    assert_eq!((job.counts.paused, job.counts.state()), (2, JobState::Paused));
    assert!(bench.acquire(1, START).await.is_none());
    bench.store.wish(job_id(1), Verb::Resume, START).await.expect("obeyed");
    let granted = bench.granted(1, START).await;
    assert_eq!((granted.id, granted.attempt, granted.step), (run.id, 2, 30));
    assert_eq!((granted.counted_failures, granted.uncounted_failures), (0, 0));
}

/// A dead worker cannot obey, so the store does at expiry; a crash is an end as well.
pub async fn a_wish_is_obeyed_when_the_worker_dies(store: Arc<dyn Store>) {
    let bench = Bench::with_job(store, 2).await;
    let crashes = bench.granted(1, START).await;
    let vanishes = bench.granted(2, START).await;
    bench.store.wish(job_id(1), Verb::Pause, START).await.expect("noted");
    let mut report = says(&crashes, 0, 0);
    report.outcome = failed(Class::Crash);
    bench.report(report, START).await;
    assert_eq!(bench.run(crashes.id).await.state.name(), "paused");
    bench.store.wish(job_id(1), Verb::Cancel, START).await.expect("noted");
    assert_eq!(bench.run(crashes.id).await.state.name(), "cancelled");
    assert_eq!(bench.run(vanishes.id).await.wish, Wish::Cancel, "cancel outdoes pause");
    bench.store.expire_leases(START + TTL).await.expect("expired");
    assert_eq!(bench.run(vanishes.id).await.state.name(), "cancelled");
    assert_eq!(bench.events().await.last(), Some(&"job_ended"));
}

/// Impatient clicks leave no trace.
pub async fn repeating_a_wish_changes_nothing(store: Arc<dyn Store>) {
    let bench = Bench::with_job(store, 2).await;
    bench.granted(1, START).await;
    for verb in [Verb::Pause, Verb::Resume, Verb::Pause, Verb::Cancel] {
        bench.store.wish(job_id(1), verb, START + 1).await.expect("obeyed");
        let before = (bench.run(run_id(1, 0)).await, bench.run(run_id(1, 1)).await, bench.events().await);
        bench.store.wish(job_id(1), verb, START + 2).await.expect("obeyed");
        let after = (bench.run(run_id(1, 0)).await, bench.run(run_id(1, 1)).await, bench.events().await);
        assert_eq!(before, after, "{verb:?} twice");
    }
}

//! What comes at the same time may share a transaction, and is answered as if it had come alone.

use std::sync::Arc;

use futures::future::join_all;
use jobs::{Directive, Refused, Report, RunState, Stop};

use super::fixture::{Bench, START, job, job_id, run_id, says, scalar};
use crate::{NewJob, Store, StoreError};

/// Good reports among one with a stale attempt, one with a bad name, one with other bits and one of an unknown run.
pub async fn reports_that_come_together_are_judged_apart(store: Arc<dyn Store>) {
    let bench = Bench::with_job(store, 12).await;
    let mut runs = Vec::new();
    for n in 0..12 {
        let run = bench.granted(n, START).await;
        let metrics = vec![scalar("loss", 1, f64::from(run.spec.index))];
        bench.report(Report { metrics, ..says(&run, 0, 1) }, START).await;
        runs.push(run);
    }
    let plain = |n: usize| {
        let metrics = vec![scalar("loss", 2, 0.5), scalar("gain", 2, f64::NAN)];
        Report { metrics, ..says(&runs[n], 1, 2) }
    };
    let mut reports: Vec<Report> = (0..12).map(plain).collect();
    reports[3].attempt += 1;
    reports[5].metrics.push(scalar("Bad", 2, 1.0));
    reports[7].metrics.push(scalar("loss", 1, -1.0));
    reports[9].run = run_id(9, 9);
    reports.push(reports[0].clone()); // sent again before it was answered
    let ask = |report| bench.store.report(report, START + 1_000);
    let answers = join_all(reports.into_iter().map(ask)).await;
    for (n, answer) in answers.iter().enumerate() {
        match (n, answer) {
            (3, Err(StoreError::Refused(Refused::Stale { attempt: 2, current: 1, .. })))
            | (5, Err(StoreError::Limit(_)))
            | (7, Ok(Directive::Stop(Stop::LeaseLost)))
            | (9, Err(StoreError::NoRun(_))) => {}
            (_, Ok(Directive::Continue { .. })) if ![3, 5, 7, 9].contains(&n) => {}
            other => panic!("{other:?}"),
        }
    }
    for (n, run) in runs.iter().enumerate() {
        let (now, is_taken) = (bench.run(run.id).await, ![3, 5, 7, 9].contains(&n));
        assert_eq!(matches!(now.state, RunState::Running(_)), n != 7, "run {n}");
        assert_eq!(now.step, if is_taken || n == 7 { 2 } else { 1 }, "run {n}");
        let series = bench.store.series(run.id).await.expect("readable");
        let loss = series.iter().find(|series| series.name == "loss").expect("it was reported");
        let last = if is_taken || n == 7 { 0.5 } else { n as f64 };
        assert_eq!((loss.count, loss.last), (if last == 0.5 { 2 } else { 1 }, Some(last)), "run {n}");
        assert_eq!(series.len(), loss.count as usize, "run {n}");
    }
}

/// Good jobs among one whose key another one has and one whose key stands for another body.
pub async fn jobs_that_come_together_are_judged_apart(store: Arc<dyn Store>) {
    let keyed =
        |n: u128, key: &str, body| NewJob { idempotency: Some((key.into(), [body; 32])), ..job(n, 2) };
    let jobs = [
        job(1, 3),
        keyed(2, "a", 1),
        keyed(3, "b", 1),
        keyed(4, "a", 1),
        keyed(5, "b", 2),
        job(6, 1),
        job(1, 3), // an id that is taken: a bug of the caller
        job(7, 1),
    ];
    let answers = join_all(jobs.into_iter().map(|job| store.submit(job))).await;
    let told = |n: usize| answers[n].as_ref().map(|answer| (answer.created, answer.job.clone()));
    for (n, id) in [(0, 1), (1, 2), (2, 3), (5, 6), (7, 7)] {
        let (created, job) = told(n).expect("stored");
        assert!(created, "job {id}");
        assert_eq!(store.job(job_id(id)).await.expect("readable").as_ref(), Some(&job), "as it is read");
    }
    let (created, first) = told(3).expect("answered");
    assert_eq!((created, first.id), (false, job_id(2)));
    assert!(matches!(&answers[4], Err(StoreError::KeyReused(key)) if key == "b"));
    assert!(answers[6].is_err());
    for absent in [4, 5] {
        assert!(store.job(job_id(absent)).await.expect("readable").is_none());
    }
}

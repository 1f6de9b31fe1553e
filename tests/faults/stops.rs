//! Workers that stop for longer than their lease, again and again: what they say when they wake up does not count.

use std::sync::Arc;

use nix::sys::signal::Signal;

use super::logs::{Held, Logs};
use crate::{
    checker::{self, History, Records},
    support::{Child, LEASE, PROMPT, Service, digits_job, undisturbed, until},
};

/// Stopped at once, and as many that take over.
const AT_ONCE: usize = 5;
const TIMES: usize = 4;
const JOB: std::time::Duration = std::time::Duration::from_secs(120);

/// Who holds each of the runs, once every attempt has brought its run further.
async fn holders(logs: &Logs, workers: &[Child]) -> Vec<(usize, Held)> {
    until("every run is on its way", LEASE + PROMPT, async || {
        let held = |n: usize| Some((n, logs.held_by(&workers[n].worker_id()?, u64::MAX)?));
        let all: Vec<_> = (0..workers.len()).filter_map(held).collect();
        (all.len() == AT_ONCE).then_some(all)
    })
    .await
}

fn drops(worker: &Child, run: &str) -> usize {
    worker.log().matches(&format!("run {run} is dropped")).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_workers_that_stopped_beyond_their_lease_none_changes_anything() {
    let mut service = Service::start_with(&[("VESICLE_LEASE_MS", "1000")]).await;
    let spec = digits_job(AT_ONCE as u32, 16, 240);
    let job = service.client.submit(&spec, "stops").await;
    let runs = service.client.runs(&job).await;
    let undisturbed = undisturbed(&spec, &runs, service.folder()).await;
    let history = History { answered: vec![("stops".to_owned(), job.clone())], undisturbed };
    let logs = Arc::new(Logs::default());
    let (following, client, followed) = (Arc::clone(&logs), service.client.clone(), job.clone());
    let stream = tokio::spawn(async move { following.follow(client, followed).await });
    let workers: Vec<_> = (0..2 * AT_ONCE).map(|_| service.worker()).collect();

    let mut stops = 0;
    for _ in 0..TIMES {
        let stopped = holders(&logs, &workers).await;
        let before: Vec<_> = stopped.iter().map(|(n, held)| drops(&workers[*n], &held.run)).collect();
        stopped.iter().for_each(|(n, _)| workers[*n].signal(Signal::SIGSTOP));
        until("others have the runs", LEASE + PROMPT, async || {
            stopped.iter().all(|(_, held)| logs.attempt(&held.run) > held.attempt).then_some(())
        })
        .await;
        stopped.iter().for_each(|(n, _)| workers[*n].signal(Signal::SIGCONT));
        until("each of them learns that its attempt is over", PROMPT, async || {
            let mut each = stopped.iter().zip(&before);
            each.all(|((n, held), before)| drops(&workers[*n], &held.run) > *before).then_some(())
        })
        .await;
        stops += stopped.len();
    }
    let refused = r#"vesicle_reports_refused_total{reason="STALE_ATTEMPT"}"#;
    assert!(service.client.telemetry(refused).await >= stops as f64, "every one of them tried");
    service.client.until_job_is(&job, "succeeded", JOB).await;
    stream.await.expect("the stream does not panic");
    for worker in workers {
        assert!(worker.terminate(PROMPT).await.success());
    }
    service.stop_server().await;
    checker::assert_sound(&service.database().await, &history).await;
    let records = Records::read(&service.database().await).await;
    let lost: u64 = records.runs.values().map(|run| run.attempt - 1).sum();
    assert!(stops >= 20 && lost >= stops as u64, "{stops} stops, {lost} attempts lost");
}

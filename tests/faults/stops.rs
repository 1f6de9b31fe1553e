//! Workers that stop for longer than their lease, again and again: what they say when they wake up does not count.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;

use super::logs::{Held, Logs};
use crate::{
    checker::{self, History, Records},
    support::{Child, LEASE, PROMPT, Service, Times, digits_job, times, undisturbed, until},
};

/// Stopped at once, and as many that take over.
const AT_ONCE: usize = 5;
const JOB: Duration = Duration::from_secs(300);
/// Between waking up and dropping the run.
const DROPPED: Duration = Duration::from_secs(1);

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

/// Stops every worker that has a run until another one has it; how long each took to drop the run once it woke up.
async fn stop_and_wake(logs: &Logs, workers: &[Child]) -> Vec<Duration> {
    let stopped = holders(logs, workers).await;
    let before: Vec<_> = stopped.iter().map(|(n, held)| drops(&workers[*n], &held.run)).collect();
    stopped.iter().for_each(|(n, _)| workers[*n].signal(Signal::SIGSTOP));
    until("others have the runs", LEASE + PROMPT, async || {
        stopped.iter().all(|(_, held)| logs.attempt(&held.run) > held.attempt).then_some(())
    })
    .await;
    let woken = Instant::now();
    stopped.iter().for_each(|(n, _)| workers[*n].signal(Signal::SIGCONT));
    let mut took = vec![None; stopped.len()];
    until("each of them learns that its attempt is over", PROMPT, async || {
        for (took, ((n, held), before)) in took.iter_mut().zip(stopped.iter().zip(&before)) {
            if took.is_none() && drops(&workers[*n], &held.run) > *before {
                *took = Some(woken.elapsed());
            }
        }
        took.iter().copied().collect()
    })
    .await
}

/// A job whose runs lose so many attempts each; how long each worker took to drop its run once it woke up.
async fn play(rounds: usize, epochs: u32) -> Vec<Duration> {
    let mut service = Service::start_with(&[("VESICLE_LEASE_MS", "1000")]).await;
    let spec = digits_job(AT_ONCE as u32, epochs, 240);
    let job = service.client.submit(&spec, "stops").await;
    let runs = service.client.runs(&job).await;
    let undisturbed = undisturbed(&spec, &runs, service.folder()).await;
    let history = History { answered: vec![("stops".to_owned(), job.clone())], undisturbed };
    let logs = Arc::new(Logs::default());
    let (following, client, followed) = (Arc::clone(&logs), service.client.clone(), job.clone());
    let stream = tokio::spawn(async move { following.follow(client, followed).await });
    let workers: Vec<_> = (0..2 * AT_ONCE).map(|_| service.worker()).collect();

    let mut took = Vec::new();
    for _ in 0..rounds {
        took.extend(stop_and_wake(&logs, &workers).await);
    }
    let stops = took.len();
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
    assert!(lost >= stops as u64, "{stops} stops, {lost} attempts lost");
    took
}

#[tokio::test(flavor = "multi_thread")]
async fn of_workers_that_stopped_beyond_their_lease_none_changes_anything() {
    let mut took = Vec::new();
    // A run that lost twenty attempts would be given up.
    for _ in 0..times(1, 2) {
        took.extend(play(times(4, 10), times(16, 50)).await);
    }
    let took = Times::of(took);
    let (stops, half, longest) = (took.count(), took.percentile(50), took.longest());
    eprintln!(
        "{stops} stops, each refused; the run was dropped {half:?} after waking up in half of them, {longest:?} at most"
    );
    assert!(stops >= 20, "{stops} stops");
    assert!(longest <= DROPPED, "{took:?}");
}

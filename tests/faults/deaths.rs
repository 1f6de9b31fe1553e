//! Workers that die: how soon another one goes on with their runs.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use jiff::Timestamp;
use reqwest::StatusCode;
use serde_json::{Value as Json, json};

use super::logs::{Held, Logs};
use crate::{
    checker::{self, History},
    support::{Child, LEASE, PROMPT, Seen, Service, digits_job, text, times, until},
};

/// Workers that die at once, and as many that wait for work meanwhile.
const AT_ONCE: usize = 5;

/// What is promised beyond the lease: of half of the deaths, and of every one.
const OF_HALF: Duration = Duration::from_secs(5);
const OF_ALL: Duration = Duration::from_secs(15);

/// Runs that outlast all deaths on any machine; the job is cancelled in the end.
fn endless() -> Json {
    let mut spec = digits_job(AT_ONCE as u32, 10_000, 240);
    spec["every"] = json!(65_000);
    spec["checkpoint_every_steps"] = json!(50);
    spec
}

/// Who holds each of the runs, once every attempt has brought its run further and as many others wait.
async fn holders(logs: &Logs, workers: &[Child]) -> Vec<(usize, Held)> {
    until("every run is on its way, and others wait", LEASE + PROMPT, async || {
        let ids: Vec<String> = workers.iter().filter_map(Child::worker_id).collect();
        let held: Vec<_> =
            ids.iter().enumerate().filter_map(|(n, id)| Some((n, logs.held_by(id, u64::MAX)?))).collect();
        (ids.len() == workers.len() && held.len() == AT_ONCE).then_some(held)
    })
    .await
}

/// When the first step after an attempt was reported, and the worker that took it, by the log of the job.
fn gone_on(log: &[Seen], lost: &Held) -> Option<(Timestamp, String)> {
    let of_run = log.iter().filter(|event| event.body["run"] == lost.run.as_str());
    let mut later = of_run.skip_while(|event| {
        event.kind != "run_started" || event.body["attempt"].as_u64() <= Some(lost.attempt)
    });
    let started = later.next()?;
    let first = later.find(|event| event.body["step"].as_u64() > started.body["from_step"].as_u64())?;
    let at = text(&first.body, "at").parse().expect("an event has a time");
    Some((at, text(&started.body, "worker")))
}

/// Kills every worker that has a run; answers how long it took until another one, there before, went on with each.
async fn kill_all(logs: &Logs, job: &str, workers: &mut Vec<Child>) -> Vec<Duration> {
    let holders = holders(logs, workers).await;
    let there: BTreeSet<_> = workers.iter().filter_map(Child::worker_id).collect();
    let mut deaths = Vec::new();
    for (n, held) in holders.into_iter().rev() {
        let worker = workers.remove(n);
        deaths.push((Timestamp::now(), held));
        worker.kill().await;
    }
    until("others go on with all of them", LEASE + 2 * OF_ALL, async || {
        let log = &logs.all()[job];
        let gone_on = deaths.iter().map(|(killed, held)| {
            let (at, by) = gone_on(log, held)?;
            assert!(there.contains(&by), "run {} was taken over by a worker that came later", held.run);
            Some(Duration::try_from(at.duration_since(*killed)).unwrap_or_default())
        });
        gone_on.collect()
    })
    .await
}

/// Attempts of the log that ended because their lease ran out.
fn lost(log: &[Seen]) -> usize {
    log.iter().filter(|event| event.kind == "run_requeued" && event.body["class"] == "lost").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_of_workers_that_die_go_on_elsewhere_soon_after_their_lease() {
    let mut service = Service::start().await;
    let job = service.client.submit(&endless(), "deaths").await;
    let logs = Arc::new(Logs::default());
    let (following, client, followed) = (Arc::clone(&logs), service.client.clone(), job.clone());
    let stream = tokio::spawn(async move { following.follow(client, followed).await });
    let mut workers: Vec<_> = (0..2 * AT_ONCE).map(|_| service.worker()).collect();

    let mut took = Vec::new();
    for _ in 0..times(2, 10) {
        took.extend(kill_all(&logs, &job, &mut workers).await);
        workers.extend((0..AT_ONCE).map(|_| service.worker()));
    }
    took.sort();
    let (deaths, half, most) = (took.len(), took[took.len() / 2], took[took.len() - 1]);
    eprintln!(
        "{deaths} deaths, lease {LEASE:?}: a step elsewhere after {:?} at least, {half:?} in half of them, {:?} in nine of ten, \
         {most:?} at most",
        took[0],
        took[deaths * 9 / 10]
    );
    assert!(half <= LEASE + OF_HALF && most <= LEASE + OF_ALL, "{took:?}");
    // Negative control: nobody may go on before the lease has run out, and reports renewed it every 50 ms or so. What came
    // sooner in most cases would not be the next attempt.
    assert!(half >= LEASE / 2, "{took:?}");

    service.client.post(&format!("/jobs/{job}/cancel"), StatusCode::ACCEPTED).await;
    service.client.until_job_is(&job, "cancelled", LEASE + PROMPT).await;
    stream.await.expect("the stream does not panic");
    let lost = lost(&logs.all()[&job]);
    assert!(lost >= deaths, "{deaths} deaths ended {lost} attempts");
    for worker in workers {
        assert!(worker.terminate(PROMPT).await.success());
    }
    service.stop_server().await;
    let history = History { answered: vec![("deaths".to_owned(), job)], ..History::default() };
    checker::assert_sound(&service.database().await, &history).await;
}

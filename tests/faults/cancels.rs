//! Cancels that race the end of their job: whoever comes first, a job ends once.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use futures::{StreamExt, stream};
use reqwest::Method;
use serde_json::Value as Json;

use crate::{
    checker::{self, History, Records},
    support::{Client, PROMPT, Random, Service, digits_job, text, undisturbed},
};

const SEED: u64 = 12;
const CANCELS: usize = 100;
const AT_ONCE: usize = 4;
/// Undisturbed, to see how long one takes.
const CALM: usize = 10;

/// Long enough for several reports, with which a worker learns of a cancel, however fast the machine.
fn spec() -> Json {
    digits_job(1, 4, 100)
}

/// Sends a job, cancels it some time after it began, and answers its id and how long it went on.
async fn race(client: &Client, key: &str, late: Option<Duration>) -> (String, Duration) {
    let job = client.submit(&spec(), key).await;
    let mut events = std::pin::pin!(client.events(&job, None).await);
    while let Some(event) = events.next().await {
        if event.kind == "run_started" {
            break;
        }
    }
    let began = Instant::now();
    if let Some(late) = late {
        tokio::time::sleep(late).await; // the race, not a wait: whatever happens until then is fine
        let path = format!("/api/v1/jobs/{job}/cancel");
        let answer = client.request(Method::POST, &path).send().await.expect("the server answers");
        assert!(!answer.status().is_server_error(), "{}", answer.status());
    }
    while let Some(event) = events.next().await {
        if event.kind == "job_ended" {
            return (job, began.elapsed());
        }
    }
    panic!("the stream of job {job} ended before the job");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_cancels_race_a_hundred_ends_and_every_job_ends_once() {
    // A worker reports, and learns of a cancel, at least every third of a lease.
    let mut service = Service::start_with(&[("VESICLE_LEASE_MS", "900")]).await;
    let workers: Vec<_> = (0..AT_ONCE).map(|_| service.worker()).collect();
    let client = &service.client;
    let calm: Vec<_> = stream::iter(0..CALM)
        .map(|n| async move { (format!("calm-{n}"), race(client, &format!("calm-{n}"), None).await) })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let mut times: Vec<_> = calm.iter().map(|(_, (_, took))| *took).collect();
    times.sort();
    let usual = times[CALM / 2].as_micros() as u64;
    let mut random = Random::seeded(SEED);
    let lates: Vec<_> = (0..CANCELS).map(|_| Duration::from_micros(random.below(2 * usual))).collect();
    let one = |(n, late)| async move {
        let key = format!("race-{n}");
        (key.clone(), race(client, &key, Some(late)).await.0)
    };
    let raced = stream::iter(lates.into_iter().enumerate()).map(one).buffer_unordered(AT_ONCE);
    let mut answered: Vec<_> = raced.collect().await;

    let mut states: BTreeMap<String, usize> = BTreeMap::new();
    let mut finished = Vec::new();
    for (_, job) in &answered {
        let state = text(&service.client.job(job).await, "state");
        if state == "succeeded" {
            finished.extend(service.client.runs(job).await);
        }
        *states.entry(state).or_default() += 1;
    }
    eprintln!("seed {SEED}: {states:?}");
    assert!(states.keys().all(|state| ["succeeded", "cancelled"].contains(&state.as_str())), "{states:?}");
    assert!(states.values().all(|n| *n >= 10) && states.len() == 2, "no race: {states:?}");

    // They are all the same run.
    let first = undisturbed(&spec(), &finished[..1], service.folder()).await;
    let first = first.into_values().next().expect("one was computed");
    let undisturbed = finished.iter().map(|run| (text(run, "id"), first.clone())).collect();
    for worker in workers {
        assert!(worker.terminate(PROMPT).await.success());
    }
    answered.extend(calm.into_iter().map(|(key, (job, _))| (key, job)));
    service.stop_server().await;
    checker::assert_sound(&service.database().await, &History { answered, undisturbed }).await;
    let records = Records::read(&service.database().await).await;
    assert_eq!(records.jobs.len(), CANCELS + CALM);
}

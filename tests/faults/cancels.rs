//! Cancels that race the end of their job: whoever comes first, a job ends once.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use futures::{StreamExt, stream};
use reqwest::{Method, StatusCode};
use serde_json::Value as Json;

use crate::{
    checker::{self, History, Records},
    support::{Client, PROMPT, Random, Service, digits_job, text, times, undisturbed, until},
};

const SEED: u64 = 12;
/// 200 in `make reliability`.
const CANCELS: usize = 100;
const AT_ONCE: usize = 4;
/// Undisturbed, to see how long one takes.
const CALM: usize = 10;
const LEASE: Duration = Duration::from_millis(900);
/// A worker reports, and learns of a cancel, at least every third of a lease; twice that is promised.
const HEARTBEATS: Duration = Duration::from_millis(600);
/// Beyond its lease, for a worker that is dead.
const OF_DEAD: Duration = Duration::from_secs(15);

/// Long enough for several reports, with which a worker learns of a cancel, however fast the machine.
fn spec() -> Json {
    digits_job(1, 4, 100)
}

/// A job that was sent, and perhaps cancelled on its way.
struct Raced {
    job: String,
    /// From its begin to its end.
    took: Duration,
    /// From the answer to the cancel to its end.
    obeyed: Option<Duration>,
}

/// Sends a job, and cancels it some time after it began.
async fn race(client: &Client, key: &str, late: Option<Duration>) -> Raced {
    let job = client.submit(&spec(), key).await;
    let mut events = std::pin::pin!(client.events(&job, None).await);
    while let Some(event) = events.next().await {
        if event.kind == "run_started" {
            break;
        }
    }
    let began = Instant::now();
    let mut cancelled = None;
    if let Some(late) = late {
        tokio::time::sleep(late).await; // the race, not a wait: whatever happens until then is fine
        let path = format!("/api/v1/jobs/{job}/cancel");
        let answer = client.request(Method::POST, &path).send().await.expect("the server answers");
        assert!(!answer.status().is_server_error(), "{}", answer.status());
        cancelled = Some(Instant::now());
    }
    while let Some(event) = events.next().await {
        if event.kind == "job_ended" {
            return Raced { job, took: began.elapsed(), obeyed: cancelled.map(|at| at.elapsed()) };
        }
    }
    panic!("the stream of job {job} ended before the job");
}

/// Cancels that were obeyed: how soon.
fn assert_prompt(mut obeyed: Vec<Duration>) {
    obeyed.sort();
    let (half, most) = (obeyed[obeyed.len() / 2], obeyed[obeyed.len() - 1]);
    let nine = obeyed[obeyed.len() * 9 / 10];
    eprintln!(
        "{} cancels obeyed: {half:?} in half of them, {nine:?} in nine of ten, {most:?} at most",
        obeyed.len()
    );
    // A machine that is busy with something else makes single ones late; a worker that learned of cancels in another way
    // than by its reports, such as by the end of its lease, would make all of them late.
    assert!(half <= HEARTBEATS && most <= LEASE + OF_DEAD, "{obeyed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_cancels_race_a_hundred_ends_and_every_job_ends_once() {
    let cancels = times(CANCELS, 2 * CANCELS);
    let lease = LEASE.as_millis().to_string();
    let mut service = Service::start_with(&[("VESICLE_LEASE_MS", &lease)]).await;
    let workers: Vec<_> = (0..AT_ONCE).map(|_| service.worker()).collect();
    let client = &service.client;
    let calm: Vec<_> = stream::iter(0..CALM)
        .map(|n| async move { (format!("calm-{n}"), race(client, &format!("calm-{n}"), None).await) })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let mut usual: Vec<_> = calm.iter().map(|(_, calm)| calm.took).collect();
    usual.sort();
    let usual = usual[CALM / 2].as_micros() as u64;
    let mut random = Random::seeded(SEED);
    let lates: Vec<_> = (0..cancels).map(|_| Duration::from_micros(random.below(2 * usual))).collect();
    let one = |(n, late)| async move {
        let key = format!("race-{n}");
        (key.clone(), race(client, &key, Some(late)).await)
    };
    let raced = stream::iter(lates.into_iter().enumerate()).map(one).buffer_unordered(AT_ONCE);
    let raced: Vec<_> = raced.collect().await;

    let mut states: BTreeMap<String, usize> = BTreeMap::new();
    let (mut finished, mut obeyed) = (Vec::new(), Vec::new());
    for (_, raced) in &raced {
        let state = text(&service.client.job(&raced.job).await, "state");
        if state == "succeeded" {
            finished.extend(service.client.runs(&raced.job).await);
        } else {
            obeyed.extend(raced.obeyed);
        }
        *states.entry(state).or_default() += 1;
    }
    eprintln!("seed {SEED}: {states:?}");
    assert!(states.keys().all(|state| ["succeeded", "cancelled"].contains(&state.as_str())), "{states:?}");
    assert!(states.values().all(|n| *n >= 10) && states.len() == 2, "no race: {states:?}");
    assert_prompt(obeyed);

    // They are all the same run.
    let first = undisturbed(&spec(), &finished[..1], service.folder()).await;
    let first = first.into_values().next().expect("one was computed");
    let undisturbed = finished.iter().map(|run| (text(run, "id"), first.clone())).collect();
    for worker in workers {
        assert!(worker.terminate(PROMPT).await.success());
    }
    let answered = raced.into_iter().chain(calm).map(|(key, raced)| (key, raced.job)).collect();
    service.stop_server().await;
    checker::assert_sound(&service.database().await, &History { answered, undisturbed }).await;
    let records = Records::read(&service.database().await).await;
    assert_eq!(records.jobs.len(), cancels + CALM);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_worker_is_dead_is_cancelled_when_its_lease_has_run_out() {
    let lease = LEASE.as_millis().to_string();
    let service = Service::start_with(&[("VESICLE_LEASE_MS", &lease)]).await;
    let job = service.client.submit(&digits_job(1, 10_000, 100), "dead").await;
    let worker = service.worker();
    until("the run is on its way", PROMPT, async || {
        let run = service.client.runs(&job).await.swap_remove(0);
        (run["step"].as_u64() > Some(0)).then_some(())
    })
    .await;
    worker.kill().await;
    service.client.post(&format!("/jobs/{job}/cancel"), StatusCode::ACCEPTED).await;
    let began = Instant::now();
    // Nobody else is there to obey.
    service.client.until_job_is(&job, "cancelled", LEASE + OF_DEAD).await;
    eprintln!("cancelled {:?} after its worker died, lease {LEASE:?}", began.elapsed());
}

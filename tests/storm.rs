//! Submissions while the server dies: what was answered is there, and a key makes one job however often it is sent.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::{StreamExt, stream};
use reqwest::StatusCode;
use tokio::sync::Semaphore;

use crate::{
    checker::{self, History},
    support::{Client, PROMPT, Random, Service, digits_job, text, until},
};

const SEED: u64 = 6;
const KEYS: usize = 100;
const TIMES: usize = 10;
const KILLS: usize = 20;
/// Sent at once.
const AT_ONCE: usize = 32;

/// What clients saw.
#[derive(Default)]
struct Seen {
    answered: AtomicUsize,
    /// Sends that no answer came to.
    broken: AtomicUsize,
}

/// Sends a job under a key until it is answered; the id.
async fn insist(client: &Client, key: &str, seen: &Seen) -> String {
    let spec = digits_job(1, 1, 1);
    loop {
        match client.try_submit(&spec, key).await {
            Ok((StatusCode::CREATED | StatusCode::OK, job)) => {
                seen.answered.fetch_add(1, Ordering::Relaxed);
                return text(&job, "id");
            }
            // A server that starts or stops says so; another request under the same key may be on its way.
            Ok((status, problem)) => {
                let is_passing = matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::CONFLICT);
                assert!(is_passing, "{status}: {problem}");
            }
            Err(_) => {
                seen.broken.fetch_add(1, Ordering::Relaxed);
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_submissions_under_a_hundred_keys_survive_twenty_kills_as_a_hundred_jobs() {
    let mut service = Service::start().await;
    let seen = Arc::new(Seen::default());
    // Duplicates of a key are spread over the whole storm: some are sent long after their job was answered.
    let mut order: Vec<usize> = (0..KEYS * TIMES).map(|n| n % KEYS).collect();
    let mut random = Random::seeded(SEED);
    random.shuffle(&mut order);
    // Before each kill clients may send so much and no more: on a fast machine the rest would be over before it.
    let gate = Arc::new(Semaphore::new(AT_ONCE));
    let storm = {
        let (client, seen, gate) = (service.client.clone(), seen.clone(), gate.clone());
        tokio::spawn(async move {
            let send = |key: usize| {
                let (client, seen, gate) = (client.clone(), seen.clone(), gate.clone());
                async move {
                    gate.acquire().await.expect("nobody closes it").forget();
                    (key, insist(&client, &format!("key-{key}"), &seen).await)
                }
            };
            stream::iter(order).map(send).buffer_unordered(AT_ONCE).collect::<Vec<_>>().await
        })
    };
    let mut met = 0;
    let round = KEYS * TIMES / (KILLS + 1);
    gate.add_permits(round);
    for kill in 1..=KILLS {
        let due = kill * round;
        until(&format!("{due} answers"), PROMPT, async || {
            (seen.answered.load(Ordering::Relaxed) >= due).then_some(())
        })
        .await;
        let broken = seen.broken.load(Ordering::Relaxed);
        service.kill_server().await;
        gate.add_permits(round);
        until("a client notices", PROMPT, async || {
            (seen.broken.load(Ordering::Relaxed) > broken).then_some(())
        })
        .await;
        met += 1;
        service.start_server().await;
    }
    assert_eq!(met, KILLS, "every kill broke a submission off");
    gate.add_permits(KEYS * TIMES);

    let mut jobs: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    for (key, job) in storm.await.expect("no client panics") {
        jobs.entry(key).or_default().insert(job);
    }
    assert_eq!(jobs.len(), KEYS);
    let all: BTreeSet<&String> = jobs.values().flatten().collect();
    assert_eq!(all.len(), KEYS, "a key always means the same job, and no two keys share one: {jobs:?}");
    for job in all {
        service.client.post(&format!("/jobs/{job}/cancel"), StatusCode::ACCEPTED).await;
    }
    service.stop_server().await;
    let answered =
        jobs.iter().flat_map(|(key, jobs)| jobs.iter().map(move |job| (format!("key-{key}"), job.clone())));
    let history = History { answered: answered.collect(), ..History::default() };
    checker::assert_sound(&service.database().await, &history).await;
}

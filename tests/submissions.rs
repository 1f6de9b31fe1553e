//! Submissions while the server dies: what was answered is there, and a key makes one job however often it is sent.

use std::{
    collections::{BTreeMap, BTreeSet},
    iter::repeat_n,
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
    support::{Client, PROMPT, Random, Service, digits_job, text, times, until},
};

const SEED: u64 = 6;
/// Sent at once: more than a key has copies.
const AT_ONCE: usize = 32;

/// What is sent, and how often the server dies meanwhile.
#[derive(Debug, Clone, Copy)]
struct Storm {
    keys: usize,
    /// Of a key, all under way at once; one more comes late, when the server may have died since.
    copies: usize,
    kills: usize,
}

/// What clients saw.
#[derive(Default)]
struct Seen {
    answered: AtomicUsize,
    /// Of them, those that made a job: of the other jobs the first answer was lost.
    created: AtomicUsize,
    /// Sends that no answer came to.
    broken: AtomicUsize,
}

/// Sends a job under a key until it is answered; the id.
async fn insist(client: &Client, key: &str, seen: &Seen) -> String {
    let spec = digits_job(1, 1, 1);
    loop {
        match client.try_submit(&spec, key).await {
            Ok((status @ (StatusCode::CREATED | StatusCode::OK), job)) => {
                seen.answered.fetch_add(1, Ordering::Relaxed);
                seen.created.fetch_add(usize::from(status == StatusCode::CREATED), Ordering::Relaxed);
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

impl Storm {
    /// The key of each submission, in the order in which they are sent.
    fn order(self) -> Vec<usize> {
        let mut late: Vec<usize> = (0..self.keys).collect();
        Random::seeded(SEED).shuffle(&mut late);
        (0..self.keys).flat_map(|key| repeat_n(key, self.copies)).chain(late).collect()
    }

    /// Sends everything, and kills the server again and again, each time when something was on its way to it.
    async fn play(self) {
        let mut service = Service::start().await;
        let (seen, order) = (Arc::new(Seen::default()), self.order());
        let all = order.len();
        // Before each kill clients may send so much and no more: on a fast machine the rest would be over before it.
        let gate = Arc::new(Semaphore::new(AT_ONCE));
        let clients = tokio::spawn(send_all(service.client.clone(), order, seen.clone(), gate.clone()));
        let round = all / (self.kills + 1);
        gate.add_permits(round);
        for kill in 1..=self.kills {
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
            service.start_server().await;
        }
        gate.add_permits(all);
        let answered = clients.await.expect("no client panics");
        assert_eq!(answered.len(), all);
        let lost = self.keys.saturating_sub(seen.created.load(Ordering::Relaxed));
        eprintln!(
            "{all} submissions under {} keys were answered, {} kills broke {} off; {lost} jobs were made by one of these",
            self.keys,
            self.kills,
            seen.broken.load(Ordering::Relaxed)
        );
        self.check(service, answered).await;
    }

    async fn check(self, mut service: Service, answered: Vec<(usize, String)>) {
        let mut jobs: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
        for (key, job) in answered {
            jobs.entry(key).or_default().insert(job);
        }
        assert_eq!(jobs.len(), self.keys);
        let all: BTreeSet<&String> = jobs.values().flatten().collect();
        assert_eq!(
            all.len(),
            self.keys,
            "a key always means the same job, and no two keys share one: {jobs:?}"
        );
        let cancel = async |job: &String| {
            service.client.post(&format!("/jobs/{job}/cancel"), StatusCode::ACCEPTED).await;
        };
        stream::iter(all).map(cancel).buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
        service.stop_server().await;
        let answered = jobs
            .iter()
            .flat_map(|(key, jobs)| jobs.iter().map(move |job| (format!("key-{key}"), job.clone())));
        let history = History { answered: answered.collect(), ..History::default() };
        checker::assert_sound(&service.database().await, &history).await;
    }
}

/// Sends as the gate lets through; which job each key was answered with.
async fn send_all(
    client: Client,
    order: Vec<usize>,
    seen: Arc<Seen>,
    gate: Arc<Semaphore>,
) -> Vec<(usize, String)> {
    let send = |key: usize| {
        let (client, seen, gate) = (client.clone(), seen.clone(), gate.clone());
        async move {
            gate.acquire().await.expect("nobody closes it").forget();
            (key, insist(&client, &format!("key-{key}"), &seen).await)
        }
    };
    stream::iter(order).map(send).buffer_unordered(AT_ONCE).collect().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_submission_that_was_answered_survives_every_kill() {
    Storm { keys: times(500, 2_000), copies: 1, kills: times(20, 100) }.play().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_of_a_submission_make_one_job_whatever_kills_the_server_meanwhile() {
    Storm { keys: times(100, 500), copies: times(10, 20), kills: 10 }.play().await;
}

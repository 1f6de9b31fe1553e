//! Poison in a queue where everybody waits: it takes from others what its attempts take of a slot, and no more.
//!
//! Slots are puppets, so that a run takes as long as it is said to and the waits are those of the queue alone.

use std::{
    collections::BTreeSet,
    sync::Mutex,
    time::{Duration, Instant},
};

use futures::future::join_all;
use serde_json::json;

use crate::support::{Attempt, PROMPT, Puppet, Service, Times, digits_job, text, times};

const SLOTS: usize = 4;
/// Good jobs for each that is poison.
const GOOD: usize = 4;
/// An attempt of a poisoned run that fails early takes as much of what a good run takes.
const EARLY: u32 = 20;
const COUNTED: u64 = 3;
/// Of the median wait.
const CHANGE: f64 = 0.1;

/// When the good runs were begun, counted from when the first slot was there.
type Waits = Mutex<Vec<Duration>>;

/// What runs take: good ones, and attempts of poisoned ones.
#[derive(Clone, Copy)]
struct Takes {
    good: Duration,
    poisoned: Duration,
}

/// A slot: takes run after run, and fails with each that is poison.
async fn slot(mut puppet: Puppet, poison: &BTreeSet<String>, takes: Takes, waits: &Waits) {
    let began = Instant::now();
    loop {
        let attempt: Attempt = puppet.lease().await;
        if poison.contains(&attempt.run) {
            tokio::time::sleep(takes.poisoned).await; // what it computes
            attempt.crash().await;
        } else {
            waits.lock().expect("nobody panics while it is held").push(began.elapsed());
            tokio::time::sleep(takes.good).await;
            attempt.fail().await;
        }
    }
}

/// Sends all jobs before there is a slot, a poisoned one before every fourth of them if `poisoned`; answers how long
/// the good ones waited.
async fn waits(good: usize, poisoned: bool, takes: Takes) -> Times {
    let settings = [("VESICLE_BACKOFF_MS", "200"), ("VESICLE_LEASE_MS", "30000")];
    let service = Service::start_with(&settings).await;
    let client = &service.client;
    let (mut jobs, mut poison) = (Vec::new(), BTreeSet::new());
    for n in 0..good {
        if poisoned && n.is_multiple_of(GOOD) {
            let job = client.submit(&digits_job(1, 1, 1), &format!("poison-{n}")).await;
            poison.insert(text(&client.runs(&job).await[0], "id"));
            jobs.push((job, COUNTED));
        }
        jobs.push((client.submit(&digits_job(1, 1, 1), &format!("good-{n}")).await, 1));
    }
    let (waits, mut slots) = (Waits::default(), Vec::new());
    for _ in 0..SLOTS {
        let puppet = Puppet::connect(&client.server).await;
        slots.push(slot(puppet, &poison, takes, &waits));
    }
    let patience = PROMPT + 2 * (takes.good + takes.poisoned) * good as u32;
    let all_end = async {
        for (job, attempts) in jobs {
            client.until_job_is(&job, "failed", patience).await;
            assert_eq!(client.runs(&job).await[0]["attempt"], json!(attempts));
        }
    };
    tokio::select! {
        _ = join_all(slots) => panic!("slots ask for more"),
        () = all_end => {}
    }
    let waits = waits.into_inner().expect("nobody panics while it is held");
    let waits = Times::of(waits);
    assert_eq!(waits.count(), good, "each was begun once");
    waits
}

#[tokio::test(flavor = "multi_thread")]
async fn poison_that_fails_early_hardly_lets_others_wait() {
    let (jobs, good) = times((20, Duration::from_secs(1)), (80, Duration::from_secs(2)));
    let median = async |poisoned: Option<Duration>| {
        let takes = Takes { good, poisoned: poisoned.unwrap_or_default() };
        waits(jobs, poisoned.is_some(), takes).await.percentile(50)
    };
    let (calm, early, late) = tokio::join!(median(None), median(Some(good / EARLY)), median(Some(good)));
    let change = |with: Duration| with.as_secs_f64() / calm.as_secs_f64() - 1.0;
    eprintln!(
        "{jobs} jobs of {good:?} waited {calm:?} in half of the cases; beside {} poisoned ones {early:?} ({:+.1} %), {late:?} if these take as long ({:+.1} %)",
        jobs / GOOD,
        100.0 * change(early),
        100.0 * change(late)
    );
    assert!(change(early).abs() < CHANGE, "{early:?} instead of {calm:?}");
    // Negative control: attempts that take as long as good runs take as much away.
    assert!(change(late) > 2.0 * CHANGE, "{late:?} instead of {calm:?}");
}

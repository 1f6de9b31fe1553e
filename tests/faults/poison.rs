//! Poison: runs that fail however often they are tried. They end, for the reason that is theirs, and others go on beside them.

use std::time::Duration;

use futures::{StreamExt, stream};
use serde_json::{Value as Json, json};

use crate::{
    checker::{self, History},
    support::{Child, Client, PROMPT, Service, digits_job, times, until},
};

/// Good jobs for each that is poison.
const GOOD: usize = 4;
/// Workers, and good jobs at once: slots are free for those that come.
const WORKERS: usize = 4;
const AT_ONCE: usize = 2;
const JOB: Duration = Duration::from_secs(300);
/// Attempts of a run whose failures count, and of one that never gets further.
const COUNTED: u64 = 3;
const STALLED: u64 = 5;

/// Good jobs take a step every other millisecond, far below the limit however busy the machine is; the only step of a
/// poisoned one takes three times the limit on an idle machine, and longer on others.
const SETTINGS: [(&str, &str); 2] = [("VESICLE_PROGRESS_MS", "2000"), ("VESICLE_BACKOFF_MS", "200")];

fn poison() -> Json {
    let params = json!({"hidden_units": 4096, "cd_k": 1000, "batch": 100, "train_images": 100, "epochs": 1, "test_images": 10});
    json!({"experiment": "rbse", "params": params, "seeds": [1]})
}

/// Events of a job so far.
async fn log(client: &Client, job: &str) -> Vec<Json> {
    let page = client.get(&format!("/jobs/{job}/events")).await;
    page["events"].as_array().expect("a page of events").clone()
}

/// Sends good jobs, a few at once, and a poisoned one with every fourth of them; answers those.
async fn send(client: &Client, count: usize) -> Vec<String> {
    let one = async |n: usize| {
        let bad = match n.is_multiple_of(GOOD) {
            true => Some(client.submit(&poison(), &format!("poison-{n}")).await),
            false => None,
        };
        let good = client.submit(&digits_job(1, 1, 100), &format!("good-{n}")).await;
        client.until_job_is(&good, "succeeded", JOB).await;
        bad
    };
    let all: Vec<_> = stream::iter(0..count).map(one).buffer_unordered(AT_ONCE).collect().await;
    all.into_iter().flatten().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn poisoned_runs_end_after_three_attempts_and_good_ones_beside_them_succeed() {
    let bad = times(5, 20);
    let mut service = Service::start_with(&SETTINGS).await;
    let workers: Vec<_> = (0..WORKERS).map(|_| service.worker()).collect();
    until("all workers are there", PROMPT, async || {
        workers.iter().all(|worker| worker.worker_id().is_some()).then_some(())
    })
    .await;
    let client = &service.client;
    let poisoned = send(client, GOOD * bad).await;
    assert_eq!(poisoned.len(), bad);
    for job in &poisoned {
        client.until_job_is(job, "failed", JOB).await;
        let run = client.runs(job).await.swap_remove(0);
        assert_eq!(
            (&run["attempt"], &run["failure"]["class"]),
            (&json!(COUNTED), &json!("timeout")),
            "{run}"
        );
        let log = log(client, job).await;
        let requeued = log.iter().filter(|event| event["event"] == "run_requeued");
        assert!(requeued.clone().all(|event| event["not_before"].is_string()), "each waits before the next");
        assert_eq!(requeued.count() as u64, COUNTED - 1);
    }
    for worker in workers {
        assert!(worker.terminate(PROMPT).await.success());
    }
    service.stop_server().await;
    checker::assert_sound(&service.database().await, &History::default()).await;
}

/// A worker that dies by what it computes, as by a bug in a library, looks like one that was killed.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_takes_every_worker_with_it_ends_as_a_crash_loop() {
    let service = Service::start_with(&[("VESICLE_LEASE_MS", "1000")]).await;
    let mut spec = digits_job(1, 10_000, 100);
    spec["checkpoint_every_steps"] = json!(600_000);
    let job = service.client.submit(&spec, "deadly").await;
    for attempt in 1..=STALLED {
        let worker: Child = service.worker();
        until("it is at the run", PROMPT, async || {
            let run = service.client.runs(&job).await.swap_remove(0);
            (run["attempt"] == attempt && run["step"].as_u64() > Some(0)).then_some(())
        })
        .await;
        worker.kill().await;
    }
    service.client.until_job_is(&job, "failed", PROMPT).await;
    let run = service.client.runs(&job).await.swap_remove(0);
    assert_eq!((&run["attempt"], &run["failure"]["class"]), (&json!(STALLED), &json!("crash_loop")), "{run}");
    // Negative control: a run that gets further is not given up, however many of its workers die; `faults::deaths`.
}

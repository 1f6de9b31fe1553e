//! Going away and coming back: signals, restarts, and what users ask of a job.

use std::{path::Path, time::Duration};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use reqwest::StatusCode;
use serde_json::Value as Json;

use crate::{
    checker::{self, History, Records},
    support::{PROMPT, Service, digits_job, undisturbed, until},
};

/// For a job of a few runs.
const JOB: Duration = Duration::from_secs(60);

/// Submits a job and computes what it gives undisturbed.
async fn submit(service: &Service, spec: &Json, key: &str, history: &mut History) -> String {
    let job = service.client.submit(spec, key).await;
    let runs = service.client.runs(&job).await;
    history.undisturbed.extend(undisturbed(spec, &runs, service.folder()).await);
    history.answered.push((key.to_owned(), job.clone()));
    job
}

/// Waits until the first run of a job has a checkpoint and runs; answers it.
async fn until_under_way(service: &Service, job: &str) -> Json {
    until("a run is under way", PROMPT, async || {
        let run = service.client.runs(job).await.swap_remove(0);
        let stored = run["checkpoint_step"].as_u64().unwrap_or(0);
        (run["state"] == "running" && stored > 0 && run["step"].as_u64() < run["steps"].as_u64())
            .then_some(run)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_drains_hands_its_run_on_at_the_step_it_was_at() {
    let (mut service, mut history) = (Service::start().await, History::default());
    let job = submit(&service, &digits_job(1, 10, 400), "drain", &mut history).await;
    let first = service.worker();
    until_under_way(&service, &job).await;
    let status = first.terminate(PROMPT).await;
    assert!(status.success(), "a worker that drains ends with {status}");
    let handed_on = service.client.runs(&job).await.swap_remove(0);
    assert_eq!((&handed_on["state"], &handed_on["attempt"]), (&"queued".into(), &1.into()), "{handed_on}");

    let second = service.worker();
    service.client.until_job_is(&job, "succeeded", JOB).await;
    assert!(second.terminate(PROMPT).await.success());
    service.stop_server().await;
    checker::assert_sound(&service.database().await, &history).await;
    let records = Records::read(&service.database().await).await;
    let mut events = records.jobs[&job].events.iter().skip_while(|event| !event.is("run_requeued"));
    assert_eq!(events.next().expect("the run went back").body["class"], "drained");
    let resumed = events.find(|event| event.is("run_started")).expect("the run went on");
    let (reached, from) = (handed_on["step"].as_u64(), resumed.number("from_step"));
    assert!(reached > Some(0) && from >= reached, "the run was at {reached:?} and goes on from {from:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_of_the_server_stops_no_worker_and_ends_no_attempt() {
    let (mut service, mut history) = (Service::start().await, History::default());
    let job = submit(&service, &digits_job(1, 10, 400), "restart", &mut history).await;
    let mut worker = service.worker();
    let before = until_under_way(&service, &job).await;
    service.stop_server().await;
    service.start_server().await;
    until("the run goes on", PROMPT, async || {
        let run = service.client.runs(&job).await.swap_remove(0);
        (run["step"].as_u64() > before["step"].as_u64()).then_some(())
    })
    .await;
    assert!(worker.lives(), "the worker has ended:\n{}", worker.log());
    service.client.until_job_is(&job, "succeeded", JOB).await;
    assert!(worker.terminate(PROMPT).await.success());
    service.stop_server().await;
    checker::assert_sound(&service.database().await, &history).await;
    let records = Records::read(&service.database().await).await;
    assert!(records.runs.values().all(|run| run.attempt == 1), "a restart costs no attempt");
    assert_eq!(records.workers.len(), 1, "the worker is the one that it was");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_was_paused_and_resumed_gives_the_same_and_a_cancelled_one_ends() {
    let (mut service, mut history) = (Service::start().await, History::default());
    let spec = digits_job(2, 6, 400);
    let job = submit(&service, &spec, "pause", &mut history).await;
    let worker = service.worker();
    until_under_way(&service, &job).await;
    service.client.post(&format!("/jobs/{job}/pause"), StatusCode::ACCEPTED).await;
    let paused = service.client.until_job_is(&job, "paused", PROMPT).await;
    assert_eq!(paused["runs"]["paused"], 2, "{paused}");
    // A repetition is no news.
    let again = service.client.post(&format!("/jobs/{job}/pause"), StatusCode::ACCEPTED).await;
    assert_eq!(again["last_seq"], paused["last_seq"]);

    let cancelled = service.client.submit(&spec, "cancel").await;
    history.answered.push(("cancel".to_owned(), cancelled.clone()));
    until_under_way(&service, &cancelled).await;
    service.client.post(&format!("/jobs/{cancelled}/cancel"), StatusCode::ACCEPTED).await;
    service.client.until_job_is(&cancelled, "cancelled", PROMPT).await;
    service.client.post(&format!("/jobs/{cancelled}/cancel"), StatusCode::ACCEPTED).await;
    let refused = service.client.post(&format!("/jobs/{cancelled}/resume"), StatusCode::CONFLICT).await;
    assert!(refused["detail"].as_str().is_some_and(|detail| detail.contains("cancelled")), "{refused}");

    service.client.post(&format!("/jobs/{job}/resume"), StatusCode::ACCEPTED).await;
    service.client.until_job_is(&job, "succeeded", JOB).await;
    assert!(worker.terminate(PROMPT).await.success());
    service.stop_server().await;
    checker::assert_sound(&service.database().await, &history).await;
}

/// Waits for a worker other than `before`; answers its process id.
async fn until_worker_other_than(service: &Service, before: i32) -> i32 {
    until("a worker has registered", PROMPT, async || {
        let workers = service.client.get("/workers").await;
        let names =
            workers["workers"].as_array().into_iter().flatten().filter_map(|worker| worker["name"].as_str());
        let mut pids = names.filter_map(|name| name.rsplit(':').next()?.parse().ok());
        pids.find(|pid| *pid != before)
    })
    .await
}

async fn until_gone(pid: i32) {
    let process = format!("/proc/{pid}");
    until(&format!("worker {pid} is gone"), PROMPT, async || (!Path::new(&process).exists()).then_some(()))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn up_replaces_a_dead_worker_and_leaves_none_behind_however_it_ends() {
    let mut service = Service::up().await;
    let first = until_worker_other_than(&service, 0).await;
    let job = service.client.submit(&digits_job(1, 10, 400), "up").await;
    until_under_way(&service, &job).await;
    kill(Pid::from_raw(first), Signal::SIGKILL).expect("the worker lives");
    let second = until_worker_other_than(&service, first).await;
    service.client.until_job_is(&job, "succeeded", JOB).await;
    service.stop_server().await;
    until_gone(second).await;

    service.start_server().await;
    let job = service.client.submit(&digits_job(1, 100, 400), "up-again").await;
    until_under_way(&service, &job).await;
    let records = Records::read(&service.database().await).await;
    service.kill_server().await;
    for name in records.workers.values() {
        until_gone(
            name.rsplit(':').next().and_then(|pid| pid.parse().ok()).expect("a name ends in a process id"),
        )
        .await;
    }
}

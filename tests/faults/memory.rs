//! A run that needs more memory than there is: it ends for that reason, and soon.

use std::{os::unix::process::ExitStatusExt as _, time::Duration};

use nix::sys::signal::Signal;
use reqwest::StatusCode;
use serde_json::{Value as Json, json};

use crate::{
    checker::{self, History, Records},
    support::{Child, LEASE, MemoryCgroup, PROMPT, Service, digits_job, resident_kib, text, until},
};

/// What a worker, its witness and their runs may use together.
const LIMIT_MIB: u64 = 100;
/// The server's part in it are a few reports.
const GROWTH_KIB: u64 = 16 << 10;
const JOB: Duration = Duration::from_secs(120);

/// Needs 288 MiB, as `/usr/bin/time -v vesicle run` says.
fn hungry() -> Json {
    let params =
        json!({"hidden_units": 4096, "batch": 400, "train_images": 400, "epochs": 1, "test_images": 10});
    json!({"experiment": "rbse", "params": params, "seeds": [1]})
}

/// A worker in the cgroup that plans with more than it gets.
fn worker_in(cgroup: &MemoryCgroup, service: &Service) -> Child {
    let launcher = cgroup.launcher();
    let launcher: Vec<_> = launcher.iter().map(String::as_str).collect();
    let args = ["work", "--server", &service.client.server, "--slots", "1", "--memory-mib", "4096"];
    service.process_by(&launcher, "worker", &args, &[])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_out_of_memory_says_so_and_is_tried_only_twice() {
    let Some(cgroup) = MemoryCgroup::limited_to(LIMIT_MIB) else { return };
    let mut service = Service::start_with(&[("VESICLE_BACKOFF_MS", "100")]).await;
    let enough = with_enough_memory_it_succeeds(&service).await;
    let before = resident_kib(service.server_pid());
    let job = service.client.submit(&hungry(), "hungry").await;
    for kill in 1..=2 {
        let status = worker_in(&cgroup, &service).ended_within(PROMPT).await;
        assert_eq!(status.signal(), Some(Signal::SIGKILL as i32), "{status}");
        assert_eq!(cgroup.kills(), kill, "it was the kernel");
        until("the attempt is ended", PROMPT, async || {
            let run = service.client.runs(&job).await.swap_remove(0);
            (run["state"] != "running" && run["attempt"] == kill).then_some(())
        })
        .await;
    }
    service.client.until_job_is(&job, "failed", PROMPT).await;
    let run = service.client.runs(&job).await.swap_remove(0);
    assert_eq!((&run["attempt"], &run["failure"]["class"]), (&json!(2), &json!("oom")), "{run}");
    assert!(text(&run["failure"], "message").contains("its cgroup may use 100 MiB"), "{run}");
    let grown = resident_kib(service.server_pid()).saturating_sub(before);
    eprintln!("killed for want of memory: {} attempts, the server grew by {grown} KiB", run["attempt"]);
    assert!(grown <= GROWTH_KIB, "the server grew by {grown} KiB");

    let killed = a_worker_that_we_kill_is_lost(&cgroup, &service).await;
    service.stop_server().await;
    let answered = [("hungry", &job), ("killed", &killed), ("enough", &enough)];
    let answered = answered.map(|(key, job)| (key.to_owned(), job.clone())).to_vec();
    let file = service.database().await;
    checker::assert_sound(&file, &History { answered, ..History::default() }).await;
    let records = Records::read(&file).await;
    let classes = |job: &str| -> Vec<String> {
        let events = records.jobs[job].events.iter();
        events.filter_map(|event| event.body["class"].as_str().map(str::to_owned)).collect()
    };
    assert_eq!(
        (classes(&job), classes(&killed), classes(&enough)),
        (vec!["oom".into(); 2], vec!["lost".into()], vec![])
    );
    cgroup.remove(PROMPT).await;
}

/// Negative control: the cgroup has seen kills, but this one is ours.
async fn a_worker_that_we_kill_is_lost(cgroup: &MemoryCgroup, service: &Service) -> String {
    let job = service.client.submit(&digits_job(1, 10_000, 100), "killed").await;
    let worker = worker_in(cgroup, service);
    let run = async || service.client.runs(&job).await.swap_remove(0);
    until("the run is on its way", PROMPT, async || {
        (run().await["checkpoint_step"].as_u64() > Some(0)).then_some(())
    })
    .await;
    worker.kill().await;
    until("its lease has run out", LEASE + PROMPT, async || (run().await["state"] == "queued").then_some(()))
        .await;
    service.client.post(&format!("/jobs/{job}/cancel"), StatusCode::ACCEPTED).await;
    job
}

/// Negative control: nothing else is wrong with the run.
async fn with_enough_memory_it_succeeds(service: &Service) -> String {
    let job = service.client.submit(&hungry(), "enough").await;
    let worker = service.worker();
    service.client.until_job_is(&job, "succeeded", JOB).await;
    assert!(worker.terminate(PROMPT).await.success());
    job
}

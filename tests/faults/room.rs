//! A disk that fills up bit by bit: each limit is told once, refuses what it says, and is lifted by itself.

use std::time::Duration;

use reqwest::{Method, StatusCode};

use crate::{
    checker::{self, History, Records},
    support::{Client, LEASE, OnSqlite, PROMPT, Service, SmallDisk, digits_job, json, undisturbed, until},
};

const MIB: u64 = 1 << 20;
const DISK_MIB: u32 = 32;
/// Room enough between the limits for what the run writes meanwhile.
const SETTINGS: [(&str, &str); 3] = [
    ("VESICLE_WARN_FREE_PERCENT", "60"),
    ("VESICLE_MIN_FREE_BYTES", "12582912"),
    ("VESICLE_MIN_FREE_WRITE_BYTES", "6291456"),
];

async fn until_disk_is(client: &Client, word: &str) {
    until(&format!("the disk is `{word}`"), PROMPT, async || {
        let ready = client.request(Method::GET, "/readyz").send().await.expect("the server answers");
        assert_eq!(ready.status(), StatusCode::OK, "it is ready for readers all the same");
        (json(ready).await["disk"] == word).then_some(())
    })
    .await;
}

async fn is_taken(client: &Client, key: &str) -> bool {
    let tiny = digits_job(1, 1, 1);
    let (status, answer) = client.try_submit(&tiny, key).await.expect("the server answers");
    assert!(status == StatusCode::CREATED || answer["code"] == "disk_full", "{status}: {answer}");
    status == StatusCode::CREATED
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fills_up_refuses_jobs_first_and_then_every_write() {
    let Some(disk) = SmallDisk::mount(DISK_MIB) else { return };
    let home = disk.path().display().to_string();
    let settings = [&[("VESICLE_HOME", home.as_str())], &SETTINGS[..]].concat();
    let mut service = Service::start_on_sqlite(OnSqlite::FullDisk, &settings).await;
    let client = service.client.clone();
    let spec = digits_job(1, 6, 600);
    let job = client.submit(&spec, "first").await;
    let undisturbed = undisturbed(&spec, &client.runs(&job).await, service.folder()).await;
    let mut history = History { answered: vec![("first".to_owned(), job.clone())], undisturbed };
    until_disk_is(&client, "ok").await;
    let worker = service.worker();
    let reached = async || client.runs(&job).await[0]["step"].as_u64().unwrap_or_default();

    disk.leave(16 * MIB);
    until_disk_is(&client, "low").await;
    disk.leave(9 * MIB);
    until_disk_is(&client, "no_new_jobs").await;
    assert!(!is_taken(&client, "second").await);
    let before = reached().await;
    until("the run goes on", PROMPT, async || (reached().await > before).then_some(())).await;

    disk.leave(5 * MIB);
    until_disk_is(&client, "reading_only").await;
    until("a report is refused", PROMPT, async || worker.log().contains("ResourceExhausted").then_some(()))
        .await;
    let before = reached().await;
    // For longer than a lease is good, which is a time and nothing else.
    tokio::time::sleep(LEASE + LEASE / 2).await;
    assert_eq!(reached().await, before, "nothing was written, and reading went on");
    assert_eq!(client.telemetry("vesicle_lease_expired_total").await, 0.0);

    disk.free();
    until_disk_is(&client, "ok").await;
    assert!(is_taken(&client, "third").await);
    let jobs = client.get("/jobs?limit=1").await;
    history.answered.push(("third".to_owned(), jobs["jobs"][0]["id"].as_str().expect("an id").to_owned()));
    for (_, job) in &history.answered {
        client.until_job_is(job, "succeeded", Duration::from_secs(60)).await;
    }
    let log = service.server_log();
    for room in ["room=\"low\"", "room=\"no_new_jobs\"", "room=\"reading_only\"", "room=\"ok\""] {
        assert_eq!(log.matches(room).count(), 1, "{room} is told once:\n{log}");
    }
    assert!(worker.terminate(PROMPT).await.success());
    service.stop_server().await;
    checker::assert_sound(&service.database().await, &history).await;
    let records = Records::read(&service.database().await).await;
    assert!(records.runs.values().all(|run| run.attempt == 1), "no attempt was lost");
}

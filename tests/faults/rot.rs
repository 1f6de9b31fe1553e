//! Checkpoints that rot on the disk: none is ever loaded, and the run goes on from the one before.

use std::{collections::BTreeMap, path::Path, sync::Mutex, time::Duration};

use futures::{StreamExt, stream};
use reqwest::{Method, StatusCode};
use serde_json::{Value as Json, json};
use sqlx::{Connection, Row, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::{
    checker::{self, History, Records},
    support::{Client, OnSqlite, PROMPT, Service, digits_job, text, undisturbed},
};

/// As many runs, and what happens to the newest checkpoint of each.
const CUTS: usize = 28;
const FLIPS: usize = 27;
const RUNS: usize = CUTS + FLIPS + 5;
const AT_ONCE: usize = 4;
const JOB: Duration = Duration::from_secs(120);

/// What happens to the only chunk of a checkpoint: its new bytes, or none at all.
fn rotten(n: usize, bytes: &[u8]) -> Option<Vec<u8>> {
    let mut rotten = bytes.to_vec();
    match n {
        _ if n < CUTS => rotten.truncate(n * bytes.len() / CUTS),
        _ if n < CUTS + FLIPS => rotten[(n - CUTS) * bytes.len() / FLIPS] ^= 1 << (n % 8),
        _ => match n - CUTS - FLIPS {
            0 => rotten.push(0),
            1 => rotten.fill(0),
            2 => rotten.reverse(),
            3 => rotten.rotate_left(1),
            _ => return None,
        },
    }
    Some(rotten)
}

/// Lets the newest checkpoint of the only run of each job rot; answers its step by run.
async fn let_rot(database: &Path, jobs: &[String]) -> BTreeMap<String, u64> {
    let options = SqliteConnectOptions::new().filename(database).foreign_keys(false);
    let mut db = SqliteConnection::connect_with(&options).await.expect("the server has gone");
    let newest = "SELECT run_id, max(checkpoint.step) AS step, checkpoint.digest FROM checkpoint JOIN run ON run.id = run_id
        WHERE job_id = ? GROUP BY run_id";
    let mut steps = BTreeMap::new();
    for (n, job) in jobs.iter().enumerate() {
        let job: uuid::Uuid = job.parse().expect("an id is a UUID");
        let row = sqlx::query(newest).bind(job.as_bytes().as_slice()).fetch_one(&mut db).await;
        let row = row.expect("the run has checkpoints");
        let digest: Vec<u8> = row.get("digest");
        let chunk = sqlx::query("SELECT bytes FROM checkpoint_chunk WHERE digest = ?").bind(&digest);
        let bytes: Vec<u8> = chunk.fetch_one(&mut db).await.expect("it has one chunk").get("bytes");
        let done = match rotten(n, &bytes) {
            Some(rotten) => {
                assert_ne!(rotten, bytes, "nothing rotted");
                let update = "UPDATE checkpoint_chunk SET bytes = ?, length = ? WHERE digest = ?";
                let length = rotten.len() as i64;
                sqlx::query(update).bind(rotten).bind(length).bind(&digest).execute(&mut db).await
            }
            None => {
                let delete = "DELETE FROM checkpoint_chunk WHERE digest = ?";
                sqlx::query(delete).bind(&digest).execute(&mut db).await
            }
        };
        assert_eq!(done.expect("a row can be changed").rows_affected(), 1);
        let run: Vec<u8> = row.get("run_id");
        let run = uuid::Uuid::from_slice(&run).expect("an id has 16 bytes").to_string();
        steps.insert(run, row.get::<i64, _>("step") as u64);
    }
    db.close().await.expect("the database can be closed");
    steps
}

/// Each run has another seed, so that no two share a checkpoint.
fn spec(seed: usize) -> Json {
    let mut spec = digits_job(1, 6, 60);
    spec["seeds"]["from"] = json!(seed);
    spec["every"] = json!(130);
    spec
}

/// A job whose only run was put aside with two checkpoints on the way; `keys` gets all that were sent for it.
async fn paused(client: &Client, seed: usize, keys: &Mutex<Vec<(String, String)>>) -> String {
    for n in 0.. {
        let key = format!("rot-{seed}-{n}");
        let job = client.submit(&spec(seed + n * RUNS), &key).await;
        keys.lock().expect("nothing panics while it is held").push((key, job.clone()));
        let mut events = std::pin::pin!(client.events(&job, None).await);
        let mut stored = 0;
        while let Some(event) = events.next().await {
            match event.kind.as_str() {
                "checkpoint_stored" => {
                    stored += 1;
                    if stored == 2 {
                        let pause = format!("/api/v1/jobs/{job}/pause");
                        let asked = client.request(Method::POST, &pause).send().await;
                        asked.expect("the server answers");
                    }
                }
                "run_paused" => return job,
                // It was faster than we: another one.
                "job_ended" => break,
                _ => {}
            }
        }
    }
    unreachable!("the loop has no end")
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_checkpoints_that_rotted_are_never_loaded_and_cost_no_run() {
    let mut service = Service::start_on_sqlite(OnSqlite::Tampered, &[]).await;
    let worker = service.worker_of(AT_ONCE as u32);
    let (client, keys) = (&service.client, Mutex::default());
    let paused = stream::iter(1..=RUNS).map(|seed| paused(client, seed, &keys));
    let paused: Vec<_> = paused.buffer_unordered(AT_ONCE).collect().await;
    service.stop_server().await;
    let rotted = let_rot(&service.sqlite_file(), &paused).await;
    assert_eq!(rotted.len(), RUNS);

    service.start_server().await;
    let mut history = History { answered: keys.into_inner().expect("nobody panicked"), ..History::default() };
    for job in &paused {
        service.client.post(&format!("/jobs/{job}/resume"), StatusCode::ACCEPTED).await;
    }
    let mut runs = Vec::new();
    for job in &paused {
        service.client.until_job_is(job, "succeeded", JOB).await;
        runs.extend(service.client.runs(job).await);
    }
    // The seed is the run's own.
    history.undisturbed = undisturbed(&spec(1), &runs, service.folder()).await;
    let found = service.client.telemetry("vesicle_checkpoints_corrupt_total").await;
    assert_eq!(found, RUNS as f64, "every one of them is reported");
    let begun = worker.log();
    assert!(worker.terminate(PROMPT).await.success());
    service.stop_server().await;
    checker::assert_sound(&service.database().await, &history).await;

    let records = Records::read(&service.database().await).await;
    for run in &runs {
        let (id, job) = (text(run, "id"), text(run, "job_id"));
        let mut events = records.events_of(&id).skip_while(|event| !event.is("checkpoint_corrupt"));
        let reported = events.next().unwrap_or_else(|| panic!("nobody reported the checkpoint of run {id}"));
        assert_eq!(reported.number("step"), Some(rotted[&id]), "run {id}");
        assert!(!events.any(|event| event.is("checkpoint_corrupt")), "run {id}: one was enough");
        let from = begun.rsplit_once(&format!("run {id} of job {job} begins at step ")).map(|(_, rest)| rest);
        let from = from.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
        assert!(from > Some(0) && from < Some(rotted[&id]), "run {id} went on from {from:?}");
    }
}

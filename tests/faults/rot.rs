//! Checkpoints that rot on the disk: none is ever loaded, and the run goes on from the one before.

use std::{collections::BTreeMap, sync::Mutex, time::Duration};

use futures::{StreamExt, stream};
use reqwest::{Method, StatusCode};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::{
    checker::{self, History, Records},
    support::{Client, PROMPT, Service, Tamper, digits_job, text, times, undisturbed},
};

const AT_ONCE: usize = 4;
const JOB: Duration = Duration::from_secs(120);

/// What happens to the newest checkpoints of as many runs: cuts at equal distances, flips of a bit at equal distances, and
/// five more.
#[derive(Debug, Clone, Copy)]
struct Rot {
    cuts: usize,
    flips: usize,
}

impl Rot {
    fn runs(self) -> usize {
        self.cuts + self.flips + 5
    }

    /// What becomes of the only chunk of the n-th checkpoint: its new bytes, or none at all.
    fn rotten(self, n: usize, bytes: &[u8]) -> Option<Vec<u8>> {
        let Self { cuts, flips } = self;
        let mut rotten = bytes.to_vec();
        match n {
            _ if n < cuts => rotten.truncate(n * bytes.len() / cuts),
            _ if n < cuts + flips => rotten[(n - cuts) * bytes.len() / flips] ^= 1 << (n % 8),
            _ => match n - cuts - flips {
                0 => rotten.push(0),
                1 => rotten.fill(0),
                2 => rotten.reverse(),
                3 => rotten.rotate_left(1),
                _ => return None,
            },
        }
        Some(rotten)
    }
}

/// Lets the newest checkpoint of the only run of each job rot; answers its step by run.
async fn let_rot(rot: Rot, service: &Service, jobs: &[String]) -> BTreeMap<String, u64> {
    let mut db = Tamper::with(service).await;
    let mut steps = BTreeMap::new();
    for (n, job) in jobs.iter().enumerate() {
        let newest = format!(
            "FROM checkpoint JOIN run ON run.id = run_id WHERE job_id = {} ORDER BY checkpoint.step DESC LIMIT 1",
            db.id(job)
        );
        let run: Uuid = db.read(format!("SELECT run_id {newest}")).await;
        let step: i64 = db.read(format!("SELECT checkpoint.step {newest}")).await;
        let digest: Vec<u8> = db.read(format!("SELECT checkpoint.digest {newest}")).await;
        let chunk = format!("digest = {}", db.bytes(&digest));
        let bytes: Vec<u8> = db.read(format!("SELECT bytes FROM checkpoint_chunk WHERE {chunk}")).await;
        let change = match rot.rotten(n, &bytes) {
            Some(rotten) => {
                assert_ne!(rotten, bytes, "nothing rotted");
                let (length, rotten) = (rotten.len(), db.bytes(&rotten));
                format!("UPDATE checkpoint_chunk SET bytes = {rotten}, length = {length} WHERE {chunk}")
            }
            None => format!("DELETE FROM checkpoint_chunk WHERE {chunk}"),
        };
        assert_eq!(db.change(change).await, 1, "it has one chunk");
        steps.insert(run.to_string(), step as u64);
    }
    db.close().await;
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
async fn paused(client: &Client, seed: usize, runs: usize, keys: &Mutex<Vec<(String, String)>>) -> String {
    for n in 0.. {
        let key = format!("rot-{seed}-{n}");
        let job = client.submit(&spec(seed + n * runs), &key).await;
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
async fn checkpoints_that_rotted_are_never_loaded_and_cost_no_run() {
    let rot = Rot { cuts: times(28, 100), flips: times(27, 195) };
    let count = rot.runs();
    let mut service = Service::start().await;
    let worker = service.worker_of(AT_ONCE as u32);
    let (client, keys) = (&service.client, Mutex::default());
    let paused = stream::iter(0..=count).map(|seed| paused(client, 1 + seed, 1 + count, &keys));
    let paused: Vec<_> = paused.buffer_unordered(AT_ONCE).collect().await;
    service.stop_server().await;
    // Negative control: the checkpoints of one run stay as they are.
    let (_, rotting) = paused.split_last().expect("one more than rot");
    let rotted = let_rot(rot, &service, rotting).await;
    assert_eq!(rotted.len(), count);

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
    assert_eq!(found, count as f64, "every one of them is reported");
    let begun = worker.log();
    assert!(worker.terminate(PROMPT).await.success());
    service.stop_server().await;
    checker::assert_sound(&service.database().await, &history).await;

    let records = Records::read(&service.database().await).await;
    for run in &runs {
        let (id, job) = (text(run, "id"), text(run, "job_id"));
        let from = begun.rsplit_once(&format!("run {id} of job {job} begins at step ")).map(|(_, rest)| rest);
        let from = from.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
        assert!(from > Some(0), "run {id} went on from {from:?}");
        let reported: Vec<_> =
            records.events_of(&id).filter(|event| event.is("checkpoint_corrupt")).collect();
        let reported: Vec<_> = reported.iter().filter_map(|event| event.number("step")).collect();
        let Some(step) = rotted.get(&id) else {
            assert!(reported.is_empty(), "run {id} was left alone: {reported:?}");
            continue;
        };
        assert_eq!(reported, [*step], "run {id}");
        assert!(from < Some(*step), "run {id} went on from {from:?}");
    }
    eprintln!(
        "{count} checkpoints that rotted: none was loaded, all were reported, each run went on from the one before"
    );
}

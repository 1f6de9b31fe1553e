//! Checkpoints that are as they were stored, and that no simulation goes on from: of another format, of another model.
//! The run goes on from the one before, or from the beginning.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value as Json;

use crate::{
    checker::{self, History, Records},
    support::{PROMPT, Puppet, Service, digits_job, text, undisturbed, until},
};

const JOB: Duration = Duration::from_secs(60);

fn spec() -> Json {
    digits_job(1, 4, 20)
}

/// A checkpoint of a run of another model, other params that is, which a worker of another service made.
async fn foreign() -> Vec<u8> {
    let service = Service::start().await;
    let mut spec = spec();
    spec["params"]["hidden_units"] = 32.into();
    let job = service.client.submit(&spec, "foreign").await;
    let worker = service.worker();
    service.client.until_job_is(&job, "succeeded", JOB).await;
    assert!(worker.terminate(PROMPT).await.success());
    let run = text(&service.client.runs(&job).await[0], "id");
    let read = service.client.request(Method::GET, &format!("/api/v1/runs/{run}/checkpoint"));
    let answer = read.send().await.expect("the server answers");
    answer.bytes().await.expect("the whole checkpoint comes").to_vec()
}

/// The same with another number of its format, and a check sum of the header that is right: what another version of the
/// program would store. Four letters and the header's length come first, and the header begins with the format.
fn of_another_format(checkpoint: &[u8]) -> Vec<u8> {
    let mut other = checkpoint.to_vec();
    let (head, length) = (8, u32::from_le_bytes(other[4..8].try_into().expect("four bytes")) as usize);
    assert_eq!(&other[..4], b"VSCL");
    other[head] += 1;
    let crc = crc32c(&other[head..head + length]);
    other[head + length..head + length + 4].copy_from_slice(&crc.to_le_bytes());
    other
}

/// CRC-32C (Castagnoli), bit by bit.
fn crc32c(bytes: &[u8]) -> u32 {
    let step = |crc: u32| (crc >> 1) ^ (0x82f6_3b78 * (crc & 1));
    !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_that_no_simulation_goes_on_from_costs_no_run() {
    let mut service = Service::start().await;
    let foreign = foreign().await;
    let job = service.client.submit(&spec(), "job").await;
    // A worker that left two checkpoints nobody here can read.
    let mut puppet = Puppet::connect(&service.client.server).await;
    let mut lease = puppet.lease().await;
    lease.store(10, &of_another_format(&foreign)).await;
    lease.store(20, &foreign).await;
    lease.leave().await;

    let worker = service.worker();
    service.client.until_job_is(&job, "succeeded", JOB).await;
    let runs = service.client.runs(&job).await;
    let undisturbed = undisturbed(&spec(), &runs, service.folder()).await;
    let history = History { answered: vec![("job".to_owned(), job)], undisturbed };
    assert!(worker.terminate(PROMPT).await.success());
    let log = service.server_log();
    assert!(log.contains("it has format 3, this program reads 2"), "one is of another format:\n{log}");
    let told = service.client.telemetry("vesicle_checkpoints_corrupt_total").await;
    assert_eq!(told, 2.0);
    service.stop_server().await;
    checker::assert_sound(&service.database().await, &history).await;

    let records = Records::read(&service.database().await).await;
    let id = text(&runs[0], "id");
    let begun: Vec<_> = records
        .events_of(&id)
        .filter(|event| event.is("run_started"))
        .map(|event| event.number("from_step"))
        .collect();
    assert_eq!(begun, [Some(0), Some(20), Some(10), Some(0)], "each in turn, then from the beginning");
    let lost: Vec<_> = records
        .events_of(&id)
        .filter(|event| event.is("checkpoint_corrupt"))
        .map(|event| event.number("step"))
        .collect();
    assert_eq!(lost, [Some(20), Some(10)]);
}

/// The one before is good: nothing but the steps after it is computed again.
#[tokio::test(flavor = "multi_thread")]
async fn the_run_goes_on_from_the_last_checkpoint_that_is_understood() {
    let mut service = Service::start().await;
    let foreign = foreign().await;
    let job = service.client.submit(&spec(), "job").await;
    let worker = service.worker();
    // Its own checkpoints up to here, the newest of which is good.
    until("two checkpoints", PROMPT, async || {
        let runs = service.client.runs(&job).await;
        (runs[0]["checkpoint_step"].as_u64() >= Some(20)).then_some(())
    })
    .await;
    assert!(worker.terminate(PROMPT).await.success());
    let mut puppet = Puppet::connect(&service.client.server).await;
    let mut lease = puppet.lease().await;
    let good = lease.step;
    lease.store(good + 1, &foreign).await;
    lease.leave().await;

    let worker = service.worker();
    service.client.until_job_is(&job, "succeeded", JOB).await;
    assert!(worker.terminate(PROMPT).await.success());
    let runs = service.client.runs(&job).await;
    let undisturbed = undisturbed(&spec(), &runs, service.folder()).await;
    service.stop_server().await;
    let history = History { answered: vec![("job".to_owned(), job)], undisturbed };
    checker::assert_sound(&service.database().await, &history).await;
    let records = Records::read(&service.database().await).await;
    let id = text(&runs[0], "id");
    let from = records.events_of(&id).filter(|event| event.is("run_started")).last();
    assert_eq!(from.and_then(|event| event.number("from_step")), Some(good));
}

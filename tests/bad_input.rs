//! Bodies and messages that were mutated byte by byte: refused or taken, but never a fault of the server.

use std::{collections::BTreeMap, time::Duration};

use bytes::{Buf, BufMut};
use prost::Message;
use proto::v1;
use reqwest::Method;
use serde_json::{Value as Json, json};
use tonic::{
    Code, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    codegen::http::uri::PathAndQuery,
    transport::Channel,
};

use crate::support::{Random, Service, digits_job, resident_kib, text, times, undisturbed};

const SEED: u64 = 16;
const JOB: Duration = Duration::from_secs(120);
/// Growth of the server's memory that is put up with, in KiB: what it keeps of jobs that happen to be right is on disk.
const GROWTH_KIB: u64 = 32 << 10;

/// Bytes as they are, in both directions.
#[derive(Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, bytes: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        Ok(Some(bytes.copy_to_bytes(bytes.remaining()).to_vec()))
    }
}

/// One to four changes: a bit, a byte, a piece cut out, doubled, or the end cut off.
fn mutate(random: &mut Random, good: &[u8]) -> Vec<u8> {
    let mut bytes = good.to_vec();
    for _ in 0..=random.below(4) {
        let n = bytes.len() as u64;
        if n < 2 {
            bytes.push(random.next() as u8);
            continue;
        }
        let (at, other) = (random.below(n) as usize, random.below(n) as usize);
        let piece = at.min(other)..at.max(other);
        match random.below(6) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = random.next() as u8,
            2 => bytes.insert(at, random.next() as u8),
            3 => drop(bytes.drain(piece)),
            4 => {
                let copy = bytes[piece].to_vec();
                bytes.splice(at..at, copy);
            }
            _ => bytes.truncate(at),
        }
    }
    bytes
}

/// A job that nobody runs: what is right by chance must not be in the way of what is watched.
fn unwanted() -> Json {
    let mut job = digits_job(2, 1, 1);
    job["requires"] = json!({"nobody": "has-it"});
    job["labels"] = json!({"who": "ann"});
    job["sweep"] = json!({"grid": {"r": [10, 16.5]}});
    job
}

/// Calls with one answer, and a message that each takes.
fn messages() -> Vec<(&'static str, Vec<u8>)> {
    let id = "0191f2a4-7c00-7000-8000-000000000001".to_owned();
    let point = |step| v1::MetricPoint {
        name: "reconstruction_mse".into(),
        step,
        value: Some(v1::metric_point::Value::Scalar(0.5)),
    };
    let report = v1::ReportRequest {
        run_id: id.clone(),
        attempt: 1,
        seq: 3,
        step: 40,
        metrics: vec![point(39), point(40)],
        checkpoint: Some(v1::CheckpointRef { step: 40, digest: vec![7; 32], bytes: 1000 }),
        outcome: None,
    };
    let capability = v1::Capability { experiment: "none".into(), version: 1 };
    let register = v1::RegisterRequest {
        worker_id: id.clone(),
        name: "mutant".into(),
        build: "0".into(),
        catalogue: vec![capability],
        slots: 1,
        memory_bytes: 1,
        labels: Default::default(),
    };
    let query =
        v1::QueryMetricsRequest { run_id: id.clone(), name: "x".into(), points: 10, ..Default::default() };
    let submit = v1::SubmitJobRequest { spec_json: unwanted().to_string(), ..Default::default() };
    vec![
        ("JobService/SubmitJob", submit.encode_to_vec()),
        ("JobService/GetJob", v1::GetJobRequest { id: id.clone() }.encode_to_vec()),
        ("JobService/QueryMetrics", query.encode_to_vec()),
        ("JobService/GetExperiment", v1::GetExperimentRequest { name: "rbse".into() }.encode_to_vec()),
        ("WorkerService/Register", register.encode_to_vec()),
        ("WorkerService/Report", report.encode_to_vec()),
    ]
}

async fn call(service: &mut Grpc<Channel>, method: &str, message: Vec<u8>) -> Code {
    service.ready().await.expect("the server is there");
    let path = PathAndQuery::try_from(format!("/vesicle.v1.{method}")).expect("a path");
    match service.unary(tonic::Request::new(message), path, Raw).await {
        Ok(_) => Code::Ok,
        Err(status) => status.code(),
    }
}

/// Answers that say the server is at fault.
fn is_fault(status: u16, code: Code) -> bool {
    status >= 500 || matches!(code, Code::Internal | Code::Unknown | Code::DataLoss | Code::Unavailable)
}

#[test]
fn faults_of_a_server_are_told_from_refusals() {
    for (status, code) in [(500, Code::Ok), (503, Code::Ok), (200, Code::Internal), (200, Code::Unknown)] {
        assert!(is_fault(status, code), "{status} {code:?}");
    }
    for (status, code) in [(201, Code::Ok), (422, Code::InvalidArgument), (404, Code::NotFound)] {
        assert!(!is_fault(status, code), "{status} {code:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mutated_bodies_and_messages_are_never_a_fault_of_the_server_and_disturb_nobody() {
    let service = Service::start().await;
    let spec = digits_job(1, 30, 4);
    let job = service.client.submit(&spec, "good").await;
    let _worker = service.worker();
    let mut random = Random::seeded(SEED);
    let before = resident_kib(service.server_pid());

    let each = times(2_000, 10_000);
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let good = unwanted().to_string();
    for n in 0..each {
        let body = mutate(&mut random, good.as_bytes());
        let request = service.client.request(Method::POST, "/api/v1/jobs").body(body.clone());
        let response = request.header("content-type", "application/json").send().await.expect("it answers");
        let status = response.status().as_u16();
        let words = String::from_utf8_lossy(&body);
        assert!(!is_fault(status, Code::Ok), "seed {SEED}, body {n}, {status}: {words}");
        *seen.entry(status.to_string()).or_default() += 1;
    }

    let channel = Channel::from_shared(service.client.server.clone()).expect("an address");
    let mut grpc = Grpc::new(channel.connect().await.expect("the server listens"));
    let messages = messages();
    for n in 0..each {
        let (method, message) = &messages[n % messages.len()];
        let mutant = mutate(&mut random, message);
        let code = call(&mut grpc, method, mutant.clone()).await;
        assert!(!is_fault(200, code), "seed {SEED}, message {n} to {method}, {code:?}: {mutant:02x?}");
        *seen.entry(format!("{code:?}")).or_default() += 1;
    }
    // They were bad inputs indeed, and not all bad in one way.
    for kind in ["400", "422", "InvalidArgument"] {
        assert!(seen.get(kind).is_some_and(|n| *n >= 100), "{kind} is rare in {seen:?}");
    }

    let log = service.server_log();
    assert!(!log.contains("panicked"), "{log}");
    let grown = resident_kib(service.server_pid()).saturating_sub(before);
    eprintln!("{each} bodies, {each} messages: {seen:?}; the server grew by {grown} KiB");
    assert!(grown <= GROWTH_KIB, "the server grew by {grown} KiB");
    service.client.until_job_is(&job, "succeeded", JOB).await;
    let runs = service.client.runs(&job).await;
    let calm = undisturbed(&spec, &runs, service.folder()).await;
    assert_eq!(calm[&text(&runs[0], "id")].digest, text(&runs[0], "digest"));
}

//! A worker's part, over gRPC on a real port.

use std::sync::Arc;

use jobs::Policy;
use proto::v1::{self, report_response::Directive, worker_service_client::WorkerServiceClient};
use store::{Memory, Store};
use tonic::{Code, transport::Channel};
use tonic_types::StatusExt;

use super::support::{quick, small_spec, soon, worker};
use crate::{Config, Running, start};

struct Site {
    running: Running,
    store: Arc<Memory>,
    worker: WorkerServiceClient<Channel>,
}

/// A server with a registered worker.
async fn site(config: Config) -> Site {
    let store = Arc::new(Memory::new(Policy::default()));
    let running = start(config, store.clone()).await.expect("starts");
    let mut worker =
        WorkerServiceClient::connect(format!("http://{}", running.addr)).await.expect("connects");
    worker.register(v1::RegisterRequest::from(super::support::worker())).await.expect("is taken");
    Site { running, store, worker }
}

impl Site {
    async fn submit(&self) -> v1::Job {
        let url = format!("http://{}", self.running.addr);
        let mut client = v1::job_service_client::JobServiceClient::connect(url).await.expect("connects");
        let request =
            v1::SubmitJobRequest { spec_json: small_spec().to_string(), idempotency_key: String::new() };
        client.submit_job(request).await.expect("is taken").into_inner().job.expect("a job")
    }

    async fn acquire(&mut self) -> Option<v1::Lease> {
        self.worker.acquire(ask()).await.expect("answers").into_inner().lease
    }

    async fn put(&mut self, content: &[u8]) -> [u8; 32] {
        let digest = *blake3::hash(content).as_bytes();
        let chunk = v1::Chunk { n: 0, bytes: content.to_vec() };
        let request = v1::PutChunkRequest { digest: digest.to_vec(), chunk: Some(chunk) };
        let stored = self.worker.put_chunk(futures::stream::iter([request])).await.expect("is taken");
        assert_eq!(stored.into_inner().stored, 1);
        digest
    }
}

fn ask() -> v1::AcquireRequest {
    v1::AcquireRequest { worker_id: worker().id.to_string(), free_slots: 1, free_memory_bytes: 8 << 30 }
}

fn report(lease: &v1::Lease, seq: u64, step: u64) -> v1::ReportRequest {
    v1::ReportRequest {
        run_id: lease.run_id.clone(),
        attempt: lease.attempt,
        seq,
        step,
        ..Default::default()
    }
}

fn scalar(name: &str, step: u64, value: f64) -> v1::MetricPoint {
    v1::MetricPoint { name: name.into(), step, value: Some(v1::metric_point::Value::Scalar(value)) }
}

#[tokio::test]
async fn a_waiting_worker_is_woken_by_a_submission() {
    // Long enough that only the bell can be the reason.
    let mut site = site(Config { acquire_wait_ms: 60_000, acquire_poll_ms: 60_000, ..quick() }).await;
    let mut client = site.worker.clone();
    let waiting = tokio::spawn(async move { client.acquire(ask()).await });
    let job = site.submit().await;
    let lease = soon("the lease", waiting).await.expect("no panic").expect("answers").into_inner().lease;
    let lease = lease.expect("there is work");
    assert_eq!((lease.job_id, lease.attempt, lease.experiment.as_str()), (job.id, 1, "rbm"));
    assert!(
        lease.dataset.starts_with("blake3:") && lease.params.contains("hidden_units") && lease.lease_ms > 0
    );
    assert!(lease.fail_on_nonfinite && lease.checkpoint.is_none());
    site.running.drain().begin();
    let refused = site.worker.acquire(ask()).await.expect_err("goes away");
    assert_eq!(refused.code(), Code::Unavailable);
}

#[tokio::test]
async fn a_call_for_work_ends_without_a_lease_when_there_is_none() {
    let mut site = site(quick()).await;
    assert_eq!(soon("the answer", site.acquire()).await, None);
}

#[tokio::test]
async fn a_worker_must_register_first() {
    let mut site = site(quick()).await;
    let stranger = v1::AcquireRequest { worker_id: uuid::Uuid::from_u128(99).to_string(), ..ask() };
    let refused = site.worker.acquire(stranger).await.expect_err("is not known");
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert_eq!(refused.get_details_error_info().expect("a reason").reason, "NOT_REGISTERED");
}

#[tokio::test]
async fn a_run_is_reported_to_its_end() {
    let mut site = site(quick()).await;
    let job = site.submit().await;
    let lease = site.acquire().await.expect("there is work");
    let first =
        v1::ReportRequest { metrics: vec![scalar("reconstruction_error", 1, 0.5)], ..report(&lease, 0, 1) };
    let answer = site.worker.report(first.clone()).await.expect("is taken").into_inner();
    assert_eq!(answer.directive, Some(Directive::ContinueMs(30_000)));
    site.worker.report(first).await.expect("the same report again is answered again");

    let run: jobs::RunId = lease.run_id.parse().expect("an id");
    let steps = site.store.run(run).await.expect("answers").expect("is there").spec.steps;
    let digest = site.put(b"final state").await;
    let last = v1::ReportRequest {
        checkpoint: Some(v1::CheckpointRef { step: steps, digest: digest.to_vec(), bytes: 11 }),
        outcome: Some(v1::Outcome { outcome: Some(v1::outcome::Outcome::Succeeded("ab".repeat(32))) }),
        ..report(&lease, 1, steps)
    };
    site.worker.report(last).await.expect("is taken");
    let job: jobs::JobId = job.id.parse().expect("an id");
    let job = site.store.job(job).await.expect("answers").expect("is there");
    assert_eq!(job.counts.state(), jobs::JobState::Succeeded);
}

#[tokio::test]
async fn stale_attempts_and_gaps_are_refused_with_what_is_expected_and_counted() {
    let mut site = site(quick()).await;
    site.submit().await;
    let lease = site.acquire().await.expect("there is work");
    let stale = v1::ReportRequest { attempt: lease.attempt + 1, ..report(&lease, 0, 1) };
    let refused = site.worker.report(stale).await.expect_err("is stale");
    assert_eq!(refused.code(), Code::FailedPrecondition);
    let info = refused.get_details_error_info().expect("a reason");
    assert_eq!((info.reason.as_str(), info.domain.as_str()), ("STALE_ATTEMPT", "vesicle"));
    assert_eq!(info.metadata["current"], lease.attempt.to_string());

    let refused = site.worker.report(report(&lease, 5, 1)).await.expect_err("is a gap");
    assert_eq!(refused.code(), Code::OutOfRange);
    assert_eq!(refused.get_details_error_info().expect("a reason").metadata["expected"], "0");

    let url = format!("http://{}/metrics", site.running.addr);
    let telemetry = http_get(&url).await;
    assert!(telemetry.contains("vesicle_reports_refused_total{reason=\"STALE_ATTEMPT\"} 1"), "{telemetry}");
    assert!(telemetry.contains("vesicle_reports_refused_total{reason=\"REPORT_GAP\"} 1"), "{telemetry}");
}

async fn http_get(url: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let (host, path) = url.trim_start_matches("http://").split_once('/').expect("has a path");
    let mut stream = tokio::net::TcpStream::connect(host).await.expect("connects");
    let request = format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("is taken");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("is text");
    answer
}

#[tokio::test]
async fn a_checkpoint_is_put_and_got_in_chunks() {
    let mut site = site(quick()).await;
    let content: Vec<u8> = (0..(3 << 20) + 17_u32).map(|n| (n % 251) as u8).collect();
    let digest = blake3::hash(&content).as_bytes().to_vec();
    let chunk = |(n, bytes): (usize, &[u8])| v1::PutChunkRequest {
        digest: digest.clone(),
        chunk: Some(v1::Chunk { n: n as u32, bytes: bytes.to_vec() }),
    };
    let chunks: Vec<_> = content.chunks(1 << 20).enumerate().map(chunk).collect();
    let put = site.worker.put_chunk(futures::stream::iter(chunks)).await.expect("is taken").into_inner();
    assert_eq!(put.stored, 4);
    let mut stream =
        site.worker.get_checkpoint(v1::GetCheckpointRequest { digest }).await.expect("is there").into_inner();
    let mut got = Vec::new();
    while let Some(message) = stream.message().await.expect("is read") {
        got.extend(message.chunk.expect("a chunk").bytes);
    }
    assert!(got == content, "{} bytes of {}", got.len(), content.len());
}

#[tokio::test]
async fn chunks_over_the_limits_are_refused() {
    let site = site(Config { max_checkpoint_bytes: 2 << 20, ..quick() }).await;
    let chunk = |n: u32, size: usize| v1::PutChunkRequest {
        digest: vec![7; 32],
        chunk: Some(v1::Chunk { n, bytes: vec![0; size] }),
    };
    let worker = site.worker.clone();
    let put = async |chunks: Vec<v1::PutChunkRequest>| {
        worker.clone().put_chunk(futures::stream::iter(chunks)).await.map_err(|status| status.code())
    };
    assert!(put(vec![chunk(0, 1 << 20), chunk(1, 1 << 20)]).await.is_ok());
    assert_eq!(put(vec![chunk(0, (1 << 20) + 1)]).await.err(), Some(Code::ResourceExhausted));
    assert_eq!(put(vec![chunk(2, 1)]).await.err(), Some(Code::ResourceExhausted));
    let three = vec![chunk(0, 1 << 20), chunk(1, 1 << 20), chunk(1, 1)];
    assert_eq!(put(three).await.err(), Some(Code::ResourceExhausted));
    assert_eq!(
        put(vec![chunk(0, 5 << 20)]).await.err(),
        Some(Code::ResourceExhausted),
        "a message over 4 MiB"
    );
    let metrics = vec![scalar(&"n".repeat(5 << 20), 1, 0.5)];
    let large = v1::ReportRequest { metrics, ..Default::default() };
    assert_eq!(
        site.worker.clone().report(large).await.expect_err("over 4 MiB").code(),
        Code::ResourceExhausted
    );
    let nameless = v1::PutChunkRequest { digest: vec![7; 31], ..chunk(0, 1) };
    assert_eq!(put(vec![nameless]).await.err(), Some(Code::InvalidArgument));
}

#[tokio::test]
async fn a_damaged_checkpoint_is_not_handed_out() {
    let mut site = site(quick()).await;
    let job = site.submit().await;
    let lease = site.acquire().await.expect("there is work");
    let good = site.put(b"good").await;
    let checkpoint =
        |step, digest: &[u8]| Some(v1::CheckpointRef { step, digest: digest.to_vec(), bytes: 4 });
    let first = v1::ReportRequest { checkpoint: checkpoint(1, &good), ..report(&lease, 0, 1) };
    site.worker.report(first).await.expect("is taken");
    let newer = site.put(b"ill!").await;
    let stop = v1::Outcome { outcome: Some(v1::outcome::Outcome::Stopped(v1::StopReason::Drain.into())) };
    let second =
        v1::ReportRequest { checkpoint: checkpoint(2, &newer), outcome: Some(stop), ..report(&lease, 1, 2) };
    site.worker.report(second).await.expect("is taken");
    // It was whole when it was named; now it is not any more, as after a bit flipped on disk.
    site.store.damage_checkpoint(newer);

    let next = site.acquire().await.expect("is queued again");
    assert_eq!(next.attempt, 2);
    let taken = next.checkpoint.expect("the one before");
    assert_eq!((taken.step, taken.digest), (1, good.to_vec()));
    let id: jobs::JobId = job.id.parse().expect("an id");
    let events = site.store.events(id, 0, 100).await.expect("answers");
    assert!(events.iter().any(|event| event.kind.name() == "checkpoint_corrupt"), "{events:?}");
}

#[tokio::test]
async fn a_data_set_is_got_in_chunks_that_have_its_hash() {
    let mut site = site(quick()).await;
    site.submit().await;
    let dataset = site.acquire().await.expect("there is work").dataset;
    let request = v1::GetDatasetRequest { dataset: dataset.clone() };
    let mut stream = site.worker.get_dataset(request).await.expect("is there").into_inner();
    let mut hasher = blake3::Hasher::new();
    while let Some(message) = stream.message().await.expect("is read") {
        hasher.update(&message.chunk.expect("a chunk").bytes);
    }
    assert_eq!(format!("blake3:{}", hasher.finalize().to_hex()), dataset);
    let unknown = v1::GetDatasetRequest { dataset: format!("blake3:{}", "0".repeat(64)) };
    assert_eq!(site.worker.get_dataset(unknown).await.expect_err("is unknown").code(), Code::NotFound);
}

#[tokio::test]
async fn a_lost_lease_is_found_and_the_run_leased_again() {
    let mut site = site(Config { lease_ms: 50, reap_ms: 10, acquire_wait_ms: 20_000, ..quick() }).await;
    site.submit().await;
    let lost = site.acquire().await.expect("there is work");
    let again = soon("the next attempt", site.acquire()).await.expect("is queued again");
    assert_eq!((again.run_id, again.attempt), (lost.run_id.clone(), 2));
    let refused = site.worker.report(report(&lost, 0, 1)).await.expect_err("is stale");
    assert_eq!(refused.get_details_error_info().expect("a reason").reason, "STALE_ATTEMPT");
}

#[tokio::test]
async fn a_report_of_so_many_points_is_taken_and_a_larger_one_is_refused() {
    let mut site = site(Config { max_report_points: 3, ..quick() }).await;
    let told = site.worker.register(v1::RegisterRequest::from(worker())).await.expect("is taken");
    assert_eq!(told.into_inner().max_report_points, 3, "workers are told");
    site.submit().await;
    let lease = site.acquire().await.expect("there is work");
    let points = |count: u64| (1..=count).map(|step| scalar("reconstruction_error", step, 0.5)).collect();
    for count in [4, 300] {
        let large = v1::ReportRequest { metrics: points(count), ..report(&lease, 0, 1) };
        let refused = site.worker.report(large).await.expect_err("it is too large");
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert!(refused.message().ends_with("it must be at most 3"), "{refused}");
    }
    let largest = v1::ReportRequest { metrics: points(3), ..report(&lease, 0, 1) };
    site.worker.report(largest).await.expect("it is not too large");
}

#[tokio::test]
async fn a_checkpoint_that_its_worker_refuses_is_offered_to_nobody_again() {
    let mut site = site(quick()).await;
    site.submit().await;
    let lease = site.acquire().await.expect("there is work");
    for (seq, step) in [(0, 1), (1, 2)] {
        let content = [b'c', step as u8];
        let digest = site.put(&content).await.to_vec();
        let checkpoint = Some(v1::CheckpointRef { step, digest, bytes: 2 });
        let stored = v1::ReportRequest { checkpoint, ..report(&lease, seq, step) };
        site.worker.report(stored).await.expect("is taken");
    }
    let ended = |outcome| Some(v1::Outcome { outcome: Some(outcome) });
    let stopped = v1::outcome::Outcome::Stopped(v1::StopReason::Drain.into());
    let leave = v1::ReportRequest { outcome: ended(stopped), ..report(&lease, 2, 2) };
    site.worker.report(leave).await.expect("is taken");
    for newest in [Some(2), Some(1), None] {
        let lease = site.acquire().await.expect("it is queued again at once");
        assert_eq!(lease.checkpoint.as_ref().map(|checkpoint| checkpoint.step), newest);
        let class = v1::FailureClass::CheckpointRefused.into();
        let failure = v1::Failure { class, message: "of another format".into() };
        let outcome = ended(v1::outcome::Outcome::Failed(failure));
        let refuses = v1::ReportRequest { outcome, ..report(&lease, 0, newest.unwrap_or(0)) };
        // Twice, as after a lost answer: it costs one checkpoint.
        site.worker.report(refuses.clone()).await.expect("is taken");
        site.worker.report(refuses).await.expect("is answered again");
    }
    let run = site.store.run(lease.run_id.parse().expect("an id")).await.expect("answers").expect("is there");
    assert_eq!((run.state.name(), run.uncounted_failures, run.stalled_attempts), ("queued", 4, 0));
}

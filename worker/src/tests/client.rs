//! The gRPC client against a service that speaks for the puppet.

use std::{pin::Pin, sync::Arc};

use futures::Stream;
use jobs::{CheckpointRef, Outcome, Report, RunId, WorkerId};
use proto::v1::{self, worker_service_server::WorkerService};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request, Response, Status, Streaming, transport::server::TcpIncoming};
use tonic_types::{ErrorDetails, StatusExt};

use super::{
    puppet::Puppet,
    stage::{Stage, TERMS, digits, expected, toy},
};
use crate::{
    Config,
    client::Client,
    coordinator::{Coordinator, Free, Lease, Refusal},
};

type Answer<T> = Result<Response<T>, Status>;
type Chunks<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

struct Service(Arc<Puppet>);

/// As the server's services answer.
fn status(refusal: Refusal) -> Status {
    match refusal {
        Refusal::Unreachable(why) => Status::unavailable(why),
        Refusal::Stale { current } => {
            let metadata = [("current".to_owned(), current)];
            let details = ErrorDetails::with_error_info("STALE_ATTEMPT", "vesicle", metadata);
            Status::with_error_details(Code::FailedPrecondition, "the attempt is over", details)
        }
        Refusal::Missing(what) => Status::not_found(what),
        Refusal::Refused(why) => Status::out_of_range(why),
    }
}

fn wire(lease: Lease) -> v1::Lease {
    let source = |(name, checkpoint): (String, CheckpointRef)| v1::LeaseSource {
        name,
        checkpoint: Some(checkpoint.into()),
    };
    v1::Lease {
        sources: lease.sources.into_iter().map(source).collect(),
        run_id: lease.run.to_string(),
        job_id: lease.job.to_string(),
        attempt: lease.attempt,
        experiment: lease.experiment,
        version: lease.version,
        params: lease.params,
        seed: lease.seed,
        dataset: lease.dataset.map(|hash| hash.to_string()).unwrap_or_default(),
        every: lease.every.unwrap_or(0),
        checkpoint_every_steps: lease.checkpoint_every_steps.unwrap_or(0),
        checkpoint: lease.checkpoint.map(Into::into),
        lease_ms: lease.lease_ms,
        fail_on_nonfinite: lease.on_nonfinite == jobs::NonFinite::Fail,
        wall_s: lease.wall_s,
    }
}

fn chunks<T: Send + 'static>(bytes: &[u8], size: usize, wrap: fn(v1::Chunk) -> T) -> Response<Chunks<T>> {
    let chunks: Vec<_> = (0..)
        .zip(bytes.chunks(size))
        .map(|(n, part)| Ok(wrap(v1::Chunk { n, bytes: part.to_vec() })))
        .collect();
    Response::new(Box::pin(futures::stream::iter(chunks)))
}

#[tonic::async_trait]
impl WorkerService for Service {
    async fn register(&self, request: Request<v1::RegisterRequest>) -> Answer<v1::RegisterResponse> {
        let worker = proto::worker_info(request.into_inner(), 0)
            .map_err(|e| Status::invalid_argument(e.to_string()))?;
        let terms = self.0.register(&worker).await.map_err(status)?;
        Ok(Response::new(v1::RegisterResponse {
            build: "0.1.0".into(),
            lease_ms: 30_000,
            report_min_ms: terms.report_min_ms,
            report_max_ms: terms.report_max_ms,
            checkpoint_ms: terms.checkpoint_ms,
            max_checkpoint_bytes: terms.max_checkpoint_bytes,
            max_report_points: 0,
        }))
    }

    async fn acquire(&self, request: Request<v1::AcquireRequest>) -> Answer<v1::AcquireResponse> {
        let request = request.into_inner();
        let worker = proto::id("worker_id", &request.worker_id).expect("a worker id");
        let free = Free { slots: request.free_slots, memory_bytes: request.free_memory_bytes };
        let lease = self.0.acquire(worker, free).await.map_err(status)?;
        Ok(Response::new(v1::AcquireResponse { lease: lease.map(wire) }))
    }

    async fn report(&self, request: Request<v1::ReportRequest>) -> Answer<v1::ReportResponse> {
        let report = Report::try_from(request.into_inner()).expect("a worker sends good reports");
        Ok(Response::new(self.0.report(&report).await.map_err(status)?.into()))
    }

    async fn put_chunk(
        &self,
        request: Request<Streaming<v1::PutChunkRequest>>,
    ) -> Answer<v1::PutChunkResponse> {
        let mut requests = request.into_inner();
        let mut stored = 0;
        while let Some(v1::PutChunkRequest { digest, chunk }) = requests.message().await? {
            let chunk = chunk.expect("a chunk");
            assert!(chunk.bytes.len() <= 1 << 20);
            let digest = proto::hash("digest", &digest).expect("a hash");
            self.0.put_checkpoint(digest, chunk.n, &chunk.bytes).await.map_err(status)?;
            stored += 1;
        }
        Ok(Response::new(v1::PutChunkResponse { stored }))
    }

    type GetCheckpointStream = Chunks<v1::GetCheckpointResponse>;

    async fn get_checkpoint(
        &self,
        request: Request<v1::GetCheckpointRequest>,
    ) -> Answer<Self::GetCheckpointStream> {
        let digest = proto::hash("digest", &request.into_inner().digest).expect("a hash");
        let bytes =
            self.0.get_checkpoint(&CheckpointRef { step: 0, digest, bytes: 0 }).await.map_err(status)?;
        Ok(chunks(&bytes, 1 << 20, |chunk| v1::GetCheckpointResponse { chunk: Some(chunk) }))
    }

    type GetDatasetStream = Chunks<v1::GetDatasetResponse>;

    async fn get_dataset(&self, request: Request<v1::GetDatasetRequest>) -> Answer<Self::GetDatasetStream> {
        let hash = request.into_inner().dataset.parse().expect("a hash");
        let bytes = self.0.get_dataset(hash, 0).await.map_err(status)?;
        Ok(chunks(&bytes, 10_000, |chunk| v1::GetDatasetResponse { chunk: Some(chunk) }))
    }
}

/// Serves the puppet; answers the address.
fn serve(puppet: Arc<Puppet>) -> String {
    let incoming = TcpIncoming::bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
    let address = incoming.local_addr().expect("a bound port");
    let service = v1::worker_service_server::WorkerServiceServer::new(Service(puppet));
    tokio::spawn(tonic::transport::Server::builder().add_service(service).serve_with_incoming(incoming));
    format!("http://{address}")
}

fn report(run: RunId) -> Report {
    Report { run, attempt: 1, seq: 0, step: 0, metrics: Vec::new(), checkpoint: None, outcome: None }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_does_its_work_over_the_wire() {
    let stage = Stage::new();
    let lease = digits("rbse", &stage.puppet);
    let (metrics, digest) = expected(&lease);
    stage.puppet.set(|state| state.leases.push_back(lease));
    let shutdown = CancellationToken::new();
    let config = Config {
        gang: gang::Gang::Alone,
        server: serve(stage.puppet.clone()),
        slots: 1,
        memory_bytes: 1 << 30,
        cache_dir: stage.dir().join("cache"),
        labels: [("rack".to_owned(), "7".to_owned())].into(),
        name: "test:1".into(),
    };
    let worker = tokio::spawn(crate::run(config, crate::Witness::default(), shutdown.clone()));
    let outcome = stage.puppet.until("the run ends", |state| state.reports.last()?.1.outcome.clone()).await;
    assert_eq!(outcome, Outcome::Succeeded { digest });
    assert_eq!(stage.puppet.points().len(), metrics.len());
    shutdown.cancel();
    worker.await.expect("no panic").expect("no error");
    assert_eq!(stage.puppet.state().registered[0].labels["rack"], "7");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_checkpoint_goes_up_in_parts_and_comes_down_whole() {
    let puppet = Arc::new(Puppet::default());
    let client = Client::new(&serve(puppet.clone())).expect("an address");
    let bytes: Vec<u8> = (0..(9 << 20) + 5).map(|n: u32| (n % 251) as u8).collect();
    let digest = *blake3::hash(&bytes).as_bytes();
    let (first, second) = bytes.split_at(8 << 20);
    client.put_checkpoint(digest, 8, second).await.expect("stored");
    client.put_checkpoint(digest, 0, first).await.expect("stored");
    client.put_checkpoint(digest, 8, second).await.expect("storing it again changes nothing");
    let whole = CheckpointRef { step: 1, digest, bytes: bytes.len() as u64 };
    assert_eq!(client.get_checkpoint(&whole).await.as_deref(), Ok(&bytes[..]));
    let shorter = CheckpointRef { bytes: 1 << 20, ..whole };
    assert!(
        matches!(client.get_checkpoint(&shorter).await, Err(Refusal::Refused(_))),
        "no more than promised"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_refusal_is_understood() {
    let puppet = Arc::new(Puppet::default());
    let client = Client::new(&serve(puppet.clone())).expect("an address");
    let (lease, _) = toy("refusals", json!({"steps": 1}));
    puppet.set(|state| state.stale.push(lease.run));
    let stale = client.report(&report(lease.run)).await;
    assert_eq!(stale, Err(Refusal::Stale { current: "2".into() }));
    let missing = client.get_dataset(jobs::DatasetHash([1; 32]), 1).await;
    assert!(
        matches!(&missing, Err(Refusal::Missing(what)) if what.contains("no such data set")),
        "{missing:?}"
    );
    puppet.set(|state| state.is_away = true);
    let away = client.acquire(WorkerId(uuid::Uuid::from_u128(1)), Free { slots: 1, memory_bytes: 1 }).await;
    assert!(matches!(away, Err(Refusal::Unreachable(_))), "{away:?}");
    assert_eq!(
        super::puppet::terms(&client).await,
        Err(Refusal::Unreachable("Unavailable: nobody is there".into()))
    );
    puppet.set(|state| state.is_away = false);
    assert_eq!(super::puppet::terms(&client).await, Ok(TERMS));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unreachable_and_found_when_it_comes() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = port.local_addr().expect("a bound port");
    drop(port);
    let client = Client::new(&format!("http://{address}")).expect("an address");
    let away = client.report(&report(RunId(uuid::Uuid::from_u128(1)))).await;
    assert!(matches!(away, Err(Refusal::Unreachable(_))), "{away:?}");
    let puppet = Arc::new(Puppet::default());
    let incoming = TcpIncoming::bind(address).expect("the port is free again");
    let service = v1::worker_service_server::WorkerServiceServer::new(Service(puppet));
    tokio::spawn(tonic::transport::Server::builder().add_service(service).serve_with_incoming(incoming));
    let back = client.report(&report(RunId(uuid::Uuid::from_u128(1)))).await;
    assert_eq!(back, Ok(jobs::Directive::Continue { lease_ms: 30_000 }));
}

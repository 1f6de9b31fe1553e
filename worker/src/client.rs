//! The gRPC client: messages stop here.

use std::{future::Future, time::Duration};

use async_trait::async_trait;
use futures::StreamExt;
use jobs::{CheckpointRef, DatasetHash, Directive, Report, WorkerId, WorkerInfo};
use proto::{ConvertError, required, v1, v1::worker_service_client::WorkerServiceClient};
use tonic::{
    Code, Status, Streaming,
    transport::{Channel, Endpoint},
};
use tonic_types::StatusExt;

use crate::coordinator::{CHUNK_BYTES, Coordinator, Free, Lease, Refusal, Terms};

const CONNECT: Duration = Duration::from_secs(5);
/// A connection that does not answer pings for that long is given up.
const PING: Duration = Duration::from_secs(20);
/// Of a call that the server answers at once.
const ANSWER: Duration = Duration::from_secs(10);
/// Of `Acquire`, which waits up to 20 s.
const POLL: Duration = Duration::from_secs(30);
/// Bytes of downloads that are under way: on a slow link pings and answers wait behind them.
const UNDER_WAY: u32 = 128 << 10;
/// The slowest link that is worked over, in bytes a second: 128 kbit/s.
const SLOWEST: usize = 16 << 10;

/// A server over gRPC.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    service: WorkerServiceClient<Channel>,
}

impl Client {
    /// Connects with the first call, and again after every loss.
    ///
    /// # Errors
    /// If `url` is not one.
    pub(crate) fn new(url: &str) -> Result<Self, tonic::transport::Error> {
        let endpoint = Endpoint::from_shared(url.to_owned())?
            .connect_timeout(CONNECT)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(PING)
            .keep_alive_timeout(PING)
            .keep_alive_while_idle(true)
            .initial_connection_window_size(UNDER_WAY)
            .initial_stream_window_size(UNDER_WAY);
        Ok(Self { service: WorkerServiceClient::new(endpoint.connect_lazy()) })
    }

    fn service(&self) -> WorkerServiceClient<Channel> {
        self.service.clone() // a handle: all clones share the connection
    }
}

#[async_trait]
impl Coordinator for Client {
    async fn register(&self, worker: &WorkerInfo) -> Result<Terms, Refusal> {
        let mut service = self.service();
        let response = within(ANSWER, service.register(v1::RegisterRequest::from(worker.clone()))).await?;
        response.into_inner().try_into().map_err(nonsense)
    }

    async fn acquire(&self, worker: WorkerId, free: Free) -> Result<Option<Lease>, Refusal> {
        let request = v1::AcquireRequest {
            worker_id: worker.to_string(),
            free_slots: free.slots,
            free_memory_bytes: free.memory_bytes,
        };
        let response = within(POLL, self.service().acquire(request)).await?;
        response.into_inner().lease.map(TryInto::try_into).transpose().map_err(nonsense)
    }

    async fn report(&self, report: &Report) -> Result<Directive, Refusal> {
        let request = v1::ReportRequest::from(report.clone());
        let response = within(ANSWER, self.service().report(request)).await?;
        response.into_inner().try_into().map_err(nonsense)
    }

    async fn put_checkpoint(&self, digest: [u8; 32], first: u32, part: &[u8]) -> Result<(), Refusal> {
        let requests: Vec<v1::PutChunkRequest> = (first..)
            .zip(part.chunks(CHUNK_BYTES))
            .map(|(n, bytes)| v1::PutChunkRequest {
                digest: digest.to_vec(),
                chunk: Some(v1::Chunk { n, bytes: bytes.to_vec() }),
            })
            .collect();
        within(transfer(part.len()), self.service().put_chunk(tokio_stream::iter(requests))).await?;
        Ok(())
    }

    async fn get_checkpoint(&self, checkpoint: &CheckpointRef) -> Result<Vec<u8>, Refusal> {
        let request = v1::GetCheckpointRequest { digest: checkpoint.digest.to_vec() };
        let chunks =
            within(transfer(CHUNK_BYTES), self.service().get_checkpoint(request)).await?.into_inner();
        collect(chunks, checkpoint.bytes, |response| response.chunk).await
    }

    async fn get_dataset(&self, hash: DatasetHash, limit: u64) -> Result<Vec<u8>, Refusal> {
        let request = v1::GetDatasetRequest { dataset: hash.to_string() };
        let chunks = within(transfer(CHUNK_BYTES), self.service().get_dataset(request)).await?.into_inner();
        collect(chunks, limit, |response| response.chunk).await
    }
}

/// All bytes of a stream, whose chunks must come in order and without gaps.
async fn collect<T>(
    mut chunks: Streaming<T>,
    limit: u64,
    chunk: impl Fn(T) -> Option<v1::Chunk>,
) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::new();
    let mut expected = 0;
    while let Some(next) = within(transfer(CHUNK_BYTES), async { chunks.next().await.transpose() }).await? {
        let v1::Chunk { n, bytes: part } = required("chunk", chunk(next)).map_err(nonsense)?;
        if n != expected {
            return Err(nonsense(ConvertError::new("chunk.n", n, format!("it must be {expected}"))));
        }
        if bytes.len() as u64 + part.len() as u64 > limit {
            let rule = format!("all together they must be at most {limit}");
            return Err(nonsense(ConvertError::new("chunk.bytes", part.len(), rule)));
        }
        bytes.extend_from_slice(&part);
        expected += 1;
    }
    Ok(bytes)
}

/// Longest that so many bytes may be under way.
const fn transfer(bytes: usize) -> Duration {
    ANSWER.saturating_add(Duration::from_secs((bytes / SLOWEST) as u64))
}

async fn within<T>(limit: Duration, call: impl Future<Output = Result<T, Status>>) -> Result<T, Refusal> {
    match tokio::time::timeout(limit, call).await {
        Ok(answer) => answer.map_err(|status| refusal(&status)),
        Err(_) => Err(Refusal::Unreachable(format!("no answer within {} s", limit.as_secs()))),
    }
}

/// A server that answers what it cannot mean is of another build: only an operator can help.
fn nonsense(error: ConvertError) -> Refusal {
    Refusal::Refused(format!("its answer makes no sense: {error}"))
}

fn refusal(status: &Status) -> Refusal {
    let why = || {
        let text = format!("{:?}: {}", status.code(), status.message());
        // The transport's own words for "connection refused" hide in the source.
        match std::error::Error::source(status) {
            Some(source) => format!("{text} ({source})"),
            None => text,
        }
    };
    match status.code() {
        // What a server that is away, starting, full or broken answers; a lost connection is `Unknown` too.
        Code::Unavailable
        | Code::ResourceExhausted
        | Code::DeadlineExceeded
        | Code::Aborted
        | Code::Cancelled
        | Code::Internal
        | Code::Unknown => Refusal::Unreachable(why()),
        Code::FailedPrecondition => match status.get_details_error_info() {
            Some(info) if info.reason == "STALE_ATTEMPT" => Refusal::Stale {
                current: info.metadata.get("current").cloned().unwrap_or_else(|| "unknown".into()),
            },
            _ => Refusal::Refused(why()),
        },
        Code::NotFound => Refusal::Missing(why()),
        _ => Refusal::Refused(why()),
    }
}

//! A worker that computes nothing: it leases runs and reports what a test wants, over the contract alone.

use futures::stream;
use proto::v1::{
    self, outcome::Outcome as Ending, report_response::Directive, worker_service_client::WorkerServiceClient,
};
use tonic::{Status, transport::Channel};

use super::{PROMPT, until};

const CHUNK_BYTES: usize = 1 << 20;

/// A registered worker that can run everything.
#[derive(Debug, Clone)]
pub(crate) struct Puppet {
    service: WorkerServiceClient<Channel>,
    id: String,
}

impl Puppet {
    pub(crate) async fn connect(server: &str) -> Self {
        let service = WorkerServiceClient::connect(server.to_owned()).await.expect("the server listens");
        let mut puppet = Self { service, id: uuid::Uuid::now_v7().to_string() };
        let capability = |kind: &&dyn experiments::Kind| v1::Capability {
            experiment: kind.name().into(),
            version: kind.version(),
        };
        let register = v1::RegisterRequest {
            worker_id: puppet.id.clone(),
            name: "puppet".into(),
            build: "test".into(),
            catalogue: experiments::CATALOGUE.iter().map(capability).collect(),
            slots: 1,
            memory_bytes: 1 << 40,
            labels: Default::default(),
        };
        puppet.service.register(register).await.expect("the server takes it");
        puppet
    }

    /// Takes a run; there must be one.
    pub(crate) async fn lease(&mut self) -> Attempt {
        let ask =
            v1::AcquireRequest { worker_id: self.id.clone(), free_slots: 1, free_memory_bytes: 1 << 40 };
        let lease = until("a lease", PROMPT, async || {
            self.service.acquire(ask.clone()).await.expect("the server answers").into_inner().lease
        })
        .await;
        let step = lease.checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.step);
        Attempt { service: self.service.clone(), run: lease.run_id, attempt: lease.attempt, seq: 0, step }
    }
}

/// A run that the puppet has.
#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    service: WorkerServiceClient<Channel>,
    pub(crate) run: String,
    attempt: u32,
    /// Number of the next report.
    seq: u64,
    /// Step reached, at first the step of the checkpoint that it was offered.
    pub(crate) step: u64,
}

impl Attempt {
    /// The report that comes next; nothing is sent yet.
    pub(crate) fn report(&self, step: u64, metrics: Vec<v1::MetricPoint>) -> v1::ReportRequest {
        let (run_id, attempt, seq) = (self.run.clone(), self.attempt, self.seq);
        v1::ReportRequest { run_id, attempt, seq, step, metrics, checkpoint: None, outcome: None }
    }

    /// Sends a report, in whatever order.
    pub(crate) async fn send(&self, report: v1::ReportRequest) -> Result<Option<Directive>, Status> {
        Ok(self.service.clone().report(report).await?.into_inner().directive)
    }

    /// Sends the report that comes next; it must be taken.
    pub(crate) async fn say(&mut self, report: v1::ReportRequest) {
        let step = report.step;
        self.send(report).await.expect("the report is taken");
        self.said(step);
    }

    /// The report that came next was taken.
    pub(crate) fn said(&mut self, step: u64) {
        (self.seq, self.step) = (self.seq + 1, step);
    }

    /// Stores these bytes as its checkpoint at a step.
    pub(crate) async fn store(&mut self, step: u64, content: &[u8]) {
        let digest = blake3::hash(content).as_bytes().to_vec();
        let chunks = (0..).zip(content.chunks(CHUNK_BYTES)).map(|(n, bytes)| v1::PutChunkRequest {
            digest: digest.clone(),
            chunk: Some(v1::Chunk { n, bytes: bytes.to_vec() }),
        });
        let chunks: Vec<_> = chunks.collect();
        self.service.put_chunk(stream::iter(chunks)).await.expect("the chunks are taken");
        let checkpoint = Some(v1::CheckpointRef { step, digest, bytes: content.len() as u64 });
        self.say(v1::ReportRequest { checkpoint, ..self.report(step, Vec::new()) }).await;
    }

    /// Gives the run back, as a worker that drains.
    pub(crate) async fn leave(self) {
        self.end(Ending::Stopped(v1::StopReason::Drain.into())).await;
    }

    /// Ends the run for good, as one that its user got wrong.
    pub(crate) async fn fail(self) {
        self.fail_as(v1::FailureClass::UserError).await;
    }

    /// Ends the attempt, as one whose simulation panics; others may follow.
    pub(crate) async fn crash(self) {
        self.fail_as(v1::FailureClass::Crash).await;
    }

    async fn fail_as(self, class: v1::FailureClass) {
        let (class, message) = (class.into(), "enough".to_owned());
        self.end(Ending::Failed(v1::Failure { class, message })).await;
    }

    async fn end(mut self, ending: Ending) {
        let outcome = Some(v1::Outcome { outcome: Some(ending) });
        self.say(v1::ReportRequest { outcome, ..self.report(self.step, Vec::new()) }).await;
    }
}

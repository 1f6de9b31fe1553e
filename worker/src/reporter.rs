//! Tells the server what is new in an attempt, in order and without gaps, and hears what to do.

use std::{sync::Arc, time::Duration};

use jobs::{CheckpointRef, Directive, Outcome, Report, RunId, Stop};
use tokio::time::{Instant, sleep_until};
use tracing::{error, info};

use crate::{
    backoff::Backoff,
    coordinator::{CHUNK_BYTES, Coordinator, Refusal, Terms},
    outbox::{Batch, Checkpoint, Outbox},
    witness::Witness,
};

/// Most chunks of a checkpoint that go up in one call; a cut connection costs no more than that.
const PART_CHUNKS: usize = 8;

/// The reports of one attempt. One is on its way at a time, and it is sent until the server answers it.
pub(crate) struct Reporter {
    coordinator: Arc<dyn Coordinator>,
    outbox: Arc<Outbox>,
    witness: Witness,
    run: RunId,
    attempt: u32,
    /// Number of the next report.
    seq: u64,
    /// Step of the last report.
    step: u64,
    shortest: Duration,
    longest: Duration,
    /// Most points of a report.
    points: usize,
    sent_at: Instant,
    backoff: Backoff,
}

/// The attempt is not ours any more.
struct Over;

impl Reporter {
    /// Of an attempt that begins now, at `step`.
    pub(crate) fn new(
        coordinator: Arc<dyn Coordinator>,
        outbox: Arc<Outbox>,
        witness: Witness,
        (run, attempt): (RunId, u32),
        step: u64,
        terms: &Terms,
        lease_ms: u64,
    ) -> Self {
        let shortest = Duration::from_millis(terms.report_min_ms);
        // Two reports may get lost before the lease does.
        let longest = Duration::from_millis(terms.report_max_ms.min(lease_ms / 3).max(1));
        // Already the first step may need more memory than there is.
        witness.note(run, attempt, 0, step);
        Self {
            coordinator,
            outbox,
            witness,
            run,
            attempt,
            seq: 0,
            step,
            shortest: shortest.min(longest),
            longest,
            points: terms.max_report_points,
            sent_at: Instant::now(),
            backoff: Backoff::new(),
        }
    }

    /// Until the outcome is delivered or the attempt is not ours any more; then nothing is said again.
    pub(crate) async fn run(mut self) {
        loop {
            self.until_due().await;
            let batch = self.outbox.take(self.points);
            let is_last = batch.outcome.is_some();
            match self.send(batch).await {
                Ok(()) if is_last => return,
                Ok(()) => {}
                Err(Over) => return self.outbox.abandon(),
            }
        }
    }

    /// Something is new and the last report is not too fresh, or the lease wants renewing. A run that ends before
    /// its first report is due says everything in one.
    async fn until_due(&self) {
        let fresh = async {
            self.outbox.news().await;
            sleep_until(self.sent_at + self.shortest).await;
        };
        let ended = async {
            match self.seq {
                0 => self.outbox.outcome().await,
                _ => std::future::pending().await,
            }
        };
        tokio::select! {
            () = fresh => {}
            () = ended => {}
            () = sleep_until(self.sent_at + self.longest) => {}
        }
    }

    async fn send(&mut self, batch: Batch) -> Result<(), Over> {
        let checkpoint = match batch.checkpoint {
            Some(checkpoint) => Some(self.put(checkpoint).await?),
            None => None,
        };
        self.step = batch.step;
        let report = Report { metrics: batch.points, checkpoint, outcome: batch.outcome, ..self.empty() };
        self.deliver(&report).await?;
        self.outbox.delivered(batch.size);
        if let Some(outcome) = &report.outcome {
            info!(run.id = %self.run, attempt = self.attempt, step = self.step, "run {} ends: {}", self.run, words(outcome));
        }
        Ok(())
    }

    /// Puts the chunks of a checkpoint, and goes on renewing the lease meanwhile.
    async fn put(&mut self, checkpoint: Checkpoint) -> Result<CheckpointRef, Over> {
        let reference = CheckpointRef {
            step: checkpoint.step,
            digest: checkpoint.digest,
            bytes: checkpoint.bytes.len() as u64,
        };
        let mut parts = std::pin::pin!(put_parts(self.coordinator.clone(), checkpoint));
        loop {
            tokio::select! {
                put = &mut parts => {
                    put.map_err(|refusal| self.over(&refusal))?;
                    return Ok(reference);
                }
                () = sleep_until(self.sent_at + self.longest) => self.deliver(&self.empty()).await?,
            }
        }
    }

    /// A report that renews the lease and says nothing new.
    fn empty(&self) -> Report {
        Report {
            run: self.run,
            attempt: self.attempt,
            seq: self.seq,
            step: self.step,
            metrics: Vec::new(),
            checkpoint: None,
            outcome: None,
        }
    }

    /// Sends a report until it is answered, however long that takes: the attempt goes on if it is still current.
    async fn deliver(&mut self, report: &Report) -> Result<(), Over> {
        let what = format!("report of run {}", self.run);
        self.witness.note(self.run, self.attempt, self.seq, self.step);
        loop {
            self.sent_at = Instant::now();
            match self.coordinator.report(report).await {
                Ok(directive) => {
                    self.backoff.reset(&what);
                    self.seq += 1;
                    return self.obey(directive);
                }
                Err(Refusal::Unreachable(why)) => self.backoff.wait(&what, &why).await,
                Err(refusal) => return Err(self.over(&refusal)),
            }
        }
    }

    fn obey(&self, directive: Directive) -> Result<(), Over> {
        match directive {
            Directive::Continue { .. } => {}
            Directive::Stop(Stop::LeaseLost) => {
                info!(run.id = %self.run, attempt = self.attempt, "run {} is dropped: its lease is lost", self.run);
                return Err(Over);
            }
            Directive::Stop(stop) => self.outbox.stop(stop),
        }
        Ok(())
    }

    /// Losing an attempt is daily business; any other refusal means that server and worker do not agree.
    fn over(&self, refusal: &Refusal) -> Over {
        let (run, attempt) = (self.run, self.attempt);
        match refusal {
            Refusal::Stale { .. } => info!(run.id = %run, attempt, "run {run} is dropped: {refusal}"),
            _ => error!(run.id = %run, attempt, "run {run} is dropped: {refusal}"),
        }
        Over
    }
}

impl Drop for Reporter {
    /// Nothing more is said of the attempt.
    fn drop(&mut self) {
        self.witness.over(self.run);
    }
}

fn words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Succeeded { digest } => format!("succeeded with digest {digest}"),
        Outcome::Failed { class, message } => format!("failed as {}: {message}", class.name()),
        Outcome::Stopped(stop) => format!("stopped ({stop:?})"),
    }
}

/// Part by part, each until the server has it: a chunk after a failure, twice as much after each success, so that a link
/// that is cut often carries it too.
async fn put_parts(coordinator: Arc<dyn Coordinator>, checkpoint: Checkpoint) -> Result<(), Refusal> {
    let what = format!("checkpoint at step {}", checkpoint.step);
    let mut backoff = Backoff::new();
    let (mut first, mut rest, mut chunks) = (0, &checkpoint.bytes[..], PART_CHUNKS);
    while !rest.is_empty() {
        let (part, after) = rest.split_at(rest.len().min(chunks * CHUNK_BYTES));
        match coordinator.put_checkpoint(checkpoint.digest, first, part).await {
            Ok(()) => {
                backoff.reset(&what);
                (first, rest) = (first + chunks as u32, after);
                chunks = PART_CHUNKS.min(2 * chunks);
            }
            Err(Refusal::Unreachable(why)) => {
                chunks = 1;
                backoff.wait(&what, &why).await;
            }
            Err(refusal) => return Err(refusal),
        }
    }
    Ok(())
}

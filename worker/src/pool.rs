//! A worker's life: register, fill free slots with runs, drain.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use jobs::WorkerInfo;
use tokio::{
    sync::oneshot,
    task::JoinSet,
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::{
    WorkerError,
    backoff::Backoff,
    coordinator::{Free, Lease, Refusal, Terms},
    runner::{Shared, attempt},
};

/// Runs get that long to stop and report; a process manager kills after 30 s.
const DRAIN: Duration = Duration::from_secs(25);
/// Least time between two questions for work that found none. The server is the one that waits.
const PAUSE: Duration = Duration::from_millis(100);
/// The same after a refusal, which may well be followed by the next.
const REFUSED_PAUSE: Duration = Duration::from_secs(2);

/// The slots of a worker.
pub(crate) struct Pool {
    pub(crate) shared: Arc<Shared>,
    pub(crate) worker: WorkerInfo,
}

/// Everything that can happen to a worker.
enum Happened {
    Shutdown,
    Acquired(Option<Box<Lease>>, Terms),
    Planned,
    Ended(Result<(), tokio::task::JoinError>),
}

type Acquiring<'a> = Pin<Box<dyn Future<Output = (Option<Box<Lease>>, Terms)> + Send + 'a>>;

impl Pool {
    /// Works until `shutdown`, then lets every run leave a checkpoint and say so.
    ///
    /// # Errors
    /// If the server refuses this worker.
    pub(crate) async fn run(&self, shutdown: CancellationToken) -> Result<(), WorkerError> {
        let registered = tokio::select! {
            terms = self.register() => Some(terms),
            () = shutdown.cancelled() => None,
        };
        let Some(terms) =
            registered.transpose().map_err(|refusal| WorkerError::Refused(refusal.to_string()))?
        else {
            return Ok(());
        };
        info!(worker.id = %self.worker.id, slots = self.worker.slots, "worker {} is ready", self.worker.name);
        let attempts = self.fill_slots(terms, &shutdown).await;
        drain(attempts).await;
        Ok(())
    }

    /// One question for work is open at a time, and none while a new run's need of memory is not known yet: what is
    /// free would not be true. A question is never taken back but at shutdown, or a lease could get lost with it.
    async fn fill_slots(&self, terms: Terms, shutdown: &CancellationToken) -> JoinSet<()> {
        let mut attempts = JoinSet::new();
        let mut terms = terms;
        let mut acquiring: Option<Acquiring<'_>> = None;
        let mut planning: Option<oneshot::Receiver<()>> = None;
        loop {
            let free = self.worker.slots as usize - attempts.len();
            if acquiring.is_none() && planning.is_none() && free > 0 {
                let free = Free { slots: free as u32, memory_bytes: self.shared.memory.free() };
                acquiring = Some(Box::pin(self.acquire(free, terms)));
            }
            let happened = tokio::select! {
                () = shutdown.cancelled() => Happened::Shutdown,
                (lease, terms) = some(&mut acquiring) => Happened::Acquired(lease, terms),
                _ = some(&mut planning) => Happened::Planned,
                Some(ended) = attempts.join_next() => Happened::Ended(ended),
            };
            match happened {
                Happened::Shutdown => return attempts,
                Happened::Acquired(lease, new_terms) => {
                    (acquiring, terms) = (None, new_terms);
                    if let Some(lease) = lease {
                        let (planned, known) = oneshot::channel();
                        planning = Some(known);
                        attempts.spawn(attempt(
                            self.shared.clone(),
                            *lease,
                            terms,
                            planned,
                            shutdown.clone(),
                        ));
                    }
                }
                Happened::Planned => planning = None,
                Happened::Ended(Ok(())) => {}
                Happened::Ended(Err(error)) => error!("an attempt went down with its task: {error}"),
            }
        }
    }

    /// Asks for work once; a server that was away is told again who asks.
    async fn acquire(&self, free: Free, mut terms: Terms) -> (Option<Box<Lease>>, Terms) {
        let asked_at = Instant::now();
        let refusal = match self.shared.coordinator.acquire(self.worker.id, free).await {
            Ok(Some(lease)) => return (Some(Box::new(lease)), terms),
            Ok(None) => {
                sleep_until(asked_at + PAUSE).await;
                return (None, terms);
            }
            Err(refusal) => refusal,
        };
        warn!("asking for work: {refusal}; registering again");
        if !matches!(refusal, Refusal::Unreachable(_)) {
            sleep(REFUSED_PAUSE).await;
        }
        match self.register().await {
            Ok(new_terms) => terms = new_terms,
            Err(refusal) => error!("registering again: {refusal}"),
        }
        (None, terms)
    }

    /// Until the server answers, however long it is away.
    async fn register(&self) -> Result<Terms, Refusal> {
        let mut backoff = Backoff::new();
        loop {
            match self.shared.coordinator.register(&self.worker).await {
                Ok(terms) => {
                    backoff.reset("registering");
                    return Ok(terms);
                }
                Err(Refusal::Unreachable(why)) => backoff.wait("registering", &why).await,
                Err(refusal) => return Err(refusal),
            }
        }
    }
}

/// What is left after that is dropped: its leases run out, and its threads end at their next step.
async fn drain(mut attempts: JoinSet<()>) {
    info!(runs = attempts.len(), "worker drains: {} runs leave a checkpoint", attempts.len());
    let all = async { while attempts.join_next().await.is_some() {} };
    if timeout(DRAIN, all).await.is_err() {
        warn!("{} runs could not say goodbye; their leases run out by themselves", attempts.len());
        attempts.shutdown().await;
    }
}

/// What a future that may be there gives; waits for ever without one.
async fn some<F: Future + Unpin>(future: &mut Option<F>) -> F::Output {
    match future {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}

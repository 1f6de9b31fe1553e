//! Wakes those who wait. A ring is a hint: who is woken reads the store, and looks now and then without a ring.

use jobs::JobId;
use store::Hint;
use tokio::sync::{broadcast, watch};

/// A listener that lags behind so many rings is told so, and reads the store as if it had been meant.
const RINGS: usize = 1024;

/// Rings for work and for jobs that moved.
pub(crate) struct Doorbell {
    work: watch::Sender<()>,
    /// Whether a job moved, or any may have.
    moved: broadcast::Sender<Option<JobId>>,
    /// What rang here, for other servers.
    here: broadcast::Sender<Hint>,
}

impl Doorbell {
    pub(crate) fn new() -> Self {
        let (moved, here) = (broadcast::Sender::new(RINGS), broadcast::Sender::new(RINGS));
        Self { work: watch::Sender::new(()), moved, here }
    }

    /// There may be a run to lease.
    pub(crate) fn ring_work(&self) {
        self.ring(Hint::Work);
    }

    /// A job has a new event.
    pub(crate) fn ring_job(&self, job: JobId) {
        self.ring(Hint::Job(job));
    }

    fn ring(&self, hint: Hint) {
        self.hear(hint);
        let _nobody_listens = self.here.send(hint);
    }

    /// Rings for what happened at another server.
    pub(crate) fn hear(&self, hint: Hint) {
        if matches!(hint, Hint::Work | Hint::Anything) {
            self.work.send_replace(());
        }
        let moved = match hint {
            Hint::Work => return,
            Hint::Job(job) => Some(job),
            Hint::Anything => None,
        };
        let _nobody_listens = self.moved.send(moved);
    }

    /// Listens for work from now on.
    pub(crate) fn work(&self) -> watch::Receiver<()> {
        self.work.subscribe()
    }

    /// Listens for a job from now on.
    pub(crate) fn job(&self, job: JobId) -> JobBell {
        JobBell { job, moved: self.moved.subscribe() }
    }

    /// Listens for everything that happens at this server.
    pub(crate) fn rings(&self) -> broadcast::Receiver<Hint> {
        self.here.subscribe()
    }
}

/// One listener for one job.
pub(crate) struct JobBell {
    job: JobId,
    moved: broadcast::Receiver<Option<JobId>>,
}

impl JobBell {
    /// Waits until the job may have moved.
    pub(crate) async fn rung(&mut self) {
        loop {
            match self.moved.recv().await {
                Ok(Some(job)) if job != self.job => {}
                Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => return,
                // The bell lives as long as the app, which its listeners hold.
                Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
            }
        }
    }
}

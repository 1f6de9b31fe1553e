//! Wakes those who wait. A ring is a hint: who is woken reads the store, and looks now and then without a ring.

use jobs::JobId;
use tokio::sync::{broadcast, watch};

/// Rings for work and for jobs that moved.
pub(crate) struct Doorbell {
    work: watch::Sender<()>,
    moved: broadcast::Sender<JobId>,
}

impl Doorbell {
    pub(crate) fn new() -> Self {
        // A listener that lags behind 1,024 rings is told so, and reads the store as if it had been meant.
        Self { work: watch::Sender::new(()), moved: broadcast::Sender::new(1024) }
    }

    /// There may be a run to lease.
    pub(crate) fn ring_work(&self) {
        self.work.send_replace(());
    }

    /// A job has a new event.
    pub(crate) fn ring_job(&self, job: JobId) {
        let _nobody_listens = self.moved.send(job);
    }

    /// Listens for work from now on.
    pub(crate) fn work(&self) -> watch::Receiver<()> {
        self.work.subscribe()
    }

    /// Listens for a job from now on.
    pub(crate) fn job(&self, job: JobId) -> JobBell {
        JobBell { job, moved: self.moved.subscribe() }
    }
}

/// One listener for one job.
pub(crate) struct JobBell {
    job: JobId,
    moved: broadcast::Receiver<JobId>,
}

impl JobBell {
    /// Waits until the job may have moved.
    pub(crate) async fn rung(&mut self) {
        loop {
            match self.moved.recv().await {
                Ok(job) if job != self.job => {}
                Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => return,
                // The bell lives as long as the app, which its listeners hold.
                Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
            }
        }
    }
}

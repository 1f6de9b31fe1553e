//! What every request shares: store, clock, doorbell, settings, telemetry.

use std::{ops::Deref, sync::Arc};

use jobs::{Job, JobId, Millis, Run, RunId};
use store::{Series, Store};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::{
    attempts::Attempts, backlog::Backlog, clock::Clock, config::Config, datasets::Datasets, disk::Disk,
    doorbell::Doorbell, fault::Fault, seats::Seats, telemetry::Telemetry,
};

/// Version of the program.
pub(crate) const BUILD: &str = env!("CARGO_PKG_VERSION");
/// Fewer than the connections to either database.
const STREAM_READS: usize = 3;

/// Shared by all requests; cheap to clone.
#[derive(Clone)]
pub(crate) struct App(Arc<Shared>);

/// Behind [`App`].
pub(crate) struct Shared {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) config: Config,
    pub(crate) clock: Clock,
    pub(crate) bell: Doorbell,
    pub(crate) telemetry: Telemetry,
    pub(crate) attempts: Attempts,
    pub(crate) backlog: Backlog,
    pub(crate) datasets: Datasets,
    pub(crate) disk: Disk,
    pub(crate) seats: Seats,
    /// One permit for each event stream that may be open.
    pub(crate) streams: Arc<Semaphore>,
    /// One permit for each of them that may read at once.
    pub(crate) stream_reads: Semaphore,
    /// One permit for each upload of a data set that may be under way.
    pub(crate) uploads: Semaphore,
    /// Cancelled when the server begins to go away.
    pub(crate) drain: CancellationToken,
}

impl App {
    pub(crate) fn new(config: Config, store: Arc<dyn Store>) -> Self {
        Self(Arc::new(Shared {
            store,
            clock: Clock::start(),
            bell: Doorbell::new(),
            telemetry: Telemetry::new(),
            attempts: Attempts::default(),
            backlog: Backlog::default(),
            datasets: Datasets::default(),
            seats: Seats::default(),
            disk: Disk::at(config.disk.clone()),
            streams: Arc::new(Semaphore::new(config.max_event_streams)),
            stream_reads: Semaphore::new(STREAM_READS),
            uploads: Semaphore::new(config.max_uploads),
            drain: CancellationToken::new(),
            config,
        }))
    }

    /// What time it is for leases.
    pub(crate) async fn now(&self) -> store::Result<Millis> {
        self.store.now(self.clock.now()).await
    }

    /// Refuses new work while the server goes away.
    pub(crate) fn accepts_work(&self) -> Result<(), Fault> {
        if self.drain.is_cancelled() { Err(Fault::draining()) } else { Ok(()) }
    }

    /// A job by its id or the beginning of it.
    pub(crate) async fn job(&self, id: &str) -> Result<Job, Fault> {
        let none = || Fault::not_found(format!("there is no job `{}`", cut(id)));
        let id = match id.parse::<JobId>() {
            Ok(id) => id,
            Err(_) => self.store.find_job(id).await?.ok_or_else(none)?,
        };
        self.store.job(id).await?.ok_or_else(none)
    }

    /// A run by its id or the beginning of it.
    pub(crate) async fn run(&self, id: &str) -> Result<Run, Fault> {
        let none = || Fault::not_found(format!("there is no run `{}`", cut(id)));
        let id = match id.parse::<RunId>() {
            Ok(id) => id,
            Err(_) => self.store.find_run(id).await?.ok_or_else(none)?,
        };
        self.store.run(id).await?.ok_or_else(none)
    }

    /// What a run of a job has observed, in the order in which its experiment declares it.
    pub(crate) async fn series(&self, job: &Job, run: &Run) -> Result<Vec<Series>, Fault> {
        let mut series = self.store.series(run.id).await?;
        let declared = experiments::find(&job.spec.experiment).map_or(&[][..], |kind| kind.metrics());
        // One that an older version declared comes last.
        series.sort_by_key(|series| {
            declared.iter().position(|spec| spec.name == series.name).unwrap_or(usize::MAX)
        });
        Ok(series)
    }

    /// The job of a run that is there.
    pub(crate) async fn job_of(&self, run: &Run) -> Result<Job, Fault> {
        let job = self.store.job(run.job).await?;
        job.ok_or_else(|| Fault::internal(format!("run {} has no job", run.id)))
    }
}

impl Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// What a caller sent, short enough to be sent back.
pub(crate) fn cut(text: &str) -> String {
    if text.chars().count() <= 80 { text.to_owned() } else { text.chars().take(79).chain(['…']).collect() }
}

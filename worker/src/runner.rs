//! One attempt: data set and checkpoint → simulation → slot, and reports from the first moment on.

use std::{num::NonZeroU64, sync::Arc, time::Duration};

use experiments::{CanonicalParams, Data, Kind, Setup, Source};
use gang::Gang;
use jobs::{CheckpointRef, Class, Outcome, Stop};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::{
    backoff::Backoff,
    coordinator::{Coordinator, Lease, Refusal, Terms},
    datasets::{DatasetError, Datasets, blocking},
    memory::{Memory, Reserved},
    outbox::{Order, Outbox},
    reporter::Reporter,
    slot::{Build, Cadence, Clock, Rules, Slot},
    sources::Sources,
    witness::Witness,
};

/// What all attempts of a worker share.
pub(crate) struct Shared {
    pub(crate) coordinator: Arc<dyn Coordinator>,
    pub(crate) catalogue: &'static [&'static dyn Kind],
    pub(crate) datasets: Datasets,
    pub(crate) sources: Sources,
    pub(crate) memory: Arc<Memory>,
    pub(crate) gang: Gang,
    pub(crate) witness: Witness,
    pub(crate) clock: Clock,
}

/// Runs one attempt to its end, to the loss of its lease, or until `drain`.
///
/// `planned` is answered, or dropped, as soon as the memory of the run is accounted for.
pub(crate) async fn attempt(
    shared: Arc<Shared>,
    lease: Lease,
    terms: Terms,
    planned: oneshot::Sender<()>,
    drain: CancellationToken,
) {
    let step = lease.checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.step);
    info!(run.id = %lease.run, attempt = lease.attempt, "run {} of job {} begins at step {step}", lease.run, lease.job);
    let outbox = Arc::new(Outbox::new(step));
    let _abandon = AbandonOnDrop(outbox.clone());
    let who = (lease.run, lease.attempt);
    let witness = shared.witness.clone();
    let reporter =
        Reporter::new(shared.coordinator.clone(), outbox.clone(), witness, who, step, &terms, lease.lease_ms);
    let began = (shared.clock)();
    let work = async {
        match prepare_unless_stopped(&shared, &lease, &outbox, planned).await {
            Ok(Prepared { build, _memory }) => {
                let rules = rules(&lease, &terms, began, shared.clock.clone());
                compute(&lease, build, rules, &outbox).await;
            }
            Err(Some(outcome)) => outbox.ended(outcome),
            Err(None) => {}
        }
    };
    let drained = async {
        drain.cancelled().await;
        outbox.stop(Stop::Drain);
        std::future::pending::<()>().await;
    };
    tokio::select! {
        _ = async { tokio::join!(reporter.run(), work) } => {}
        () = drained => {}
    }
}

/// The thread must not outlive the attempt, whatever ends it.
struct AbandonOnDrop(Arc<Outbox>);

impl Drop for AbandonOnDrop {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

struct Prepared {
    build: Build,
    /// Given back when the attempt ends.
    _memory: Reserved,
}

/// Loading may take long: it ends at once when the attempt is stopped. `None` when there is nothing to say.
async fn prepare_unless_stopped(
    shared: &Shared,
    lease: &Lease,
    outbox: &Outbox,
    planned: oneshot::Sender<()>,
) -> Result<Prepared, Option<Outcome>> {
    tokio::select! {
        prepared = prepare(shared, lease, planned) => prepared.map_err(Some),
        order = outbox.stopped() => Err(match order {
            Order::Stop(stop) => Some(Outcome::Stopped(stop)),
            Order::Go | Order::Abandon => None,
        }),
    }
}

async fn prepare(shared: &Shared, lease: &Lease, planned: oneshot::Sender<()>) -> Result<Prepared, Outcome> {
    let Lease { experiment, version, .. } = lease;
    let kind = shared.catalogue.iter().find(|kind| kind.name() == experiment && kind.version() == *version);
    let kind =
        *kind.ok_or_else(|| failed(Class::Crash, format!("this worker has no {experiment} v{version}")))?;
    let data = match lease.dataset {
        Some(hash) => shared.datasets.load(hash, &*shared.coordinator).await.map_err(|e| no_data(&e))?,
        None => Data::None,
    };
    let sources = shared.sources.load(&lease.sources, &*shared.coordinator).await?;
    let params = CanonicalParams::from_stored(lease.params.clone());
    let (shape, plan_params) = (data.shape(), params.clone());
    let plan = blocking(move || kind.plan(&plan_params, &shape)).await;
    let plan = plan.map_err(|error| failed(Class::UserError, error.to_string()))?;
    let states = sources.iter().map(|source| Source::memory_bytes(source.body.len() as u64));
    let memory = shared.memory.reserve(plan.memory_bytes.saturating_add(states.sum()));
    let _ = planned.send(()); // nobody waits any more when the worker goes away

    let setup = Setup { params, seed: lease.seed, data, sources, every: lease.every };
    let checkpoint = match &lease.checkpoint {
        None => None,
        Some(checkpoint) => {
            let what = format!("checkpoint at step {}", checkpoint.step);
            Some(fetch(&*shared.coordinator, checkpoint.clone(), what).await?)
        }
    };
    let gang = shared.gang;
    let build: Build = Box::new(move || gang.begin(kind, setup, checkpoint));
    Ok(Prepared { build, _memory: memory })
}

/// Reads a checkpoint and checks its hash; waits as long as the server is away.
pub(crate) async fn fetch(
    coordinator: &dyn Coordinator,
    checkpoint: CheckpointRef,
    what: String,
) -> Result<Vec<u8>, Outcome> {
    let mut backoff = Backoff::new();
    let bytes = loop {
        match coordinator.get_checkpoint(&checkpoint).await {
            Ok(bytes) => break bytes,
            Err(Refusal::Unreachable(why)) => backoff.wait(&what, &why).await,
            Err(refusal) => return Err(failed(Class::Crash, format!("{what}: {refusal}"))),
        }
    };
    backoff.reset(&what);
    blocking(move || match blake3::hash(&bytes) == checkpoint.digest {
        true => Ok(bytes),
        false => Err(failed(Class::Crash, format!("{what} is damaged: it does not match its hash"))),
    })
    .await
}

fn no_data(error: &DatasetError) -> Outcome {
    let class = match error {
        DatasetError::Refused { .. } | DatasetError::Unreadable(_) => Class::UserError,
        DatasetError::Damaged(_) => Class::Crash,
    };
    failed(class, error.to_string())
}

pub(crate) fn failed(class: Class, message: String) -> Outcome {
    Outcome::Failed { class, message }
}

fn rules(lease: &Lease, terms: &Terms, began: Duration, clock: Clock) -> Rules {
    let cadence = match lease.checkpoint_every_steps.and_then(NonZeroU64::new) {
        Some(every) => Cadence::Steps(every),
        None => Cadence::Wall(Duration::from_millis(terms.checkpoint_ms)),
    };
    Rules {
        cadence,
        on_nonfinite: lease.on_nonfinite,
        wall: Duration::from_secs(lease.wall_s),
        began,
        max_checkpoint_bytes: terms.max_checkpoint_bytes,
        resumed_at: lease.checkpoint.as_ref().map(|checkpoint| checkpoint.step),
        clock,
    }
}

async fn compute(lease: &Lease, build: Build, rules: Rules, outbox: &Arc<Outbox>) {
    // The kernel shows 15 letters of a thread's name: the random end of the id tells runs apart.
    let id = lease.run.to_string();
    let name = format!("run {}", &id[id.len() - 8..]);
    match Slot::spawn(name, build, rules, outbox.clone()) {
        Ok(slot) => slot.ended().await,
        Err(error) => outbox.ended(failed(Class::Crash, format!("cannot start a thread: {error}"))),
    }
}

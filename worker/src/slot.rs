//! A slot: one simulation on one thread of its own. It computes and never awaits.

use std::{
    any::Any,
    io,
    num::NonZeroU64,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use experiments::{Advance, Metric, Simulation, StartError};
use jobs::{Class, MetricPoint, NonFinite, Outcome, Value};
use tokio::sync::oneshot;
use tracing::{error, warn};

use crate::{
    convert,
    outbox::{Checkpoint, Order, Outbox},
};

/// Time since the worker began; an argument, so that tests decide on it.
pub(crate) type Clock = Arc<dyn Fn() -> Duration + Send + Sync>;

/// Makes the simulation. Runs on the slot's thread: parsing, hashing and first states are computing too.
pub(crate) type Build = Box<dyn FnOnce() -> Result<Box<dyn Simulation>, StartError> + Send>;

/// When a run leaves a checkpoint, beside at its end and when it is told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cadence {
    /// At multiples of so many steps.
    Steps(NonZeroU64),
    /// After so much time.
    Wall(Duration),
}

/// What the computing thread keeps to.
pub(crate) struct Rules {
    pub(crate) cadence: Cadence,
    pub(crate) on_nonfinite: NonFinite,
    /// Wall time of the attempt.
    pub(crate) wall: Duration,
    /// When the attempt began, by `clock`.
    pub(crate) began: Duration,
    pub(crate) max_checkpoint_bytes: u64,
    /// Step of the checkpoint it resumes from: the server has that one.
    pub(crate) resumed_at: Option<u64>,
    pub(crate) clock: Clock,
}

/// A running thread.
#[derive(Debug)]
pub(crate) struct Slot {
    thread: JoinHandle<()>,
    ended: oneshot::Receiver<()>,
}

impl Slot {
    /// Begins to compute; everything it finds goes to `outbox`.
    ///
    /// # Errors
    /// If the system has no thread left.
    pub(crate) fn spawn(name: String, build: Build, rules: Rules, outbox: Arc<Outbox>) -> io::Result<Self> {
        let (end, ended) = oneshot::channel();
        let thread = thread::Builder::new().name(name).spawn(move || {
            compute(build, rules, &outbox);
            drop(outbox);
            let _ = end.send(()); // nobody waits any more when the worker goes away
        })?;
        Ok(Self { thread, ended })
    }

    /// Waits until the thread and everything it held are gone.
    pub(crate) async fn ended(self) {
        let _ = self.ended.await; // an error says that the thread is gone as well
        if self.thread.join().is_err() {
            error!("a computing thread panicked outside of its simulation");
        }
    }
}

/// A panic ends the attempt, not the worker.
fn compute(build: Build, rules: Rules, outbox: &Outbox) {
    // What was being changed is dropped with the panic, so nobody sees it half changed.
    let ended = catch_unwind(AssertUnwindSafe(|| match build() {
        Ok(simulation) => Drive::new(simulation, rules, outbox).run(),
        Err(error) => Some(cannot_start(&error)),
    }));
    match ended {
        Ok(Some(outcome)) => outbox.ended(outcome),
        Ok(None) => {}
        Err(panic) => outbox.ended(Outcome::Failed { class: Class::Crash, message: words(panic.as_ref()) }),
    }
}

fn cannot_start(error: &StartError) -> Outcome {
    let class = match error {
        StartError::Params(_) | StartError::Data(_) | StartError::Source(_) => Class::UserError,
        StartError::Checkpoint(_) => Class::CheckpointRefused,
    };
    Outcome::Failed { class, message: error.to_string() }
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    let text: String = text.unwrap_or("no message").chars().take(1_000).collect();
    format!("the simulation panicked: {text}")
}

struct Drive<'a> {
    simulation: Box<dyn Simulation>,
    rules: Rules,
    outbox: &'a Outbox,
    /// Step and time of the last checkpoint.
    kept_step: Option<u64>,
    kept_at: Duration,
}

impl<'a> Drive<'a> {
    fn new(simulation: Box<dyn Simulation>, rules: Rules, outbox: &'a Outbox) -> Self {
        let (kept_step, kept_at) = (rules.resumed_at, (rules.clock)());
        Self { simulation, rules, outbox, kept_step, kept_at }
    }

    /// Until the end; `None` when the attempt was abandoned.
    fn run(mut self) -> Option<Outcome> {
        self.outbox.stepped(self.simulation.step());
        loop {
            match self.outbox.order() {
                Order::Go => {}
                Order::Stop(stop) => {
                    self.checkpoint();
                    return Some(Outcome::Stopped(stop));
                }
                Order::Abandon => return None,
            }
            if (self.rules.clock)().saturating_sub(self.rules.began) >= self.rules.wall {
                self.checkpoint();
                let message = format!("the attempt took longer than {} s", self.rules.wall.as_secs());
                return Some(Outcome::Failed { class: Class::Timeout, message });
            }
            match self.simulation.advance() {
                Advance::Stepped => self.outbox.stepped(self.simulation.step()),
                Advance::Observed(metrics) => {
                    if let Some(failed) = self.observed(metrics) {
                        return Some(failed);
                    }
                }
                Advance::Done(digest) => {
                    self.checkpoint();
                    return Some(Outcome::Succeeded { digest: digest.to_string() });
                }
            }
            if self.is_checkpoint_due() {
                self.checkpoint();
            }
        }
    }

    /// Hands metrics on; some values end the run, and are handed on all the same.
    fn observed(&mut self, metrics: Vec<Metric>) -> Option<Outcome> {
        let strange = match self.rules.on_nonfinite {
            NonFinite::Fail => metrics.iter().find(|metric| !metric.value.is_finite()).map(diverged),
            NonFinite::Record => None,
        };
        let points: Vec<MetricPoint> = metrics.into_iter().map(convert::metric_point).collect();
        if let Some(failed) = points.iter().find_map(too_large) {
            return Some(failed);
        }
        self.outbox.observed(points);
        strange
    }

    /// The end leaves its own checkpoint; two at one step would differ in nothing but their header.
    fn is_checkpoint_due(&self) -> bool {
        let step = self.simulation.step();
        match self.rules.cadence {
            Cadence::Steps(every) => {
                step > 0 && step.is_multiple_of(every.get()) && step < self.simulation.steps()
            }
            Cadence::Wall(every) => (self.rules.clock)().saturating_sub(self.kept_at) >= every,
        }
    }

    fn checkpoint(&mut self) {
        let step = self.simulation.step();
        if self.kept_step == Some(step) {
            return;
        }
        let bytes = self.simulation.checkpoint();
        (self.kept_step, self.kept_at) = (Some(step), (self.rules.clock)());
        let limit = self.rules.max_checkpoint_bytes;
        if bytes.len() as u64 > limit {
            warn!(
                "a checkpoint at step {step} has {} bytes, the server takes {limit}; going on without",
                bytes.len()
            );
            return;
        }
        let digest = *blake3::hash(&bytes).as_bytes();
        self.outbox.checkpointed(Checkpoint { step, digest, bytes: bytes.into() });
    }
}

fn diverged(metric: &Metric) -> Outcome {
    let what = match metric.value {
        experiments::Value::Scalar(x) if x.is_nan() => "nan".to_owned(),
        experiments::Value::Scalar(x) => x.to_string(),
        experiments::Value::Array(_) => "not finite".to_owned(),
    };
    let message = format!("metric {} is {what} at step {}", metric.name, metric.step);
    Outcome::Failed { class: Class::Diverged, message }
}

/// The same params would give the same value again, so trying again is no use.
fn too_large(point: &MetricPoint) -> Option<Outcome> {
    let Value::Array(array) = &point.value else { return None };
    let (bytes, limit) = (array.data.len(), proto::VALUE_LIMIT_BYTES);
    let message = || {
        format!("metric {} at step {} is {bytes} bytes; it must be at most {limit}", point.name, point.step)
    };
    (bytes > limit).then(|| Outcome::Failed { class: Class::UserError, message: message() })
}

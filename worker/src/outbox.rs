//! What waits between the thread that computes and the task that reports: in order, bounded, nothing dropped.

use std::{
    collections::VecDeque,
    ops::{AddAssign, SubAssign},
    sync::{Arc, Condvar, Mutex, MutexGuard},
};

use jobs::{MetricPoint, Outcome, Stop, Value};
use tokio::sync::Notify;

/// How much may wait, reports in flight included. One observation that is larger by itself waits alone.
const WAITING: Size = Size { points: 10_000, bytes: 8 << 20 };
/// How many bytes go into one report: a message takes 4 MiB, and the estimate of its size is no more than that.
const REPORT_BYTES: usize = 3 << 20;
/// What a point needs on the wire beside its name and its numbers.
const POINT_BYTES: usize = 64;

/// What the computing thread is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// Go on.
    Go,
    /// Stop before the next piece of work, leave a checkpoint and say so.
    Stop(Stop),
    /// Nothing counts any more: stop and say nothing.
    Abandon,
}

/// The whole state at a step, as stored.
#[derive(Debug, Clone)]
pub(crate) struct Checkpoint {
    pub(crate) step: u64,
    /// BLAKE3 of the bytes.
    pub(crate) digest: [u8; 32],
    pub(crate) bytes: Arc<[u8]>,
}

/// What one report carries.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) step: u64,
    pub(crate) points: Vec<MetricPoint>,
    pub(crate) checkpoint: Option<Checkpoint>,
    pub(crate) outcome: Option<Outcome>,
    /// To be given back with [`Outbox::delivered`].
    pub(crate) size: Size,
}

/// Number and size of metric points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Size {
    points: usize,
    bytes: usize,
}

/// Both sides' view of one attempt.
#[derive(Debug)]
pub(crate) struct Outbox {
    state: Mutex<State>,
    /// Wakes the computing thread: there is room, or another order.
    room: Condvar,
    /// Wakes tasks: something new waits, or another order.
    changed: Notify,
}

#[derive(Debug)]
struct State {
    step: u64,
    points: VecDeque<MetricPoint>,
    /// Of all points that the server has not acknowledged.
    held: Size,
    /// The newest checkpoint, with the number of waiting points that it must not overtake.
    checkpoint: Option<(Checkpoint, usize)>,
    outcome: Option<Outcome>,
    order: Order,
}

impl Outbox {
    /// Of an attempt that begins at `step`.
    pub(crate) fn new(step: u64) -> Self {
        let state = State {
            step,
            points: VecDeque::new(),
            held: Size::default(),
            checkpoint: None,
            outcome: None,
            order: Order::Go,
        };
        Self { state: Mutex::new(state), room: Condvar::new(), changed: Notify::new() }
    }

    /// What to do now.
    pub(crate) fn order(&self) -> Order {
        self.lock().order
    }

    /// Notes how far the run is. No news by itself: it travels with the next report.
    pub(crate) fn stepped(&self, step: u64) {
        self.lock().step = step;
    }

    /// Puts the metrics of one observation; waits, blocking the thread, while too much is waiting already.
    ///
    /// Once the thread is told to stop it need not wait: there will be no further observation.
    pub(crate) fn observed(&self, points: Vec<MetricPoint>) {
        let size = points.iter().fold(Size::default(), |size, point| size.plus(point));
        let is_full = |state: &mut State| {
            state.order == Order::Go && state.held != Size::default() && !state.held.and(size).fits(WAITING)
        };
        let mut state =
            self.room.wait_while(self.lock(), is_full).expect("nobody panics while holding an outbox");
        state.held += size;
        state.points.extend(points);
        drop(state);
        self.changed.notify_waiters();
    }

    /// Puts a checkpoint. It takes the place of one that still waits: the newer one is as good, with all metrics
    /// up to it, and a server that is away for long does not fill the memory with old states.
    pub(crate) fn checkpointed(&self, checkpoint: Checkpoint) {
        let mut state = self.lock();
        state.checkpoint = Some((checkpoint, state.points.len()));
        drop(state);
        self.changed.notify_waiters();
    }

    /// Says how the attempt ended; nothing may follow.
    pub(crate) fn ended(&self, outcome: Outcome) {
        self.lock().outcome = Some(outcome);
        self.changed.notify_waiters();
    }

    /// Tells the thread to stop. What a user wants goes before what this process wants.
    pub(crate) fn stop(&self, stop: Stop) {
        let mut state = self.lock();
        state.order = match (state.order, stop) {
            (Order::Abandon, _) | (_, Stop::LeaseLost) => Order::Abandon,
            (Order::Stop(earlier), Stop::Drain) => Order::Stop(earlier),
            _ => Order::Stop(stop),
        };
        drop(state);
        self.wake();
    }

    /// Tells the thread that nothing counts any more.
    pub(crate) fn abandon(&self) {
        self.stop(Stop::LeaseLost);
    }

    /// Waits until the order is another than to go on.
    pub(crate) async fn stopped(&self) -> Order {
        self.when(|state| (state.order != Order::Go).then_some(state.order)).await
    }

    /// Waits until there is something to report.
    pub(crate) async fn news(&self) {
        let news =
            |state: &State| !state.points.is_empty() || state.checkpoint.is_some() || state.outcome.is_some();
        self.when(|state| news(state).then_some(())).await;
    }

    /// Waits until the outcome is known.
    pub(crate) async fn outcome(&self) {
        self.when(|state| state.outcome.is_some().then_some(())).await;
    }

    /// Takes what the next report carries: the oldest points that fit, at most `most`, a checkpoint once all points
    /// before it are taken, the outcome with the last of them.
    pub(crate) fn take(&self, most: usize) -> Batch {
        let report = Size { points: most, bytes: REPORT_BYTES };
        let mut state = self.lock();
        let mut size = Size::default();
        let mut points = Vec::new();
        while let Some(point) = state.points.front() {
            let grown = size.plus(point);
            if !points.is_empty() && !grown.fits(report) {
                break;
            }
            size = grown;
            points.extend(state.points.pop_front());
        }
        let ready = state.checkpoint.take_if(|(_, after)| {
            *after = after.saturating_sub(points.len());
            *after == 0
        });
        let checkpoint = ready.map(|(checkpoint, _)| checkpoint);
        let all = state.points.is_empty();
        let outcome = if all { state.outcome.take() } else { None };
        // The server takes no step below one that it was told before: with points left it is told theirs.
        let reached = points.last().map(|point| point.step).max(checkpoint.as_ref().map(|c| c.step));
        let step = if all { state.step } else { reached.unwrap_or(state.step) };
        Batch { step, points, checkpoint, outcome, size }
    }

    /// Gives the room of points back that the server has acknowledged.
    pub(crate) fn delivered(&self, size: Size) {
        self.lock().held -= size;
        self.room.notify_all();
    }

    fn wake(&self) {
        self.room.notify_all();
        self.changed.notify_waiters();
    }

    async fn when<T>(&self, ready: impl Fn(&State) -> Option<T>) -> T {
        loop {
            let changed = self.changed.notified(); // made before looking, so that no change is missed
            if let Some(value) = ready(&self.lock()) {
                return value;
            }
            changed.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics while holding an outbox")
    }
}

impl Size {
    fn plus(self, point: &MetricPoint) -> Self {
        let numbers = match &point.value {
            Value::Scalar(_) => 8,
            Value::Array(array) => array.data.len() + array.shape.len() * 5,
        };
        self.and(Self { points: 1, bytes: POINT_BYTES + point.name.len() + numbers })
    }

    fn and(self, other: Self) -> Self {
        Self { points: self.points + other.points, bytes: self.bytes + other.bytes }
    }

    fn fits(self, limit: Self) -> bool {
        self.points <= limit.points && self.bytes <= limit.bytes
    }
}

impl AddAssign for Size {
    fn add_assign(&mut self, other: Self) {
        *self = self.and(other);
    }
}

impl SubAssign for Size {
    fn sub_assign(&mut self, other: Self) {
        self.points -= other.points;
        self.bytes -= other.bytes;
    }
}

//! What a job is and how a run may change.
//!
//! Pure: no clock, no I/O. Params, metric values and checkpoints are bytes here. Every change of a run's state
//! goes through [`apply`]; stores only persist what it answers.
#![forbid(unsafe_code)]

mod choose;
mod ending;
mod event;
mod id;
mod job;
mod limits;
mod metric;
mod policy;
mod random;
mod report;
mod retention;
mod run;
mod source;
mod sweep;
mod transition;
mod worker;

pub use choose::{Candidate, Waiting, choose, largest_plan};
pub use event::{Event, EventKind};
pub use id::{DatasetHash, IdError, JobId, RunId, WorkerId};
pub use job::{Counts, Job, JobSpec, JobState, Limits, NonFinite, RunSpec, SeedRange, Seeds, SpecError};
pub use metric::{Array, Dtype, MetricKind, MetricPoint, Value, scalar_json};
pub use policy::{Fence, Policy};
pub use random::{Choices, Interval, Number, RandomSweep, Range, Scale};
pub use report::{CheckpointRef, Directive, Outcome, Report, Stop};
pub use retention::{Best, Goal, Held, Keep, MOST_KEPT};
pub use run::{Class, Lease, Run, RunState, Wish};
pub use source::{JobSource, Last, SourceSpec, SourceStep};
pub use sweep::{Point, Sweep, expand};
pub use transition::{Change, Refused, Said, Transition, apply};
pub use worker::{Capability, WorkerInfo};

/// A time on the server's clock, in milliseconds since 1970. Never a worker's clock.
pub type Millis = u64;

//! The catalogue of experiments and what drives them.
//!
//! An author writes one [`Experiment`]; validation, checkpoints, exact resume, digests and documentation are
//! derived from it once, in [`Kind`] and [`Simulation`]. Pure: no clock, no I/O, no network.
#![forbid(unsafe_code)]

pub mod ablation;
pub mod annealing;
mod audio;
pub mod bayes_net;
pub mod boltzmann;
mod canonical;
mod catalogue;
mod checkpoint;
mod data;
mod digest;
mod digits;
pub mod exact;
mod experiment;
mod figure;
mod finding;
mod fork;
mod idx;
mod kind;
mod metric;
pub mod one_shot;
mod params;
pub mod posterior;
pub mod rbm;
pub mod rbse;
pub mod reward;
mod sampling;
pub mod self_repair;
mod simulation;
mod source;
pub mod sparsity;
pub mod spike_temperature;
pub mod spine_dynamics;
pub mod spine_fit;
pub mod stdp_window;
mod table;
mod timeline;
pub mod wta_mixture;

pub use audio::{Audio, Recording, audio_from_tar, is_recording};
pub use canonical::CanonicalParams;
pub use catalogue::{CATALOGUE, find};
pub use checkpoint::{CheckpointError, Header};
pub use data::{Data, DataError, DataNeed, DataShape, Images, VariableShape, network_from_bif};
pub use digest::{Digest, Trace};
pub use digits::{ATTRIBUTION as DIGITS_ATTRIBUTION, digits8x8};
pub use experiment::{Experiment, Plan};
pub use figure::{Better, Column, Figure, FigureKind, Series, figures};
pub use finding::{
    Bound, Comparison, Control, Exception, Expected, FalseAlarm, Finding, FindingJob, How, Measured, Outcome,
    Overlay, Point, Reduce, Results, SEEDS, Statistic, Target, Targets, Tuned, findings, interval_95,
    targets,
};
pub use fork::{FORK, check_fork, check_fork_step, check_forked};
pub use idx::{Idx, IdxDecoder, IdxError, images_from_idx};
pub use kind::{Kind, Setup, StartError};
pub use metric::{Array, Dtype, Value};
pub use metric::{Cadence, Metric, MetricSpec, Metrics, ValueKind};
pub use params::{ParamError, set_path};
pub use simulation::{Advance, Shared, Simulation, default_every};
pub use source::{Offer, Source, SourceError, SourceMark, SourceNeed, check_sources};
pub use table::{Table, table_from_csv};
pub use timeline::{Entry, Pairs, Remove};

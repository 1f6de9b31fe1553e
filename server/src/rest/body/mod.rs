//! JSON bodies of answers: the words of `jobs` and `store` as users read them.

mod catalogue;
mod checkpoint;
mod dataset;
mod event;
mod job;
mod metric;
mod run;
mod worker;

use serde::Serialize;
use utoipa::ToSchema;

pub(crate) use catalogue::{Experiment, ExperimentSummary, Experiments};
pub(crate) use checkpoint::{Checkpoint, Checkpoints, Garbage};
pub(crate) use dataset::{Dataset, Datasets, UploadForm};
pub(crate) use event::{Event, Events, schemas as event_schemas};
pub(crate) use job::{Job, Jobs};
pub(crate) use metric::{Metric, Metrics, Rows, ValueForm};
pub(crate) use metric::{schemas as metric_schemas, value};
pub(crate) use run::{Ranked, Ranking, Run, Runs};
pub(crate) use worker::{Worker, Workers};

/// Name and version of the program.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Version {
    /// `vesicle`.
    pub(crate) name: &'static str,
    /// Version of the program.
    pub(crate) version: &'static str,
}

/// That it is well.
#[derive(Serialize)]
pub(crate) struct Status {
    pub(crate) status: &'static str,
    /// What the room on the disk of the database is enough for, where it is a disk of this machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) disk: Option<&'static str>,
}

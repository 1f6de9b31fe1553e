//! Runs as users read them.

use std::collections::BTreeMap;

use jobs::{Millis, RunState, WorkerInfo};
use serde::Serialize;
use serde_json::{Value as Json, value::RawValue};
use store::Series;
use utoipa::{
    ToSchema,
    openapi::{
        ObjectBuilder, RefOr,
        schema::{Schema, Type},
    },
};

use crate::{clock::rfc3339, waiting::waiting_for};

/// A run: one setting and one seed of a job.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Run {
    #[schema(format = Uuid)]
    id: String,
    #[schema(format = Uuid)]
    job_id: String,
    /// Place in its job.
    index: u32,
    #[schema(schema_with = state_schema)]
    state: &'static str,
    /// Number of the last attempt; 0 before the first.
    attempt: u32,
    seed: u64,
    /// All params, canonical.
    #[schema(value_type = Object)]
    params: Box<RawValue>,
    /// Last step reported.
    step: u64,
    steps: u64,
    #[schema(required)]
    checkpoint_step: Option<u64>,
    /// Of a run that succeeded: BLAKE3 of its metrics and final state.
    #[schema(required)]
    digest: Option<String>,
    /// Of a run that failed.
    #[schema(required)]
    failure: Option<Failure>,
    /// Of a queued run: what it waits for.
    #[schema(required)]
    waiting_for: Option<String>,
    memory_bytes: u64,
    #[schema(format = DateTime)]
    updated_at: String,
    /// Last value of each metric that is one number.
    #[schema(schema_with = scalars_schema)]
    scalars: BTreeMap<String, Json>,
}

/// Runs by a metric.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ranking {
    pub(crate) runs: Vec<Ranked>,
}

/// A run with its place.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ranked {
    #[schema(format = Uuid)]
    pub(crate) id: String,
    #[schema(format = Uuid)]
    pub(crate) job_id: String,
    /// Place in its job.
    pub(crate) index: u32,
    #[schema(schema_with = state_schema)]
    pub(crate) state: &'static str,
    pub(crate) seed: u64,
    /// All params, canonical.
    #[schema(value_type = Object)]
    params: Box<RawValue>,
    /// Last value of the metric.
    pub(crate) value: f64,
    /// Step of that value.
    pub(crate) step: u64,
}

impl From<store::Ranked> for Ranked {
    fn from(ranked: store::Ranked) -> Self {
        let store::Ranked { run, value, step } = ranked;
        Self {
            id: run.id.to_string(),
            job_id: run.job.to_string(),
            index: run.spec.index,
            state: run.state.name(),
            seed: run.spec.seed,
            params: RawValue::from_string(run.spec.params).unwrap_or_default(),
            value,
            step,
        }
    }
}

/// Why a run failed.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Failure {
    /// `crash`, `timeout`, `oom`, `lost`, `diverged`, …
    class: &'static str,
    message: String,
}

/// A page of runs by index.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Runs {
    pub(crate) runs: Vec<Run>,
    /// `cursor` of the next page; null on the last.
    #[schema(required)]
    pub(crate) next_cursor: Option<String>,
}

impl Run {
    /// `live`: the workers that could take it, when it is queued.
    pub(crate) fn new(
        run: jobs::Run,
        job: &jobs::Job,
        series: &[Series],
        live: &[WorkerInfo],
        now: Millis,
    ) -> Self {
        let waiting_for = waiting_for(&run, job, live, now);
        let last = |series: &Series| series.last.map(|last| (series.name.clone(), jobs::scalar_json(last)));
        let (digest, failure) = match &run.state {
            RunState::Succeeded { digest } => (Some(digest.clone()), None),
            RunState::Failed { class, message } => {
                (None, Some(Failure { class: class.name(), message: message.clone() }))
            }
            _ => (None, None),
        };
        Self {
            id: run.id.to_string(),
            job_id: run.job.to_string(),
            index: run.spec.index,
            state: run.state.name(),
            attempt: run.attempt,
            seed: run.spec.seed,
            // Stored params are JSON that this server wrote; an empty object would be the honest rest.
            params: RawValue::from_string(run.spec.params).unwrap_or_default(),
            step: run.step,
            steps: run.spec.steps,
            checkpoint_step: run.checkpoint_step,
            digest,
            failure,
            waiting_for,
            memory_bytes: run.spec.memory_bytes,
            updated_at: rfc3339(run.updated_at),
            scalars: series.iter().filter_map(last).collect(),
        }
    }
}

fn scalars_schema() -> RefOr<Schema> {
    let scalar = utoipa::openapi::Ref::from_schema_name("Scalar");
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .additional_properties(Some(RefOr::<Schema>::from(scalar)))
        .into()
}

/// The states of jobs and runs.
pub(super) fn state_schema() -> RefOr<Schema> {
    let states = ["queued", "running", "paused", "succeeded", "failed", "cancelled"];
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(states)).into()
}

//! Jobs as users read them.

use jobs::Counts;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{act::state_name, clock::rfc3339};

/// A job.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Job {
    #[schema(format = Uuid)]
    id: String,
    /// As the user calls it.
    #[schema(required)]
    name: Option<String>,
    experiment: String,
    #[schema(minimum = 1)]
    version: u32,
    /// Derived from the states of its runs.
    #[schema(schema_with = super::run::state_schema)]
    state: &'static str,
    runs: RunCounts,
    /// As submitted, with `version` filled in.
    #[schema(schema_with = spec_schema)]
    spec: jobs::JobSpec,
    /// Hash of the data set that its name meant at submission.
    #[schema(required, pattern = "^blake3:[0-9a-f]{64}$")]
    dataset: Option<String>,
    /// The checkpoints of finished runs that it builds on, as they were resolved at submission.
    from: Vec<JobSource>,
    #[schema(format = DateTime)]
    created_at: String,
    /// When its last run ended.
    #[schema(required, format = DateTime)]
    ended_at: Option<String>,
    /// Number of its last event.
    last_seq: u64,
}

/// A checkpoint of a finished run that a job builds on.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct JobSource {
    /// What the experiment calls it.
    #[serde(rename = "as")]
    name: String,
    #[schema(format = Uuid)]
    run: String,
    step: u64,
    /// BLAKE3 of the checkpoint's bytes.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    digest: String,
    /// Length of the checkpoint.
    bytes: u64,
}

/// How many runs of a job are in each state.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunCounts {
    queued: u32,
    running: u32,
    paused: u32,
    succeeded: u32,
    failed: u32,
    cancelled: u32,
    total: u32,
}

/// A page of jobs, newest first.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Jobs {
    pub(crate) jobs: Vec<Job>,
    /// `cursor` of the next page; null on the last.
    #[schema(required)]
    pub(crate) next_cursor: Option<String>,
}

impl Job {
    pub(crate) fn id(&self) -> &str {
        &self.id
    }
}

impl From<jobs::Job> for Job {
    fn from(job: jobs::Job) -> Self {
        Self {
            id: job.id.to_string(),
            name: job.spec.name.clone(),
            experiment: job.spec.experiment.clone(),
            version: job.spec.version.unwrap_or(1),
            state: state_name(job.counts.state()),
            runs: job.counts.into(),
            dataset: job.dataset.map(|hash| hash.to_string()),
            from: job.from.into_iter().map(JobSource::from).collect(),
            created_at: rfc3339(job.created_at),
            ended_at: job.ended_at.map(rfc3339),
            last_seq: job.last_seq,
            spec: job.spec,
        }
    }
}

impl From<jobs::JobSource> for JobSource {
    fn from(source: jobs::JobSource) -> Self {
        let jobs::JobSource { name, run, checkpoint } = source;
        let digest = blake3::Hash::from_bytes(checkpoint.digest).to_hex().to_string();
        Self { name, run: run.to_string(), step: checkpoint.step, digest, bytes: checkpoint.bytes }
    }
}

impl From<Counts> for RunCounts {
    fn from(counts: Counts) -> Self {
        let Counts { queued, running, paused, succeeded, failed, cancelled } = counts;
        Self { queued, running, paused, succeeded, failed, cancelled, total: counts.total() }
    }
}

fn spec_schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
    utoipa::openapi::Ref::from_schema_name("JobSpec").into()
}

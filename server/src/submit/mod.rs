//! From a document to a stored job: everything is checked, and all errors named, before anything is stored.
//! REST and gRPC come in here.

mod breaches;
mod described;
mod document;
mod draft;
mod schema;
mod sources;

use bytes::Bytes;
use experiments::{DataNeed, DataShape};
use jobs::{DatasetHash, JobId, RunId};
use store::{NewJob, NewRun, Submitted};
use tokio::task::spawn_blocking;

use crate::{
    app::{App, cut},
    fault::Fault,
    json,
};
use draft::Draft;

pub(crate) use described::described_jobs;

/// Bytes of a document that is read at once. A longer one takes a while: not on a thread that serves connections.
const AT_ONCE: usize = 16 << 10;
/// Longest idempotency key.
const KEY_BYTES: usize = 128;

/// Checks and stores a job, or answers the one that the same key made before.
pub(crate) async fn submit(app: &App, body: Bytes, key: Option<String>) -> Result<Submitted, Fault> {
    app.accepts_work()?;
    app.has_room_for_jobs()?;
    if let Some(key) = &key {
        check_key(key)?;
    }
    let body_hash = *blake3::hash(&body).as_bytes();
    let limits = json::Limits::from(&app.config);
    let mut draft = match body.len() {
        ..=AT_ONCE => Draft::read(&body, limits)?,
        _ => spawn_blocking(move || Draft::read(&body, limits)).await.map_err(Fault::internal)??,
    };
    let sources = sources::find(app, &mut draft).await?;
    let mut found = find_dataset(app, draft).await?;
    found.draft.check_fork(found.hash);
    let runs = found.draft.plan(&found.shape, sources.memory_bytes)?;
    check_runs(app, runs.len())?;
    // Whoever has to mend the job as well learns of that first.
    let from = sources.checkpoints?;

    let run = |spec| NewRun { id: RunId(app.clock.id()), spec };
    let job = NewJob {
        id: JobId(app.clock.id()),
        spec: found.draft.into_spec(),
        dataset: found.hash,
        from,
        runs: runs.into_iter().map(run).collect(),
        idempotency: key.map(|key| (key, body_hash)),
        now: app.now().await?,
    };
    app.backlog.admit(app).await?;
    let submitted = app.store.submit(job).await?;
    if submitted.created {
        app.backlog.grew();
        let (id, runs) = (submitted.job.id, submitted.job.counts.total());
        tracing::info!(job.id = %id, runs, "job {id} accepted with {runs} runs");
        app.telemetry.job_submitted();
        app.bell.ring_work();
        app.bell.ring_job(id);
    }
    Ok(submitted)
}

fn check_runs(app: &App, runs: usize) -> Result<(), Fault> {
    let most = app.config.max_runs_per_job;
    if runs > most {
        let detail = format!("seeds and sweep make {runs} runs; they must make at most {most} here");
        return Err(Fault::invalid_field("/seeds", detail));
    }
    Ok(())
}

fn check_key(key: &str) -> Result<(), Fault> {
    if key.is_empty() || key.len() > KEY_BYTES || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        let detail = format!(
            "the idempotency key is `{}`; it must be 1 to {KEY_BYTES} visible ASCII characters without spaces",
            cut(key)
        );
        return Err(Fault::malformed(detail));
    }
    Ok(())
}

/// A draft and the data set it means.
struct Found {
    draft: Draft,
    hash: Option<DatasetHash>,
    shape: DataShape,
}

/// Resolves the name of the data set to its hash; a name that means nothing is one more breach.
async fn find_dataset(app: &App, mut draft: Draft) -> Result<Found, Fault> {
    let nothing = |draft| Found { draft, hash: None, shape: DataShape::None };
    let name = match (draft.data_need(), draft.spec().dataset.clone()) {
        (DataNeed::None, None) => return Ok(nothing(draft)),
        (DataNeed::None, Some(name)) => {
            let rule = "it must be left out, for the experiment takes no data";
            draft.breaches.add_if_new("/dataset", format!("`dataset` is `{}`; {rule}", cut(&name)));
            return Ok(nothing(draft));
        }
        (DataNeed::Images { builtin }, name) => name.unwrap_or_else(|| builtin.to_owned()),
        (DataNeed::BayesNet, Some(name)) => name,
        (DataNeed::BayesNet, None) => {
            let rule = "it must be the name or hash of a Bayesian network that was uploaded";
            draft.breaches.add_if_new("/dataset", format!("`dataset` is absent; {rule}"));
            return Err(draft.breaches.into_fault());
        }
        (DataNeed::Table, Some(name)) => name,
        (DataNeed::Table, None) => {
            let rule = "it must be the name or hash of a table that was uploaded";
            draft.breaches.add_if_new("/dataset", format!("`dataset` is absent; {rule}"));
            return Err(draft.breaches.into_fault());
        }
        (DataNeed::Audio, Some(name)) => name,
        (DataNeed::Audio, None) => {
            let rule = "it must be the name or hash of recordings that were uploaded";
            draft.breaches.add_if_new("/dataset", format!("`dataset` is absent; {rule}"));
            return Err(draft.breaches.into_fault());
        }
    };
    let Some(dataset) = app.datasets.find(app, &name).await? else {
        let rule = "it must be the name or hash of a data set that was uploaded";
        draft.breaches.add_if_new("/dataset", format!("`dataset` is `{}`; {rule}", cut(&name)));
        return Err(draft.breaches.into_fault());
    };
    let serves = match draft.data_need() {
        DataNeed::None => true,
        DataNeed::Images { .. } => matches!(dataset.shape, DataShape::Images { .. }),
        DataNeed::BayesNet => matches!(dataset.shape, DataShape::BayesNet { .. }),
        DataNeed::Table => matches!(dataset.shape, DataShape::Table { .. }),
        DataNeed::Audio => matches!(dataset.shape, DataShape::Audio { .. }),
    };
    if !serves {
        let (name, kind) = (cut(&name), &dataset.kind);
        let detail =
            format!("`dataset` is `{name}` of kind {kind}; it must be of the kind that the experiment takes");
        draft.breaches.add_if_new("/dataset", detail);
        return Err(draft.breaches.into_fault());
    }
    Ok(Found { draft, hash: Some(dataset.hash), shape: dataset.shape.clone() })
}

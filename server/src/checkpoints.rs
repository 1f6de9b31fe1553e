//! Checkpoints are checked against their digest before they are handed out or built on.

use futures::{Stream, stream};
use jobs::{CheckpointRef, Run, RunId};
use store::StoredCheckpoint;

use crate::{app::App, fault::Fault};

/// The newest checkpoint of a run, or the one at `step`, whose stored bytes have its digest. Damaged ones are marked, so
/// that nothing begins from them.
pub(crate) async fn whole(
    app: &App,
    run: RunId,
    step: Option<u64>,
) -> Result<Option<StoredCheckpoint>, Fault> {
    for checkpoint in app.store.checkpoints(run).await? {
        if step.is_some_and(|step| step != checkpoint.step) {
            continue;
        }
        if is_whole(app, &checkpoint).await? {
            return Ok(Some(checkpoint));
        }
        let step = checkpoint.step;
        tracing::error!(run.id = %run, step, "checkpoint of run {run} at step {step} is damaged");
        app.telemetry.checkpoint_corrupt();
        app.store.mark_corrupt(run, step, app.clock.now()).await?;
    }
    Ok(None)
}

async fn is_whole(app: &App, checkpoint: &StoredCheckpoint) -> Result<bool, Fault> {
    let (mut hasher, mut bytes) = (blake3::Hasher::new(), 0);
    for n in 0.. {
        let Some(chunk) = app.store.checkpoint_chunk(checkpoint.digest, n).await? else { break };
        bytes += chunk.len() as u64;
        hasher.update(&chunk);
    }
    Ok(bytes == checkpoint.bytes && *hasher.finalize().as_bytes() == checkpoint.digest)
}

/// A checkpoint to take away.
pub(crate) async fn wanted(app: &App, run: &Run, step: Option<u64>) -> Result<StoredCheckpoint, Fault> {
    if let Some(checkpoint) = whole(app, run.id, step).await? {
        return Ok(checkpoint);
    }
    let (id, has) = (run.id, kept(app, run.id).await?);
    Err(Fault::not_found(match step {
        Some(step) => format!("run {id} has no checkpoint at step {step}; it has {has}"),
        None => format!("run {id} has no checkpoint yet"),
    }))
}

/// The checkpoints of a run that are kept, newest first.
pub(crate) async fn all(app: &App, run: RunId) -> Result<Vec<CheckpointRef>, Fault> {
    Ok(app.store.checkpoints(run).await?.iter().map(reference).collect())
}

/// The steps of a run's checkpoints, in words.
pub(crate) async fn kept(app: &App, run: RunId) -> Result<String, Fault> {
    let steps: Vec<String> =
        app.store.checkpoints(run).await?.iter().map(|checkpoint| checkpoint.step.to_string()).collect();
    Ok(if steps.is_empty() { "none".to_owned() } else { steps.join(", ") })
}

/// As messages name it.
pub(crate) fn reference(checkpoint: &StoredCheckpoint) -> CheckpointRef {
    CheckpointRef { step: checkpoint.step, digest: checkpoint.digest, bytes: checkpoint.bytes }
}

/// The chunks of a checkpoint one after the other, read as the client takes them.
pub(crate) fn chunks(app: App, digest: [u8; 32]) -> impl Stream<Item = Result<Vec<u8>, Fault>> + Send {
    stream::try_unfold(0, move |n| {
        let app = app.clone();
        async move { Ok(app.store.checkpoint_chunk(digest, n).await?.map(|bytes| (bytes, n + 1))) }
    })
}

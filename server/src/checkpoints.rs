//! Checkpoints are checked against their digest before they are handed out or built on.

use futures::{Stream, stream};
use jobs::{CheckpointRef, Report, Run, RunId, RunState};
use store::{Collect, Collected, StoreError, StoredCheckpoint, Unfit};

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
        app.store.mark_corrupt(run, step, Unfit::Damaged, app.now().await?).await?;
    }
    Ok(None)
}

/// A worker cannot go on from the checkpoint that its attempt began from, at the step of its report: nobody is offered it
/// again. A report that comes twice, or too late, names another one than the attempt began from, and changes nothing.
pub(crate) async fn refused(app: &App, report: &Report, why: &str) -> Result<(), Fault> {
    let Some(run) = app.store.run(report.run).await? else { return Ok(()) };
    let is_open = matches!(run.state, RunState::Running(_)) && run.attempt == report.attempt;
    if !is_open || run.attempt_began_at != Some(report.step) {
        return Ok(());
    }
    let (id, step) = (run.id, report.step);
    tracing::error!(run.id = %id, step, "checkpoint of run {id} at step {step} is refused by its worker: {why}");
    app.telemetry.checkpoint_corrupt();
    Ok(app.store.mark_corrupt(id, step, Unfit::Refused, app.now().await?).await?)
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

/// Pins a checkpoint of a run, or leaves it to the job's rule again. Repeating it changes nothing.
pub(crate) async fn pin(app: &App, run: &str, step: u64, pinned: bool) -> Result<StoredCheckpoint, Fault> {
    let run = app.run(run).await?.id;
    match app.store.pin_checkpoint(run, step, pinned, app.now().await?).await {
        Err(StoreError::NoCheckpoint { .. }) => {
            let has = kept(app, run).await?;
            Err(Fault::not_found(format!("run {run} has no checkpoint at step {step}; it has {has}")))
        }
        answer => Ok(answer?),
    }
}

/// Least age of chunks that a user may have collected, in seconds: a worker names its chunks within less.
const LEAST_AGE_S: u64 = 60;

/// Removes what nothing names any more, or says what that would be.
pub(crate) async fn collect(
    app: &App,
    dry_run: bool,
    final_only: bool,
    older_than_s: Option<u64>,
) -> Result<Collected, Fault> {
    let age_ms = match older_than_s {
        Some(age) if age < LEAST_AGE_S => {
            let detail = format!("`older_than_s` is {age}; it must be at least {LEAST_AGE_S}");
            return Err(Fault::malformed(detail));
        }
        Some(age) => age.saturating_mul(1_000),
        None => app.config.orphan_chunk_ms,
    };
    let now = app.now().await?;
    let before = now.saturating_sub(age_ms);
    Ok(app.store.collect(Collect { before, final_only, dry_run, now }).await?)
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

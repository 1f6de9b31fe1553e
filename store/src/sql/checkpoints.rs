//! Checkpoints: chunks first, then the row that names them.

use std::sync::Arc;

use jobs::{Change, CheckpointRef, EventKind, Millis, Policy, Run, RunId};

use super::{Backend, Db, lock, read, retention, runs};
use crate::rows::{self, Columns as _, int};
use crate::weight::Weight;
use crate::{Chunk, Result, StoreError, StoredCheckpoint, Unfit};

/// Stores chunks in slices that a transaction can hold.
pub(super) async fn put(store: &Backend, digest: [u8; 32], chunks: Vec<Chunk>, now: Millis) -> Result<()> {
    rows::check_chunks(&chunks)?;
    let mut chunks = chunks.into_iter().peekable();
    while chunks.peek().is_some() {
        let slice: Arc<[Chunk]> = chunks.by_ref().take(4).collect();
        let weight = Weight::of(slice.len(), slice.iter().map(|chunk| chunk.bytes.len()).sum());
        store
            .write(weight, move |db| {
                let slice = Arc::clone(&slice);
                Box::pin(async move { put_slice(db, digest, &slice, now).await })
            })
            .await?;
    }
    Ok(())
}

async fn put_slice(db: &mut Db, digest: [u8; 32], chunks: &[Chunk], now: Millis) -> Result<()> {
    lock::checkpoint(db, digest).await?;
    let whole = sqlx::query(
        "SELECT 1 FROM checkpoint WHERE digest = $1 AND NOT corrupt
           AND bytes = (SELECT coalesce(sum(length), 0) FROM checkpoint_chunk WHERE digest = $1) LIMIT 1",
    );
    if whole.bind(digest.as_slice()).fetch_optional(&mut *db).await?.is_some() {
        return Ok(()); // more chunks could only damage it
    }
    for chunk in chunks {
        // One that comes again is younger: the collector must not take it before its checkpoint is named. What was there
        // may be damaged.
        sqlx::query(
            "INSERT INTO checkpoint_chunk (digest, n, at, length, bytes) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (digest, n) DO UPDATE SET at = excluded.at, length = excluded.length, bytes = excluded.bytes",
        )
        .bind(digest.as_slice())
        .bind(i64::from(chunk.n))
        .bind(int(now))
        .bind(int(chunk.bytes.len() as u64))
        .bind(&chunk.bytes)
        .execute(&mut *db)
        .await?;
    }
    Ok(())
}

pub(super) async fn chunk(db: &mut Db, digest: [u8; 32], n: u32) -> Result<Option<Vec<u8>>> {
    let row = sqlx::query("SELECT bytes FROM checkpoint_chunk WHERE digest = $1 AND n = $2")
        .bind(digest.as_slice())
        .bind(i64::from(n))
        .fetch_optional(db)
        .await?;
    row.map(|row| row.blob("bytes")).transpose()
}

/// Whether all chunks are here but hash to another digest. Read outside of the transaction: it can take a second.
pub(super) async fn has_wrong_digest(db: &mut Db, checkpoint: &CheckpointRef) -> Result<bool> {
    let (mut hash, mut bytes) = (blake3::Hasher::new(), 0);
    for n in 0.. {
        let Some(chunk) = chunk(db, checkpoint.digest, n).await? else { break };
        hash.update(&chunk);
        bytes += chunk.len() as u64;
    }
    Ok(bytes == checkpoint.bytes && *hash.finalize().as_bytes() != checkpoint.digest)
}

/// Refuses a checkpoint of which something is missing or wrong.
pub(super) async fn check_complete(
    db: &mut Db,
    run: RunId,
    checkpoint: &CheckpointRef,
    wrong_digest: bool,
) -> Result<()> {
    lock::checkpoint(db, checkpoint.digest).await?;
    let row = sqlx::query(
        "SELECT count(*) AS chunks, CAST(coalesce(sum(length), 0) AS BIGINT) AS bytes,
           coalesce(max(n) + 1, 0) AS ends
         FROM checkpoint_chunk WHERE digest = $1",
    )
    .bind(checkpoint.digest.as_slice())
    .fetch_one(db)
    .await?;
    let (chunks, bytes, ends): (u64, u64, u64) =
        (row.number("chunks")?, row.number("bytes")?, row.number("ends")?);
    let incomplete = |why| Err(StoreError::IncompleteCheckpoint { run, step: checkpoint.step, why });
    if chunks == 0 {
        incomplete("none of its chunks are here".into())
    } else if chunks != ends || bytes != checkpoint.bytes {
        incomplete(rows::missing(chunks, bytes, checkpoint.bytes))
    } else if wrong_digest {
        incomplete(rows::WRONG_DIGEST.into())
    } else {
        Ok(())
    }
}

/// Names a checkpoint whose chunks are complete, and forgets those that the job does not keep.
pub(super) async fn insert(
    db: &mut Db,
    run: &Run,
    attempt: u32,
    checkpoint: &CheckpointRef,
    now: Millis,
) -> Result<()> {
    let keep = retention::rule(db, run.job).await?;
    let score = retention::score(db, run.id, &keep, checkpoint).await?;
    sqlx::query(
        "INSERT INTO checkpoint (run_id, step, attempt, digest, bytes, at, corrupt, score) VALUES ($1, $2, $3, $4, $5, $6, FALSE, $7)
         ON CONFLICT (run_id, step) DO UPDATE SET attempt = excluded.attempt, digest = excluded.digest, bytes = excluded.bytes,
           at = excluded.at, corrupt = FALSE, score = excluded.score",
    )
    .bind(run.id.0)
    .bind(int(checkpoint.step))
    .bind(i64::from(attempt))
    .bind(checkpoint.digest.as_slice())
    .bind(int(checkpoint.bytes))
    .bind(int(now))
    .bind(score)
    .execute(&mut *db)
    .await?;
    retention::forget(db, run.id, &keep, now).await?;
    Ok(())
}

/// Newest first.
pub(super) async fn good(db: &mut Db, run: RunId) -> Result<Vec<StoredCheckpoint>> {
    let found = sqlx::query("SELECT * FROM checkpoint WHERE run_id = $1 AND NOT corrupt ORDER BY step DESC")
        .bind(run.0)
        .fetch_all(db)
        .await?;
    found.iter().map(rows::checkpoint).collect()
}

pub(super) async fn mark_corrupt(
    db: &mut Db,
    run: RunId,
    step: u64,
    why: Unfit,
    now: Millis,
    policy: &Policy,
) -> Result<()> {
    let before = runs::locked(db, run).await?;
    let marked = sqlx::query(
        "UPDATE checkpoint SET corrupt = TRUE WHERE run_id = $1 AND step = $2 AND NOT corrupt RETURNING digest",
    )
    .bind(run.0)
    .bind(int(step))
    .fetch_optional(&mut *db)
    .await?;
    let Some(marked) = marked else { return Ok(()) };
    let newest = good(db, run).await?.first().map(|checkpoint| checkpoint.step);
    match jobs::apply(&before, &Change::LoseCheckpoint { step, newest }, now, policy) {
        Ok(transition) => runs::persist(db, &before, transition, now).await?,
        // The run has ended and stays as it is. The log of a job that has ended is complete.
        Err(_) if read::job(db, before.job).await?.is_some_and(|job| job.ended_at.is_none()) => {
            runs::log(db, before.job, &[EventKind::CheckpointCorrupt { run, step }], now).await?;
        }
        Err(_) => {}
    }
    match why {
        Unfit::Damaged => drop_damaged(db, marked.bytes("digest")?).await,
        Unfit::Refused => Ok(()),
    }
}

/// Removes chunks that were found damaged, also those that other checkpoints name: the same state comes under the same
/// digest again, and what is damaged must not stand in its way.
pub(super) async fn drop_damaged(db: &mut Db, digest: [u8; 32]) -> Result<()> {
    lock::checkpoint(db, digest).await?;
    let delete = sqlx::query("DELETE FROM checkpoint_chunk WHERE digest = $1");
    delete.bind(digest.as_slice()).execute(db).await?;
    Ok(())
}

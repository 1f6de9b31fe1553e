//! Removing what nothing names any more: chunks of checkpoints that were forgotten or never named, and of data sets that
//! never became complete; idempotency keys that are forgotten.

use jobs::Millis;

use super::{Backend, Db, Row, lock, retention};
use crate::rows::{Columns as _, int};
use crate::weight::Weight;
use crate::{Collect, Collected, Result, limits};

/// Chunks removed in one transaction: others wait meanwhile.
const SLICE: u64 = 64;

/// What chunks belong to.
#[derive(Debug, Clone, Copy)]
enum Of {
    Checkpoints,
    Datasets,
}

pub(super) async fn collect(store: &Backend, what: Collect) -> Result<Collected> {
    let mut removed = Collected::default();
    if what.final_only {
        removed.add(retention::thin_ended(store, what.dry_run, what.now).await?);
    }
    for of in [Of::Checkpoints, Of::Datasets] {
        for (hash, orphans) in orphans(&mut *store.reader().await?, of, what.before).await? {
            removed.add(if what.dry_run { orphans } else { remove(store, of, hash, what.before).await? });
        }
    }
    if !what.dry_run {
        let forgotten = int(what.now.saturating_sub(limits::KEY_MS));
        store.write(Weight::of(1_000, 0), move |db| Box::pin(forget_keys(db, forgotten))).await?;
    }
    Ok(removed)
}

async fn forget_keys(db: &mut Db, at: i64) -> Result<()> {
    sqlx::query("DELETE FROM idempotency WHERE at <= $1").bind(at).execute(db).await?;
    Ok(())
}

/// Hashes and sizes of chunks that are old and that nothing names.
async fn orphans(db: &mut Db, of: Of, before: Millis) -> Result<Vec<([u8; 32], Collected)>> {
    let sql = match of {
        Of::Checkpoints => {
            "SELECT digest AS hash, count(*) AS chunks, CAST(sum(length) AS BIGINT) AS bytes FROM checkpoint_chunk AS chunk
             WHERE NOT EXISTS (SELECT 1 FROM checkpoint WHERE checkpoint.digest = chunk.digest AND NOT corrupt)
               AND NOT EXISTS (SELECT 1 FROM forgotten WHERE forgotten.digest = chunk.digest AND forgotten.at >= $1)
             GROUP BY digest HAVING max(at) < $1"
        }
        Of::Datasets => {
            "SELECT hash, count(*) AS chunks, CAST(sum(length) AS BIGINT) AS bytes FROM dataset_chunk AS chunk
             WHERE NOT EXISTS (SELECT 1 FROM dataset WHERE dataset.hash = chunk.hash)
             GROUP BY hash HAVING max(at) < $1"
        }
    };
    let found = sqlx::query(sql).bind(int(before)).fetch_all(db).await?;
    let orphan = |row: &Row| {
        let (chunks, chunk_bytes) = (row.number("chunks")?, row.number("bytes")?);
        Ok((row.bytes("hash")?, Collected { chunks, chunk_bytes, ..Collected::default() }))
    };
    found.iter().map(orphan).collect()
}

async fn remove(store: &Backend, of: Of, hash: [u8; 32], before: Millis) -> Result<Collected> {
    let mut removed = Collected::default();
    loop {
        let slice = store
            .write(Weight::of(SLICE as usize, 0), move |db| Box::pin(remove_slice(db, of, hash, before)))
            .await?;
        removed.add(slice);
        if slice.chunks < SLICE {
            return Ok(removed);
        }
    }
}

/// Asks again whether they are old and unnamed: meanwhile they may have come again.
async fn remove_slice(db: &mut Db, of: Of, hash: [u8; 32], before: Millis) -> Result<Collected> {
    let sql = match of {
        Of::Checkpoints => {
            lock::checkpoint(db, hash).await?;
            "DELETE FROM checkpoint_chunk WHERE digest = $1
               AND n IN (SELECT n FROM checkpoint_chunk WHERE digest = $1 ORDER BY n DESC LIMIT $3)
               AND NOT EXISTS (SELECT 1 FROM checkpoint WHERE digest = $1 AND NOT corrupt)
               AND NOT EXISTS (SELECT 1 FROM checkpoint_chunk WHERE digest = $1 AND at >= $2)
             RETURNING length"
        }
        Of::Datasets => {
            lock::dataset(db, jobs::DatasetHash(hash)).await?;
            "DELETE FROM dataset_chunk WHERE hash = $1
               AND n IN (SELECT n FROM dataset_chunk WHERE hash = $1 ORDER BY n DESC LIMIT $3)
               AND NOT EXISTS (SELECT 1 FROM dataset WHERE hash = $1)
               AND NOT EXISTS (SELECT 1 FROM dataset_chunk WHERE hash = $1 AND at >= $2)
             RETURNING length"
        }
    };
    let found = sqlx::query(sql).bind(hash.as_slice()).bind(int(before)).bind(int(SLICE)).fetch_all(&mut *db);
    let mut removed = Collected::default();
    for row in found.await? {
        removed.chunks += 1;
        removed.chunk_bytes += row.number::<u64>("length")?;
    }
    if matches!(of, Of::Checkpoints) && removed.chunks < SLICE {
        let gone = "DELETE FROM forgotten WHERE digest = $1
                      AND NOT EXISTS (SELECT 1 FROM checkpoint_chunk WHERE digest = $1)";
        sqlx::query(gone).bind(hash.as_slice()).execute(db).await?;
    }
    Ok(removed)
}

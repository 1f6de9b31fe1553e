//! Removing old chunks of checkpoints that nothing names and of data sets that never became complete.

use jobs::Millis;

use super::{Backend, Db, lock};
use crate::Result;
use crate::rows::{Columns as _, int};
use crate::weight::Weight;

/// Chunks removed in one transaction: others wait meanwhile.
const SLICE: u64 = 64;

/// What chunks belong to.
#[derive(Debug, Clone, Copy)]
enum Of {
    Checkpoints,
    Datasets,
}

pub(super) async fn collect(store: &Backend, before: Millis) -> Result<u64> {
    let mut removed = 0;
    for of in [Of::Checkpoints, Of::Datasets] {
        let found = orphans(&mut *store.reader().await?, of, before).await?;
        for hash in found {
            removed += remove(store, of, hash, before).await?;
        }
    }
    Ok(removed)
}

/// Hashes of chunks that are old and that nothing names.
async fn orphans(db: &mut Db, of: Of, before: Millis) -> Result<Vec<[u8; 32]>> {
    let sql = match of {
        Of::Checkpoints => {
            "SELECT digest AS hash FROM checkpoint_chunk AS chunk
             WHERE NOT EXISTS (SELECT 1 FROM checkpoint WHERE checkpoint.digest = chunk.digest AND NOT corrupt)
             GROUP BY digest HAVING max(at) < $1"
        }
        Of::Datasets => {
            "SELECT hash FROM dataset_chunk AS chunk
             WHERE NOT EXISTS (SELECT 1 FROM dataset WHERE dataset.hash = chunk.hash)
             GROUP BY hash HAVING max(at) < $1"
        }
    };
    let found = sqlx::query(sql).bind(int(before)).fetch_all(db).await?;
    found.iter().map(|row| row.bytes("hash")).collect()
}

async fn remove(store: &Backend, of: Of, hash: [u8; 32], before: Millis) -> Result<u64> {
    let mut removed = 0;
    loop {
        let slice = store
            .write(Weight::of(SLICE as usize, 0), move |db| Box::pin(remove_slice(db, of, hash, before)))
            .await?;
        removed += slice;
        if slice < SLICE {
            return Ok(removed);
        }
    }
}

/// Asks again whether they are old and unnamed: meanwhile they may have come again.
async fn remove_slice(db: &mut Db, of: Of, hash: [u8; 32], before: Millis) -> Result<u64> {
    let sql = match of {
        Of::Checkpoints => {
            lock::checkpoint(db, hash).await?;
            "DELETE FROM checkpoint_chunk WHERE digest = $1
               AND n IN (SELECT n FROM checkpoint_chunk WHERE digest = $1 ORDER BY n DESC LIMIT $3)
               AND NOT EXISTS (SELECT 1 FROM checkpoint WHERE digest = $1 AND NOT corrupt)
               AND NOT EXISTS (SELECT 1 FROM checkpoint_chunk WHERE digest = $1 AND at >= $2)"
        }
        Of::Datasets => {
            lock::dataset(db, jobs::DatasetHash(hash)).await?;
            "DELETE FROM dataset_chunk WHERE hash = $1
               AND n IN (SELECT n FROM dataset_chunk WHERE hash = $1 ORDER BY n DESC LIMIT $3)
               AND NOT EXISTS (SELECT 1 FROM dataset WHERE hash = $1)
               AND NOT EXISTS (SELECT 1 FROM dataset_chunk WHERE hash = $1 AND at >= $2)"
        }
    };
    let removed =
        sqlx::query(sql).bind(hash.as_slice()).bind(int(before)).bind(int(SLICE)).execute(db).await?;
    Ok(removed.rows_affected())
}

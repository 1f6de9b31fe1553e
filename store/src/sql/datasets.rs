//! Data sets: compressed chunks first, then the row that makes them one.

use std::sync::Arc;

use jobs::{DatasetHash, Millis};

use super::{Backend, Db, Row, lock};
use crate::limits::CHUNK_BYTES;
use crate::rows::{self, Columns as _, int};
use crate::weight::Weight;
use crate::{Dataset, NewDataset, Result, StoreError};

/// Of zstd's levels the default: data sets are written once and read often.
const LEVEL: i32 = 3;

pub(super) async fn put(store: &Backend, new: NewDataset, now: Millis) -> Result<Dataset> {
    let new = Arc::new(new);
    let checked = Arc::clone(&new);
    blocking(move || rows::check_hash(checked.hash, &checked.content)).await?;
    let mut reader = store.reader().await?;
    check_name(&mut reader, &new.name, new.hash).await?;
    let known = find(&mut reader, &new.hash.to_string()).await?.is_some();
    drop(reader);
    let chunks = if known { 0 } else { new.content.len().div_ceil(CHUNK_BYTES) };
    for n in 0..chunks {
        put_chunk(store, &new, n, now).await?;
    }
    store
        .write(Weight::of(2, 0), move |db| {
            let new = Arc::clone(&new);
            Box::pin(async move { complete(db, &new, now).await })
        })
        .await
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| StoreError::Internal(error.to_string()))?
}

async fn put_chunk(store: &Backend, new: &Arc<NewDataset>, n: usize, now: Millis) -> Result<()> {
    let (source, hash) = (Arc::clone(new), new.hash);
    let (length, zstd) = blocking(move || {
        let decoded = source.content.chunks(CHUNK_BYTES).nth(n).unwrap_or_default();
        let zstd =
            zstd::encode_all(decoded, LEVEL).map_err(|error| StoreError::Internal(error.to_string()))?;
        Ok((decoded.len(), zstd))
    })
    .await?;
    let zstd: Arc<[u8]> = zstd.into();
    store
        .write(Weight::of(1, length), move |db| {
            let zstd = Arc::clone(&zstd);
            Box::pin(async move {
                lock::dataset(db, hash).await?;
                sqlx::query(
                    "INSERT INTO dataset_chunk (hash, n, at, length, zstd) VALUES ($1, $2, $3, $4, $5)
                     ON CONFLICT (hash, n) DO UPDATE SET at = excluded.at WHERE dataset_chunk.at < excluded.at",
                )
                .bind(hash.0.as_slice())
                .bind(int(n as u64))
                .bind(int(now))
                .bind(int(length as u64))
                .bind(&zstd[..])
                .execute(db)
                .await?;
                Ok(())
            })
        })
        .await
}

async fn check_name(db: &mut Db, name: &str, hash: DatasetHash) -> Result<()> {
    match find_name(db, name).await? {
        Some(taken) if taken != hash => Err(StoreError::NameTaken { name: name.to_owned(), hash: taken }),
        _ => Ok(()),
    }
}

/// Makes a data set of its chunks, or gives a known one one more name.
async fn complete(db: &mut Db, new: &NewDataset, now: Millis) -> Result<Dataset> {
    lock::dataset(db, new.hash).await?;
    check_name(db, &new.name, new.hash).await?;
    let created = find(db, &new.hash.to_string()).await?.is_none();
    if created {
        let row = sqlx::query(
            "SELECT CAST(coalesce(sum(length), 0) AS BIGINT) AS bytes FROM dataset_chunk WHERE hash = $1",
        )
        .bind(new.hash.0.as_slice())
        .fetch_one(&mut *db)
        .await?;
        if row.number::<u64>("bytes")? != new.content.len() as u64 {
            return Err(StoreError::Busy); // the collector came in between; nothing is lost by trying again
        }
        sqlx::query("INSERT INTO dataset (hash, kind, shape, attribution, bytes, created_at) VALUES ($1, $2, $3, $4, $5, $6)")
            .bind(new.hash.0.as_slice())
            .bind(&new.kind)
            .bind(&new.shape)
            .bind(new.attribution.as_deref().map(rows::text))
            .bind(int(new.content.len() as u64))
            .bind(int(now))
            .execute(&mut *db)
            .await?;
    }
    sqlx::query("INSERT INTO dataset_name (name, hash) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(rows::text(&new.name))
        .bind(new.hash.0.as_slice())
        .execute(&mut *db)
        .await?;
    check_name(db, &new.name, new.hash).await?; // another server may have given it away at the same moment
    let dataset = find(db, &new.hash.to_string()).await?;
    Ok(Dataset { created, ..dataset.ok_or_else(|| rows::broken("a data set vanished"))? })
}

async fn find_name(db: &mut Db, name: &str) -> Result<Option<DatasetHash>> {
    let row = sqlx::query("SELECT hash FROM dataset_name WHERE name = $1")
        .bind(rows::text(name))
        .fetch_optional(db)
        .await?;
    row.map(|row| Ok(DatasetHash(row.bytes("hash")?))).transpose()
}

pub(super) async fn find(db: &mut Db, name_or_hash: &str) -> Result<Option<Dataset>> {
    let hash = name_or_hash.parse::<DatasetHash>().ok();
    let found = sqlx::query(
        "SELECT dataset.*, dataset_name.name FROM dataset LEFT JOIN dataset_name ON dataset_name.hash = dataset.hash
         WHERE dataset.hash = coalesce($1, (SELECT hash FROM dataset_name WHERE name = $2))
         ORDER BY dataset_name.name",
    );
    let found = found.bind(hash.map(|hash| hash.0.to_vec())).bind(rows::text(name_or_hash));
    Ok(with_names(&found.fetch_all(db).await?)?.pop())
}

pub(super) async fn all(db: &mut Db) -> Result<Vec<Dataset>> {
    let found = sqlx::query(
        "SELECT dataset.*, dataset_name.name FROM dataset LEFT JOIN dataset_name ON dataset_name.hash = dataset.hash
         ORDER BY dataset.hash, dataset_name.name",
    );
    let mut datasets = with_names(&found.fetch_all(db).await?)?;
    datasets.sort_by(|a, b| (&a.names, a.hash).cmp(&(&b.names, b.hash)));
    Ok(datasets)
}

/// Data sets of which each row has one name, those of one data set after each other.
fn with_names(found: &[Row]) -> Result<Vec<Dataset>> {
    let mut datasets = Vec::<Dataset>::new();
    for row in found {
        let hash = DatasetHash(row.bytes("hash")?);
        if datasets.last().is_none_or(|last| last.hash != hash) {
            datasets.push(Dataset {
                hash,
                names: Vec::new(),
                kind: row.text("kind")?,
                shape: row.text("shape")?,
                attribution: row.text_or_null("attribution")?,
                bytes: row.number("bytes")?,
                created_at: row.number("created_at")?,
                created: false,
            });
        }
        if let Some(last) = datasets.last_mut() {
            last.names.extend(row.text_or_null("name")?);
        }
    }
    Ok(datasets)
}

pub(super) async fn chunk(db: &mut Db, hash: DatasetHash, n: u32) -> Result<Option<Vec<u8>>> {
    let row = sqlx::query(
        "SELECT zstd, length FROM dataset_chunk JOIN dataset USING (hash) WHERE hash = $1 AND n = $2",
    )
    .bind(hash.0.as_slice())
    .bind(i64::from(n))
    .fetch_optional(db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let (zstd, length): (Vec<u8>, usize) = (row.blob("zstd")?, row.number("length")?);
    let decoded = zstd::bulk::decompress(&zstd, length).map_err(rows::broken)?;
    if decoded.len() == length {
        Ok(Some(decoded))
    } else {
        Err(rows::broken("a chunk of a data set is short"))
    }
}

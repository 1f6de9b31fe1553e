//! What workers say of themselves.

use jobs::{Capability, Millis, WorkerId, WorkerInfo};
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use super::Db;
use crate::Result;
use crate::rows::{self, Columns as _, int};

/// What a worker can run, as JSON: `[[experiment, version], …]`.
pub(super) fn catalogue(worker: &WorkerInfo) -> Result<String> {
    rows::json(&worker.catalogue.iter().map(|can| (&can.experiment, can.version)).collect::<Vec<_>>())
}

pub(super) async fn register(db: &mut Db, worker: &WorkerInfo) -> Result<()> {
    sqlx::query(
        "INSERT OR REPLACE INTO worker (id, name, build, catalogue, slots, memory_bytes, labels, seen_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(worker.id.as_bytes().as_slice())
    .bind(&worker.name)
    .bind(&worker.build)
    .bind(catalogue(worker)?)
    .bind(i64::from(worker.slots))
    .bind(int(worker.memory_bytes))
    .bind(rows::json(&worker.labels)?)
    .bind(int(worker.seen_at))
    .execute(db)
    .await?;
    Ok(())
}

pub(super) async fn touch(db: &mut Db, worker: WorkerId, now: Millis) -> Result<()> {
    sqlx::query("UPDATE worker SET seen_at = max(seen_at, ?) WHERE id = ?")
        .bind(int(now))
        .bind(worker.as_bytes().as_slice())
        .execute(db)
        .await?;
    Ok(())
}

pub(super) async fn since(db: &mut Db, since: Millis) -> Result<Vec<WorkerInfo>> {
    let found =
        sqlx::query("SELECT * FROM worker WHERE seen_at >= ? ORDER BY id").bind(int(since)).fetch_all(db);
    found.await?.iter().map(worker).collect()
}

fn worker(row: &SqliteRow) -> Result<WorkerInfo> {
    let catalogue: Vec<(String, u32)> = rows::from_json(&row.text("catalogue")?)?;
    Ok(WorkerInfo {
        id: WorkerId(Uuid::from_bytes(row.bytes("id")?)),
        name: row.text("name")?,
        build: row.text("build")?,
        catalogue: catalogue
            .into_iter()
            .map(|(experiment, version)| Capability { experiment, version })
            .collect(),
        slots: row.number("slots")?,
        memory_bytes: row.number("memory_bytes")?,
        labels: rows::from_json(&row.text("labels")?)?,
        seen_at: row.number("seen_at")?,
    })
}

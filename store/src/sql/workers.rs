//! What workers say of themselves.

use jobs::{Capability, Millis, WorkerId, WorkerInfo};

use super::{Db, Row, dialect};
use crate::Result;
use crate::rows::{self, Columns as _, int};

/// What a worker can run, as JSON: `[[experiment, version], …]`.
pub(super) fn catalogue(worker: &WorkerInfo) -> Result<String> {
    rows::json(
        &worker.catalogue.iter().map(|can| (rows::text(&can.experiment), can.version)).collect::<Vec<_>>(),
    )
}

pub(super) async fn register(db: &mut Db, worker: &WorkerInfo) -> Result<()> {
    sqlx::query(
        "INSERT INTO worker (id, name, build, catalogue, slots, memory_bytes, labels, seen_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, build = excluded.build, catalogue = excluded.catalogue,
           slots = excluded.slots, memory_bytes = excluded.memory_bytes, labels = excluded.labels,
           seen_at = excluded.seen_at",
    )
    .bind(worker.id.0)
    .bind(rows::text(&worker.name))
    .bind(rows::text(&worker.build))
    .bind(catalogue(worker)?)
    .bind(i64::from(worker.slots))
    .bind(int(worker.memory_bytes))
    .bind(rows::labels(&worker.labels)?)
    .bind(int(worker.seen_at))
    .execute(db)
    .await?;
    Ok(())
}

/// Notes that workers were heard of.
pub(super) async fn touch(db: &mut Db, workers: &[WorkerId], now: Millis) -> Result<()> {
    if workers.is_empty() {
        return Ok(());
    }
    dialect::touch(db, workers, now).await
}

pub(super) async fn since(db: &mut Db, since: Millis) -> Result<Vec<WorkerInfo>> {
    let found =
        sqlx::query("SELECT * FROM worker WHERE seen_at >= $1 ORDER BY id").bind(int(since)).fetch_all(db);
    found.await?.iter().map(worker).collect()
}

fn worker(row: &Row) -> Result<WorkerInfo> {
    let catalogue: Vec<(String, u32)> = rows::from_json(&row.text("catalogue")?)?;
    Ok(WorkerInfo {
        id: WorkerId(row.id("id")?),
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

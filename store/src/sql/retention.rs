//! Which checkpoints stay: the rows go here, their chunks later in `collect`.

use jobs::{CheckpointRef, Held, JobId, Keep, Millis, RunId};
use sqlx::Row as _;

use super::{Backend, Db, Row, read, runs};
use crate::rows::{self, Columns as _, int};
use crate::weight::Weight;
use crate::{Collected, Result, StoreError, StoredCheckpoint, thin};

/// What the metric by which the best checkpoints are kept was at a step.
pub(super) async fn score(
    db: &mut Db,
    run: RunId,
    keep: &Keep,
    checkpoint: &CheckpointRef,
) -> Result<Option<i64>> {
    let Some(best) = &keep.best else { return Ok(None) };
    let found = sqlx::query(
        "SELECT value FROM metric
         WHERE series_id = (SELECT id FROM series WHERE run_id = $1 AND name = $2) AND step <= $3
         ORDER BY step DESC LIMIT 1",
    )
    .bind(run.0)
    .bind(&best.metric)
    .bind(int(checkpoint.step))
    .fetch_optional(db)
    .await?;
    found.map(|row| row.try_get("value")).transpose().map_err(Into::into)
}

/// What the job of a run keeps.
pub(super) async fn rule(db: &mut Db, job: JobId) -> Result<Keep> {
    Ok(read::job(db, job).await?.ok_or(StoreError::NoJob(job))?.spec.keep)
}

/// Forgets the checkpoints of a locked run that the rule does not keep; answers them.
pub(super) async fn forget(db: &mut Db, run: RunId, keep: &Keep, now: Millis) -> Result<Collected> {
    let mut forgotten = Collected::default();
    for (step, digest, bytes) in surplus(db, run, keep).await? {
        sqlx::query("DELETE FROM checkpoint WHERE run_id = $1 AND step = $2")
            .bind(run.0)
            .bind(int(step))
            .execute(&mut *db)
            .await?;
        sqlx::query(
            "INSERT INTO forgotten (digest, at) VALUES ($1, $2) ON CONFLICT (digest) DO UPDATE SET at = excluded.at",
        )
        .bind(digest.as_slice())
        .bind(int(now))
        .execute(&mut *db)
        .await?;
        forgotten.checkpoint(bytes);
    }
    Ok(forgotten)
}

/// Step, digest and size of the checkpoints that the rule does not keep.
async fn surplus(db: &mut Db, run: RunId, keep: &Keep) -> Result<Vec<(u64, [u8; 32], u64)>> {
    let found = sqlx::query(
        "SELECT step, digest, bytes, score, corrupt, pinned OR EXISTS (SELECT 1 FROM job_source AS source
           WHERE source.run_id = checkpoint.run_id AND source.step = checkpoint.step) AS needed
         FROM checkpoint WHERE run_id = $1",
    )
    .bind(run.0)
    .fetch_all(db)
    .await?;
    let kept = keep.kept(&found.iter().map(held).collect::<Result<Vec<Held>>>()?);
    let mut surplus = Vec::new();
    for row in &found {
        let step = row.number("step")?;
        if !kept.contains(&step) {
            surplus.push((step, row.bytes("digest")?, row.number("bytes")?));
        }
    }
    Ok(surplus)
}

fn held(row: &Row) -> Result<Held> {
    Ok(Held {
        step: row.number("step")?,
        score: row.number_or_null("score")?.map(thin::value),
        needed: row.flag("needed")?,
        corrupt: row.flag("corrupt")?,
    })
}

pub(super) async fn pin(
    db: &mut Db,
    run: RunId,
    step: u64,
    pinned: bool,
    now: Millis,
) -> Result<StoredCheckpoint> {
    let owner = runs::locked(db, run).await?;
    let row = sqlx::query(
        "UPDATE checkpoint SET pinned = $3 WHERE run_id = $1 AND step = $2 AND NOT corrupt RETURNING *",
    )
    .bind(run.0)
    .bind(int(step))
    .bind(pinned)
    .fetch_optional(&mut *db)
    .await?;
    let checkpoint = rows::checkpoint(&row.ok_or(StoreError::NoCheckpoint { run, step })?)?;
    if !pinned {
        let keep = rule(db, owner.job).await?;
        forget(db, run, &keep, now).await?;
    }
    Ok(checkpoint)
}

/// Of runs that have ended all but the final checkpoint and those that are needed; `dry` only counts.
pub(super) async fn thin_ended(store: &Backend, dry: bool, now: Millis) -> Result<Collected> {
    let keep = Keep { last: 1, ..Keep::default() };
    let ended = sqlx::query(
        "SELECT run.id FROM run JOIN checkpoint ON checkpoint.run_id = run.id
         WHERE run.state IN ('succeeded', 'failed', 'cancelled') GROUP BY run.id HAVING count(*) > 1 ORDER BY run.id",
    )
    .fetch_all(&mut *store.reader().await?)
    .await?;
    let mut all = Collected::default();
    for row in ended {
        let (run, keep) = (RunId(row.id("id")?), keep.clone());
        if dry {
            let surplus = surplus(&mut *store.reader().await?, run, &keep).await?;
            surplus.into_iter().for_each(|(.., bytes)| all.checkpoint(bytes));
            continue;
        }
        let forgotten = store
            .write(Weight::of(8, 0), move |db| {
                let keep = keep.clone();
                Box::pin(async move {
                    runs::locked(db, run).await?;
                    forget(db, run, &keep, now).await
                })
            })
            .await?;
        all.add(forgotten);
    }
    Ok(all)
}

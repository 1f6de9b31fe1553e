//! Columns ↔ words. Stored texts are the names users see; a text nobody wrote is a broken database.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Display;

use jobs::{
    Array, CheckpointRef, Class, Counts, DatasetHash, Job, JobId, JobSource, Lease, MetricKind, Run, RunId,
    RunSpec, RunState, Value, Wish, WorkerId,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use crate::limits::CHUNK_BYTES;
use crate::{Chunk, Result, StoreError, StoredCheckpoint, thin};

/// Why a checkpoint is refused whose chunks hash to something else.
pub(crate) const WRONG_DIGEST: &str = "its chunks do not hash to its digest and were removed";

/// Why a checkpoint is refused of which something is missing.
pub(crate) fn missing(chunks: u64, bytes: u64, named: u64) -> String {
    format!("{chunks} chunks of {bytes} bytes are here, {named} bytes are named, and chunks count from 0")
}

pub(crate) fn check_chunks(chunks: &[Chunk]) -> Result<()> {
    match chunks.iter().find(|chunk| chunk.bytes.len() > CHUNK_BYTES || chunk.bytes.is_empty()) {
        Some(Chunk { n, bytes }) => Err(StoreError::Limit(format!(
            "chunk {n} has {} bytes; it must have 1 to {CHUNK_BYTES}",
            bytes.len()
        ))),
        None => Ok(()),
    }
}

pub(crate) fn check_hash(named: DatasetHash, content: &[u8]) -> Result<()> {
    let found = DatasetHash(*blake3::hash(content).as_bytes());
    if found == named { Ok(()) } else { Err(StoreError::WrongHash { named, found }) }
}

pub(crate) fn kind_of(value: &Value) -> MetricKind {
    match value {
        Value::Scalar(_) => MetricKind::Scalar,
        Value::Array(Array { kind, .. }) => *kind,
    }
}

/// A word that serde writes as a plain string.
pub(crate) fn word<T: Serialize>(word: T) -> Result<String> {
    match serde_json::to_value(word) {
        Ok(serde_json::Value::String(text)) => Ok(text),
        other => Err(StoreError::Internal(format!("not a word: {other:?}"))),
    }
}

/// The word that serde writes as `text`.
pub(crate) fn parse_word<T: DeserializeOwned>(text: String) -> Result<T> {
    serde_json::from_value(serde_json::Value::String(text)).map_err(broken)
}

pub(crate) fn json<T: Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(broken)
}

pub(crate) fn from_json<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(broken)
}

/// An unsigned number as the database keeps it.
pub(crate) fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number that the database keeps and that is never negative.
pub(crate) fn uint<T: TryFrom<i64>>(number: i64) -> Result<T> {
    T::try_from(number).map_err(|_| broken(format!("number {number} is out of range")))
}

/// The content of the database is not what this program writes.
pub(crate) fn broken(why: impl Display) -> StoreError {
    StoreError::Internal(format!("unexpected content of the database: {why}"))
}

/// A text without NUL, which has no place in a text of Postgres.
pub(crate) fn text(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', "\u{fffd}").into() } else { text.into() }
}

/// Labels as JSON, without NUL.
pub(crate) fn labels(labels: &BTreeMap<String, String>) -> Result<String> {
    json(&labels.iter().map(|(key, value)| (text(key), text(value))).collect::<BTreeMap<_, _>>())
}

/// Reads columns by name.
pub(crate) trait Columns {
    fn number<T: TryFrom<i64>>(&self, column: &str) -> Result<T>;
    fn number_or_null<T: TryFrom<i64>>(&self, column: &str) -> Result<Option<T>>;
    fn flag(&self, column: &str) -> Result<bool>;
    fn text(&self, column: &str) -> Result<String>;
    fn text_or_null(&self, column: &str) -> Result<Option<String>>;
    fn id(&self, column: &str) -> Result<Uuid>;
    fn blob(&self, column: &str) -> Result<Vec<u8>>;
    fn bytes<const N: usize>(&self, column: &str) -> Result<[u8; N]>;
    fn bytes_or_null<const N: usize>(&self, column: &str) -> Result<Option<[u8; N]>>;
}

macro_rules! columns {
    ($row:ty) => {
        impl Columns for $row {
            fn number<T: TryFrom<i64>>(&self, column: &str) -> Result<T> {
                uint(self.try_get(column).map_err(broken)?)
            }

            fn number_or_null<T: TryFrom<i64>>(&self, column: &str) -> Result<Option<T>> {
                self.try_get::<Option<i64>, _>(column).map_err(broken)?.map(uint).transpose()
            }

            fn flag(&self, column: &str) -> Result<bool> {
                self.try_get(column).map_err(broken)
            }

            fn text(&self, column: &str) -> Result<String> {
                self.try_get(column).map_err(broken)
            }

            fn text_or_null(&self, column: &str) -> Result<Option<String>> {
                self.try_get(column).map_err(broken)
            }

            fn id(&self, column: &str) -> Result<Uuid> {
                self.try_get(column).map_err(broken)
            }

            fn blob(&self, column: &str) -> Result<Vec<u8>> {
                self.try_get(column).map_err(broken)
            }

            fn bytes<const N: usize>(&self, column: &str) -> Result<[u8; N]> {
                self.bytes_or_null(column)?.ok_or_else(|| broken(format!("{column} is missing")))
            }

            fn bytes_or_null<const N: usize>(&self, column: &str) -> Result<Option<[u8; N]>> {
                let bytes: Option<Vec<u8>> = self.try_get(column).map_err(broken)?;
                let sized = |bytes: Vec<u8>| {
                    bytes.try_into().map_err(|_| broken(format!("{column} is not {N} bytes")))
                };
                bytes.map(sized).transpose()
            }
        }
    };
}

columns!(SqliteRow);
columns!(PgRow);

pub(crate) fn counts(row: &impl Columns) -> Result<Counts> {
    Ok(Counts {
        queued: row.number("queued")?,
        running: row.number("running")?,
        paused: row.number("paused")?,
        succeeded: row.number("succeeded")?,
        failed: row.number("failed")?,
        cancelled: row.number("cancelled")?,
    })
}

/// Without its sources, which have rows of their own.
pub(crate) fn job(row: &impl Columns) -> Result<Job> {
    Ok(Job {
        id: JobId(row.id("id")?),
        spec: from_json(&row.text("spec")?)?,
        dataset: row.bytes_or_null("dataset")?.map(DatasetHash),
        from: Vec::new(),
        created_at: row.number("created_at")?,
        ended_at: row.number_or_null("ended_at")?,
        last_seq: row.number("last_seq")?,
        counts: counts(row)?,
    })
}

pub(crate) fn source(row: &impl Columns) -> Result<JobSource> {
    let (step, digest, bytes) = (row.number("step")?, row.bytes("digest")?, row.number("bytes")?);
    let checkpoint = CheckpointRef { step, digest, bytes };
    Ok(JobSource { name: row.text("name")?, run: RunId(row.id("run_id")?), checkpoint })
}

pub(crate) fn run(row: &impl Columns) -> Result<Run> {
    Ok(Run {
        id: RunId(row.id("id")?),
        job: JobId(row.id("job_id")?),
        spec: RunSpec {
            index: row.number("idx")?,
            params: row.text("params")?,
            seed: row.number("seed")?,
            steps: row.number("steps")?,
            memory_bytes: row.number("memory_bytes")?,
        },
        state: run_state(row)?,
        wish: parse_word::<Wish>(row.text("wish")?)?,
        attempt: row.number("attempt")?,
        next_seq: row.number("next_seq")?,
        step: row.number("step")?,
        checkpoint_step: row.number_or_null("checkpoint_step")?,
        counted_failures: row.number("counted_failures")?,
        uncounted_failures: row.number("uncounted_failures")?,
        stalled_attempts: row.number("stalled_attempts")?,
        attempt_began_at: row.number_or_null("attempt_began_at")?,
        updated_at: row.number("updated_at")?,
    })
}

fn run_state(row: &impl Columns) -> Result<RunState> {
    Ok(match row.text("state")?.as_str() {
        "queued" => RunState::Queued { not_before: row.number_or_null("not_before")? },
        "running" => RunState::Running(Lease {
            worker: WorkerId(row.id("worker")?),
            ttl_ms: row.number("ttl_ms")?,
            expires_at: row.number("expires_at")?,
            granted_at: row.number("granted_at")?,
            progress_at: row.number("progress_at")?,
            told_at: row.number_or_null("told_at")?,
            server_was_away: row.flag("server_was_away")?,
        }),
        "paused" => RunState::Paused,
        "succeeded" => RunState::Succeeded { digest: row.text("digest")? },
        "failed" => RunState::Failed {
            class: parse_word::<Class>(row.text("class")?)?,
            message: row.text_or_null("message")?.unwrap_or_default(),
        },
        "cancelled" => RunState::Cancelled,
        other => return Err(broken(format!("run state `{other}`"))),
    })
}

pub(crate) fn checkpoint(row: &impl Columns) -> Result<StoredCheckpoint> {
    Ok(StoredCheckpoint {
        step: row.number("step")?,
        attempt: row.number("attempt")?,
        digest: row.bytes("digest")?,
        bytes: row.number("bytes")?,
        at: row.number("at")?,
        score: row.number_or_null("score")?.map(thin::value),
        pinned: row.flag("pinned")?,
    })
}

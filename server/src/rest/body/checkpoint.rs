//! Checkpoints as users read them.

use serde::Serialize;
use store::{Collected, StoredCheckpoint};
use utoipa::ToSchema;

use crate::clock::rfc3339;

/// The checkpoints of a run that are kept, newest first.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Checkpoints {
    pub(crate) checkpoints: Vec<Checkpoint>,
}

/// A checkpoint of a run.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Checkpoint {
    pub(crate) step: u64,
    /// BLAKE3 of its bytes.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub(crate) digest: String,
    /// Length.
    pub(crate) bytes: u64,
    /// The attempt that made it.
    pub(crate) attempt: u32,
    #[schema(format = DateTime)]
    pub(crate) stored_at: String,
    /// What the metric was by which the job keeps its best ones, if it is finite.
    #[schema(required)]
    pub(crate) score: Option<f64>,
    /// Whether a user said to keep it.
    pub(crate) pinned: bool,
}

impl From<StoredCheckpoint> for Checkpoint {
    fn from(checkpoint: StoredCheckpoint) -> Self {
        let StoredCheckpoint { step, attempt, digest, bytes, at, score, pinned } = checkpoint;
        Self {
            step,
            digest: blake3::Hash::from_bytes(digest).to_hex().to_string(),
            bytes,
            attempt,
            stored_at: rfc3339(at),
            score: score.filter(|score| score.is_finite()),
            pinned,
        }
    }
}

/// What was removed, or would be.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Garbage {
    /// Checkpoints that are forgotten; their chunks go a while later.
    checkpoints: u64,
    /// Their length.
    checkpoint_bytes: u64,
    /// Chunks of checkpoints that nothing names, and of data sets that never became complete.
    chunks: u64,
    /// Their length, as it was sent.
    chunk_bytes: u64,
}

impl From<Collected> for Garbage {
    fn from(collected: Collected) -> Self {
        let Collected { checkpoints, checkpoint_bytes, chunks, chunk_bytes } = collected;
        Self { checkpoints, checkpoint_bytes, chunks, chunk_bytes }
    }
}

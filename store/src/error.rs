//! Why a store did not do what it was asked.

use jobs::{JobId, Refused, RunId};

/// Why a store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The rules refuse the change.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// No such job.
    #[error("there is no job {0}")]
    NoJob(JobId),
    /// No such run.
    #[error("there is no run {0}")]
    NoRun(RunId),
    /// A checkpoint is named whose chunks are not all here or do not have the named length.
    #[error("checkpoint of run {run} at step {step} is incomplete: {why}; put its chunks first")]
    IncompleteCheckpoint {
        /// The run.
        run: RunId,
        /// The step.
        step: u64,
        /// What is missing.
        why: String,
    },
    /// A job would build on a checkpoint that is not there, or not any more.
    #[error("run {run} has no checkpoint at step {step} that a job could build on")]
    NoCheckpoint {
        /// The run.
        run: RunId,
        /// The step.
        step: u64,
    },
    /// More or larger than a run may have.
    #[error("{0}")]
    Limit(String),
    /// The content does not have the hash it came under.
    #[error("the content hashes to {found}, not to {named}; send it again")]
    WrongHash {
        /// The hash it came under.
        named: jobs::DatasetHash,
        /// The hash it has.
        found: jobs::DatasetHash,
    },
    /// An id cut short that could be several.
    #[error("`{0}` is the beginning of several ids; give more of it")]
    Ambiguous(String),
    /// A text that cannot be the beginning of an id.
    #[error("`{0}` is not the beginning of an id; give at least 6 hexadecimal digits")]
    NotAPrefix(String),
    /// The same idempotency key came with another body.
    #[error("idempotency key `{0}` was used before with another body")]
    KeyReused(String),
    /// The name belongs to other content.
    #[error("data set name `{name}` is taken by {hash}")]
    NameTaken {
        /// The name.
        name: String,
        /// Whose it is.
        hash: jobs::DatasetHash,
    },
    /// Too many writes wait; try again.
    #[error("the store is busy; try again in a second")]
    Busy,
    /// The database does not answer; try again.
    #[error("the database does not answer; try again in a second")]
    Away,
    /// The disk is full or nearly so.
    #[error("no space left for the database")]
    Full,
    /// The database was written by a newer version, or by something else.
    #[error("{0}")]
    Unusable(String),
    /// Anything else; a bug or a broken disk.
    #[error("store: {0}")]
    Internal(String),
}

impl StoreError {
    /// The same for everybody who waits for the database, if that is where it comes from and not from what was asked.
    pub(crate) fn of_all(&self) -> Option<Self> {
        match self {
            Self::Busy => Some(Self::Busy),
            Self::Away => Some(Self::Away),
            Self::Full => Some(Self::Full),
            _ => None,
        }
    }
}

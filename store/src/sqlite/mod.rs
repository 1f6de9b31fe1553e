//! A store in one SQLite file: the default of a single server.
//!
//! Writes go through one task with one connection, which commits them in groups ([`writer`]); reads go through a few
//! connections that cannot write. The verbs are in [`sql`].

mod dialect;
mod error;
mod lock;
mod open;
#[path = "../sql/mod.rs"]
mod sql;
mod statements;
mod writer;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jobs::{Directive, JobId, Millis, Policy};
use sqlx::pool::PoolConnection;
use tokio::sync::broadcast::Receiver;

pub(crate) use self::open::APPLICATION_ID;

use self::sql::{Reported, Submitting};
use self::writer::{Running, Writer};
use crate::gather::Gather;
use crate::weight::Weight;
use crate::{Hint, NewJob, Result};

/// What [`sql`] calls the store, its connection and a row.
type Backend = Sqlite;
type Db = sqlx::SqliteConnection;
type Row = sqlx::sqlite::SqliteRow;

/// Where a [`Sqlite`] store is and how it behaves.
#[derive(Debug, Clone)]
pub struct SqliteOptions {
    /// The database file; made if missing. Beside it lies a lock file.
    pub path: PathBuf,
    /// The numbers behind the rules.
    pub policy: Policy,
    /// Writes that may wait; further ones are refused as busy.
    pub queue: usize,
}

impl SqliteOptions {
    /// The usual settings for a database at `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), policy: Policy::default(), queue: 1_024 }
    }
}

/// Keeps everything in one SQLite file.
#[derive(Debug, Clone)]
pub struct Sqlite {
    writer: Arc<Writer>,
    readers: sqlx::SqlitePool,
    reports: Gather<Reported>,
    submissions: Gather<Submitting>,
    policy: Policy,
}

impl Sqlite {
    /// Opens the database, or makes it, and brings its schema up to date.
    ///
    /// # Errors
    /// [`crate::StoreError::Unusable`] when another server has it open, when it is damaged, newer than this program
    /// or not a database of Vesicle, or when it lies on a network file system.
    pub async fn open(options: SqliteOptions) -> Result<Self> {
        open::open(options).await
    }

    async fn reader(&self) -> Result<PoolConnection<sqlx::Sqlite>> {
        Ok(self.readers.acquire().await?)
    }

    /// Runs `work` in the next group of writes; its answer comes after the commit.
    async fn write<T, F>(&self, weight: Weight, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> Fn(&'c mut Db) -> Running<'c, T> + Send + 'static,
    {
        self.writer.write(weight, work).await
    }

    /// With one writer there is nothing to lock, and no way to the database: all reports take the same path.
    async fn take_plain(&self, told: &[&Reported]) -> Result<Vec<Option<Directive>>> {
        Ok(vec![None; told.len()])
    }

    /// The same of new jobs.
    async fn take_new(&self, _jobs: &[&NewJob]) -> Result<BTreeSet<JobId>> {
        Ok(BTreeSet::new())
    }

    fn policy(&self) -> Policy {
        self.policy
    }

    /// One server, one clock.
    async fn clock(&self, here: Millis) -> Result<Millis> {
        Ok(here)
    }

    /// There is no other server to tell.
    async fn notify(&self, _hints: &[Hint]) -> Result<()> {
        Ok(())
    }

    fn listen(&self) -> Option<Receiver<Hint>> {
        None
    }

    /// Nobody asks who looked for lost leases: there is one server.
    async fn note_look(&self) -> Result<()> {
        Ok(())
    }

    async fn was_looked_after(&self) -> Result<bool> {
        Ok(false)
    }

    fn check_open(&self) -> Result<()> {
        self.writer.check_open()
    }

    async fn shut(&self) -> Result<()> {
        self.readers.close().await;
        self.writer.close().await
    }
}

/// How long a read waits for a free connection.
const READER_WAIT: Duration = Duration::from_secs(5);

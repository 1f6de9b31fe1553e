//! A store in a Postgres database: what several servers share.
//!
//! Each verb is a transaction of its own. A row lock on the run makes those about one run take turns, the lock on its
//! job's row, taken last, hands out the numbers of events: whoever commits first has the smaller ones.

mod clock;
mod dialect;
mod listen;
mod lock;
mod open;
mod plain;
#[expect(clippy::duplicate_mod, reason = "one text for two databases: `Db` and `Row` differ")]
#[path = "../sql/mod.rs"]
mod sql;
mod statements;
mod warm;

#[cfg(test)]
mod costs;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tls;

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use jobs::{Directive, JobId, Millis, Policy};
use sqlx::pool::PoolConnection;
use tokio::sync::broadcast::Receiver;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

pub(crate) use self::open::connect_as_is;

use self::clock::Clock;
use self::listen::Listener;
use self::sql::{Reported, Submitting};
use crate::gather::Gather;
use crate::weight::Weight;
use crate::{Hint, NewJob, Result, StoreError};

/// What [`sql`] calls the store, its connection and a row.
type Backend = Postgres;
type Db = sqlx::PgConnection;
type Row = sqlx::postgres::PgRow;

/// What a verb returns while it runs.
type Running<'c, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'c>>;

/// A transaction that met another one is tried again for that long.
const RETRY: Duration = Duration::from_secs(5);

/// Where a [`Postgres`] store is and how it behaves.
#[derive(Clone)]
pub struct PostgresOptions {
    /// `postgres://user@host:port/database`; what is left out comes from `PGHOST`, `PGUSER`, … and `~/.pgpass`.
    pub url: String,
    /// The numbers behind the rules.
    pub policy: Policy,
    /// Connections at most, besides the one that listens.
    pub connections: u32,
}

impl PostgresOptions {
    /// The usual settings for the database at `url`.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), policy: Policy::default(), connections: 10 }
    }
}

/// Without the address, which may hold a password.
impl std::fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresOptions").field("connections", &self.connections).finish_non_exhaustive()
    }
}

/// Keeps everything in a Postgres database.
#[derive(Debug, Clone)]
pub struct Postgres {
    pool: sqlx::PgPool,
    reports: Gather<Reported>,
    submissions: Gather<Submitting>,
    clock: Arc<Clock>,
    remembered: plain::Remembered,
    warm: warm::Warm,
    policy: Policy,
    listener: Arc<Listener>,
}

impl Postgres {
    /// Connects to the database and brings its schema up to date; several servers may do so at once.
    ///
    /// # Errors
    /// [`StoreError::Unusable`] when the address cannot be understood or reached, or the database is newer than this
    /// program, not ours, a standby, or may lose what was answered.
    pub async fn open(options: PostgresOptions) -> Result<Self> {
        open::open(options).await
    }

    /// What a server would find at the address: version, place and schema. Changes nothing.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn describe(options: &PostgresOptions) -> Result<String> {
        open::describe(options).await
    }

    async fn reader(&self) -> Result<PoolConnection<sqlx::Postgres>> {
        Ok(self.pool.acquire().await?)
    }

    /// Runs `work` in a transaction; again when it met another one.
    async fn write<T, F>(&self, _weight: Weight, work: F) -> Result<T>
    where
        F: for<'c> Fn(&'c mut Db) -> Running<'c, T>,
    {
        let began = Instant::now();
        for tries in 1.. {
            match self.once(&work).await {
                Err(StoreError::Busy) if began.elapsed() < RETRY && tries < 6 => sleep(jitter(tries)).await,
                answer => return answer,
            }
        }
        Err(StoreError::Busy)
    }

    async fn once<T, F>(&self, work: &F) -> Result<T>
    where
        F: for<'c> Fn(&'c mut Db) -> Running<'c, T>,
    {
        let mut transaction = self.pool.begin().await?;
        // Without a commit it is rolled back when the connection is used again.
        let answer = work(&mut transaction).await?;
        transaction.commit().await?;
        Ok(answer)
    }

    /// Takes those reports of a group for which no run has to be locked; the others have no answer yet.
    async fn take_plain(&self, told: &[&Reported]) -> Result<Vec<Option<Directive>>> {
        let mut db = self.warm.take(&self.pool).await?;
        match plain::take(&mut db, told, &self.remembered, &self.policy).await {
            // Two servers met: a transaction is tried again.
            Err(StoreError::Busy) => Ok(vec![None; told.len()]),
            Err(error) => Err(error),
            Ok(answers) => {
                self.warm.put(db);
                Ok(answers)
            }
        }
    }

    /// Stores those of these jobs, which build on nothing, whose keys are free; answers which these are. One statement looks
    /// the keys up and stores the rest: no transaction has to hold anything in between.
    async fn take_new(&self, jobs: &[&NewJob]) -> Result<BTreeSet<JobId>> {
        if jobs.is_empty() {
            return Ok(BTreeSet::new());
        }
        let mut db = self.warm.take(&self.pool).await?;
        match sql::submit::new(&mut db, jobs).await {
            Err(StoreError::Busy) => Ok(BTreeSet::new()),
            Err(error) => Err(error),
            Ok(stored) => {
                self.warm.put(db);
                Ok(stored)
            }
        }
    }

    fn policy(&self) -> Policy {
        self.policy
    }

    /// The servers' clocks may differ; leases are compared with the database's alone.
    async fn clock(&self, _here: Millis) -> Result<Millis> {
        if let Some(now) = self.clock.read(Instant::now()) {
            return Ok(now);
        }
        let now = dialect::clock(&mut *self.reader().await?).await?;
        self.clock.set(now, Instant::now());
        Ok(now)
    }

    async fn notify(&self, hints: &[Hint]) -> Result<()> {
        self.listener.tell(&self.pool, hints).await
    }

    fn listen(&self) -> Option<Receiver<Hint>> {
        Some(self.listener.hear())
    }

    /// Notes that a server looked for lost leases just now.
    async fn note_look(&self) -> Result<()> {
        dialect::note_look(&mut *self.reader().await?).await
    }

    /// Whether some server looked for lost leases so lately that no worker can have missed the servers.
    async fn was_looked_after(&self) -> Result<bool> {
        dialect::was_looked_after(&mut *self.reader().await?, self.policy.lease_ms / 6).await
    }

    fn check_open(&self) -> Result<()> {
        if self.pool.is_closed() { Err(crate::sqlx_error::closed()) } else { Ok(()) }
    }

    async fn shut(&self) -> Result<()> {
        self.listener.stop();
        self.warm.cool();
        self.pool.close().await;
        Ok(())
    }
}

/// 5 to 15 ms times the tries so far, so that those who met do not meet again.
fn jitter(tries: u64) -> Duration {
    let (_, random) = Uuid::now_v7().as_u64_pair();
    Duration::from_micros((5_000 + random % 10_000) * tries)
}

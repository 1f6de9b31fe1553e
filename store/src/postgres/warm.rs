//! Connections that were used a moment ago, for what comes all the time and is one statement.
//!
//! The pool asks each connection that comes back whether it still answers: a way to the database and back for every statement.
//! And it hands them out in turn, where one that has just been used finds everything at hand.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sqlx::Postgres;
use sqlx::pool::PoolConnection;
use tokio::time::Instant;

use super::open::TRUSTED;
use crate::Result;

type Connection = PoolConnection<Postgres>;

/// The last connections that did what they should, the latest last.
#[derive(Debug, Clone)]
pub(super) struct Warm {
    last: Arc<Mutex<Vec<(Instant, Connection)>>>,
    most: usize,
}

impl Warm {
    /// Keeps few of the connections of a pool: what comes now and then shall not wait for them.
    pub(super) fn of(connections: u32) -> Self {
        Self { last: Arc::default(), most: connections as usize / 4 }
    }

    fn all(&self) -> MutexGuard<'_, Vec<(Instant, Connection)>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One that was used a moment ago, or one of the pool. Those that have waited longer go back to it.
    pub(super) async fn take(&self, pool: &sqlx::PgPool) -> Result<Connection> {
        match self.warm() {
            Some(connection) => Ok(connection),
            None => Ok(pool.acquire().await?),
        }
    }

    fn warm(&self) -> Option<Connection> {
        let mut all = self.all();
        all.retain(|(used, _)| used.elapsed() < TRUSTED);
        all.pop().map(|(_, connection)| connection)
    }

    /// Keeps a connection that has answered.
    pub(super) fn put(&self, connection: Connection) {
        let mut all = self.all();
        if all.len() < self.most {
            all.push((Instant::now(), connection));
        }
    }

    /// Gives all of them back.
    pub(super) fn cool(&self) {
        self.all().clear();
    }
}

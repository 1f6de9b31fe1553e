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
#[derive(Debug, Clone, Default)]
pub(super) struct Warm(Arc<Mutex<Vec<(Instant, Connection)>>>);

impl Warm {
    fn all(&self) -> MutexGuard<'_, Vec<(Instant, Connection)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One that was used a moment ago, or one of the pool. Those that have waited longer go back to it.
    pub(super) async fn take(&self, pool: &sqlx::PgPool) -> Result<Connection> {
        let now = Instant::now();
        self.all().retain(|(used, _)| now.duration_since(*used) < TRUSTED);
        let warm = self.all().pop();
        match warm {
            Some((_, connection)) => Ok(connection),
            None => Ok(pool.acquire().await?),
        }
    }

    /// Keeps a connection that has answered.
    pub(super) fn put(&self, connection: Connection) {
        self.all().push((Instant::now(), connection));
    }

    /// Gives all of them back.
    pub(super) fn cool(&self) {
        self.all().clear();
    }
}

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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sqlx::PgPool;
    use sqlx::postgres::PgPoolOptions;

    use super::*;
    use crate::conformance::Cluster;

    const CONNECTIONS: u32 = 8;

    /// A pool, and as many connections as it has.
    async fn all_taken() -> Option<(PgPool, Vec<Connection>)> {
        let address = Cluster::shared()?.database().await;
        let pool = PgPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(Duration::from_secs(20));
        let pool = pool.connect(&address).await.expect("it is running");
        let mut taken = Vec::new();
        for _ in 0..CONNECTIONS {
            taken.push(pool.acquire().await.expect("one is left"));
        }
        Some((pool, taken))
    }

    /// The pool, and what is kept when all of its connections have been used.
    async fn all_put() -> Option<(PgPool, Warm)> {
        let (pool, taken) = all_taken().await?;
        let warm = Warm::of(CONNECTIONS);
        taken.into_iter().for_each(|connection| warm.put(connection));
        Some((pool, warm))
    }

    async fn process(connection: &mut Connection) -> i32 {
        let process = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut **connection).await;
        process.expect("it answers")
    }

    #[tokio::test]
    async fn a_quarter_of_the_connections_is_kept_and_the_last_one_used_first() {
        let Some((pool, mut taken)) = all_taken().await else { return };
        let warm = Warm::of(CONNECTIONS);
        let second = process(&mut taken[1]).await;
        for connection in taken {
            warm.put(connection);
        }
        assert_eq!(warm.all().len(), 2);
        let mut next = warm.take(&pool).await.expect("one is warm");
        assert_eq!(process(&mut next).await, second);
        let mut others = Vec::new();
        for _ in 2..CONNECTIONS {
            others.push(pool.acquire().await.expect("all that are not kept went back to the pool"));
        }
    }

    #[tokio::test]
    async fn what_nobody_used_for_a_moment_goes_back_to_the_pool() {
        let Some((pool, warm)) = all_put().await else { return };
        for (used, _) in warm.all().iter_mut() {
            *used -= TRUSTED;
        }
        let mut again = vec![warm.take(&pool).await.expect("the pool has some")];
        assert!(warm.all().is_empty());
        for _ in 1..CONNECTIONS {
            again.push(pool.acquire().await.expect("all of them went back"));
        }
    }

    #[tokio::test]
    async fn none_is_kept_when_the_store_is_shut() {
        let Some((pool, warm)) = all_put().await else { return };
        warm.cool();
        pool.close().await; // waits for every connection that is not back
        assert!(warm.all().is_empty() && pool.is_closed());
    }
}

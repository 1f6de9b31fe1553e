//! One task, one connection, group commit.
//!
//! The task takes everything that waits, runs each request in a savepoint of its own, commits once, and then answers
//! all. It never waits for more: with one client a commit holds one request, under load it holds many. A request
//! whose caller has gone is carried out all the same, or not at all.

use std::fs::File;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use sqlx::Connection as _;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::{Db, error};
use crate::weight::Weight;
use crate::{Result, StoreError, sqlx_error};

/// What a verb returns while it runs.
pub(super) type Running<'c, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'c>>;

/// The way to the writing task.
#[derive(Debug)]
pub(super) struct Writer {
    queue: Mutex<Option<mpsc::Sender<Box<dyn Request>>>>,
    task: Mutex<Option<JoinHandle<Held>>>,
}

/// What the task owns until its end: as long as it may write, nobody else opens the file.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) db: Db,
    pub(super) lock: File,
}

impl Writer {
    pub(super) fn start(held: Held, queue: usize) -> Self {
        let (sender, receiver) = mpsc::channel(queue.max(1));
        let task = tokio::spawn(serve(held, receiver));
        Self { queue: Mutex::new(Some(sender)), task: Mutex::new(Some(task)) }
    }

    /// Runs `work` in the next group; its answer comes after the commit.
    pub(super) async fn write<T, F>(&self, weight: Weight, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Db) -> Running<'c, T> + Send + 'static,
    {
        let (to, answer) = oneshot::channel();
        let request = Box::new(Pending { work: Some(work), answer: None, to, weight });
        self.sender()?.try_send(request).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => StoreError::Busy,
            mpsc::error::TrySendError::Closed(_) => sqlx_error::closed(),
        })?;
        answer.await.map_err(|_| StoreError::Internal("the writer has died".into()))?
    }

    pub(super) fn check_open(&self) -> Result<()> {
        self.sender().and_then(|sender| if sender.is_closed() { Err(sqlx_error::closed()) } else { Ok(()) })
    }

    /// How many more requests may wait.
    #[cfg(test)]
    pub(super) fn free(&self) -> usize {
        self.sender().map_or(0, |sender| sender.capacity())
    }

    fn sender(&self) -> Result<mpsc::Sender<Box<dyn Request>>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).clone().ok_or_else(sqlx_error::closed)
    }

    /// Finishes what waits, notes the clean end, empties the log file and lets go of the database.
    pub(super) async fn close(&self) -> Result<()> {
        drop(self.queue.lock().unwrap_or_else(PoisonError::into_inner).take());
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(task) = task else { return Ok(()) };
        let Held { mut db, lock } =
            task.await.map_err(|_| StoreError::Internal("the writer has died".into()))?;
        execute(&mut db, "INSERT OR REPLACE INTO meta (key, value) VALUES ('clean_stop', 'yes')").await?;
        execute(&mut db, "PRAGMA wal_checkpoint(TRUNCATE)").await?;
        db.close().await?;
        drop(lock);
        Ok(())
    }
}

/// A verb that waits, with its answer's type forgotten.
#[async_trait]
trait Request: Send {
    fn weight(&self) -> Weight;

    /// Carries it out and keeps the answer.
    async fn run(&mut self, db: &mut Db) -> std::result::Result<(), StoreError>;

    /// Sends the answer, or the reason why the whole group was not committed.
    fn answer(self: Box<Self>, group: &Result<()>);
}

struct Pending<T, F> {
    work: Option<F>,
    answer: Option<Result<T>>,
    to: oneshot::Sender<Result<T>>,
    weight: Weight,
}

#[async_trait]
impl<T, F> Request for Pending<T, F>
where
    T: Send + 'static,
    F: for<'c> FnOnce(&'c mut Db) -> Running<'c, T> + Send + 'static,
{
    fn weight(&self) -> Weight {
        self.weight
    }

    async fn run(&mut self, db: &mut Db) -> Result<()> {
        let work = self.work.take().expect("a request runs once");
        let answer = work(db).await;
        let outcome = answer.as_ref().map(|_| ()).map_err(error::same);
        self.answer = Some(answer);
        outcome
    }

    fn answer(self: Box<Self>, group: &Result<()>) {
        let answer = match (group, self.answer) {
            (Ok(()), Some(answer)) => answer,
            (Ok(()), None) => Err(StoreError::Internal("a request of a committed group did not run".into())),
            (Err(error), _) => Err(error::same(error)),
        };
        let _ = self.to.send(answer); // the caller may have gone; what is done is done
    }
}

/// Takes groups and commits them until the last sender is gone.
async fn serve(mut held: Held, mut queue: mpsc::Receiver<Box<dyn Request>>) -> Held {
    let mut next = queue.recv().await;
    while let Some(first) = next.take() {
        let mut weight = first.weight();
        let mut group = vec![first];
        while let Ok(request) = queue.try_recv() {
            match weight.and(request.weight()) {
                Some(sum) => weight = sum,
                None => {
                    next = Some(request);
                    break;
                }
            }
            group.push(request);
        }
        let outcome = commit(&mut held.db, &mut group).await;
        if let Err(error) = &outcome {
            tracing::error!(requests = group.len(), %error, "a group of writes was not committed: {error}");
        }
        group.into_iter().for_each(|request| request.answer(&outcome));
        if next.is_none() {
            next = queue.recv().await;
        }
    }
    held
}

async fn commit(db: &mut Db, group: &mut [Box<dyn Request>]) -> Result<()> {
    execute(db, "BEGIN IMMEDIATE").await?;
    let outcome = run_all(db, group).await;
    if outcome.is_err() {
        // Some errors of SQLite have rolled back already; then this one finds nothing to do.
        let _ = execute(db, "ROLLBACK").await;
    }
    outcome
}

async fn run_all(db: &mut Db, group: &mut [Box<dyn Request>]) -> Result<()> {
    if let [alone] = group {
        // Nobody else is undone with it, so that it needs no savepoint.
        if alone.run(db).await.is_ok() {
            return execute(db, "COMMIT").await;
        }
        let _ = execute(db, "ROLLBACK").await; // a full disk or a broken one has done so already
        return Ok(());
    }
    for request in group {
        execute(db, "SAVEPOINT request").await?;
        if let Err(error) = request.run(db).await {
            // A full disk or a broken one ends the whole transaction, and the savepoint with it.
            execute(db, "ROLLBACK TO request").await.map_err(|_| error)?;
        }
        execute(db, "RELEASE request").await?;
    }
    execute(db, "COMMIT").await
}

async fn execute(db: &mut Db, sql: &'static str) -> Result<()> {
    sqlx::query(sql).execute(db).await?;
    Ok(())
}

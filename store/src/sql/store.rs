//! The trait: each verb a transaction, or a read.

use std::sync::Arc;

use async_trait::async_trait;
use futures::future::BoxFuture;
use jobs::{DatasetHash, Event, Job, JobId, Millis, Report, Run, RunId, WorkerId, WorkerInfo};
use tokio::sync::broadcast::Receiver;

use super::{
    Backend, Reported, Submitting, acquire, checkpoints, collect, datasets, read, retention, runs, series,
    together, workers,
};
use crate::weight::Weight;
use crate::{
    AcquireRequest, Chunk, Collect, Collected, Dataset, Granted, Hint, JobPage, MetricQuery, NewDataset,
    NewJob, Page, RankQuery, Ranked, Result, Rows, RunPage, Series, Store, StoredCheckpoint, Submitted,
    Unfit, Verb,
};

#[async_trait]
impl Store for Backend {
    async fn submit(&self, job: NewJob) -> Result<Submitted> {
        let store = self.clone();
        let carry_out =
            move |group| -> BoxFuture<'static, _> { Box::pin(together::submissions(store.clone(), group)) };
        self.submissions.ask(Submitting(job), carry_out).await
    }

    async fn acquire(&self, request: AcquireRequest) -> Result<Option<Granted>> {
        let mut reader = self.reader().await?;
        if acquire::candidates(&mut reader, &request).await?.is_empty() {
            return Ok(None); // the usual answer costs no write
        }
        drop(reader);
        let (policy, request) = (self.policy(), Arc::new(request));
        self.write(Weight::of(4, 0), move |db| {
            let request = Arc::clone(&request);
            Box::pin(async move { acquire::acquire(db, &request, &policy).await })
        })
        .await
    }

    async fn report(&self, report: Report, now: Millis) -> Result<jobs::Directive> {
        let mut broken = None;
        if let Some(checkpoint) = &report.checkpoint {
            let mut reader = self.reader().await?;
            if checkpoints::has_wrong_digest(&mut reader, checkpoint).await? {
                broken = Some(checkpoint.digest);
            }
        }
        let (store, wrong_digest) = (self.clone(), broken.is_some());
        let carry_out =
            move |group| -> BoxFuture<'static, _> { Box::pin(together::reports(store.clone(), group)) };
        let answer = self.reports.ask(Reported { report, wrong_digest, now }, carry_out).await;
        if let Some(digest) = broken {
            self.write(Weight::of(1, 0), move |db| Box::pin(checkpoints::drop_damaged(db, digest))).await?;
        }
        answer
    }

    async fn wish(&self, job: JobId, verb: Verb, now: Millis) -> Result<Job> {
        let policy = self.policy();
        self.write(Weight::of(1_000, 0), move |db| {
            Box::pin(async move { runs::wish(db, job, verb, now, &policy).await })
        })
        .await
    }

    async fn expire_leases(&self, now: Millis) -> Result<Vec<JobId>> {
        let policy = self.policy();
        let mut reader = self.reader().await?;
        let due = runs::overdue(&mut reader, now, &policy).await?.len();
        drop(reader);
        self.note_look().await?;
        if due == 0 {
            return Ok(Vec::new());
        }
        self.write(Weight::of(due * 3, 0), move |db| {
            Box::pin(async move { runs::expire(db, now, &policy).await })
        })
        .await
    }

    async fn extend_leases(&self, until: Millis) -> Result<()> {
        if self.was_looked_after().await? {
            return Ok(());
        }
        let policy = self.policy();
        self.write(Weight::of(100, 0), move |db| {
            Box::pin(async move { runs::extend(db, until, &policy).await })
        })
        .await
    }

    async fn put_chunks(&self, digest: [u8; 32], chunks: Vec<Chunk>, now: Millis) -> Result<()> {
        checkpoints::put(self, digest, chunks, now).await
    }

    async fn checkpoint_chunk(&self, digest: [u8; 32], n: u32) -> Result<Option<Vec<u8>>> {
        checkpoints::chunk(&mut *self.reader().await?, digest, n).await
    }

    async fn checkpoints(&self, run: RunId) -> Result<Vec<StoredCheckpoint>> {
        let mut reader = self.reader().await?;
        runs::load(&mut reader, run).await?;
        checkpoints::good(&mut reader, run).await
    }

    async fn mark_corrupt(&self, run: RunId, step: u64, why: Unfit, now: Millis) -> Result<()> {
        let policy = self.policy();
        self.write(Weight::of(4, 0), move |db| {
            Box::pin(async move { checkpoints::mark_corrupt(db, run, step, why, now, &policy).await })
        })
        .await
    }

    async fn pin_checkpoint(
        &self,
        run: RunId,
        step: u64,
        pinned: bool,
        now: Millis,
    ) -> Result<StoredCheckpoint> {
        self.write(Weight::of(4, 0), move |db| Box::pin(retention::pin(db, run, step, pinned, now))).await
    }

    async fn collect(&self, what: Collect) -> Result<Collected> {
        collect::collect(self, what).await
    }

    async fn put_dataset(&self, dataset: NewDataset, now: Millis) -> Result<Dataset> {
        datasets::put(self, dataset, now).await
    }

    async fn dataset(&self, name_or_hash: &str) -> Result<Option<Dataset>> {
        datasets::find(&mut *self.reader().await?, name_or_hash).await
    }

    async fn datasets(&self) -> Result<Vec<Dataset>> {
        datasets::all(&mut *self.reader().await?).await
    }

    async fn dataset_chunk(&self, hash: DatasetHash, n: u32) -> Result<Option<Vec<u8>>> {
        datasets::chunk(&mut *self.reader().await?, hash, n).await
    }

    async fn register(&self, worker: WorkerInfo) -> Result<()> {
        let worker = Arc::new(worker);
        self.write(Weight::of(1, 0), move |db| {
            let worker = Arc::clone(&worker);
            Box::pin(async move { workers::register(db, &worker).await })
        })
        .await
    }

    async fn workers(&self, since: Millis) -> Result<Vec<WorkerInfo>> {
        workers::since(&mut *self.reader().await?, since).await
    }

    async fn touch_worker(&self, worker: WorkerId, now: Millis) -> Result<()> {
        self.write(Weight::of(1, 0), move |db| {
            Box::pin(async move { workers::touch(db, &[worker], now).await })
        })
        .await
    }

    async fn job(&self, id: JobId) -> Result<Option<Job>> {
        read::job(&mut *self.reader().await?, id).await
    }

    async fn jobs(&self, page: Page<JobId>) -> Result<JobPage> {
        read::jobs(&mut *self.reader().await?, &page).await
    }

    async fn run(&self, id: RunId) -> Result<Option<Run>> {
        read::run(&mut *self.reader().await?, id).await
    }

    async fn runs(&self, job: JobId, page: Page<u32>) -> Result<RunPage> {
        read::runs(&mut *self.reader().await?, job, &page).await
    }

    async fn events(&self, job: JobId, after: u64, limit: u32) -> Result<Vec<Event>> {
        read::events(&mut *self.reader().await?, job, after, limit).await
    }

    async fn series(&self, run: RunId) -> Result<Vec<Series>> {
        series::all(&mut *self.reader().await?, run).await
    }

    async fn ranked(&self, query: RankQuery) -> Result<Vec<Ranked>> {
        series::ranked(&mut *self.reader().await?, &query).await
    }

    async fn metrics(&self, query: MetricQuery) -> Result<Rows> {
        series::values(&mut *self.reader().await?, &query).await
    }

    async fn find_job(&self, prefix: &str) -> Result<Option<JobId>> {
        Ok(read::find(&mut *self.reader().await?, read::JOBS, prefix).await?.map(JobId))
    }

    async fn find_run(&self, prefix: &str) -> Result<Option<RunId>> {
        Ok(read::find(&mut *self.reader().await?, read::RUNS, prefix).await?.map(RunId))
    }

    async fn queued_jobs(&self) -> Result<u64> {
        read::queued_jobs(&mut *self.reader().await?).await
    }

    async fn run_counts(&self) -> Result<jobs::Counts> {
        read::counts(&mut *self.reader().await?).await
    }

    async fn now(&self, here: Millis) -> Result<Millis> {
        self.clock(here).await
    }

    async fn tell(&self, hints: &[Hint]) -> Result<()> {
        self.notify(hints).await
    }

    fn hints(&self) -> Option<Receiver<Hint>> {
        self.listen()
    }

    async fn ping(&self) -> Result<()> {
        self.check_open()?;
        read::ping(&mut *self.reader().await?).await
    }

    async fn close(&self) -> Result<()> {
        self.shut().await
    }
}

//! A store that forgets at the end of the process: for tests and trials. Plain collections behind one lock.

mod blobs;
mod read;
mod report;
mod retention;
mod state;
#[cfg(test)]
mod tests;

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use jobs::{DatasetHash, Event, Job, JobId, Millis, Policy, Report, Run, RunId, WorkerId, WorkerInfo};

use self::state::State;
use crate::{
    AcquireRequest, Chunk, Collect, Collected, Dataset, Granted, JobPage, MetricQuery, NewDataset, NewJob,
    Page, RankQuery, Ranked, Result, Rows, RunPage, Series, Store, StoreError, StoredCheckpoint, Submitted,
    Unfit, Verb, prefix,
};

/// Keeps everything in memory.
#[derive(Debug)]
pub struct Memory {
    state: Mutex<State>,
}

impl Memory {
    /// An empty store under these rules.
    pub fn new(policy: Policy) -> Self {
        Self { state: Mutex::new(State::new(policy)) }
    }

    /// Flips a bit of a stored checkpoint, as a bad disk would: for tests of those who read it.
    pub fn damage_checkpoint(&self, digest: [u8; 32]) {
        self.state().damage(digest);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every write goes through here: one that fails leaves nothing behind, none begins after the end.
    fn write<T>(&self, verb: impl FnOnce(&mut State) -> Result<T>) -> Result<T> {
        let mut state = self.state();
        if state.closed { Err(StoreError::Unusable("the store is closed".into())) } else { verb(&mut state) }
    }
}

#[async_trait]
impl Store for Memory {
    async fn submit(&self, job: NewJob) -> Result<Submitted> {
        self.write(|state| state.submit(job))
    }

    async fn acquire(&self, request: AcquireRequest) -> Result<Option<Granted>> {
        self.write(|state| state.acquire(&request))
    }

    async fn report(&self, report: Report, now: Millis) -> Result<jobs::Directive> {
        self.write(|state| state.report(&report, now))
    }

    async fn wish(&self, job: JobId, verb: Verb, now: Millis) -> Result<Job> {
        self.write(|state| state.wish(job, verb, now))
    }

    async fn expire_leases(&self, now: Millis) -> Result<Vec<JobId>> {
        self.write(|state| state.expire_leases(now))
    }

    async fn extend_leases(&self, until: Millis) -> Result<()> {
        self.write(|state| state.extend_leases(until))
    }

    async fn put_chunks(&self, digest: [u8; 32], chunks: Vec<Chunk>, now: Millis) -> Result<()> {
        self.write(|state| state.put_chunks(digest, chunks, now))
    }

    async fn checkpoint_chunk(&self, digest: [u8; 32], n: u32) -> Result<Option<Vec<u8>>> {
        Ok(self.state().checkpoint_chunk(digest, n))
    }

    async fn checkpoints(&self, run: RunId) -> Result<Vec<StoredCheckpoint>> {
        self.state().checkpoints(run)
    }

    async fn mark_corrupt(&self, run: RunId, step: u64, why: Unfit, now: Millis) -> Result<()> {
        self.write(|state| state.mark_corrupt(run, step, why, now))
    }

    async fn pin_checkpoint(
        &self,
        run: RunId,
        step: u64,
        pinned: bool,
        now: Millis,
    ) -> Result<StoredCheckpoint> {
        self.write(|state| state.pin(run, step, pinned, now))
    }

    async fn collect(&self, what: Collect) -> Result<Collected> {
        self.write(|state| Ok(state.collect(what)))
    }

    async fn put_dataset(&self, dataset: NewDataset, now: Millis) -> Result<Dataset> {
        self.write(|state| state.put_dataset(dataset, now))
    }

    async fn dataset(&self, name_or_hash: &str) -> Result<Option<Dataset>> {
        Ok(self.state().dataset(name_or_hash))
    }

    async fn datasets(&self) -> Result<Vec<Dataset>> {
        Ok(self.state().datasets())
    }

    async fn dataset_chunk(&self, hash: DatasetHash, n: u32) -> Result<Option<Vec<u8>>> {
        Ok(self.state().dataset_chunk(hash, n))
    }

    async fn register(&self, worker: WorkerInfo) -> Result<()> {
        self.write(|state| state.register(worker))
    }

    async fn workers(&self, since: Millis) -> Result<Vec<WorkerInfo>> {
        Ok(self.state().workers(since))
    }

    async fn touch_worker(&self, worker: WorkerId, now: Millis) -> Result<()> {
        self.write(|state| {
            state.touch_worker(worker, now);
            Ok(())
        })
    }

    async fn job(&self, id: JobId) -> Result<Option<Job>> {
        Ok(self.state().job(id).ok())
    }

    async fn jobs(&self, page: Page<JobId>) -> Result<JobPage> {
        Ok(self.state().jobs(&page))
    }

    async fn run(&self, id: RunId) -> Result<Option<Run>> {
        Ok(self.state().runs.get(&id).map(|row| row.run.clone()))
    }

    async fn runs(&self, job: JobId, page: Page<u32>) -> Result<RunPage> {
        self.state().runs(job, &page)
    }

    async fn events(&self, job: JobId, after: u64, limit: u32) -> Result<Vec<Event>> {
        self.state().events(job, after, limit)
    }

    async fn series(&self, run: RunId) -> Result<Vec<Series>> {
        self.state().series(run)
    }

    async fn ranked(&self, query: RankQuery) -> Result<Vec<Ranked>> {
        Ok(self.state().ranked(&query))
    }

    async fn metrics(&self, query: MetricQuery) -> Result<Rows> {
        self.state().metrics(&query)
    }

    async fn find_job(&self, prefix: &str) -> Result<Option<JobId>> {
        let (least, most) = prefix::range(prefix)?;
        let state = self.state();
        let found: Vec<_> = state.jobs.range(JobId(least)..=JobId(most)).take(2).map(|(id, _)| *id).collect();
        prefix::only(prefix, &found)
    }

    async fn find_run(&self, prefix: &str) -> Result<Option<RunId>> {
        let (least, most) = prefix::range(prefix)?;
        let state = self.state();
        let found: Vec<_> = state.runs.range(RunId(least)..=RunId(most)).take(2).map(|(id, _)| *id).collect();
        prefix::only(prefix, &found)
    }

    async fn queued_jobs(&self) -> Result<u64> {
        Ok(self.state().queued_jobs())
    }

    async fn run_counts(&self) -> Result<jobs::Counts> {
        Ok(self.state().run_counts())
    }

    async fn ping(&self) -> Result<()> {
        Ok(())
    }

    async fn close(&self) -> Result<()> {
        self.state().closed = true;
        Ok(())
    }
}

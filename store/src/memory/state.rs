//! What a memory store keeps, and the verbs that change runs.

use std::collections::BTreeMap;

use jobs::{
    Candidate, Change, Counts, DatasetHash, Event, EventKind, Job, JobId, JobSource, MetricKind, Millis,
    Policy, Refused, Run, RunId, RunState, Transition, Value, Wish, WorkerId, WorkerInfo,
};

use crate::limits::KEY_MS;
use crate::{
    AcquireRequest, Dataset, Granted, NewJob, Result, StoreError, StoredCheckpoint, Submitted, Verb,
};

/// Everything, by id.
#[derive(Debug)]
pub(super) struct State {
    pub(super) policy: Policy,
    pub(super) closed: bool,
    pub(super) jobs: BTreeMap<JobId, JobRow>,
    pub(super) runs: BTreeMap<RunId, RunRow>,
    pub(super) keys: BTreeMap<String, KeyRow>,
    pub(super) chunks: BTreeMap<[u8; 32], BTreeMap<u32, ChunkRow>>,
    /// Digests of checkpoints that were forgotten, and when.
    pub(super) forgotten: BTreeMap<[u8; 32], Millis>,
    pub(super) datasets: BTreeMap<DatasetHash, (Dataset, Vec<u8>)>,
    pub(super) workers: BTreeMap<WorkerId, WorkerInfo>,
}

/// A job; its counts are derived when it is read.
#[derive(Debug)]
pub(super) struct JobRow {
    pub(super) job: Job,
    pub(super) runs: Vec<RunId>,
    pub(super) events: Vec<Event>,
}

/// A run with its metrics and checkpoints.
#[derive(Debug)]
pub(super) struct RunRow {
    pub(super) run: Run,
    pub(super) series: BTreeMap<String, SeriesRow>,
    pub(super) checkpoints: BTreeMap<u64, CheckpointRow>,
}

/// One metric: by step, the attempt that first wrote it and the value.
#[derive(Debug, Clone)]
pub(super) struct SeriesRow {
    pub(super) kind: MetricKind,
    pub(super) rows: BTreeMap<u64, (u32, Value)>,
}

/// A checkpoint, and whether it was found damaged.
#[derive(Debug)]
pub(super) struct CheckpointRow {
    pub(super) stored: StoredCheckpoint,
    pub(super) corrupt: bool,
}

/// A chunk of a checkpoint, and when it last came.
#[derive(Debug)]
pub(super) struct ChunkRow {
    pub(super) bytes: Vec<u8>,
    pub(super) at: Millis,
}

/// An idempotency key: hash of the body, the job it made, and when.
#[derive(Debug)]
pub(super) struct KeyRow {
    body: [u8; 32],
    job: JobId,
    at: Millis,
}

impl State {
    pub(super) fn new(policy: Policy) -> Self {
        Self {
            policy,
            closed: false,
            jobs: BTreeMap::new(),
            runs: BTreeMap::new(),
            keys: BTreeMap::new(),
            chunks: BTreeMap::new(),
            forgotten: BTreeMap::new(),
            datasets: BTreeMap::new(),
            workers: BTreeMap::new(),
        }
    }

    pub(super) fn submit(&mut self, new: NewJob) -> Result<Submitted> {
        self.keys.retain(|_, row| row.at + KEY_MS > new.now);
        if let Some((key, body)) = &new.idempotency
            && let Some(row) = self.keys.get(key)
        {
            let job =
                if row.body == *body { row.job } else { return Err(StoreError::KeyReused(key.clone())) };
            return Ok(Submitted { job: self.job(job)?, created: false });
        }
        let ids = new.runs.iter().map(|run| run.id).collect::<Vec<_>>();
        if self.jobs.contains_key(&new.id) || ids.iter().any(|id| self.runs.contains_key(id)) {
            return Err(StoreError::Internal(format!("id of job {} was used before", new.id)));
        }
        for JobSource { run, checkpoint, .. } in &new.from {
            if !self.has_checkpoint(*run, checkpoint) {
                return Err(StoreError::NoCheckpoint { run: *run, step: checkpoint.step });
            }
        }
        if let Some((key, body)) = new.idempotency {
            self.keys.insert(key, KeyRow { body, job: new.id, at: new.now });
        }
        let runs = u32::try_from(new.runs.len()).expect("at most 1,000 runs");
        for run in new.runs {
            let run = Run::new(run.id, new.id, run.spec, new.now);
            self.runs.insert(run.id, RunRow { run, series: BTreeMap::new(), checkpoints: BTreeMap::new() });
        }
        let job = Job {
            id: new.id,
            spec: new.spec,
            dataset: new.dataset,
            from: new.from,
            created_at: new.now,
            ended_at: None,
            last_seq: 0,
            counts: Counts::default(),
        };
        self.jobs.insert(new.id, JobRow { job, runs: ids, events: Vec::new() });
        self.log(new.id, vec![EventKind::JobSubmitted { runs }], new.now);
        Ok(Submitted { job: self.job(new.id)?, created: true })
    }

    pub(super) fn acquire(&mut self, request: &AcquireRequest) -> Result<Option<Granted>> {
        self.touch_worker(request.worker.id, request.now);
        let candidates = self.candidates(request);
        let words: Vec<_> = candidates.iter().map(|(_, candidate)| candidate.clone()).collect();
        let Some(at) = jobs::choose(&words, &request.worker, request.free_memory) else { return Ok(None) };
        let id = candidates[at].0;
        let change = Change::Acquire { worker: request.worker.id, ttl_ms: request.ttl_ms };
        let transition = jobs::apply(&self.runs[&id].run, &change, request.now, &self.policy)?;
        self.persist(transition, request.now);
        let run = self.runs[&id].run.clone();
        let checkpoint = self.checkpoints(id)?.into_iter().next();
        Ok(Some(Granted { job: self.job(run.job)?, run, checkpoint }))
    }

    /// Of each job the first run that is due and not too large.
    fn candidates(&self, request: &AcquireRequest) -> Vec<(RunId, Candidate)> {
        let due = |run: &Run| match run.state {
            RunState::Queued { not_before } => not_before.is_none_or(|until| until <= request.now),
            _ => false,
        };
        let largest = jobs::largest_plan(request.free_memory);
        let first = |row: &JobRow| {
            let runs = row.runs.iter().map(|id| &self.runs[id].run);
            let run = runs
                .filter(|run| due(run) && run.spec.memory_bytes <= largest)
                .min_by_key(|run| run.spec.index)?;
            let spec = &row.job.spec;
            let candidate = Candidate {
                job: row.job.id,
                created_at: row.job.created_at,
                experiment: spec.experiment.clone(),
                version: spec.version.unwrap_or(1),
                requires: spec.requires.clone(),
                priority: spec.priority,
                running: self.counts(row).running,
                index: run.spec.index,
                memory_bytes: run.spec.memory_bytes,
            };
            Some((run.id, candidate))
        };
        self.jobs.values().filter_map(first).collect()
    }

    pub(super) fn wish(&mut self, job: JobId, verb: Verb, now: Millis) -> Result<Job> {
        let change = verb.change();
        for id in self.jobs.get(&job).ok_or(StoreError::NoJob(job))?.runs.clone() {
            match jobs::apply(&self.runs[&id].run, &change, now, &self.policy) {
                Ok(transition) => self.persist(transition, now),
                Err(Refused::Terminal { .. }) => {} // what has ended wishes nothing
                Err(refused) => return Err(refused.into()),
            }
        }
        self.job(job)
    }

    pub(super) fn expire_leases(&mut self, now: Millis) -> Result<Vec<JobId>> {
        let mut changed = Vec::new();
        for id in self.running() {
            let run = &self.runs[&id].run;
            let wall_ms = self.jobs[&run.job].job.spec.limits.wall_s.saturating_mul(1000);
            if let Ok(transition) = jobs::apply(run, &Change::Expire { wall_ms }, now, &self.policy) {
                changed.push(transition.run.job);
                self.persist(transition, now);
            }
        }
        changed.sort();
        changed.dedup();
        Ok(changed)
    }

    pub(super) fn extend_leases(&mut self, until: Millis) -> Result<()> {
        let open: Vec<_> =
            self.runs.values().filter(|row| !row.run.state.is_terminal()).map(|row| row.run.id).collect();
        for id in open {
            let transition =
                jobs::apply(&self.runs[&id].run, &Change::Extend { until }, until, &self.policy)?;
            self.persist(transition, until);
        }
        Ok(())
    }

    fn running(&self) -> Vec<RunId> {
        let running = self.runs.values().filter(|row| matches!(row.run.state, RunState::Running(_)));
        running.map(|row| row.run.id).collect()
    }

    /// Stores what the rules decided: the run, the log, and the job's end with its last run.
    pub(super) fn persist(&mut self, transition: Transition, now: Millis) {
        if !transition.changed {
            return;
        }
        let (id, job) = (transition.run.id, transition.run.job);
        debug_assert!(
            transition.run.wish == Wish::None || matches!(transition.run.state, RunState::Running(_))
        );
        self.runs.get_mut(&id).expect("the rules were asked about a stored run").run = transition.run;
        self.log(job, transition.log, now);
        let counts = self.counts(&self.jobs[&job]);
        let row = self.jobs.get_mut(&job).expect("a run's job is stored");
        if counts.state().is_terminal() && row.job.ended_at.is_none() {
            row.job.ended_at = Some(now);
            self.log(job, vec![EventKind::JobEnded { outcome: counts.state() }], now);
        }
    }

    pub(super) fn log(&mut self, job: JobId, kinds: Vec<EventKind>, now: Millis) {
        let row = self.jobs.get_mut(&job).expect("only stored jobs have a log");
        for kind in kinds {
            row.job.last_seq += 1;
            row.events.push(Event { job, seq: row.job.last_seq, at: now, kind });
        }
    }

    pub(super) fn register(&mut self, worker: WorkerInfo) -> Result<()> {
        self.workers.insert(worker.id, worker);
        Ok(())
    }

    pub(super) fn touch_worker(&mut self, worker: WorkerId, now: Millis) {
        if let Some(worker) = self.workers.get_mut(&worker) {
            worker.seen_at = worker.seen_at.max(now);
        }
    }
}

//! Which checkpoints of a memory store stay.

use std::collections::BTreeSet;

use jobs::{CheckpointRef, Held, Keep, Millis, RunId, RunState, Value};

use super::state::{CheckpointRow, State};
use crate::{Collect, Collected, Result, StoreError, StoredCheckpoint};

impl State {
    /// Names a checkpoint whose chunks are complete, and forgets those that the job does not keep.
    pub(super) fn insert_checkpoint(
        &mut self,
        run: RunId,
        attempt: u32,
        checkpoint: &CheckpointRef,
        now: Millis,
    ) {
        let keep = self.rule(run);
        let CheckpointRef { step, digest, bytes } = *checkpoint;
        let row = self.runs.get_mut(&run).expect("it was just read");
        let series = keep.best.as_ref().and_then(|best| row.series.get(&best.metric));
        let last = series.and_then(|series| series.rows.range(..=step).next_back());
        let score = last.and_then(|(_, (_, value))| match value {
            Value::Scalar(value) => Some(*value),
            Value::Array(_) => None,
        });
        let pinned = row.checkpoints.get(&step).is_some_and(|row| row.stored.pinned);
        let stored = StoredCheckpoint { step, attempt, digest, bytes, at: now, score, pinned };
        row.checkpoints.insert(step, CheckpointRow { stored, corrupt: false });
        self.forget(run, &keep, false, now);
    }

    pub(super) fn pin(
        &mut self,
        run: RunId,
        step: u64,
        pinned: bool,
        now: Millis,
    ) -> Result<StoredCheckpoint> {
        let row = self.runs.get_mut(&run).ok_or(StoreError::NoRun(run))?;
        let found = row.checkpoints.get_mut(&step).filter(|row| !row.corrupt);
        let checkpoint = &mut found.ok_or(StoreError::NoCheckpoint { run, step })?.stored;
        checkpoint.pinned = pinned;
        let checkpoint = checkpoint.clone();
        if !pinned {
            self.forget(run, &self.rule(run), false, now);
        }
        Ok(checkpoint)
    }

    pub(super) fn collect(&mut self, what: Collect) -> Collected {
        let mut removed = Collected::default();
        if what.final_only {
            let has_ended = |state: &RunState| {
                matches!(state, RunState::Succeeded { .. } | RunState::Failed { .. } | RunState::Cancelled)
            };
            let ended = self.runs.values().filter(|row| has_ended(&row.run.state));
            let ended: Vec<RunId> = ended.map(|row| row.run.id).collect();
            for run in ended {
                removed.add(self.forget(run, &Keep { last: 1, ..Keep::default() }, what.dry_run, what.now));
            }
        }
        let named = self.named();
        let forgotten = &self.forgotten;
        self.chunks.retain(|digest, chunks| {
            let is_young = chunks.values().any(|chunk| chunk.at >= what.before)
                || forgotten.get(digest).is_some_and(|at| *at >= what.before);
            if named.contains(digest) || is_young {
                return true;
            }
            removed.chunks += chunks.len() as u64;
            removed.chunk_bytes += chunks.values().map(|chunk| chunk.bytes.len() as u64).sum::<u64>();
            what.dry_run
        });
        let chunks = &self.chunks;
        self.forgotten.retain(|digest, _| chunks.contains_key(digest));
        removed
    }

    /// What the job of a run keeps.
    fn rule(&self, run: RunId) -> Keep {
        self.jobs[&self.runs[&run].run.job].job.spec.keep.clone()
    }

    /// Forgets the checkpoints that the rule does not keep; answers them.
    fn forget(&mut self, run: RunId, keep: &Keep, dry: bool, now: Millis) -> Collected {
        let sources = self.jobs.values().flat_map(|row| &row.job.from).filter(|source| source.run == run);
        let sources: BTreeSet<u64> = sources.map(|source| source.checkpoint.step).collect();
        let checkpoints = &mut self.runs.get_mut(&run).expect("who asks has it").checkpoints;
        let held = |row: &CheckpointRow| Held {
            step: row.stored.step,
            score: row.stored.score,
            needed: row.stored.pinned || sources.contains(&row.stored.step),
            corrupt: row.corrupt,
        };
        let kept = keep.kept(&checkpoints.values().map(held).collect::<Vec<_>>());
        let (mut forgotten, mut surplus) = (Collected::default(), Vec::new());
        checkpoints.retain(|step, row| {
            let stays = kept.contains(step);
            if !stays {
                forgotten.checkpoint(row.stored.bytes);
                surplus.push(row.stored.digest);
            }
            stays || dry
        });
        if !dry {
            self.forgotten.extend(surplus.into_iter().map(|digest| (digest, now)));
        }
        forgotten
    }
}

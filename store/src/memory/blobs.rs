//! Chunks of checkpoints, and data sets, of a memory store.

use std::collections::{BTreeMap, BTreeSet};

use jobs::{Change, CheckpointRef, DatasetHash, EventKind, Millis, RunId};

use super::state::{ChunkRow, State};
use crate::limits::CHUNK_BYTES;
use crate::{Chunk, Dataset, NewDataset, Result, StoreError, StoredCheckpoint, Unfit, rows};

impl State {
    pub(super) fn put_chunks(&mut self, digest: [u8; 32], chunks: Vec<Chunk>, now: Millis) -> Result<()> {
        rows::check_chunks(&chunks)?;
        if self.is_whole(digest) {
            return Ok(()); // more chunks could only damage it
        }
        let stored = self.chunks.entry(digest).or_default();
        for Chunk { n, bytes } in chunks {
            stored.insert(n, ChunkRow { bytes, at: now });
        }
        Ok(())
    }

    pub(super) fn damage(&mut self, digest: [u8; 32]) {
        let chunk = self.chunks.get_mut(&digest).and_then(|chunks| chunks.get_mut(&0));
        chunk.expect("a test damages what is there").bytes[0] ^= 1;
    }

    pub(super) fn checkpoint_chunk(&self, digest: [u8; 32], n: u32) -> Option<Vec<u8>> {
        self.chunks.get(&digest)?.get(&n).map(|chunk| chunk.bytes.clone())
    }

    /// Whether all chunks of a checkpoint are here, have its length and hash to its name. Those that do not are
    /// removed, so that they can be put again.
    pub(super) fn check_complete(&mut self, run: RunId, checkpoint: &CheckpointRef) -> Result<()> {
        let incomplete = |why| Err(StoreError::IncompleteCheckpoint { run, step: checkpoint.step, why });
        let Some(chunks) = self.chunks.get(&checkpoint.digest) else {
            return incomplete("none of its chunks are here".into());
        };
        let contiguous = chunks.keys().copied().eq(0..chunks.len() as u32);
        let bytes = chunks.values().map(|chunk| chunk.bytes.len() as u64).sum::<u64>();
        if !contiguous || bytes != checkpoint.bytes {
            return incomplete(rows::missing(chunks.len() as u64, bytes, checkpoint.bytes));
        }
        let mut hash = blake3::Hasher::new();
        chunks.values().for_each(|chunk| {
            hash.update(&chunk.bytes);
        });
        if *hash.finalize().as_bytes() != checkpoint.digest {
            self.chunks.remove(&checkpoint.digest);
            return incomplete(rows::WRONG_DIGEST.into());
        }
        Ok(())
    }

    /// Whether a run has this good checkpoint.
    pub(super) fn has_checkpoint(&self, run: RunId, checkpoint: &CheckpointRef) -> bool {
        let row = self.runs.get(&run).and_then(|row| row.checkpoints.get(&checkpoint.step));
        row.is_some_and(|row| !row.corrupt && row.stored.digest == checkpoint.digest)
    }

    pub(super) fn checkpoints(&self, run: RunId) -> Result<Vec<StoredCheckpoint>> {
        let row = self.runs.get(&run).ok_or(StoreError::NoRun(run))?;
        Ok(row.checkpoints.values().rev().filter(|row| !row.corrupt).map(|row| row.stored.clone()).collect())
    }

    pub(super) fn mark_corrupt(&mut self, run: RunId, step: u64, why: Unfit, now: Millis) -> Result<()> {
        let row = self.runs.get_mut(&run).ok_or(StoreError::NoRun(run))?;
        let Some(checkpoint) = row.checkpoints.get_mut(&step).filter(|row| !row.corrupt) else {
            return Ok(());
        };
        checkpoint.corrupt = true;
        let digest = checkpoint.stored.digest;
        let newest = row.checkpoints.values().rev().find(|row| !row.corrupt).map(|row| row.stored.step);
        let change = Change::LoseCheckpoint { step, newest };
        let job = row.run.job;
        match jobs::apply(&row.run, &change, now, &self.policy) {
            Ok(transition) => self.persist(transition, now),
            // The run has ended and stays as it is. The log of a job that has ended is complete.
            Err(_) if self.jobs[&job].job.ended_at.is_none() => {
                self.log(job, vec![EventKind::CheckpointCorrupt { run, step }], now);
            }
            Err(_) => {}
        }
        if why == Unfit::Damaged {
            self.chunks.remove(&digest);
        }
        Ok(())
    }

    /// Whether a good checkpoint has this digest, and all its chunks are here.
    fn is_whole(&self, digest: [u8; 32]) -> bool {
        let chunks = self.chunks.get(&digest).into_iter().flat_map(BTreeMap::values);
        let bytes: u64 = chunks.map(|chunk| chunk.bytes.len() as u64).sum();
        let mut checkpoints = self.runs.values().flat_map(|row| row.checkpoints.values());
        checkpoints.any(|row| !row.corrupt && row.stored.digest == digest && row.stored.bytes == bytes)
    }

    pub(super) fn named(&self) -> BTreeSet<[u8; 32]> {
        let checkpoints = self.runs.values().flat_map(|row| row.checkpoints.values());
        checkpoints.filter(|row| !row.corrupt).map(|row| row.stored.digest).collect()
    }

    pub(super) fn put_dataset(&mut self, new: NewDataset, now: Millis) -> Result<Dataset> {
        rows::check_hash(new.hash, &new.content)?;
        if let Some(taken) = self.dataset(&new.name).filter(|taken| taken.hash != new.hash) {
            return Err(StoreError::NameTaken { name: new.name, hash: taken.hash });
        }
        let created = !self.datasets.contains_key(&new.hash);
        let (dataset, _) = self.datasets.entry(new.hash).or_insert_with(|| {
            let dataset = Dataset {
                hash: new.hash,
                names: Vec::new(),
                kind: new.kind,
                shape: new.shape,
                attribution: new.attribution,
                bytes: new.content.len() as u64,
                created_at: now,
                created: false,
            };
            (dataset, new.content)
        });
        if let Err(at) = dataset.names.binary_search(&new.name) {
            dataset.names.insert(at, new.name);
        }
        Ok(Dataset { created, ..dataset.clone() })
    }

    pub(super) fn dataset(&self, name_or_hash: &str) -> Option<Dataset> {
        if let Ok(hash) = name_or_hash.parse::<DatasetHash>() {
            return self.datasets.get(&hash).map(|(dataset, _)| dataset.clone());
        }
        let named = |dataset: &&Dataset| dataset.names.iter().any(|name| name == name_or_hash);
        self.datasets.values().map(|(dataset, _)| dataset).find(named).cloned()
    }

    pub(super) fn datasets(&self) -> Vec<Dataset> {
        let mut datasets: Vec<_> = self.datasets.values().map(|(dataset, _)| dataset.clone()).collect();
        datasets.sort_by(|a, b| (&a.names, a.hash).cmp(&(&b.names, b.hash)));
        datasets
    }

    pub(super) fn dataset_chunk(&self, hash: DatasetHash, n: u32) -> Option<Vec<u8>> {
        let (_, content) = self.datasets.get(&hash)?;
        content.chunks(CHUNK_BYTES).nth(n as usize).map(<[u8]>::to_vec)
    }
}

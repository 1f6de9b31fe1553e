//! Checkpoints of finished runs that a run builds on: on disk by hash, else from the server.

use std::{io, path::PathBuf};

use experiments::Source;
use jobs::{CheckpointRef, Class, Outcome};
use tokio::sync::Mutex;

use crate::{cache::Cache, coordinator::Coordinator, datasets::blocking, runner};

/// Kept on disk.
const MOST_BYTES: u64 = 2 << 30;

/// A cache of checkpoints of finished runs.
#[derive(Debug)]
pub(crate) struct Sources {
    files: Cache,
    /// Held while one is fetched: the runs of a sweep do not fetch it all at once.
    fetching: Mutex<()>,
}

impl Sources {
    /// Keeps files in `dir`, which is made if it does not exist.
    ///
    /// # Errors
    /// If it cannot be made.
    pub(crate) fn open(dir: PathBuf) -> io::Result<Self> {
        Ok(Self { files: Cache::open(dir, Some(MOST_BYTES))?, fetching: Mutex::default() })
    }

    /// All sources of a run. Waits as long as the server is away.
    pub(crate) async fn load(
        &self,
        named: &[(String, CheckpointRef)],
        coordinator: &dyn Coordinator,
    ) -> Result<Vec<Source>, Outcome> {
        let mut sources = Vec::with_capacity(named.len());
        for (name, checkpoint) in named {
            let bytes = self.bytes(name, checkpoint, coordinator).await?;
            let name = name.clone();
            // Its bytes are the right ones: whoever reads them again finds the same.
            let unusable = move |error, name| {
                runner::failed(Class::UserError, format!("source `{name}` cannot be used: {error}"))
            };
            sources.push(
                blocking(move || Source::read(&name, &bytes).map_err(|error| unusable(error, name))).await?,
            );
        }
        Ok(sources)
    }

    async fn bytes(
        &self,
        name: &str,
        checkpoint: &CheckpointRef,
        coordinator: &dyn Coordinator,
    ) -> Result<Vec<u8>, Outcome> {
        let _one_at_a_time = self.fetching.lock().await;
        let (files, digest) = (self.files.clone(), checkpoint.digest);
        if let Some(bytes) = blocking(move || files.get(digest)).await {
            return Ok(bytes);
        }
        let what = format!("source `{name}`, checkpoint at step {}", checkpoint.step);
        let bytes = runner::fetch(coordinator, checkpoint.clone(), what).await?;
        let files = self.files.clone();
        Ok(blocking(move || {
            files.put(digest, &bytes);
            bytes
        })
        .await)
    }
}

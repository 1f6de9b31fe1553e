//! Data sets: in memory while a run holds them, on disk by hash, else from the server.

use std::{
    collections::HashMap,
    io,
    path::PathBuf,
    sync::{Arc, Weak},
};

use experiments::{Data, DataError, Images};
use jobs::DatasetHash;
use tokio::sync::Mutex;
use tracing::info;

use crate::{
    backoff::Backoff,
    cache::Cache,
    coordinator::{Coordinator, Refusal},
};

/// A cache of data sets.
#[derive(Debug)]
pub(crate) struct Datasets {
    files: Cache,
    /// Those in use, so that all slots share one copy. Held while one is loaded: nobody loads it twice.
    loaded: Mutex<HashMap<DatasetHash, Weak<Images>>>,
}

/// A data set that cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DatasetError {
    /// The server does not have it or will not give it.
    #[error("data set {hash}: {refusal}")]
    Refused {
        /// Which.
        hash: DatasetHash,
        /// Why.
        refusal: Refusal,
    },
    /// The server gave something else.
    #[error("data set {0}: what the server sent does not match this hash")]
    Damaged(DatasetHash),
    /// It is no data set of this program.
    #[error(transparent)]
    Unreadable(#[from] DataError),
}

impl Datasets {
    /// Keeps files in `dir`, which is made if it does not exist.
    ///
    /// # Errors
    /// If it cannot be made.
    pub(crate) fn open(dir: PathBuf) -> io::Result<Self> {
        Ok(Self { files: Cache::open(dir, None)?, loaded: Mutex::default() })
    }

    /// The data set with this hash. Waits as long as the server is away.
    pub(crate) async fn load(
        &self,
        hash: DatasetHash,
        coordinator: &dyn Coordinator,
    ) -> Result<Data, DatasetError> {
        let mut loaded = self.loaded.lock().await;
        if let Some(images) = loaded.get(&hash).and_then(Weak::upgrade) {
            return Ok(Data::Images(images));
        }
        let files = self.files.clone();
        let cached = blocking(move || Data::decode(&files.get(hash.0)?).ok()).await;
        let data = match cached {
            Some(data) => data,
            None => self.download(hash, coordinator).await?,
        };
        loaded.retain(|_, images| images.strong_count() > 0);
        if let Data::Images(images) = &data {
            loaded.insert(hash, Arc::downgrade(images));
        }
        Ok(data)
    }

    async fn download(&self, hash: DatasetHash, coordinator: &dyn Coordinator) -> Result<Data, DatasetError> {
        let mut backoff = Backoff::new();
        let what = format!("data set {hash}");
        let bytes = loop {
            match coordinator.get_dataset(hash, Data::LIMIT_BYTES).await {
                Ok(bytes) => break bytes,
                Err(Refusal::Unreachable(why)) => backoff.wait(&what, &why).await,
                Err(refusal) => return Err(DatasetError::Refused { hash, refusal }),
            }
        };
        backoff.reset(&what);
        info!(bytes = bytes.len(), "data set {hash} downloaded: {} bytes", bytes.len());
        let files = self.files.clone();
        blocking(move || {
            let data = checked(&bytes, hash)?;
            files.put(hash.0, &bytes);
            Ok(data)
        })
        .await
    }
}

/// The content of a data set, if it is what its hash says.
pub(crate) fn checked(bytes: &[u8], hash: DatasetHash) -> Result<Data, DatasetError> {
    if blake3::hash(bytes) != hash.0 {
        return Err(DatasetError::Damaged(hash));
    }
    Ok(Data::decode(bytes)?)
}

/// Runs what computes or waits for a disk beside the async threads.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

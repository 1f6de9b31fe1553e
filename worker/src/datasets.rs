//! Data sets: in memory while a run holds them, on disk by hash, else from the server.

use std::{
    collections::HashMap,
    fs, io,
    io::Write,
    path::{Path, PathBuf},
    sync::{Arc, Weak},
};

use experiments::{Data, DataError, Images};
use jobs::DatasetHash;
use tokio::sync::Mutex;
use tracing::{debug, info, warn};

use crate::{
    backoff::Backoff,
    coordinator::{Coordinator, Refusal},
};

/// A cache of data sets. Several processes may share its folder: files are named by their content and appear whole.
#[derive(Debug)]
pub(crate) struct Datasets {
    dir: PathBuf,
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
        fs::create_dir_all(&dir)?;
        Ok(Self { dir, loaded: Mutex::default() })
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
        let path = self.path(hash);
        let cached = blocking(move || read(&path, hash)).await;
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
        let (dir, path) = (self.dir.clone(), self.path(hash));
        blocking(move || {
            if blake3::hash(&bytes) != hash.0 {
                return Err(DatasetError::Damaged(hash));
            }
            let data = Data::decode(&bytes)?;
            // Without its file the next process downloads it again; this one has it.
            if let Err(error) = write(&dir, &path, &bytes) {
                warn!("cannot keep data set {hash} at {}: {error}", path.display());
            }
            Ok(data)
        })
        .await
    }

    fn path(&self, hash: DatasetHash) -> PathBuf {
        let hex: String = hash.0.iter().map(|byte| format!("{byte:02x}")).collect();
        self.dir.join(hex)
    }
}

/// Reads a file of the cache; `None` if there is none or its content is not what its name says.
fn read(path: &Path, hash: DatasetHash) -> Option<Data> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => {
            warn!("cannot read {}: {error}; asking the server for data set {hash}", path.display());
            return None;
        }
    };
    if blake3::hash(&bytes) != hash.0 {
        warn!("{} does not match its hash; asking the server for it again", path.display());
        return None;
    }
    debug!("data set {hash} found in {}", path.display());
    Data::decode(&bytes).ok()
}

/// Writes beside the final place and renames: a reader finds the whole file or none.
fn write(dir: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(dir)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

/// Runs what computes or waits for a disk beside the async threads.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

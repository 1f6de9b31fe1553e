//! Files by the hash of their content. Several processes may share a folder: a file appears whole or not at all.

use std::{
    fs, io,
    io::Write,
    path::{Path, PathBuf},
    time::SystemTime,
};

use tracing::{debug, warn};

/// A folder of files that are named by the BLAKE3 of their content.
#[derive(Debug, Clone)]
pub(crate) struct Cache {
    dir: PathBuf,
    most_bytes: Option<u64>,
}

impl Cache {
    /// Keeps files in `dir`, which is made if it does not exist; those used last, as many as fit into `most_bytes`.
    ///
    /// # Errors
    /// If it cannot be made.
    pub(crate) fn open(dir: PathBuf, most_bytes: Option<u64>) -> io::Result<Self> {
        fs::create_dir_all(&dir)?;
        Ok(Self { dir, most_bytes })
    }

    /// The content with this hash; `None` if it is not here or damaged.
    pub(crate) fn get(&self, hash: [u8; 32]) -> Option<Vec<u8>> {
        let path = self.path(hash);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                warn!("cannot read {}: {error}; asking the server for it", path.display());
                return None;
            }
        };
        if blake3::hash(&bytes) != hash {
            warn!("{} does not match its hash; asking the server for it again", path.display());
            return None;
        }
        debug!("found {}", path.display());
        self.mark_used(&path);
        Some(bytes)
    }

    /// Keeps a content. Without its file the next process asks the server again; this one has it.
    pub(crate) fn put(&self, hash: [u8; 32], bytes: &[u8]) {
        let path = self.path(hash);
        if let Err(error) = self.write(&path, bytes).and_then(|()| self.make_room(&path)) {
            warn!("cannot keep {}: {error}", path.display());
        }
    }

    fn path(&self, hash: [u8; 32]) -> PathBuf {
        self.dir.join(blake3::Hash::from_bytes(hash).to_hex().as_str())
    }

    /// Writes beside the final place and renames: a reader finds the whole file or none.
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(&self.dir)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    }

    /// What was used last goes last.
    fn mark_used(&self, path: &Path) {
        let file = self.most_bytes.and_then(|_| fs::File::options().write(true).open(path).ok());
        if let Some(Err(error)) = file.map(|file| file.set_modified(SystemTime::now())) {
            debug!("cannot mark {} as used: {error}", path.display());
        }
    }

    /// Removes what was not used for longest until the rest fits; never what was just written.
    fn make_room(&self, newest: &Path) -> io::Result<()> {
        let Some(most) = self.most_bytes else { return Ok(()) };
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.dir)? {
            let entry = entry?;
            // One that another process has just removed takes no room.
            if let Ok(about) = entry.metadata() {
                files.push((about.modified()?, entry.path(), about.len()));
            }
        }
        files.sort();
        let mut total: u64 = files.iter().map(|(.., bytes)| bytes).sum();
        for (_, path, bytes) in files.iter().filter(|(_, path, _)| path != newest) {
            if total <= most {
                break;
            }
            fs::remove_file(path).or_else(|error| match error.kind() {
                io::ErrorKind::NotFound => Ok(()),
                _ => Err(error),
            })?;
            total -= bytes;
        }
        Ok(())
    }
}

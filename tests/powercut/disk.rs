//! A disk that loses power: what was synced survives, of the rest any part may.

use std::{collections::BTreeMap, path::Path};

use super::trace::Deed;
use crate::support::Random;

/// Bytes that a disk writes whole.
const SECTOR: usize = 512;

/// Files as they are on disk, and what is still on its way to them.
#[derive(Debug, Clone, Default)]
pub(super) struct Disk {
    files: BTreeMap<String, Vec<u8>>,
    on_the_way: Vec<Deed>,
    /// A disk that says it has synced but has not; the negative control.
    lies: bool,
}

impl Disk {
    /// With the files of a folder.
    pub(super) fn of(folder: &Path, lies: bool) -> Self {
        let mut files = BTreeMap::new();
        for entry in std::fs::read_dir(folder).expect("the folder is there") {
            let path = entry.expect("it can be listed").path();
            if path.is_file() {
                files.insert(path.display().to_string(), std::fs::read(&path).expect("it can be read"));
            }
        }
        Self { files, on_the_way: Vec::new(), lies }
    }

    /// Takes note of what the server did.
    pub(super) fn note(&mut self, deed: &Deed) {
        match deed {
            Deed::Write { .. } | Deed::Truncate { .. } => self.on_the_way.push(deed.clone()),
            Deed::Sync { .. } if self.lies => {}
            Deed::Sync { file } => {
                let of_file = |deed: &Deed| matches!(deed, Deed::Write { file: of, .. } | Deed::Truncate { file: of, .. } if of == file);
                let (synced, rest) = std::mem::take(&mut self.on_the_way).into_iter().partition(of_file);
                self.on_the_way = rest;
                let synced: Vec<Deed> = synced;
                synced.iter().for_each(|deed| apply(&mut self.files, deed, usize::MAX));
            }
            Deed::Remove { file } => {
                self.files.remove(file);
                self.on_the_way.retain(|deed| !matches!(deed, Deed::Write { file: of, .. } | Deed::Truncate { file: of, .. } if of == file));
            }
            Deed::Answered { .. } => {}
        }
    }

    /// What is left of one file when the power goes now: of what is on its way some is lost and some is torn.
    pub(super) fn cut(&self, random: &mut Random) -> BTreeMap<String, Vec<u8>> {
        let mut files = self.files.clone();
        for deed in &self.on_the_way {
            match random.below(4) {
                0 | 1 => apply(&mut files, deed, usize::MAX),
                2 => apply(&mut files, deed, SECTOR * random.below(8) as usize),
                _ => {}
            }
        }
        files
    }
}

/// Does it to the files, at most the first `most` bytes of a write.
fn apply(files: &mut BTreeMap<String, Vec<u8>>, deed: &Deed, most: usize) {
    match deed {
        Deed::Write { file, at, bytes } => {
            let bytes = &bytes[..bytes.len().min(most)];
            let content = files.entry(file.clone()).or_default();
            if content.len() < at + bytes.len() {
                content.resize(at + bytes.len(), 0);
            }
            content[*at..at + bytes.len()].copy_from_slice(bytes);
        }
        Deed::Truncate { file, length } => files.entry(file.clone()).or_default().resize(*length, 0),
        Deed::Sync { .. } | Deed::Remove { .. } | Deed::Answered { .. } => {}
    }
}

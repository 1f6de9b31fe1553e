//! A disk that fills up: a small tmpfs.

use std::{
    fs::File,
    io::{ErrorKind, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use nix::sys::statvfs::statvfs;
use tempfile::TempDir;

/// A file system of a few megabytes; gone with this value.
#[derive(Debug)]
pub(crate) struct SmallDisk {
    folder: Option<TempDir>,
}

impl SmallDisk {
    /// Mounts one. `None`, and a word on standard error, where mounting is not permitted.
    pub(crate) fn mount(mib: u32) -> Option<Self> {
        let folder = TempDir::with_prefix("vesicle-disk-").expect("there is a place for temporary files");
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", &format!("size={mib}m,mode=0700"), "vesicle-test"])
            .arg(folder.path());
        let mounted = mount.stdin(Stdio::null()).stderr(Stdio::null()).status();
        if !mounted.is_ok_and(|status| status.success()) {
            eprintln!("skipped: a full disk needs leave to mount one (root)");
            return None;
        }
        Some(Self { folder: Some(folder) })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.as_ref().expect("it is kept until the end").path()
    }

    /// Settings of a server whose database is on it, to the last byte.
    pub(crate) fn env(&self) -> Vec<(String, String)> {
        let home = self.path().display().to_string();
        let all = [
            ("VESICLE_HOME", &*home),
            ("VESICLE_MIN_FREE_BYTES", "0"),
            ("VESICLE_MIN_FREE_WRITE_BYTES", "0"),
        ];
        all.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
    }

    /// Takes every byte that is left.
    pub(crate) fn fill(&self) {
        let mut file =
            File::options().create(true).append(true).open(self.filler()).expect("a file can be made");
        for size in [1 << 16, 1 << 12, 1] {
            let piece = vec![0; size];
            let full = loop {
                if let Err(error) = file.write_all(&piece) {
                    break error;
                }
            };
            assert_eq!(full.kind(), ErrorKind::StorageFull, "{full}");
        }
    }

    /// Takes so much that no more than `bytes` are left.
    pub(crate) fn leave(&self, bytes: u64) {
        let mut file =
            File::options().create(true).append(true).open(self.filler()).expect("a file can be made");
        let page = [0; 1 << 12];
        let free = || {
            let disk = statvfs(self.path()).expect("it is mounted");
            disk.blocks_available() * disk.fragment_size()
        };
        while free() > bytes {
            file.write_all(&page).expect("there is more room than that");
        }
    }

    /// Gives it back.
    pub(crate) fn free(&self) {
        std::fs::remove_file(self.filler()).expect("it was filled");
    }

    fn filler(&self) -> PathBuf {
        self.path().join("filler")
    }
}

impl Drop for SmallDisk {
    /// A failed test keeps what was on it.
    fn drop(&mut self) {
        let folder = self.folder.take().expect("it is dropped once");
        if std::thread::panicking() {
            let kept = folder.path().with_extension("kept");
            let copied = Command::new("cp").arg("-r").arg(folder.path()).arg(&kept).status();
            eprintln!("the disk was copied to {} ({copied:?})", kept.display());
        }
        // Lazily: a killed process may not be gone yet.
        let unmounted = Command::new("umount").arg("-l").arg(folder.path()).status();
        assert!(unmounted.is_ok_and(|status| status.success()) || std::thread::panicking(), "it was mounted");
    }
}

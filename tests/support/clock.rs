//! A clock that a test sets: libfaketime under a process, and a file that says how far the clock is off and how fast it goes.

use std::path::{Path, PathBuf};

/// The wall clock of the processes that were started with [`Self::env`]. Monotonic clocks go on undisturbed, as they do
/// when an operator or a time server sets a real clock.
#[derive(Debug)]
pub(crate) struct FakeClock {
    library: PathBuf,
    file: PathBuf,
}

impl FakeClock {
    /// A clock that is right, its file in `folder`. `None`, and a word on standard error, where libfaketime is not
    /// installed.
    ///
    /// # Panics
    /// If it is not installed although `CI` says that nothing may be skipped.
    pub(crate) fn new(folder: &Path, name: &str) -> Option<Self> {
        let Some(library) = installed() else {
            assert!(std::env::var_os("CI").is_none(), "jumps of the clock need libfaketime: install it");
            eprintln!("skipped: jumps of the clock need libfaketime");
            return None;
        };
        let clock = Self { library, file: folder.join(name) };
        clock.set(0);
        Some(clock)
    }

    /// What a process is started with whose monotonic clock is as wrong as its wall clock.
    pub(crate) fn env_of_all_clocks(&self) -> Vec<(String, String)> {
        self.env().into_iter().filter(|(name, _)| name != "DONT_FAKE_MONOTONIC").collect()
    }

    /// What a process is started with.
    pub(crate) fn env(&self) -> Vec<(String, String)> {
        let (library, file) = (self.library.display().to_string(), self.file.display().to_string());
        let all = [
            ("LD_PRELOAD", library.as_str()),
            ("FAKETIME_TIMESTAMP_FILE", &file),
            ("FAKETIME_NO_CACHE", "1"),
            ("DONT_FAKE_MONOTONIC", "1"),
            ("NO_FAKE_STAT", "1"),
        ];
        all.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
    }

    /// From now on the clock is so many days ahead, or behind.
    pub(crate) fn set(&self, days: i64) {
        self.say(&format!("{days:+}d\n"));
    }

    /// The clock goes so many times as fast, from the start of a process on.
    pub(crate) fn speed_up(&self, times: u32) {
        self.say(&format!("+0 x{times}\n"));
    }

    fn say(&self, text: &str) {
        let new = self.file.with_extension("new");
        std::fs::write(&new, text).expect("the temporary directory can be written");
        // A process may read it at any time.
        std::fs::rename(&new, &self.file).expect("a file can be renamed in its folder");
    }
}

/// Where Debian and Fedora keep it.
fn installed() -> Option<PathBuf> {
    let folders = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib"];
    let files = folders.map(|folder| Path::new(folder).join("faketime/libfaketimeMT.so.1"));
    files.into_iter().find(|file| file.exists())
}

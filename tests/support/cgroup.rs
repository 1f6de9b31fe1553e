//! A memory cgroup: what is in it may use no more than so much.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use super::until;

const VERSION_1: &str = "/sys/fs/cgroup/memory";
const VERSION_2: &str = "/sys/fs/cgroup";

/// A cgroup of the test's own.
#[derive(Debug)]
pub(crate) struct MemoryCgroup {
    folder: PathBuf,
}

impl MemoryCgroup {
    /// Makes one. `None`, and a word on standard error, where there is no leave to or no such controller.
    ///
    /// # Panics
    /// If there are both and `CI` says that nothing may be skipped, but it cannot be made.
    pub(crate) fn limited_to(mib: u64) -> Option<Self> {
        let name = format!("vesicle-test-{}", std::process::id());
        let bytes = (mib << 20).to_string();
        let made = if Path::new(VERSION_1).join("memory.limit_in_bytes").exists() {
            Self::make(&Path::new(VERSION_1).join(name), &[("memory.limit_in_bytes", &bytes)])
        } else if fs::read_to_string(Path::new(VERSION_2).join("cgroup.controllers"))
            .is_ok_and(|controllers| controllers.split_whitespace().any(|name| name == "memory"))
        {
            // Children have a controller if their parent says so; it may do so already.
            let _ = fs::write(Path::new(VERSION_2).join("cgroup.subtree_control"), "+memory");
            let limits = [("memory.max", bytes.as_str()), ("memory.swap.max", "0")];
            Self::make(&Path::new(VERSION_2).join(name), &limits)
        } else {
            Err("the kernel offers none".into())
        };
        match made {
            Ok(cgroup) => Some(cgroup),
            Err(why) => {
                let must = std::env::var_os("CI").is_some() && is_root() && why.starts_with("cannot");
                assert!(!must, "out of memory needs a memory cgroup: {why}");
                eprintln!("skipped: out of memory needs a memory cgroup (root): {why}");
                None
            }
        }
    }

    fn make(folder: &Path, limits: &[(&str, &str)]) -> Result<Self, String> {
        // Containers show them to read only.
        let refused = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::ReadOnlyFilesystem => "it cannot be written here".to_owned(),
            _ => format!("cannot make {}: {error}", folder.display()),
        };
        fs::create_dir(folder).map_err(refused)?;
        let cgroup = Self { folder: folder.to_owned() };
        for (name, value) in limits {
            // A machine without swap has no file that limits it.
            if folder.join(name).exists() || *name != "memory.swap.max" {
                fs::write(folder.join(name), value).map_err(refused)?;
            }
        }
        Ok(cgroup)
    }

    /// What starts a process in it.
    pub(crate) fn launcher(&self) -> [String; 4] {
        let enter = format!("echo $$ >'{}/cgroup.procs' && exec \"$@\"", self.folder.display());
        ["sh".into(), "-c".into(), enter, "sh".into()]
    }

    /// How often the kernel has killed a process of it.
    pub(crate) fn kills(&self) -> u64 {
        let files = ["memory.oom_control", "memory.events"].map(|name| self.folder.join(name));
        let text = files.iter().find_map(|file| fs::read_to_string(file).ok()).expect("it counts them");
        let line = text.lines().find_map(|line| line.strip_prefix("oom_kill ")).expect("it counts them");
        line.trim().parse().expect("a number")
    }

    /// Waits until nobody is in it any more, and removes it.
    pub(crate) async fn remove(self, within: Duration) {
        until("everybody has left the cgroup", within, async || fs::remove_dir(&self.folder).ok()).await;
    }
}

impl Drop for MemoryCgroup {
    /// Of a failed test, if nobody is in it any more.
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.folder);
    }
}

fn is_root() -> bool {
    fs::metadata("/proc/self").expect("Linux tells who we are").uid() == 0
}

//! The memory cgroup of this process: how much it may use, and how many of it the kernel has killed for want of memory.

use std::path::{Path, PathBuf};

/// Where systemd, and everybody after it, mounts them.
const MOUNT: &str = "/sys/fs/cgroup";

/// What the processes of the cgroup, or of one that it is in, may use together, in bytes; `None` without a limit.
pub fn memory_limit() -> Option<u64> {
    let limits = folders().into_iter().flat_map(|folder| {
        ["memory.max", "memory.limit_in_bytes"].map(|name| read(&folder.join(name))?.trim().parse().ok())
    });
    // Version 1 says "none" with a number that no machine has.
    limits.flatten().filter(|limit| *limit < 1 << 60).min()
}

/// Processes of the cgroup that the kernel has killed for want of memory. Of all processes where only that is counted, 0
/// where nothing is.
pub(crate) fn oom_kills() -> u64 {
    let files = folders()
        .into_iter()
        .flat_map(|folder| ["memory.events", "memory.oom_control"].map(|name| folder.join(name)));
    let whole = std::iter::once(PathBuf::from("/proc/vmstat"));
    files.chain(whole).find_map(|file| counted(&read(&file)?)).unwrap_or(0)
}

fn read(file: &Path) -> Option<String> {
    std::fs::read_to_string(file).ok()
}

fn counted(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok())
}

fn folders() -> Vec<PathBuf> {
    folders_of(&read(Path::new("/proc/self/cgroup")).unwrap_or_default())
}

/// The folder of the cgroup and those that it is in, innermost first. In a container the innermost may not be visible;
/// what is mounted then is the container's own.
fn folders_of(membership: &str) -> Vec<PathBuf> {
    let lines = || membership.lines().filter_map(|line| line.split_once(':')?.1.split_once(':'));
    let first = lines().find(|(controllers, _)| controllers.split(',').any(|name| name == "memory"));
    let (mount, path) = match (first, lines().find(|(controllers, _)| controllers.is_empty())) {
        (Some((_, path)), _) => (Path::new(MOUNT).join("memory"), path),
        (None, Some((_, path))) => (PathBuf::from(MOUNT), path),
        (None, None) => return Vec::new(),
    };
    let path = path.trim_start_matches('/');
    Path::new(path).ancestors().map(|part| mount.join(part)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_of_cgroups_are_found() {
        let first = "5:cpu:/\n4:memory:/a/b\n0::/x\n";
        let expected = ["memory/a/b", "memory/a", "memory/"].map(|part| Path::new(MOUNT).join(part));
        assert_eq!(folders_of(first), expected);
        let second = "0::/system.slice/vesicle.service\n";
        let expected = ["system.slice/vesicle.service", "system.slice", ""];
        assert_eq!(folders_of(second), expected.map(|part| Path::new(MOUNT).join(part)));
        assert!(folders_of("").is_empty());
    }

    #[test]
    fn kills_are_counted_in_every_file_that_counts_them() {
        assert_eq!(counted("low 0\noom 3\noom_kill 2\noom_group_kill 0\n"), Some(2));
        assert_eq!(counted("oom_kill_disable 0\nunder_oom 0\noom_kill 1\n"), Some(1));
        assert_eq!(counted("pgfault 12\n"), None);
    }
}

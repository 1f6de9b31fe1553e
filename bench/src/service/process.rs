//! A server as a process with its children, in a folder of its own.

use std::{
    fs::{self, File},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::TempDir;

/// A process that ends with this value.
pub(super) struct Process {
    child: Child,
    folder: TempDir,
}

impl Process {
    /// Starts a command; what it writes goes to a file of `folder`.
    pub(super) fn start(mut command: Command, folder: TempDir) -> anyhow::Result<Self> {
        let log = File::create(folder.path().join("log"))?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let child = command.spawn().with_context(|| format!("cannot start {command:?}"))?;
        Ok(Self { child, folder })
    }

    /// Waits until `url` answers with a success.
    pub(super) async fn until_ready(&mut self, url: &str) -> anyhow::Result<()> {
        let (client, began) = (reqwest::Client::new(), Instant::now());
        loop {
            if client.get(url).send().await.is_ok_and(|response| response.status().is_success()) {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("it ended with {status}:\n{}", self.log());
            }
            if began.elapsed() > Duration::from_secs(120) {
                bail!("{url} does not answer:\n{}", self.log());
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Resident memory of the process and all that came of it, in MiB.
    pub(super) fn memory_mib(&self) -> anyhow::Result<f64> {
        let kib: u64 = self.family()?.iter().filter_map(|pid| resident_kib(*pid)).sum();
        Ok(kib as f64 / 1024.0)
    }

    /// The process and all that came of it, parents before their children.
    fn family(&self) -> anyhow::Result<Vec<u32>> {
        let mut family = vec![self.child.id()];
        let parents = parents()?;
        let mut at = 0;
        while at < family.len() {
            let one = family[at];
            family.extend(parents.iter().filter(|(_, parent)| *parent == one).map(|(pid, _)| *pid));
            at += 1;
        }
        Ok(family)
    }

    /// Waits until it does next to nothing: a server may answer long before it has done with starting.
    pub(super) async fn until_settled(&self) -> anyhow::Result<()> {
        let began = Instant::now();
        let mut before = self.ticks()?;
        while began.elapsed() < Duration::from_secs(120) {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let now = self.ticks()?;
            // Of a hundred in a second of one core.
            if now.abs_diff(before) <= 10 {
                return Ok(());
            }
            before = now;
        }
        bail!("it never settles:\n{}", self.log())
    }

    /// Hundredths of a second that processors have worked for it.
    fn ticks(&self) -> anyhow::Result<u64> {
        Ok(self.family()?.iter().filter_map(|pid| ticks(*pid)).sum())
    }
}

/// Signals a process; one that is gone already needs none.
fn send(pid: u32, signal: Signal) {
    let _ = kill(Pid::from_raw(pid as i32), signal);
}

impl Drop for Process {
    fn drop(&mut self) {
        send(self.child.id(), Signal::SIGTERM); // it passes that on to its children
        if let Err(error) = self.child.wait() {
            eprintln!("cannot wait for a server: {error}");
        }
    }
}

/// Every process with its parent.
fn parents() -> anyhow::Result<Vec<(u32, u32)>> {
    let mut all = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        // Processes end while one looks.
        let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { continue };
        let parent = stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(1));
        all.extend(parent.and_then(|parent| parent.parse().ok()).map(|parent| (pid, parent)));
    }
    Ok(all)
}

/// Fields 14 and 15 of `proc(5)`: in the program and in the kernel.
fn ticks(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit(") ").next()?.split(' ');
    Some(fields.nth(11)?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

fn resident_kib(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// A port that was free a moment ago.
pub(super) fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// The program that was built next to this one.
pub(super) fn beside(name: &str) -> anyhow::Result<PathBuf> {
    let here = std::env::current_exe()?;
    let folder = here.parent().map(Path::to_owned).unwrap_or_default();
    let program = folder.join(name);
    if !program.is_file() {
        bail!("{} is not there; `make bench` builds it", program.display());
    }
    Ok(program)
}

//! Worker processes of this machine: started, listened to, started again when they die, drained at the end.

use std::{
    path::Path,
    process::{ExitStatus, Stdio},
    time::{Duration, Instant},
};

use anyhow::Context;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, ChildStderr, Command},
    task::{JoinHandle, JoinSet},
};
use tokio_util::sync::CancellationToken;

use super::backoff::Backoff;
use crate::work::machine_memory;

/// For a checkpoint and its upload.
const DRAIN: Duration = Duration::from_secs(30);

/// What the log of a worker is shown of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Voice {
    /// All of it, each line with the number of the worker.
    Prefixed,
    /// Nothing but the last words of one that dies.
    LastWords,
}

/// Who computes in a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Members {
    /// Threads of one process: so many runs at once, and so many threads for each that has shards.
    Threads {
        /// Runs at once.
        slots: u32,
        /// Threads of a run.
        each: u32,
    },
    /// So many processes for one run.
    Processes(u32),
}

/// What a worker process is started with.
#[derive(Debug, Clone)]
struct Post {
    server: String,
    members: Members,
    memory_mib: Option<u64>,
    voice: Voice,
}

/// Workers under supervision.
pub(crate) struct Crew {
    stop: CancellationToken,
    members: JoinSet<()>,
}

impl Crew {
    /// Starts so many workers.
    pub(crate) fn start(server: &str, workers: u32, members: Members, voice: Voice) -> Self {
        let (stop, mut supervised) = (CancellationToken::new(), JoinSet::new());
        // They share one machine: each may plan with its part of three quarters of the memory.
        let memory_mib = machine_memory().map(|bytes| (bytes / 4 * 3 / u64::from(workers.max(1))) >> 20);
        for number in 1..=workers {
            let post = Post { server: server.to_owned(), members, memory_mib, voice };
            supervised.spawn(supervise(number, post, stop.clone()));
        }
        Self { stop, members: supervised }
    }

    /// Drains all of them: each writes a checkpoint of what it runs and gives its leases back.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.members.join_all().await;
    }
}

async fn supervise(number: u32, post: Post, stop: CancellationToken) {
    let mut backoff = Backoff::default();
    while !stop.is_cancelled() {
        let began = Instant::now();
        let end = match post.spawn() {
            Ok(child) => live(number, child, &post, &stop).await,
            Err(error) => Some(format!("{error:#}")),
        };
        let Some(end) = end else { return };
        let pause = backoff.after(began.elapsed());
        eprintln!("worker {number} {end}; it is started again in {:.1} s", pause.as_secs_f64());
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => {}
        }
    }
}

impl Post {
    fn spawn(&self) -> anyhow::Result<Child> {
        let binary = std::env::current_exe().context("cannot find this program's file")?;
        let mut command = self.command(&binary);
        command
            .args(["--server", &self.server, "--until-stdin-closes"])
            // The pipe closes with this process, however it ends: no worker outlives its supervisor.
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // Ctrl-C is for us: we drain the workers while the server still answers them.
            .process_group(0)
            .kill_on_drop(true);
        if let Some(memory) = self.memory_mib {
            command.args(["--memory-mib", &memory.to_string()]);
        }
        if self.voice == Voice::LastWords && std::env::var_os("VESICLE_LOG").is_none() {
            command.env("VESICLE_LOG", "error");
        }
        let program = command.as_std().get_program().to_owned();
        command.spawn().with_context(|| format!("cannot be started by {}", program.display()))
    }

    fn command(&self, binary: &Path) -> Command {
        match self.members {
            Members::Threads { slots, each } => {
                let mut command = Command::new(binary);
                command.args(["work", "--slots", &slots.to_string(), "--threads", &each.to_string()]);
                command
            }
            Members::Processes(size) => {
                let mut command = Command::new("mpirun");
                // Several gangs share this machine and may be more than it has cores; said to Open MPI 4 and to 5.
                command
                    .env("OMPI_MCA_rmaps_base_oversubscribe", "1")
                    .env("OMPI_MCA_hwloc_base_binding_policy", "none")
                    .env("PRTE_MCA_rmaps_default_mapping_policy", ":oversubscribe")
                    .env("PRTE_MCA_hwloc_default_binding_policy", "none")
                    .args(["-n", &size.to_string()])
                    .arg(binary)
                    .args(["work", "--gang"]);
                command
            }
        }
    }

    /// The signal that drains it. A launcher passes that of its own on, and would end everything at SIGTERM.
    fn drain(&self) -> Signal {
        match self.members {
            Members::Threads { .. } => Signal::SIGTERM,
            Members::Processes(_) => Signal::SIGUSR1,
        }
    }
}

/// Lives with a child until it dies (how, in words) or until the crew stops (`None`).
async fn live(number: u32, mut child: Child, post: &Post, stop: &CancellationToken) -> Option<String> {
    // Held until the worker is gone: `wait` would close it, and the worker ends with its standard input.
    let _held = child.stdin.take();
    let words = child.stderr.take().map(|stderr| listen(number, stderr, post.voice));
    let status = tokio::select! {
        status = child.wait() => Some(status),
        () = stop.cancelled() => None,
    };
    let Some(status) = status else {
        drain(number, &mut child, post.drain()).await;
        return None;
    };
    let last = match words {
        Some(words) => words.await.unwrap_or_default(),
        None => String::new(),
    };
    let status = status.map_or_else(|error| error.to_string(), |status| in_words(&status));
    Some(if last.is_empty() { status } else { format!("{status}, its last words: {last}") })
}

/// Passes the log of a worker on; answers its last line.
fn listen(number: u32, stderr: ChildStderr, voice: Voice) -> JoinHandle<String> {
    tokio::spawn(async move {
        let (mut lines, mut last) = (BufReader::new(stderr).lines(), String::new());
        while let Ok(Some(line)) = lines.next_line().await {
            if voice == Voice::Prefixed {
                eprintln!("worker {number} │ {line}");
            } else {
                last = line;
            }
        }
        last
    })
}

async fn drain(number: u32, child: &mut Child, signal: Signal) {
    if let Some(id) = child.id().and_then(|id| i32::try_from(id).ok()) {
        // It may have died a moment ago, which is what we want.
        let _ = kill(Pid::from_raw(id), signal);
    }
    if tokio::time::timeout(DRAIN, child.wait()).await.is_err() {
        eprintln!("worker {number} did not stop within {} s and is killed", DRAIN.as_secs());
        let _ = child.kill().await;
    }
}

fn in_words(status: &ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with code {code}"),
        (None, Some(signal)) => format!("was killed by signal {signal}"),
        (None, None) => "ended".to_owned(),
    }
}

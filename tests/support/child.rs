//! A process of the binary under test, with its output kept in a file.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::{process::Command, time::timeout};

/// A running process; killed when dropped, even when it is stopped.
#[derive(Debug)]
pub(crate) struct Child {
    pub(crate) name: String,
    pid: Pid,
    process: tokio::process::Child,
    log: PathBuf,
}

impl Child {
    /// Starts `vesicle` with `args`, by a launcher such as `mpirun -n 2` if there is one; its output goes to `logs/name.log`.
    pub(crate) fn start(
        launcher: &[&str],
        name: &str,
        args: &[&str],
        env: &[(String, String)],
        logs: &Path,
    ) -> Self {
        let log = logs.join(format!("{name}.log"));
        let file = File::create(&log).expect("the temporary directory can be written");
        let process = command_by(launcher, args, env)
            .stdin(Stdio::null())
            .stdout(file.try_clone().expect("a file handle can be cloned"))
            .stderr(file)
            .kill_on_drop(true)
            .spawn()
            .expect("the binary under test can be started");
        let pid = Pid::from_raw(process.id().expect("it was not waited for") as i32);
        Self { name: name.to_owned(), pid, process, log }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid.as_raw() as u32
    }

    /// Of a worker: the id under which it registered; `None` until it has.
    pub(crate) fn worker_id(&self) -> Option<String> {
        let log = self.log();
        let (_, rest) = log.split_once("worker.id=")?;
        rest.split_whitespace().next().map(str::to_owned)
    }

    /// Everything it has written.
    pub(crate) fn log(&self) -> String {
        let bytes = std::fs::read(&self.log).expect("the log was made at the start");
        String::from_utf8_lossy(&bytes).into_owned()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(self.pid, signal).expect("the process was not waited for, so its id is its own");
    }

    /// SIGKILL, and waits until it is gone.
    pub(crate) async fn kill(mut self) {
        self.signal(Signal::SIGKILL);
        self.process.wait().await.expect("a child can be waited for");
    }

    /// SIGTERM, and waits until it has gone by itself.
    pub(crate) async fn terminate(self, within: Duration) -> ExitStatus {
        self.signal(Signal::SIGTERM);
        self.ended_within(within).await
    }

    /// Waits until it has gone by itself.
    pub(crate) async fn ended_within(mut self, within: Duration) -> ExitStatus {
        let exited = timeout(within, self.process.wait()).await;
        let name = &self.name;
        exited
            .unwrap_or_else(|_| panic!("{name} lives {within:?} after it should have ended"))
            .expect("a child can be waited for")
    }

    /// Waits until it has gone.
    pub(crate) async fn ended(mut self) -> ExitStatus {
        self.process.wait().await.expect("a child can be waited for")
    }

    /// Whether it still runs.
    pub(crate) fn lives(&mut self) -> bool {
        self.process.try_wait().expect("a child can be waited for").is_none()
    }
}

/// The binary under test, with nothing of the caller's settings.
pub(crate) fn command(args: &[&str], env: &[(String, String)]) -> Command {
    command_by(&[], args, env)
}

/// The same, started by a launcher, such as `mpirun -n 2`.
pub(crate) fn command_by(launcher: &[&str], args: &[&str], env: &[(String, String)]) -> Command {
    let words = [launcher, &[env!("CARGO_BIN_EXE_vesicle")]].concat();
    let mut command = Command::new(words[0]);
    command.args(&words[1..]);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("VESICLE_")) {
        command.env_remove(name);
    }
    command.args(args).env("NO_COLOR", "1").envs(env.iter().cloned());
    command
}

/// Runs it to its end, which must be a good one.
pub(crate) async fn succeed(args: &[&str], env: &[(String, String)]) {
    let output = command(args, env).output().await.expect("the binary under test can be started");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "vesicle {}: {}\n{said}", args.join(" "), output.status);
}

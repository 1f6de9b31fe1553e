//! A Postgres server for the time of a comparison: the installed one, a new cluster, the settings it comes with.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::{Context, ensure};
use tempfile::TempDir;

use super::process;

/// A running cluster.
pub(super) struct Cluster {
    folder: TempDir,
    port: u16,
    pg_ctl: PathBuf,
}

impl Cluster {
    /// Makes and starts one.
    pub(super) fn start() -> anyhow::Result<Self> {
        let cluster = Self {
            folder: TempDir::with_prefix("bench-postgres-")?,
            port: process::free_port()?,
            pg_ctl: program("pg_ctl")?,
        };
        let folder = cluster.folder.path();
        if nix::unistd::geteuid().is_root() {
            // The server refuses to run as root.
            execute(Command::new("chown").arg("postgres").arg(folder))?;
        }
        let data = folder.join("data");
        let mut init = cluster.command(&program("initdb")?);
        execute(init.args(["--auth=trust", "--username=bench", "--encoding=UTF8", "-D"]).arg(&data))?;
        let options = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories={}",
            cluster.port,
            folder.display()
        );
        let mut start = cluster.command(&cluster.pg_ctl);
        start
            .args(["start", "--wait", "--options", &options, "--log"])
            .arg(folder.join("log"))
            .arg("-D")
            .arg(&data);
        execute(&mut start)?;
        Ok(cluster)
    }

    /// The address of a new database.
    pub(super) fn database(&self, name: &str) -> anyhow::Result<String> {
        let mut create = self.command(&program("createdb")?);
        execute(create.args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-U", "bench", name]))?;
        Ok(format!("postgresql://bench@127.0.0.1:{}/{name}", self.port))
    }

    /// A command of the user whom the server runs as.
    fn command(&self, program: &PathBuf) -> Command {
        let mut command = if nix::unistd::geteuid().is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir(self.folder.path());
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let mut stop = self.command(&self.pg_ctl);
        stop.args(["stop", "--mode=immediate", "-D"]).arg(self.folder.path().join("data"));
        if let Err(error) = execute(&mut stop) {
            eprintln!("cannot stop Postgres: {error:#}");
        }
    }
}

/// A program of Postgres: on the path, or where Debian puts it.
fn program(name: &str) -> anyhow::Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    for version in (12..30).rev() {
        folders.push(format!("/usr/lib/postgresql/{version}/bin").into());
    }
    let found = folders.into_iter().map(|folder| folder.join(name)).find(|program| program.is_file());
    found.with_context(|| format!("there is no {name}; install Postgres"))
}

/// Output goes to nobody: `pg_ctl` leaves its own open for the server.
fn execute(command: &mut Command) -> anyhow::Result<()> {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    let status = status.with_context(|| format!("cannot run {command:?}"))?;
    ensure!(status.success(), "{command:?} ended with {status}");
    Ok(())
}

//! Vesicle as users run it: a server and workers as processes of their own, with a folder of their own.

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::{Child, Client, Database, OnSqlite, Proxy, succeed, until};

/// Time to live of a lease: the tests that lose one wait about that long.
pub(crate) const LEASE: Duration = Duration::from_secs(2);

/// For what takes a moment; only a broken program takes that long on a busy machine.
pub(crate) const PROMPT: Duration = Duration::from_secs(20);

/// Short times, so that losing a lease or a server costs a test seconds.
const SETTINGS: [(&str, &str); 5] = [
    ("VESICLE_LEASE_MS", "2000"),
    ("VESICLE_RESTART_GRACE_MS", "500"),
    ("VESICLE_REAP_MS", "100"),
    ("VESICLE_REPORT_MIN_MS", "50"),
    ("VESICLE_ACQUIRE_POLL_MS", "200"),
];

/// A server and a worker with one slot.
const UP: [&str; 5] = ["up", "--workers", "1", "--slots", "1"];

/// A server with its folder, and what its workers are started with.
pub(crate) struct Service {
    home: Option<TempDir>,
    env: Vec<(String, String)>,
    command: &'static [&'static str],
    server: Option<Child>,
    port: u16,
    started: AtomicU32,
    pub(crate) client: Client,
}

impl Service {
    /// Starts a server on a free port, on the database that was asked for.
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Starts a server with settings of its own.
    pub(crate) async fn start_with(settings: &[(&str, &str)]) -> Self {
        Self::launch(&["serve"], Database::asked_for(), settings).await
    }

    /// Starts a server on SQLite, whatever was asked for.
    pub(crate) async fn start_on_sqlite(_because: OnSqlite, settings: &[(&str, &str)]) -> Self {
        Self::launch(&["serve"], Database::Sqlite, settings).await
    }

    /// Starts a server with a worker under its supervision.
    pub(crate) async fn up() -> Self {
        Self::up_with(&UP, &[]).await
    }

    /// Starts a server by another command, with settings of its own.
    pub(crate) async fn up_with(command: &'static [&'static str], settings: &[(&str, &str)]) -> Self {
        Self::launch(command, Database::asked_for(), settings).await
    }

    async fn launch(command: &'static [&'static str], database: Database, settings: &[(&str, &str)]) -> Self {
        let stored = database.settings().await;
        let stored: Vec<_> = stored.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let home = TempDir::with_prefix("vesicle-e2e-").expect("there is a place for temporary files");
        let folder = home.path().display().to_string();
        std::fs::create_dir(home.path().join("logs")).expect("the temporary directory can be written");
        let places =
            ["VESICLE_HOME", "HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"].map(|name| (name, folder.as_str()));
        let all = places.iter().chain(&SETTINGS).chain(&stored).chain(settings);
        let env = all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mut service = Self {
            home: Some(home),
            env,
            command,
            server: None,
            port: 0,
            started: AtomicU32::new(0),
            client: Client::new(""),
        };
        service.start_server().await;
        service
    }

    /// Starts the server, on the port that it had before.
    pub(crate) async fn start_server(&mut self) {
        assert!(self.server.is_none(), "it runs already");
        let listen = format!("127.0.0.1:{}", self.port);
        let mut server = self.process("server", &[self.command, &["--listen", &listen]].concat(), &[]);
        let url = until("the server listens", PROMPT, async || {
            assert!(server.lives(), "the server ended:\n{}", server.log());
            server.log().lines().find_map(|line| line.strip_prefix("listening on ").map(str::to_owned))
        })
        .await;
        self.port =
            url.rsplit(':').next().and_then(|port| port.parse().ok()).expect("the address ends in a port");
        self.client = Client::new(&url);
        self.server = Some(server);
    }

    /// SIGKILL of the server.
    pub(crate) async fn kill_server(&mut self) {
        self.server.take().expect("it runs").kill().await;
    }

    /// SIGTERM of the server; it must end well.
    pub(crate) async fn stop_server(&mut self) {
        let status = self.server.take().expect("it runs").terminate(PROMPT).await;
        assert!(status.success(), "the server ended with {status}");
    }

    /// Starts a worker with one slot that talks to the server directly.
    pub(crate) fn worker(&self) -> Child {
        self.worker_at(&self.client.server)
    }

    /// Starts a worker with one slot that reaches the server at another address.
    pub(crate) fn worker_at(&self, server: &str) -> Child {
        self.worker_with(server, &[])
    }

    /// Starts a worker with so many slots.
    pub(crate) fn worker_of(&self, slots: u32) -> Child {
        self.process("worker", &["work", "--server", &self.client.server, "--slots", &slots.to_string()], &[])
    }

    /// A worker with one slot and something more in its environment.
    pub(crate) fn worker_with(&self, server: &str, env: &[(String, String)]) -> Child {
        self.process("worker", &["work", "--server", server, "--slots", "1"], env)
    }

    /// A proxy in front of the server.
    pub(crate) async fn proxy(&self) -> Proxy {
        Proxy::to(self.port).await
    }

    /// Starts another process of the binary, with more in its environment.
    pub(crate) fn process(&self, what: &str, args: &[&str], env: &[(String, String)]) -> Child {
        self.process_by(&[], what, args, env)
    }

    /// The same through a launcher, such as `mpirun -n 2`.
    pub(crate) fn process_by(
        &self,
        launcher: &[&str],
        what: &str,
        args: &[&str],
        env: &[(String, String)],
    ) -> Child {
        let number = self.started.fetch_add(1, Ordering::Relaxed);
        let env = [&self.env[..], env].concat();
        let (name, logs) = (format!("{number:02}-{what}"), self.folder().join("logs"));
        Child::start(launcher, &name, args, &env, &logs)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// What its processes are started with.
    pub(crate) fn env(&self) -> Vec<(String, String)> {
        self.env.clone()
    }

    /// Process id of the server.
    pub(crate) fn server_pid(&self) -> u32 {
        self.server.as_ref().expect("it runs").pid()
    }

    /// What the server has written.
    pub(crate) fn server_log(&self) -> String {
        self.server.as_ref().expect("it runs").log()
    }

    /// The folder of everything.
    pub(crate) fn folder(&self) -> &Path {
        self.home.as_ref().expect("it is kept until the end").path()
    }

    /// The database as the checker reads it: the file of SQLite, or a backup of Postgres as it is now.
    pub(crate) async fn database(&self) -> PathBuf {
        if self.setting("VESICLE_DATABASE").is_none() {
            return self.sqlite_file();
        }
        let number = self.started.fetch_add(1, Ordering::Relaxed);
        let file = self.folder().join(format!("backup-{number}.db"));
        self.backup(&file).await;
        file
    }

    /// Makes a backup while everything goes on.
    pub(crate) async fn backup(&self, file: &Path) {
        succeed(&["backup", &file.display().to_string()], &self.env).await;
    }

    /// The file of a service on SQLite.
    pub(crate) fn sqlite_file(&self) -> PathBuf {
        let home = self.setting("VESICLE_HOME").expect("every service has one");
        Path::new(home).join("vesicle.db")
    }

    /// What its processes find in their environment; what was set last counts.
    pub(super) fn setting(&self, name: &str) -> Option<&str> {
        self.env.iter().rev().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

impl Drop for Service {
    /// A failed test shows what the processes said and keeps their files.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        let folder = self.home.take().map(TempDir::keep).unwrap_or_default();
        let mut logs: Vec<_> =
            std::fs::read_dir(folder.join("logs")).into_iter().flatten().flatten().collect();
        logs.sort_by_key(std::fs::DirEntry::file_name);
        for log in logs {
            let text = std::fs::read(log.path()).unwrap_or_default();
            let lines: Vec<_> = String::from_utf8_lossy(&text).lines().map(str::to_owned).collect();
            let shown = lines.len().saturating_sub(40);
            eprintln!("--- {} (last {} lines)", log.path().display(), lines.len() - shown);
            lines[shown..].iter().for_each(|line| eprintln!("{line}"));
        }
    }
}

/// A job on the built-in digits: `runs` seeds, `epochs` · 65 steps each, a checkpoint every 10 steps. A step takes about
/// `sweeps` · 10 µs: Gibbs sweeps cost time without making the state larger.
pub(crate) fn digits_job(runs: u32, epochs: u32, sweeps: u32) -> Json {
    json!({
        "experiment": "rbse",
        "params": {"hidden_units": 64, "epochs": epochs, "train_images": 1300, "batch": 20, "test_images": 50, "cd_k": sweeps},
        "seeds": {"from": 1, "count": runs},
        "every": 13,
        "checkpoint_every_steps": 10,
    })
}

//! A Postgres of the tests' own: made at the first use, gone with the process, however that ends.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock};

use sqlx::Connection as _;
use uuid::Uuid;

/// Makes a cluster and obeys until nobody can tell it anything any more: the end of its input is its end.
const SCRIPT: &str = r#"
bin=$1 dir=$2 settings=$3
start() { "$bin/pg_ctl" -D "$dir/data" -l "$dir/log" -w -t 60 -o "-k $dir $settings" start >/dev/null; }
crash() { "$bin/pg_ctl" -D "$dir/data" -m immediate -w stop >/dev/null; }
"$bin/initdb" -D "$dir/data" -U vesicle -A trust -E UTF8 --locale=C --no-sync >"$dir/log" 2>&1
while start && echo started && read -r _; do
  crash && echo crashed && read -r _ || break
done
cat "$dir/log"
crash 2>/dev/null
rm -rf "$dir"
"#;

/// Many clients, and no waiting for the disk: tests kill processes, not machines.
const SETTINGS: &str = "-c max_connections=300 -c fsync=off";

/// A running Postgres that only this process knows.
#[derive(Debug)]
pub struct Cluster {
    folder: PathBuf,
    /// Of loopback; without one there is a socket in the folder.
    port: Option<u16>,
    databases: AtomicU32,
    keeper: Mutex<Keeper>,
}

/// The shell that keeps the cluster; closing its input ends both.
#[derive(Debug)]
struct Keeper {
    orders: ChildStdin,
    said: BufReader<ChildStdout>,
}

impl Cluster {
    /// The cluster of this process. `None`, and a word on standard error, where Postgres is not installed.
    ///
    /// # Panics
    /// If it is not installed although `CI` says that nothing may be skipped, or does not start.
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Cluster>> = OnceLock::new();
        SHARED.get_or_init(Self::own).as_ref()
    }

    /// A cluster that no other test knows, to [crash](Self::crash) it.
    ///
    /// # Panics
    /// As [`Self::shared`].
    pub fn own() -> Option<Self> {
        Self::new(None)
    }

    /// One that encrypts, on a port of loopback: with a certificate and its private key, both as PEM.
    ///
    /// # Panics
    /// As [`Self::shared`].
    pub fn encrypted(certificate: &str, key: &str) -> Option<Self> {
        Self::new(Some([certificate, key]))
    }

    fn new(pems: Option<[&str; 2]>) -> Option<Self> {
        let programs = installed();
        if programs.is_none() {
            assert!(std::env::var_os("CI").is_none(), "these tests need Postgres: install it");
            eprintln!("skipped: needs Postgres (initdb, pg_ctl)");
        }
        programs.map(|programs| Self::start(&programs, pems))
    }

    /// Makes an empty database; answers its address.
    ///
    /// # Panics
    /// If that fails.
    pub async fn database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let create = format!("CREATE DATABASE {name}");
        let mut db = sqlx::PgConnection::connect(&self.address("postgres")).await.expect("it is running");
        let create = sqlx::AssertSqlSafe(create); // the name is our own
        sqlx::query(create).execute(&mut db).await.expect("a database can be made");
        db.close().await.expect("a connection can be closed");
        self.address(&name)
    }

    /// Ends all its processes at once, as a crash does.
    ///
    /// # Panics
    /// If it does not run.
    pub fn crash(&self) {
        self.keeper().order("crashed");
    }

    /// Starts it again after [`Self::crash`].
    ///
    /// # Panics
    /// If it runs.
    pub fn recover(&self) {
        self.keeper().order("started");
    }

    fn keeper(&self) -> MutexGuard<'_, Keeper> {
        self.keeper.lock().expect("who panics with the lock has failed the test")
    }

    fn address(&self, database: &str) -> String {
        match self.port {
            Some(port) => format!("postgres://vesicle@127.0.0.1:{port}/{database}"),
            None => format!("postgres:///{database}?host={}&user=vesicle", self.folder.display()),
        }
    }

    fn start(programs: &Path, pems: Option<[&str; 2]>) -> Self {
        let folder = std::env::temp_dir().join(format!("vesicle-pg-{}", Uuid::now_v7().simple()));
        std::fs::create_dir(&folder).expect("the folder for temporary files can be written");
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700)).expect("it is ours");
        let port = pems.map(|_| free_port());
        let mut files = vec![folder.clone()];
        if let Some(pems) = pems {
            files.extend(pems.iter().zip(PEMS).map(|(pem, name)| secret(&folder.join(name), pem)));
        }
        let mut keeper = Command::new("sh");
        keeper.args(["-c", SCRIPT, "sh"]).arg(programs).arg(&folder).arg(settings(&folder, port));
        if let Some((user, group)) = other_user() {
            for file in files {
                std::os::unix::fs::chown(file, Some(user), Some(group)).expect("root may give files away");
            }
            keeper.uid(user).gid(group);
        }
        // A group of its own: Ctrl-C is for us, and the end of our process tells it.
        keeper.current_dir("/").process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped());
        let Child { stdin, stdout, .. } = keeper.spawn().expect("there is a shell");
        let said = BufReader::new(stdout.expect("it was asked for"));
        let mut keeper = Keeper { orders: stdin.expect("it was asked for"), said };
        keeper.expect("started");
        Self { folder, port, databases: AtomicU32::new(0), keeper: Mutex::new(keeper) }
    }
}

impl Keeper {
    fn order(&mut self, answer: &str) {
        writeln!(self.orders).expect("it listens");
        self.expect(answer);
    }

    fn expect(&mut self, answer: &str) {
        let mut line = String::new();
        self.said.read_line(&mut line).expect("it speaks");
        if line.trim_end() != answer {
            self.said.read_to_string(&mut line).expect("it speaks");
            panic!("Postgres has not {answer}:\n{line}");
        }
    }
}

/// The certificate and its private key.
const PEMS: [&str; 2] = ["server.crt", "server.key"];

fn settings(folder: &Path, port: Option<u16>) -> String {
    let Some(port) = port else { return format!("{SETTINGS} -c listen_addresses=") };
    let [certificate, key] = PEMS.map(|name| folder.join(name).display().to_string());
    let tls = format!("-c ssl=on -c ssl_cert_file={certificate} -c ssl_key_file={key}");
    format!("{SETTINGS} -c listen_addresses=127.0.0.1 -c port={port} {tls}")
}

/// A port that nobody has now.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    listener.local_addr().expect("it is bound").port()
}

/// A file that only its owner reads.
fn secret(path: &Path, text: &str) -> PathBuf {
    std::fs::write(path, text).expect("the folder is ours");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).expect("it is ours");
    path.to_owned()
}

/// Folder of the programs: where `initdb` of the path leads to, or where Debian keeps the newest.
fn installed() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut debian: Vec<_> = debian.map(|version| version.path().join("bin")).collect();
    debian.sort();
    let mut folders = std::env::split_paths(&path).chain(debian.into_iter().rev());
    folders.find_map(|folder| Some(folder.join("initdb").canonicalize().ok()?.parent()?.to_owned()))
}

/// Postgres refuses to run as root: who runs it then.
fn other_user() -> Option<(u32, u32)> {
    let me = std::fs::metadata("/proc/self").expect("Linux tells who we are").uid();
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let user = |name: &str| {
        let mut fields =
            users.lines().map(|line| line.split(':')).find(|line| line.clone().next() == Some(name))?;
        Some((fields.nth(2)?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    (me == 0).then(|| user("postgres").or_else(|| user("nobody")).expect("Linux has a user `nobody`"))
}

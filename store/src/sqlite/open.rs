//! Opening a database: nobody else has it, it is ours, sound and up to date.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use nix::sys::statfs::{self, FsType};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection as _, Row as _};

use super::writer::{Held, Writer};
use super::{Db, READER_WAIT, Sqlite, SqliteOptions};
use crate::gather::Gather;
use crate::{Result, StoreError, sqlx_error};

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../migrations/sqlite");

/// Marks a file as a database of Vesicle: "VSCL".
pub(crate) const APPLICATION_ID: i64 = 0x5653_434c;
/// The first SQLite without the WAL-reset bug, which could lose committed pages.
const LEAST_SQLITE: (u32, u32, u32) = (3, 51, 3);
const READERS: u32 = 4;
/// KiB of pages that each of them keeps, a quarter of what is usual: the kernel has them all.
const CACHE: &str = "-500";
/// Rows that SQLite's thread may be ahead of whoever reads them.
const ROWS: usize = 1_024;

pub(super) async fn open(options: SqliteOptions) -> Result<Sqlite> {
    let SqliteOptions { path, policy, queue } = options;
    let shown = path.display().to_string();
    let unusable = |why: String| StoreError::Unusable(format!("{shown}: {why}"));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(|error| unusable(format!("cannot make its folder: {error}")))?;
    refuse_network(folder).map_err(unusable)?;
    let lock = lock(&path).map_err(unusable)?;

    let mut db = Db::connect_with(&connection(&path)).await?;
    let version: String = sqlx::query("SELECT sqlite_version()").fetch_one(&mut db).await?.try_get(0)?;
    check_version(&version).map_err(unusable)?;
    own(&mut db).await?.map_err(unusable)?;
    let known = MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0);
    MIGRATIONS.run_direct(None, &mut db, false).await.map_err(|error| sqlx_error::migration(error, known))?;
    check_after_unclean_stop(&mut db).await?.map_err(unusable)?;

    let readers = SqlitePoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(READER_WAIT)
        // Nothing lies between us and the file that could break: no need to ask each time whether it answers.
        .test_before_acquire(false)
        .connect_with(connection(&path).pragma("query_only", "ON").pragma("cache_size", CACHE))
        .await?;
    let writer = Arc::new(Writer::start(Held { db, lock }, queue));
    let (reports, submissions) = (Gather::new(1), Gather::new(1));
    Ok(Sqlite { writer, readers, reports, submissions, policy })
}

fn connection(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // With NORMAL a power cut loses answered writes.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5))
        // A page of rows crosses from SQLite's thread at once, not in many small steps.
        .row_buffer_size(ROWS)
        .pragma("trusted_schema", "OFF")
        .pragma("cell_size_check", "ON")
        .pragma("temp_store", "MEMORY")
        .pragma("mmap_size", "0")
        .pragma("journal_size_limit", "67108864")
}

/// The lock on a file beside the database: the kernel lets go of it with the process, however that ends.
fn lock(path: &Path) -> std::result::Result<File, String> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let open = File::options().create(true).truncate(false).write(true).open(&name);
    let file = open.map_err(|error| format!("cannot open its lock file: {error}"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err("another server has it open; stop that one first".into()),
        Err(TryLockError::Error(error)) => Err(format!("cannot lock it: {error}")),
    }
}

/// Locks and shared memory of SQLite do not work over a network.
fn refuse_network(folder: &Path) -> std::result::Result<(), String> {
    const NETWORK: [FsType; 4] = [
        statfs::NFS_SUPER_MAGIC,
        statfs::SMB_SUPER_MAGIC,
        statfs::AFS_SUPER_MAGIC,
        FsType(0xff53_4d42), // CIFS
    ];
    match statfs::statfs(folder) {
        Ok(stat) if NETWORK.contains(&stat.filesystem_type()) => {
            Err("it lies on a network file system; choose a data folder on a local disk".into())
        }
        _ => Ok(()),
    }
}

/// Whether this SQLite is new enough.
pub(super) fn check_version(version: &str) -> std::result::Result<(), String> {
    let mut numbers = version.split('.').map(|number| number.parse::<u32>().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    if (next(), next(), next()) >= LEAST_SQLITE {
        return Ok(());
    }
    let (major, minor, patch) = LEAST_SQLITE;
    Err(format!(
        "SQLite {version} can lose committed data; build with {major}.{minor}.{patch} or newer (libsqlite3-sys)"
    ))
}

/// Marks an empty file as ours; refuses one that has other tables.
async fn own(db: &mut Db) -> Result<std::result::Result<(), String>> {
    let id: i64 = sqlx::query("PRAGMA application_id").fetch_one(&mut *db).await?.try_get(0)?;
    if id == APPLICATION_ID {
        return Ok(Ok(()));
    }
    let tables: i64 =
        sqlx::query("SELECT count(*) FROM sqlite_schema").fetch_one(&mut *db).await?.try_get(0)?;
    if tables > 0 {
        return Ok(Err("it is a database of another program; choose another data folder".into()));
    }
    sqlx::query("PRAGMA application_id = 0x5653434c").execute(db).await?;
    Ok(Ok(()))
}

/// Checks the whole file when the last stop was not clean; forgets that it was.
async fn check_after_unclean_stop(db: &mut Db) -> Result<std::result::Result<(), String>> {
    let clean =
        sqlx::query("SELECT 1 FROM meta WHERE key = 'clean_stop'").fetch_optional(&mut *db).await?.is_some();
    if !clean {
        let found: String = sqlx::query("PRAGMA quick_check(1)").fetch_one(&mut *db).await?.try_get(0)?;
        if found != "ok" {
            return Ok(Err(format!("it is damaged ({found}); restore a copy")));
        }
    }
    sqlx::query("DELETE FROM meta WHERE key = 'clean_stop'").execute(db).await?;
    Ok(Ok(()))
}

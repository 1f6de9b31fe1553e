//! Backup and restore. A backup is one SQLite file, whichever database it is of: it can be restored into either, read
//! with any SQLite, or put in the place of a server's own file.

mod tables;

#[cfg(test)]
mod tests;

use std::fs::File;
use std::path::{Path, PathBuf};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection as _, SqliteConnection};

use crate::rows::Columns as _;
use crate::sqlite::SqliteOptions;
use crate::{Postgres, PostgresOptions, Result, Sqlite, Store as _, StoreError};

/// Where a database is.
#[derive(Debug, Clone)]
pub enum Place {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A Postgres database.
    Postgres(PostgresOptions),
}

/// What a backup holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contents {
    /// Jobs.
    pub jobs: u64,
    /// Runs.
    pub runs: u64,
    /// Checkpoints, all of them whole.
    pub checkpoints: u64,
    /// Data sets.
    pub datasets: u64,
    /// Length of the file.
    pub bytes: u64,
}

/// Copies everything as it is at one moment; servers may go on meanwhile.
///
/// # Errors
/// If `file` exists or cannot be written, the database is not ours or of another version, or the copy is not sound.
pub async fn backup(from: &Place, file: &Path) -> Result<Contents> {
    refuse_existing(file)?;
    let part = beside(file, ".part");
    let copied = async {
        match from {
            Place::Sqlite(path) => copy_sqlite(path, &part).await?,
            Place::Postgres(options) => {
                empty_file(&part).await?;
                tables::from_postgres(options, &part).await?;
            }
        }
        let contents = check(&part).await?;
        put_in_place(&part, file)?;
        Ok(contents)
    };
    let copied = copied.await;
    if copied.is_err() {
        let _nothing_to_remove = std::fs::remove_file(&part);
    }
    copied
}

/// Makes a database of a backup, where there is none.
///
/// # Errors
/// If `file` is not a sound backup of this version or an older one, or there is a database already.
pub async fn restore(file: &Path, to: &Place) -> Result<Contents> {
    let contents = check(file).await?;
    match to {
        Place::Sqlite(path) => {
            refuse_existing(path)?;
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder).map_err(|error| unusable(folder, &error.to_string()))?;
            }
            let part = beside(path, ".part");
            std::fs::copy(file, &part).map_err(|error| unusable(&part, &error.to_string()))?;
            put_in_place(&part, path)?;
            Sqlite::open(SqliteOptions::new(path)).await?.close().await?;
        }
        Place::Postgres(options) => {
            // A backup of an older version is brought up to date first, in a copy.
            let folder = tempfile::tempdir().map_err(|error| unusable(file, &error.to_string()))?;
            let copy = folder.path().join("vesicle.db");
            std::fs::copy(file, &copy).map_err(|error| unusable(&copy, &error.to_string()))?;
            Sqlite::open(SqliteOptions::new(&copy)).await?.close().await?;
            Postgres::open(options.clone()).await?.close().await?;
            tables::to_postgres(&copy, options).await?;
        }
    }
    Ok(contents)
}

fn unusable(path: &Path, why: &str) -> StoreError {
    StoreError::Unusable(format!("{}: {why}", path.display()))
}

fn refuse_existing(file: &Path) -> Result<()> {
    match file.try_exists() {
        Ok(false) => Ok(()),
        Ok(true) => Err(unusable(file, "it exists; nothing is written over")),
        Err(error) => Err(unusable(file, &error.to_string())),
    }
}

fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Everything is on the disk before the name is, and the name before we say so.
fn put_in_place(part: &Path, file: &Path) -> Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let done = File::open(part)
        .and_then(|part| part.sync_all())
        .and_then(|()| std::fs::rename(part, file))
        .and_then(|()| File::open(folder)?.sync_all());
    done.map_err(|error| unusable(file, &error.to_string()))
}

/// A connection that changes nothing, to a database that is there.
async fn reader(file: &Path) -> Result<SqliteConnection> {
    let options = SqliteConnectOptions::new().filename(file).read_only(true);
    SqliteConnection::connect_with(&options).await.map_err(|error| unusable(file, &error.to_string()))
}

/// SQLite copies itself, beside a server that writes.
async fn copy_sqlite(from: &Path, to: &Path) -> Result<()> {
    let _left_by_a_crash = std::fs::remove_file(to);
    let mut db = reader(from).await?;
    let to = to.to_str().ok_or_else(|| unusable(to, "its name must be UTF-8"))?;
    sqlx::query("VACUUM INTO $1").bind(to).execute(&mut db).await?;
    Ok(db.close().await?)
}

/// A database without rows.
async fn empty_file(path: &Path) -> Result<()> {
    let _left_by_a_crash = std::fs::remove_file(path);
    Sqlite::open(SqliteOptions::new(path)).await?.close().await?;
    std::fs::remove_file(beside(path, ".lock")).map_err(|error| unusable(path, &error.to_string()))
}

/// Whether a backup is ours, sound, and all its checkpoints are whole.
async fn check(file: &Path) -> Result<Contents> {
    let mut db = reader(file).await?;
    let ours = sqlx::query("PRAGMA application_id").fetch_one(&mut db).await;
    let ours = ours.map_err(|error| unusable(file, &error.to_string()))?;
    if ours.number::<i64>("application_id")? != crate::sqlite::APPLICATION_ID {
        return Err(unusable(file, "it is not a backup of vesicle"));
    }
    let damage: String = sqlx::query_scalar("PRAGMA integrity_check(1)").fetch_one(&mut db).await?;
    let orphan = sqlx::query("PRAGMA foreign_key_check").fetch_optional(&mut db).await?;
    if damage != "ok" || orphan.is_some() {
        return Err(unusable(file, &format!("it is damaged ({damage})")));
    }
    let broken = sqlx::query(
        "SELECT 1 FROM checkpoint WHERE NOT corrupt
           AND bytes <> (SELECT coalesce(sum(length), 0) FROM checkpoint_chunk AS chunk WHERE chunk.digest = checkpoint.digest)",
    );
    if broken.fetch_optional(&mut db).await?.is_some() {
        return Err(unusable(file, "a checkpoint is incomplete"));
    }
    let counts = sqlx::query(
        "SELECT (SELECT count(*) FROM job) AS jobs, (SELECT count(*) FROM run) AS runs,
           (SELECT count(*) FROM checkpoint WHERE NOT corrupt) AS checkpoints, (SELECT count(*) FROM dataset) AS datasets",
    );
    let row = counts.fetch_one(&mut db).await?;
    let bytes = std::fs::metadata(file).map_err(|error| unusable(file, &error.to_string()))?.len();
    let contents = Contents {
        jobs: row.number("jobs")?,
        runs: row.number("runs")?,
        checkpoints: row.number("checkpoints")?,
        datasets: row.number("datasets")?,
        bytes,
    };
    db.close().await?;
    Ok(contents)
}

//! What an error of the database means to the caller.

use sqlx::migrate::MigrateError;

use crate::StoreError;

/// SQLite's primary result codes.
const SQLITE_BUSY: i64 = 5;
const SQLITE_FULL: i64 = 13;
const SQLITE_NOTADB: i64 = 26;

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let code = match &error {
            sqlx::Error::Database(database) => database.code().and_then(|code| code.parse::<i64>().ok()),
            sqlx::Error::PoolTimedOut => return Self::Busy,
            sqlx::Error::PoolClosed => return closed(),
            _ => None,
        };
        match code.map(|code| code & 0xff) {
            Some(SQLITE_BUSY) => Self::Busy,
            Some(SQLITE_FULL) => Self::Full,
            Some(SQLITE_NOTADB) => Self::Unusable("the file is not a database".into()),
            _ => Self::Internal(error.to_string()),
        }
    }
}

/// The store was closed; nothing is done any more.
pub(super) fn closed() -> StoreError {
    StoreError::Unusable("the store is closed".into())
}

/// The error of a whole group, for each request of it.
pub(super) fn same(error: &StoreError) -> StoreError {
    match error {
        StoreError::Busy => StoreError::Busy,
        StoreError::Full => StoreError::Full,
        other => StoreError::Internal(format!("the group of writes was not committed: {other}")),
    }
}

/// Why the schema cannot be brought up to date; `known` is the newest one this program knows.
pub(super) fn migration(error: MigrateError, known: i64) -> StoreError {
    StoreError::Unusable(match error {
        MigrateError::VersionMissing(newer) if newer > known => format!(
            "the database has schema {newer}, this program knows {known}; use the version of vesicle that wrote it"
        ),
        MigrateError::VersionMissing(other) | MigrateError::VersionMismatch(other) => format!(
            "schema {other} of the database differs from this program's; it was written by another build of vesicle"
        ),
        other => format!("the schema of the database cannot be brought up to date: {other}"),
    })
}

//! What an error of a database means to the caller.

use sqlx::error::DatabaseError;
use sqlx::migrate::MigrateError;
use sqlx::postgres::PgDatabaseError;

use crate::StoreError;

/// SQLite's primary result codes.
const SQLITE_BUSY: i64 = 5;
const SQLITE_FULL: i64 = 13;
const SQLITE_NOTADB: i64 = 26;

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let known = match &error {
            sqlx::Error::Database(said) => match said.try_downcast_ref::<PgDatabaseError>() {
                Some(said) => postgres(said.code()),
                None => sqlite(said.as_ref()),
            },
            sqlx::Error::PoolTimedOut => Some(Self::Busy),
            sqlx::Error::PoolClosed => Some(closed()),
            sqlx::Error::Io(_) => Some(Self::Away),
            _ => None,
        };
        known.unwrap_or_else(|| Self::Internal(error.to_string()))
    }
}

fn sqlite(said: &dyn DatabaseError) -> Option<StoreError> {
    match said.code()?.parse::<i64>().ok()? & 0xff {
        SQLITE_BUSY => Some(StoreError::Busy),
        SQLITE_FULL => Some(StoreError::Full),
        SQLITE_NOTADB => Some(StoreError::Unusable("the file is not a database".into())),
        _ => None,
    }
}

/// By SQLSTATE: appendix A of the manual.
fn postgres(code: &str) -> Option<StoreError> {
    match code {
        // Serialization failure, deadlock, lock time-out; statement time-out; transaction left alone for too long.
        "40001" | "40P01" | "55P03" | "57014" | "25P03" => Some(StoreError::Busy),
        // Too many connections, out of memory.
        "53300" | "53200" => Some(StoreError::Busy),
        "53100" => Some(StoreError::Full),
        // It goes away, has crashed, or is not up yet.
        "57P01" | "57P02" | "57P03" => Some(StoreError::Away),
        _ if code.starts_with("08") => Some(StoreError::Away),
        _ => None,
    }
}

/// The store was closed; nothing is done any more.
pub(crate) fn closed() -> StoreError {
    StoreError::Unusable("the store is closed".into())
}

/// Why the schema cannot be brought up to date; `known` is the newest one this program knows.
pub(crate) fn migration(error: MigrateError, known: i64) -> StoreError {
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

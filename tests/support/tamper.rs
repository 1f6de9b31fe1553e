//! The database of a service, behind its back: rows that no server would change.

use sqlx::{
    AssertSqlSafe, Connection, Decode, PgConnection, Postgres, Sqlite, SqliteConnection, Type,
    sqlite::SqliteConnectOptions,
};

use super::Service;

/// A connection that no guard of the tables stops. What it is told is SQL that both databases understand; ids and bytes are
/// written into it, since they write them differently.
pub(crate) enum Tamper {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Tamper {
    pub(crate) async fn with(service: &Service) -> Self {
        match service.setting("VESICLE_DATABASE") {
            None => {
                let options = SqliteConnectOptions::new().filename(service.sqlite_file()).foreign_keys(false);
                Self::Sqlite(SqliteConnection::connect_with(&options).await.expect("the database opens"))
            }
            Some(address) => {
                let mut db = PgConnection::connect(address).await.expect("the database is there");
                // Neither triggers nor foreign keys.
                let unguarded = sqlx::query("SET session_replication_role = replica").execute(&mut db).await;
                unguarded.expect("it is the tests' own");
                Self::Postgres(db)
            }
        }
    }

    /// Takes away the trigger of this name, where it would fire.
    pub(crate) async fn unguard(&mut self, trigger: &str) {
        if let Self::Sqlite(db) = self {
            let drop = format!("DROP TRIGGER {trigger}");
            sqlx::query(AssertSqlSafe(drop)).execute(db).await.expect("it is there");
        }
    }

    /// An id as SQL.
    pub(crate) fn id(&self, id: &str) -> String {
        match self {
            Self::Sqlite(_) => format!("x'{}'", id.replace('-', "")),
            Self::Postgres(_) => format!("'{id}'::uuid"),
        }
    }

    /// Bytes as SQL.
    pub(crate) fn bytes(&self, bytes: &[u8]) -> String {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        match self {
            Self::Sqlite(_) => format!("x'{hex}'"),
            Self::Postgres(_) => format!(r"'\x{hex}'::bytea"),
        }
    }

    /// The only value of the first row; there must be one.
    pub(crate) async fn read<T>(&mut self, query: String) -> T
    where
        T: for<'r> Decode<'r, Sqlite> + Type<Sqlite> + for<'r> Decode<'r, Postgres> + Type<Postgres>,
        T: Send + Unpin,
    {
        let query = AssertSqlSafe(query);
        let value = match self {
            Self::Sqlite(db) => sqlx::query_scalar(query).fetch_one(db).await,
            Self::Postgres(db) => sqlx::query_scalar(query).fetch_one(db).await,
        };
        value.expect("there is such a row")
    }

    /// How many rows that changed.
    pub(crate) async fn change(&mut self, statement: String) -> u64 {
        let statement = AssertSqlSafe(statement);
        let rows = match self {
            Self::Sqlite(db) => sqlx::query(statement).execute(db).await.map(|done| done.rows_affected()),
            Self::Postgres(db) => sqlx::query(statement).execute(db).await.map(|done| done.rows_affected()),
        };
        rows.expect("rows can be changed")
    }

    pub(crate) async fn close(self) {
        let closed = match self {
            Self::Sqlite(db) => db.close().await,
            Self::Postgres(db) => db.close().await,
        };
        closed.expect("a connection can be closed");
    }
}

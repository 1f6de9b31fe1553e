//! Rows from one database to the other: the tables have the same names and columns in both.

use std::fmt::Write as _;
use std::path::Path;

use futures::TryStreamExt as _;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _, SqliteConnection};
use uuid::Uuid;

use super::unusable;
use crate::rows::broken;
use crate::{PostgresOptions, Result, StoreError, postgres};

/// Every table but `meta`, which is about one database; what a row names comes before it. The second word is the
/// order of rows.
const TABLES: [(&str, &str); 15] = [
    ("job", "id"),
    ("run", "id"),
    ("event", "job_id, seq"),
    ("series", "id"),
    ("metric", "series_id, step"),
    ("metric_blob", "series_id, step"),
    ("checkpoint", "run_id, step"),
    ("checkpoint_chunk", "digest, n"),
    ("dataset", "hash"),
    ("dataset_name", "name"),
    ("dataset_chunk", "hash, n"),
    ("worker", "id"),
    ("idempotency", "key"),
    ("job_source", "job_id, place"),
    ("forgotten", "digest"),
];

/// Text that is sent at once.
const SLICE_BYTES: usize = 4 << 20;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Flag,
    Text,
    Id,
    Bytes,
}

#[derive(Debug)]
struct Table {
    name: &'static str,
    order: &'static str,
    columns: Vec<(String, Kind)>,
}

impl Table {
    fn list(&self) -> String {
        self.columns.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
    }

    fn select(&self) -> String {
        format!("SELECT {} FROM {} ORDER BY {}", self.list(), self.name, self.order)
    }
}

/// The tables as the Postgres database has them.
async fn tables(db: &mut PgConnection) -> Result<Vec<Table>> {
    let mut tables = Vec::new();
    for (name, order) in TABLES {
        let columns = sqlx::query_as::<_, (String, String)>(
            "SELECT column_name::text, data_type::text FROM information_schema.columns
             WHERE table_schema = current_schema() AND table_name = $1 ORDER BY ordinal_position",
        );
        let kind = |(column, kind): (String, String)| match kind.as_str() {
            "bigint" => Ok((column, Kind::Number)),
            "boolean" => Ok((column, Kind::Flag)),
            "text" => Ok((column, Kind::Text)),
            "uuid" => Ok((column, Kind::Id)),
            "bytea" => Ok((column, Kind::Bytes)),
            other => Err(broken(format!("column {name}.{column} is {other}"))),
        };
        let columns = columns.bind(name).fetch_all(&mut *db).await?;
        tables.push(Table { name, order, columns: columns.into_iter().map(kind).collect::<Result<_>>()? });
    }
    Ok(tables)
}

/// Copies all rows, as they are at one moment, into the tables of a SQLite file.
pub(super) async fn from_postgres(options: &PostgresOptions, to: &Path) -> Result<()> {
    let mut from = postgres::connect_as_is(options).await?;
    let mut to = SqliteConnection::connect(&format!("sqlite:{}", to.display())).await?;
    sqlx::query("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY").execute(&mut from).await?;
    sqlx::query("BEGIN").execute(&mut to).await?;
    for table in tables(&mut from).await? {
        let places: Vec<_> = (1..=table.columns.len()).map(|n| format!("${n}")).collect();
        let insert = format!("INSERT INTO {} ({}) VALUES ({})", table.name, table.list(), places.join(", "));
        let mut rows = sqlx::query(AssertSqlSafe(table.select())).fetch(&mut from);
        while let Some(row) = rows.try_next().await? {
            insert_into_sqlite(&mut to, &insert, &table, &row).await?;
        }
    }
    sqlx::query("COMMIT").execute(&mut to).await?;
    to.close().await?;
    Ok(from.close().await?)
}

async fn insert_into_sqlite(db: &mut SqliteConnection, sql: &str, table: &Table, row: &PgRow) -> Result<()> {
    let mut insert = sqlx::query(AssertSqlSafe(sql.to_owned()));
    for (at, (_, kind)) in table.columns.iter().enumerate() {
        insert = match kind {
            Kind::Number => insert.bind(row.try_get::<Option<i64>, _>(at)?),
            Kind::Flag => insert.bind(row.try_get::<Option<bool>, _>(at)?),
            Kind::Text => insert.bind(row.try_get::<Option<String>, _>(at)?),
            Kind::Id => insert.bind(row.try_get::<Option<Uuid>, _>(at)?),
            Kind::Bytes => insert.bind(row.try_get::<Option<Vec<u8>>, _>(at)?),
        };
    }
    insert.execute(db).await?;
    Ok(())
}

/// Copies all rows of a SQLite file into a Postgres database that has none.
pub(super) async fn to_postgres(from: &Path, options: &PostgresOptions) -> Result<()> {
    let mut source = super::reader(from).await?;
    let mut to = postgres::connect_as_is(options).await?;
    let mut to = to.begin().await?;
    sqlx::query("LOCK TABLE job, dataset IN EXCLUSIVE MODE").execute(&mut *to).await?;
    let taken =
        sqlx::query("SELECT 1 FROM job UNION ALL SELECT 1 FROM dataset LIMIT 1").fetch_optional(&mut *to);
    if taken.await?.is_some() {
        return Err(StoreError::Unusable(
            "the database has jobs or data sets; restore into an empty one".into(),
        ));
    }
    for table in tables(&mut to).await? {
        let copy = format!("COPY {} ({}) FROM STDIN (FORMAT csv)", table.name, table.list());
        let mut copy = to.copy_in_raw(&copy).await?;
        let mut rows = sqlx::query(AssertSqlSafe(table.select())).fetch(&mut source);
        let mut text = String::new();
        while let Some(row) = rows.try_next().await? {
            write_csv(&mut text, &table, &row)?;
            if text.len() >= SLICE_BYTES {
                copy.send(std::mem::take(&mut text).into_bytes()).await?;
            }
        }
        copy.send(text.into_bytes()).await?;
        copy.finish().await?;
    }
    let next = "SELECT setval(pg_get_serial_sequence('series', 'id'), max(id)) FROM series HAVING max(id) IS NOT NULL";
    sqlx::query(next).execute(&mut *to).await?;
    to.commit().await?;
    source.close().await.map_err(|error| unusable(from, &error.to_string()))
}

/// A line of CSV: nothing stands for NULL, texts are in quotes.
fn write_csv(out: &mut String, table: &Table, row: &SqliteRow) -> Result<()> {
    for (at, (_, kind)) in table.columns.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        let field = match kind {
            Kind::Number => row.try_get::<Option<i64>, _>(at)?.map(|number| number.to_string()),
            Kind::Flag => row.try_get::<Option<bool>, _>(at)?.map(|flag| flag.to_string()),
            Kind::Id => row.try_get::<Option<Uuid>, _>(at)?.map(|id| id.to_string()),
            Kind::Bytes => row.try_get::<Option<Vec<u8>>, _>(at)?.map(|bytes| hex(&bytes)),
            // A text of an older SQLite store may hold what Postgres has no place for.
            Kind::Text => row
                .try_get::<Option<String>, _>(at)?
                .map(|text| format!("\"{}\"", crate::rows::text(&text).replace('"', "\"\""))),
        };
        out.push_str(&field.unwrap_or_default());
    }
    out.push('\n');
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 + 2 * bytes.len());
    text.push_str("\\x");
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a String takes everything");
    }
    text
}

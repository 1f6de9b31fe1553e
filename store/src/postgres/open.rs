//! Connecting to a database: it can be written, keeps what it answers, is ours and up to date.

use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection as _, Row as _};

use super::listen::Listener;
use super::warm::Warm;
use super::{Db, Postgres, PostgresOptions, plain};
use crate::gather::Gather;
use crate::{Result, StoreError, sqlx_error};

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../migrations/postgres");

/// The oldest Postgres that is tested.
const LEAST_VERSION: i64 = 150_000;
/// How long a request waits for a free connection.
const POOL_WAIT: Duration = Duration::from_secs(5);
/// A connection that answered so lately is used as it is.
pub(super) const TRUSTED: Duration = Duration::from_secs(1);
/// Large groups of reports that are written at the same time, and of submissions: together fewer than the connections of a
/// server.
const GROUPS: usize = 3;
/// What a transaction may take: a server that hangs must not hold the others up. And no plan that reads whole tables, or sorts
/// them, where an index would do: plans are made once, when tables are small, and stay when they have grown.
pub(super) const SETTINGS: [(&str, &str); 6] = [
    ("statement_timeout", "30s"),
    ("lock_timeout", "5s"),
    ("idle_in_transaction_session_timeout", "30s"),
    ("enable_seqscan", "off"),
    ("enable_bitmapscan", "off"),
    ("plan_cache_mode", "force_generic_plan"),
];
/// Bringing the schema up to date may take longer, and other servers wait for it.
const MIGRATION_LIMITS: [(&str, &str); 1] = [("lock_timeout", "300s")];

pub(super) async fn open(options: PostgresOptions) -> Result<Postgres> {
    let address = Address::of(&options)?;
    let mut db = address.connect(&MIGRATION_LIMITS).await?;
    // Under an advisory lock: several servers may start at once.
    let migrated = MIGRATIONS.run_direct(None, &mut db, false).await;
    migrated.map_err(|error| sqlx_error::migration(error, newest()))?;
    db.close().await?;

    let listener = Listener::start(address.connect.clone());
    let pool = PgPoolOptions::new().max_connections(options.connections.max(1)).acquire_timeout(POOL_WAIT);
    // Asking whether it still answers is a way to the database and back, as long as what a small transaction does there.
    let pool = pool.test_before_acquire(false).before_acquire(|db, connection| {
        Box::pin(async move { Ok(connection.idle_for < TRUSTED || db.ping().await.is_ok()) })
    });
    let pool = pool.connect_with(address.connect.options(SETTINGS)).await?;
    let (reports, submissions) = (Gather::new(GROUPS), Gather::new(GROUPS));
    Ok(Postgres {
        pool,
        reports,
        submissions,
        clock: Arc::default(),
        remembered: plain::Remembered::default(),
        warm: Warm::of(options.connections),
        policy: options.policy,
        listener: Arc::new(listener),
    })
}

/// Version, place and schema.
pub(super) async fn describe(options: &PostgresOptions) -> Result<String> {
    let address = Address::of(options)?;
    let mut db = address.connect(&[]).await?;
    let version: String =
        sqlx::query_scalar("SELECT current_setting('server_version')").fetch_one(&mut db).await?;
    let schema =
        schema(&mut db).await.map_or("no tables yet".to_owned(), |schema| format!("schema {schema}"));
    db.close().await?;
    Ok(format!("Postgres {version} at {}; {schema}", address.shown))
}

/// Connects to a database whose schema is this program's, and changes nothing.
pub(crate) async fn connect_as_is(options: &PostgresOptions) -> Result<Db> {
    let address = Address::of(options)?;
    let mut db = address.connect(&[]).await?;
    let found = schema(&mut db).await;
    if found == Some(newest()) {
        return Ok(db);
    }
    let found = found.map_or("none".to_owned(), |version| version.to_string());
    Err(address.unusable(&format!(
        "its schema is {found}, this program's is {}; use the version of its server",
        newest()
    )))
}

/// The schema that a database has, if it has any.
async fn schema(db: &mut Db) -> Option<i64> {
    let found = sqlx::query("SELECT max(version) AS version FROM _sqlx_migrations").fetch_optional(db).await;
    found.ok().flatten().and_then(|row| row.try_get::<Option<i64>, _>("version").ok()).flatten()
}

/// The newest schema that this program knows.
fn newest() -> i64 {
    MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0)
}

/// A database, and how messages name it: without what may be a password.
struct Address {
    connect: PgConnectOptions,
    shown: String,
}

impl Address {
    fn of(options: &PostgresOptions) -> Result<Self> {
        let connect = PgConnectOptions::from_str(&options.url)
            .map_err(|error| StoreError::Unusable(format!("the address of the database is wrong: {error}")))?
            .application_name("vesicle");
        let name = connect.get_database().unwrap_or(connect.get_username());
        let shown = format!("{}:{}, database {name}", connect.get_host(), connect.get_port());
        Ok(Self { connect, shown })
    }

    async fn connect(&self, limits: &[(&str, &str)]) -> Result<Db> {
        let connected = Db::connect_with(&self.connect.clone().options(limits.iter().copied())).await;
        let mut db = connected.map_err(|error| self.unusable(&format!("cannot connect: {error}")))?;
        check(&mut db).await?.map_err(|why| self.unusable(&why))?;
        Ok(db)
    }

    fn unusable(&self, why: &str) -> StoreError {
        StoreError::Unusable(format!("{}: {why}", self.shown))
    }
}

/// Whether this database will do.
async fn check(db: &mut Db) -> Result<std::result::Result<(), String>> {
    let row = sqlx::query(
        "SELECT current_setting('server_version_num')::bigint AS version, current_setting('server_version') AS shown,
           current_setting('server_encoding') AS encoding, pg_is_in_recovery() AS standby,
           current_setting('synchronous_commit') AS synchronous, current_schema() IS NULL AS nowhere,
           to_regclass('_sqlx_migrations') IS NULL
             AND EXISTS (SELECT 1 FROM pg_tables WHERE schemaname = current_schema()) AS theirs",
    )
    .fetch_one(db)
    .await?;
    let (shown, encoding): (String, String) = (row.try_get("shown")?, row.try_get("encoding")?);
    let synchronous: String = row.try_get("synchronous")?;
    Ok(if row.try_get::<i64, _>("version")? < LEAST_VERSION {
        Err(format!("it is Postgres {shown}; it must be {} or newer", LEAST_VERSION / 10_000))
    } else if encoding != "UTF8" {
        Err(format!("its encoding is {encoding}; it must be UTF8"))
    } else if row.try_get("standby")? {
        Err("it is a standby, which cannot be written; connect to the primary".into())
    } else if synchronous == "off" {
        Err("its synchronous_commit is off, which loses answered writes in a crash; turn it on".into())
    } else if row.try_get("nowhere")? {
        Err("no schema of its search_path exists; create one".into())
    } else if row.try_get("theirs")? {
        Err("it has tables of another program; make a database for vesicle alone".into())
    } else {
        Ok(())
    })
}

//! What whoever runs the tests asks for: on which database, and how long.

use store::conformance::Cluster;

/// Which database a service has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Database {
    /// A file in the folder of the service.
    Sqlite,
    /// One of a temporary Postgres.
    Postgres,
}

impl Database {
    /// `make e2e DB=postgres`; SQLite if nobody asks.
    pub(crate) fn asked_for() -> Self {
        match asked("E2E_DB").as_deref() {
            None | Some("sqlite") => Self::Sqlite,
            Some("postgres") => Self::Postgres,
            Some(other) => panic!("the database is {other}; it must be sqlite or postgres"),
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }

    /// What a server is started with: on Postgres with a database that nobody else has.
    pub(crate) async fn settings(self) -> Vec<(&'static str, String)> {
        match self {
            Self::Sqlite => Vec::new(),
            Self::Postgres => {
                let cluster = Cluster::shared().expect("who asks for Postgres has it installed");
                vec![("VESICLE_DATABASE", cluster.database().await)]
            }
        }
    }
}

/// Why a service is on SQLite whatever was asked for: all tests of which that is so, and the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnSqlite {
    /// `powercut`: what is replayed is how this server writes its file.
    WritesItself,
    /// `faults::disk`, `faults::room`: the disk that is full is the one that the server writes to.
    FullDisk,
    /// `retention`: the database of an older version is a file.
    OldFile,
}

/// Whether all is wanted that a promise is about: `make reliability`, `make load` and `make chaos`.
pub(crate) fn asked_for_all() -> bool {
    asked("E2E_LONG").is_some()
}

/// How often, or how many: `few` in `make test`, `all` in the long forms of the same tests.
pub(crate) fn times<T>(few: T, all: T) -> T {
    if asked_for_all() { all } else { few }
}

/// The value of a variable that is set to something.
pub(crate) fn asked(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

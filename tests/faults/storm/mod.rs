//! The storm: everything goes wrong at once and again, and nobody can tell from the results.
//!
//! Real processes, one server on SQLite or two on Postgres, four workers. Seeded faults come as soon as there is
//! something worth hitting; users send jobs and follow them meanwhile. Afterwards the checker, which shares no code with
//! the service, reads the database and what users saw.

mod clients;
mod evidence;
mod fault;
mod inflict;
pub(crate) mod logs;
mod long;
mod round;
mod stage;

use crate::support::Database;

/// Another one makes other faults at other moments; a failure names the one it had.
const SEED: u64 = 7;

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_runs_survive_thirty_faults() {
    let seed = std::env::var("E2E_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(SEED);
    let outcome = round::play(Database::asked_for(), seed).await.expect("its database is installed");
    eprintln!("{}", outcome.line);
    assert!(outcome.faults >= 20, "{outcome:?}");
}

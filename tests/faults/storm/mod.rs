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

use crate::support::{Database, asked, asked_for_all};

/// Another one makes other faults at other moments; a failure names the one it had.
const SEED: u64 = 7;

/// One round, on whatever database; ten of them by `make chaos SEED=1 DB=sqlite`.
#[tokio::test(flavor = "multi_thread")]
async fn runs_survive_faults_of_every_kind() {
    let seed = asked("E2E_SEED").map_or(SEED, |seed| seed.parse().expect("E2E_SEED is a number"));
    let database = Database::asked_for();
    if asked_for_all() {
        return long::play(database, seed).await;
    }
    let outcome = round::play(database, seed).await.expect("its database is installed");
    eprintln!("{}", outcome.line);
    assert!(outcome.faults >= 20, "{outcome:?}");
}

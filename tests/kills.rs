//! The kill test: server and workers are killed again and again, and nobody can tell from the results.

mod chaos;
mod evidence;

use std::time::Duration;

use chaos::{Chaos, Fault};
use evidence::Evidence;
pub(crate) use evidence::assert_seen_all;

use crate::{
    checker::{self, Records, kinds},
    support::{Random, digits_job},
};

/// Another one makes other kills; a failure names the one it had.
const SEED: u64 = 20;
const RUNS: u32 = 20;
/// Epochs of 65 steps.
const EPOCHS: u32 = 4;
const SWEEPS: u32 = 600;

/// Kills that must each have ended an attempt on its way, as the event log shows.
const ENDED_ATTEMPTS: usize = 20;
/// Kills of the server that must have hit it with a report in flight, and as many of them with the worker of that report.
const REPORTS_IN_FLIGHT: usize = 5;

#[tokio::test(flavor = "multi_thread")]
async fn kills_of_server_and_workers_leave_no_trace_in_the_results() {
    let seed = std::env::var("E2E_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(SEED);
    let mut random = Random::seeded(seed);
    // A few more than must count: a run may end just before its worker dies.
    let mut plan =
        [vec![Fault::Worker; 16], vec![Fault::ServerAndWorker; 8], vec![Fault::Server; 2]].concat();
    random.shuffle(&mut plan);

    let mut chaos = Chaos::begin(&digits_job(RUNS, EPOCHS, SWEEPS), random).await;
    let steps = chaos.steps().await;
    assert!(steps >= 200, "a run has {steps} steps");
    for fault in plan {
        if !chaos.inflict(fault).await {
            break; // the job is over; the evidence says whether that was too early
        }
    }
    let (kills, seen) = chaos.end(Duration::from_secs(120)).await;

    checker::assert_sound(&kills.database, &kills.history).await;
    let records = Records::read(&kills.database).await;
    assert_seen_all(&records, &kills.job, &seen);
    let evidence = Evidence::of(&records, &kills);
    eprintln!("seed {seed}: {evidence:?}; events {:?}", kinds(&records.jobs[&kills.job].events));
    assert_eq!(records.runs.len(), RUNS as usize);
    assert!(records.runs.values().all(|run| run.state == "succeeded"), "every run succeeds");
    assert!(
        evidence.ended_attempts >= ENDED_ATTEMPTS,
        "seed {seed}: too few kills ended an attempt: {evidence:?}"
    );
    assert!(
        evidence.in_flight >= REPORTS_IN_FLIGHT && evidence.in_flight_and_ended >= REPORTS_IN_FLIGHT,
        "seed {seed}: too few kills of the server met a report: {evidence:?}"
    );
}

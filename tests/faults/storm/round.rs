//! A round: a hundred runs, thirty faults, and what the checker says afterwards.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::json;

use super::{
    evidence::{self, Evidence, Inflicted},
    fault,
    inflict::Effect,
    stage::Stage,
};
use crate::{
    checker::{self, History, Records},
    support::{Database, PROMPT, Random, Reference, text, undisturbed},
};

/// Runs of a round, at least.
pub(super) const RUNS: usize = 100;
/// After the last fault nobody waits for so long for anything.
const QUIET: Duration = Duration::from_secs(120);

/// What a round came to.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) faults: usize,
    /// As a line of the journal.
    pub(super) line: serde_json::Value,
}

/// Plays a round; `None` where its database is not installed.
///
/// # Panics
/// If a promise is broken, or a fault does not show.
pub(super) async fn play(database: Database, seed: u64) -> Option<Outcome> {
    let began = Instant::now();
    let mut stage = Stage::set(database, RUNS, seed).await?;
    let mut random = Random::seeded(!seed);
    let mut inflicted = Vec::new();
    for fault in fault::plan(|fault| stage.can(fault), &mut random) {
        let mut effect = stage.inflict(fault).await;
        while matches!(effect, Effect::None) {
            effect = stage.inflict(fault).await;
        }
        inflicted.push(Inflicted { fault, effect });
    }
    let stormed = began.elapsed();
    stage.clients.enough();
    (&mut stage.busy).await.expect("every job was taken in the end");
    stage.clients.until_all_ended(QUIET).await;

    let (clients, logs) = (Arc::clone(&stage.clients), stage.clients.logs.all());
    let runs = clients.runs_at(&stage.servers[0].client).await;
    let folder = stage.servers[0].folder().to_owned();
    let undisturbed = all_undisturbed(&runs, &folder).await;
    let history = History { answered: clients.answered(), undisturbed };
    let file = stage.rest().await;
    checker::assert_sound(&file, &history).await;
    let records = Records::read(&file).await;
    for (job, seen) in &logs {
        crate::kills::assert_seen_all(&records, job, seen);
    }
    assert!(records.runs.values().all(|run| run.state == "succeeded"), "every run succeeds");
    assert!(records.runs.len() >= RUNS, "{} runs", records.runs.len());

    let evidence = Evidence::of(&records, &inflicted);
    evidence.assert_every_fault_showed();
    assert_eq!(evidence::of_what_never_happened(&records, &inflicted).shown(), 0, "negative control");
    let attempts: u64 = records.runs.values().map(|run| run.attempt).sum();
    let line = json!({
        "seed": seed, "runs": records.runs.len(), "jobs": records.jobs.len(), "attempts": attempts,
        "faults": inflicted.len(), "shown": evidence.to_json(), "streams_began": clients.logs.connections(),
        "storm_s": stormed.as_secs(), "all_s": began.elapsed().as_secs(),
    });
    Some(Outcome { faults: inflicted.len(), line })
}

impl Stage {
    /// Lets everything end well; answers the database as one file.
    async fn rest(&mut self) -> PathBuf {
        for post in self.posts.drain(..) {
            let status = post.worker.terminate(PROMPT).await;
            assert!(status.success(), "a worker ended with {status}");
        }
        // Of Postgres while both servers run; SQLite's is the file itself.
        let file = self.servers[0].database().await;
        for server in &mut self.servers {
            server.stop_server().await;
        }
        file
    }
}

/// What every run must give: computed once for those that must give the same.
async fn all_undisturbed(
    runs: &BTreeMap<String, Vec<serde_json::Value>>,
    folder: &Path,
) -> BTreeMap<String, Reference> {
    let one_each: Vec<_> = runs.values().map(|same| same[0].clone()).collect();
    let computed = undisturbed(&super::clients::small_job(), &one_each, folder).await;
    let mut all = BTreeMap::new();
    for same in runs.values() {
        let reference = &computed[&text(&same[0], "id")];
        all.extend(same.iter().map(|run| (text(run, "id"), reference.clone())));
    }
    all
}

//! The checker of histories: it reads the database of a service that has come to rest, and what clients saw, and
//! names every promise that was broken.
//!
//! It shares no code with the service. What it may rely on are the tables and the contract of the events.

mod invariants;
mod records;
mod results;

use std::{collections::BTreeMap, fmt, path::Path};

pub(crate) use records::{Records, kinds};

use crate::support::Reference;

/// What is promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Invariant {
    /// Each key that was answered made one job, and that job is there.
    I1,
    /// A job has one terminal event, and each of its runs one; they say what the rows say.
    I2,
    /// Nothing happens to a job or a run after its end.
    I3,
    /// Events are numbered 1, 2, … n.
    I4,
    /// Attempts of a run are numbered 1, 2, … and at most one is open.
    I5,
    /// Nothing was written by an attempt after the next one was granted.
    I6,
    /// Each metric is there at each of its steps, once.
    I7,
    /// Each checkpoint is there with all its bytes.
    I8,
    /// Each attempt went on from the newest good checkpoint.
    I9,
    /// Digests and metrics are those of an undisturbed run, bit for bit.
    I11,
    /// The database is sound.
    I12,
}

/// A promise that was broken, and how.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Violation {
    pub(crate) invariant: Invariant,
    what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.invariant, self.what)
    }
}

/// What clients know by themselves.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    /// Keys of submissions that were answered, with the job that the answer named.
    pub(crate) answered: Vec<(String, String)>,
    /// By run id: what it gives when nothing disturbs it.
    pub(crate) undisturbed: BTreeMap<String, Reference>,
}

/// Everything that is wrong with a database that has come to rest.
pub(crate) async fn check(database: &Path, history: &History) -> Vec<Violation> {
    judge(database, history, true).await
}

/// Everything that is wrong with one in which things are on their way, such as a backup.
pub(crate) async fn check_under_way(database: &Path, history: &History) -> Vec<Violation> {
    judge(database, history, false).await
}

async fn judge(database: &Path, history: &History, at_rest: bool) -> Vec<Violation> {
    let records = Records::read(database).await;
    let mut found = Findings::default();
    invariants::keys_made_one_job_each(&records, history, &mut found);
    invariants::everything_ended_once(&records, at_rest, &mut found);
    invariants::nothing_follows_an_end(&records, &mut found);
    invariants::events_are_numbered(&records, &mut found);
    invariants::attempts_rise_one_at_a_time(&records, &mut found);
    invariants::superseded_attempts_wrote_nothing(&records, &mut found);
    invariants::attempts_went_on_from_the_newest_checkpoint(&records, &mut found);
    results::metrics_are_complete(&records, history, &mut found);
    results::checkpoints_are_whole(&records, &mut found);
    results::results_are_undisturbed(&records, history, &mut found);
    found.0.extend(
        records.damage.iter().map(|what| Violation { invariant: Invariant::I12, what: what.clone() }),
    );
    found.0
}

/// Panics with everything that is wrong.
pub(crate) async fn assert_sound(database: &Path, history: &History) {
    assert_none(&check(database, history).await);
}

/// Panics with what was found, if anything was.
pub(crate) fn assert_none(found: &[Violation]) {
    let lines: Vec<_> = found.iter().take(30).map(ToString::to_string).collect();
    assert!(found.is_empty(), "{} promises broken:\n{}", found.len(), lines.join("\n"));
}

/// Violations as they are found.
#[derive(Debug, Default)]
struct Findings(Vec<Violation>);

impl Findings {
    fn unless(&mut self, holds: bool, invariant: Invariant, what: impl FnOnce() -> String) {
        if !holds {
            self.0.push(Violation { invariant, what: what() });
        }
    }
}

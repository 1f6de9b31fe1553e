//! Finished runs that a job builds on.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::limits::{Errors, shown};
use crate::{CheckpointRef, RunId};

/// Sources of a job.
pub(crate) const SOURCES: usize = 8;
/// Length of the name of a source, in bytes.
const NAME: usize = 64;

/// A finished run that a job builds on, as a user writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceSpec {
    /// What the experiment calls it, such as `network`.
    #[serde(rename = "as")]
    pub name: String,
    /// Id of the run, or its first 6 or more digits; whole once the job is stored.
    pub run: String,
    /// Which of its checkpoints.
    #[serde(default)]
    pub step: SourceStep,
}

/// Which checkpoint of a run: of a step, or the newest one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SourceStep {
    /// The one at this step.
    At(u64),
    /// The newest one.
    Newest(Last),
}

/// The word `last`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Last {
    /// `last`.
    Last,
}

impl Default for SourceStep {
    fn default() -> Self {
        Self::Newest(Last::Last)
    }
}

/// A source as it was resolved when the job was submitted; its checkpoint is kept as long as the job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobSource {
    /// What the experiment calls it.
    pub name: String,
    /// The run.
    pub run: RunId,
    /// Its checkpoint.
    pub checkpoint: CheckpointRef,
}

/// Checks each source by itself, and that no name comes twice.
pub(crate) fn check(from: &[SourceSpec], errors: &mut Errors) {
    if !errors.most("/from", "runs", from.len(), SOURCES) {
        return;
    }
    let mut names = BTreeSet::new();
    for (at, SourceSpec { name, run, .. }) in from.iter().enumerate() {
        let field = |field| format!("/from/{at}/{field}");
        let mut letters = name.bytes();
        let starts = letters.next().is_some_and(|b| b.is_ascii_lowercase());
        let goes_on = letters.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if !starts || !goes_on || name.len() > NAME {
            let rule = format!("1 to {NAME} of a-z, 0-9 and _, beginning with a letter");
            errors.add(field("as"), shown(name.as_str()), rule);
        } else if !names.insert(name) {
            errors.add(field("as"), shown(name.as_str()), "different from the names before it");
        }
        let is_id = (6..=36).contains(&run.len()) && run.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
        if !is_id {
            errors.add(field("run"), shown(run.as_str()), "the id of a run, or its first 6 or more digits");
        }
    }
}

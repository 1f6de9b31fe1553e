//! Limits of a job's spec, each with a message that names the field, its value and the rule.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use serde_json::Value as Json;

use crate::{JobSpec, SpecError, retention, source};

/// Runs of a job.
pub(crate) const RUNS: usize = 1_000;
/// Paths of a random sweep.
pub(crate) const RANGES: usize = 64;
/// Length of a name, in bytes.
pub(crate) const NAME: usize = 128;
const LABELS: usize = 32;
const LABEL: usize = 256;
const PRIORITY: i32 = 100;
const WALL_S: u64 = 604_800;
const MEMORY: (u64, u64) = (1 << 20, 1 << 40);
/// Errors named in one answer; a spec with more is hardly read to the end.
const ERRORS: usize = 100;

/// Everything that is wrong, each field once.
#[derive(Debug, Default)]
pub(crate) struct Errors {
    errors: Vec<SpecError>,
    fields: BTreeSet<String>,
}

impl Errors {
    /// "`field` is `value`; it must be `rule`".
    pub(crate) fn add(&mut self, field: impl Into<String>, value: impl Display, rule: impl Display) {
        let field = field.into();
        if self.errors.len() < ERRORS && self.fields.insert(field.clone()) {
            self.errors.push(SpecError { field, rule: format!("is {value}; it must be {rule}") });
        }
    }

    /// Notes when there are more than `limit` things; answers whether there are not.
    pub(crate) fn most(&mut self, field: &str, things: &str, count: usize, limit: usize) -> bool {
        if count > limit {
            self.add(field, format!("{count} {things}"), format!("at most {limit}"));
        }
        count <= limit
    }

    pub(crate) fn into_result(self) -> Result<(), Vec<SpecError>> {
        if self.errors.is_empty() { Ok(()) } else { Err(self.errors) }
    }
}

/// Checks each field by itself.
pub(crate) fn check(spec: &JobSpec, errors: &mut Errors) {
    if let Some(name) = &spec.name {
        check_name("/name", name, errors);
    }
    check_name("/experiment", &spec.experiment, errors);
    if let Some(preset) = &spec.preset {
        check_name("/preset", preset, errors);
    }
    if let Some(dataset) = &spec.dataset
        && (dataset.is_empty() || dataset.len() > NAME)
    {
        errors.add("/dataset", format!("{} bytes long", dataset.len()), format!("1 to {NAME} bytes long"));
    }
    source::check(&spec.from, errors);
    retention::check(&spec.keep, errors);
    check_labels("/labels", &spec.labels, errors);
    check_labels("/requires", &spec.requires, errors);
    within("/priority", spec.priority, -PRIORITY, PRIORITY, errors);
    within("/limits/wall_s", spec.limits.wall_s, 1, WALL_S, errors);
    within("/limits/memory_bytes", spec.limits.memory_bytes, MEMORY.0, MEMORY.1, errors);
    for (field, steps) in [("/every", spec.every), ("/checkpoint_every_steps", spec.checkpoint_every_steps)] {
        if steps == Some(0) {
            errors.add(field, 0, "at least 1");
        }
    }
}

fn within<T: PartialOrd + Display>(field: &str, value: T, least: T, most: T, errors: &mut Errors) {
    if value < least || value > most {
        errors.add(field, value, format!("{least} to {most}"));
    }
}

fn check_name(field: &str, name: &str, errors: &mut Errors) {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | ' ' | '-');
    if name.is_empty() || name.len() > NAME || !name.chars().all(allowed) {
        errors.add(field, shown(name), format!("1 to {NAME} of the characters A-Z a-z 0-9 . _ - and space"));
    }
}

fn check_labels(field: &str, labels: &BTreeMap<String, String>, errors: &mut Errors) {
    errors.most(field, "labels", labels.len(), LABELS);
    for (key, value) in labels {
        let pointer = || format!("{field}/{}", escape(&key.chars().take(64).collect::<String>()));
        if key.is_empty() || key.len() > LABEL {
            errors.add(
                pointer(),
                format!("a key of {} bytes", key.len()),
                format!("a key of 1 to {LABEL} bytes"),
            );
        } else if value.len() > LABEL {
            errors.add(
                pointer(),
                format!("{} bytes long", value.len()),
                format!("at most {LABEL} bytes long"),
            );
        }
    }
}

/// A key as part of a JSON pointer.
pub(crate) fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// A value for a message, cut to what a person reads.
pub(crate) fn shown(value: impl Into<Json>) -> String {
    let text = value.into().to_string();
    if text.chars().count() <= 64 { text } else { text.chars().take(63).chain(['…']).collect() }
}

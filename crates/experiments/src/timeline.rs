//! A protocol as data: what happens to a simulation at which time.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ParamError;

/// Something that happens at a time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Entry {
    /// Something is removed for ever. A phase begins.
    Lesion {
        /// When, in s.
        at_s: f64,
        /// What.
        remove: Remove,
        /// Which part of it, from 0 to 1: of neurons the most selective ones, of connections any.
        #[serde(default = "whole")]
        share: f64,
    },
    /// Settings change; those that are not named stay.
    Set {
        /// When, in s.
        at_s: f64,
        /// The temperature.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        temperature: Option<f64>,
        /// The mean of the prior.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        prior_mean: Option<f64>,
        /// Whether synapses change.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        plasticity: Option<bool>,
    },
    /// Which areas are shown patterns while learning.
    Clamp {
        /// When, in s.
        at_s: f64,
        /// Vision.
        vision: bool,
        /// Sound.
        sound: bool,
    },
    /// Which patterns are shown together while learning.
    Dataset {
        /// When, in s.
        at_s: f64,
        /// Which.
        pairs: Pairs,
    },
    /// A test, and a phase begins as after a lesion.
    Record {
        /// When, in s.
        at_s: f64,
    },
}

/// What a lesion removes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Remove {
    /// Neurons of the visual area that fire more for the second digit than for the first.
    VisionNeurons,
    /// Connections between the areas that are functional now.
    FunctionalConnections,
    /// All connections between the areas, potential ones too.
    AllConnections,
}

/// Which patterns are shown together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pairs {
    /// Image and sound of the same digit.
    Same,
    /// Of different digits.
    Swapped,
    /// Of digits drawn apart.
    Random,
}

fn whole() -> f64 {
    1.0
}

impl Entry {
    /// When, in s.
    pub fn at_s(&self) -> f64 {
        match *self {
            Self::Lesion { at_s, .. }
            | Self::Set { at_s, .. }
            | Self::Clamp { at_s, .. }
            | Self::Dataset { at_s, .. }
            | Self::Record { at_s } => at_s,
        }
    }

    /// Whether a phase begins with it.
    pub fn begins_a_phase(&self) -> bool {
        matches!(self, Self::Lesion { .. } | Self::Record { .. })
    }
}

/// Entries come in order, within 0 … `end_s`, at multiples of `grid_s`, with numbers in their ranges.
///
/// # Errors
/// The entry and the rule it breaks.
pub(crate) fn check(entries: &[Entry], end_s: f64, grid_s: f64) -> Result<(), ParamError> {
    let mut before = 0.0;
    for (i, entry) in entries.iter().enumerate() {
        let fail = |rule: String| Err(ParamError::new(&format!("timeline/{i}"), entry, rule));
        let at_s = entry.at_s();
        if !(0.0..=end_s).contains(&at_s) {
            return fail(format!("`at_s` must be from 0 to the end at {end_s} s"));
        }
        if at_s % grid_s != 0.0 {
            return fail(format!("`at_s` must be a multiple of {grid_s} s"));
        }
        if at_s < before {
            return fail(format!("entries are in order of time, and the one before is at {before} s"));
        }
        before = at_s;
        let numbers = match *entry {
            Entry::Lesion { share, .. } => [Some(("share", share, 0.0, 1.0)), None],
            Entry::Set { temperature, prior_mean, .. } => [
                temperature.map(|value| ("temperature", value, 0.0, 10.0)),
                prior_mean.map(|value| ("prior_mean", value, -5.0, 5.0)),
            ],
            _ => [None, None],
        };
        for (name, value, least, most) in numbers.into_iter().flatten() {
            if !(least..=most).contains(&value) {
                return fail(format!("`{name}` must be from {least} to {most}"));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Vec<Entry>, String> {
        let entries: Vec<Entry> = serde_json::from_str(json).map_err(|error| error.to_string())?;
        check(&entries, 100.0, 10.0).map_err(|error| error.to_string())?;
        Ok(entries)
    }

    #[test]
    fn a_protocol_is_read_as_written() {
        let text = r#"[{"do":"set","at_s":10.0,"temperature":0.5},{"do":"lesion","at_s":20.0,
            "remove":"functional_connections"},{"do":"record","at_s":20.0},{"do":"dataset","at_s":30,"pairs":"swapped"},
            {"do":"clamp","at_s":90.0,"vision":true,"sound":false}]"#;
        let entries = read(text).expect("valid");
        assert_eq!(entries.iter().map(Entry::at_s).collect::<Vec<_>>(), [10.0, 20.0, 20.0, 30.0, 90.0]);
        assert_eq!(entries.iter().filter(|entry| entry.begins_a_phase()).count(), 2);
        assert!(matches!(entries[1], Entry::Lesion { share: 1.0, .. }));
        let again = serde_json::to_string(&entries).expect("plain data");
        assert_eq!(read(&again), Ok(entries));
        assert!(!again.contains("null"), "{again}");
    }

    #[test]
    fn what_cannot_happen_is_refused_with_entry_and_rule() {
        for (text, rule) in [
            (r#"[{"do":"record","at_s":101.0}]"#, "from 0 to the end"),
            (r#"[{"do":"record","at_s":15.0}]"#, "multiple of 10"),
            (r#"[{"do":"record","at_s":20.0},{"do":"record","at_s":10.0}]"#, "in order"),
            (r#"[{"do":"lesion","at_s":20.0,"remove":"all_connections","share":1.5}]"#, "`share`"),
            (r#"[{"do":"set","at_s":20.0,"temperature":-1.0}]"#, "`temperature`"),
            (r#"[{"do":"set","at_s":20.0,"temperature":-1.0,"prior_mean":0.0}]"#, "`temperature`"),
            (r#"[{"do":"set","at_s":20.0,"prior_mean":9.0}]"#, "`prior_mean`"),
            (r#"[{"do":"explode","at_s":20.0}]"#, "explode"),
            (r#"[{"do":"record","at_s":20.0,"with":1}]"#, "with"),
        ] {
            let error = read(text).expect_err("it is refused");
            assert!(error.contains(rule), "{text}: {error}");
        }
    }
}

//! What the findings must cover, and how strictly: `targets.toml`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Bound;

/// The contents of `targets.toml`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Targets {
    /// By name.
    pub target: BTreeMap<String, Target>,
    /// Findings that are known to fail, by `experiment/id`.
    #[serde(default)]
    pub known_failures: BTreeMap<String, Exception>,
    /// Findings whose bound is so near to what was measured that other seeds may give another verdict, by `experiment/id`.
    #[serde(default)]
    pub narrow_margins: BTreeMap<String, Exception>,
}

/// What must be tested.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// In words.
    pub claim: String,
    /// Bounds by name; a finding `target.name` must meet one at least as strict.
    #[serde(default)]
    pub bounds: BTreeMap<String, Bound>,
    /// The figure (`experiment/id`) that answers to it where no single number does.
    #[serde(default)]
    pub figure: Option<String>,
}

/// A finding that a rule is not applied to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// Why.
    pub reason: String,
    /// What was measured.
    pub measured: String,
}

/// All targets.
pub fn targets() -> Targets {
    toml::from_str(include_str!("../../targets.toml")).expect("targets are parsed by a test")
}

impl Targets {
    /// The bound that a finding with this target must be as strict as; `None` if the target only names a subject.
    ///
    /// # Errors
    /// If there is no such target or bound.
    pub fn bound(&self, name: &str) -> Result<Option<Bound>, String> {
        let (target, bound) =
            name.split_once('.').map_or((name, None), |(target, bound)| (target, Some(bound)));
        let found = self.target.get(target).ok_or_else(|| format!("there is no target `{target}`"))?;
        let Some(bound) = bound else { return Ok(None) };
        let missing = || format!("target `{target}` has no bound `{bound}`");
        found.bounds.get(bound).copied().map(Some).ok_or_else(missing)
    }

    /// Every `target.bound`, and every target that has none.
    pub fn names(&self) -> Vec<String> {
        let names = self.target.iter().flat_map(|(name, target)| {
            let bounds = target.bounds.keys().map(move |bound| format!("{name}.{bound}"));
            bounds.chain(target.bounds.is_empty().then(|| name.clone()))
        });
        names.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_found_by_name_and_bound() {
        let targets = targets();
        assert_eq!(targets.bound("T3.spearman"), Ok(Some(Bound::AtLeast(0.75))));
        assert_eq!(targets.bound("T3"), Ok(None));
        assert!(targets.bound("T3.pearson").is_err() && targets.bound("T99").is_err());
        assert!(targets.names().contains(&"T4.a-rest".to_owned()));
    }
}

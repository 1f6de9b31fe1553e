//! `floors.toml`: what a ratio must be at least.

use anyhow::Context;
use kernels::Level;
use serde::Deserialize;

/// The table of floors.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Floors {
    floor: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    bench: String,
    peer_name: String,
    floor: f64,
    floor_avx2: Option<f64>,
}

impl Floors {
    /// Reads the table that was compiled in.
    ///
    /// # Errors
    /// If it is not as it should be.
    pub(crate) fn read() -> anyhow::Result<Self> {
        toml::from_str(include_str!("../floors.toml")).context("bench/floors.toml")
    }

    /// The floor of a comparison at a level; none if the table promises nothing.
    pub(crate) fn of(&self, bench: &str, peer_name: &str, level: Level) -> Option<f64> {
        let entry = self.floor.iter().find(|e| e.peer_name == peer_name && matches(&e.bench, bench))?;
        if level >= Level::Avx512 { Some(entry.floor) } else { entry.floor_avx2 }
    }
}

/// Whether a name fits a pattern in which `*` stands for one whole part.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<&str>, Vec<&str>) = (pattern.split('/').collect(), name.split('/').collect());
    pattern.len() == name.len() && pattern.iter().zip(&name).all(|(p, n)| *p == "*" || p == n)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{case::CASES, scaling, service, synaptic, wta};

    #[test]
    fn a_star_stands_for_one_part() {
        assert!(matches("rbm/*/sampled", "rbm/784x500/sampled"));
        assert!(!matches("rbm/*/sampled", "rbm/784x500/probabilities"));
        assert!(!matches("rbm/*", "rbm/784x500/sampled"));
    }

    #[test]
    fn every_comparison_but_one_has_a_floor() {
        let floors = Floors::read().expect("the table is well formed");
        for case in CASES {
            for opponent in case.opponents {
                let floor = floors.of(&case.name(), opponent.name, Level::Avx512);
                // What its users get by default; the floor is held against the faster float32.
                let is_promised = opponent.name != "scikit-learn f64";
                assert_eq!(floor.is_some(), is_promised, "{} against {}", case.name(), opponent.name);
            }
        }
    }

    #[test]
    fn every_simulated_circuit_has_a_floor() {
        let floors = Floors::read().expect("the table is well formed");
        for case in wta::case::CASES {
            for simulator in case.simulators {
                let floor = floors.of(&case.name(), simulator.name(), Level::Avx512);
                assert!(floor.is_some(), "{} against {}", case.name(), simulator.name());
            }
        }
    }

    #[test]
    fn every_floor_is_of_a_comparison() {
        for entry in Floors::read().expect("the table is well formed").floor {
            let is_used = |case: &crate::case::Case| {
                let named = case.opponents.iter().any(|opponent| opponent.name == entry.peer_name);
                named && matches(&entry.bench, &case.name())
            };
            let is_simulated = |case: &wta::case::Case| {
                let named = case.simulators.iter().any(|simulator| simulator.name() == entry.peer_name);
                named && matches(&entry.bench, &case.name())
            };
            let diffuses =
                |(bench, peer): &(String, &str)| *peer == entry.peer_name && matches(&entry.bench, bench);
            let is_known = CASES.iter().any(is_used)
                || wta::case::CASES.iter().any(is_simulated)
                || synaptic::comparisons().iter().chain(&service::comparisons()).any(diffuses)
                || scaling::comparisons().iter().any(diffuses);
            assert!(is_known, "{} against {}", entry.bench, entry.peer_name);
        }
    }

    #[test]
    fn below_avx512_other_floors_hold_or_none() {
        let floors = Floors::read().expect("the table is well formed");
        assert_eq!(floors.of("rbm/784x500/probabilities", "torch f32", Level::Avx512), Some(3.5));
        assert_eq!(floors.of("rbm/784x500/probabilities", "torch f32", Level::Avx2), Some(2.5));
        assert_eq!(floors.of("rbm/784x500/probabilities", "rbms", Level::Avx2), None);
        assert_eq!(floors.of("rbm/784x500/probabilities", "abacus", Level::Avx512), None);
    }
}

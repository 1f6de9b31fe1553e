//! Benchmark networks: every marginal against published exact ones.

#![expect(clippy::disallowed_methods, reason = "where the data is, is a setting of the test")]

use std::{collections::BTreeMap, fs, path::PathBuf};

use numerics::bayes::{infer, read_bif};

#[test]
fn marginals_of_twelve_benchmark_networks_are_exact() {
    let folder = match std::env::var_os("VESICLE_DATA") {
        Some(folder) => PathBuf::from(folder).join("bif"),
        None => [env!("CARGO_MANIFEST_DIR"), "..", "..", "..", "shared", "data", "bif"].iter().collect(),
    };
    let Ok(expected) = fs::read_to_string(folder.join("marginals.json")) else {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "VESICLE_DATA must hold the networks");
        println!("skipped: needs VESICLE_DATA");
        return;
    };
    type Marginals = BTreeMap<String, BTreeMap<String, BTreeMap<String, f64>>>;
    let expected: Marginals = serde_json::from_str(&expected).expect("marginals are JSON");
    assert_eq!(expected.len(), 12);
    for (name, variables) in expected {
        let text = fs::read_to_string(folder.join(format!("{name}.bif"))).expect("each network is there");
        let network = read_bif(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(network.len(), variables.len(), "{name}");
        let found = infer(&network, &[]).unwrap_or_else(|error| panic!("{name}: {error}")).marginals;
        for (variable, marginal) in network.variables().iter().zip(&found) {
            for (value, p) in variable.values.iter().zip(marginal) {
                // The published ones are rounded to ten digits.
                let expected = variables[&variable.name][value];
                assert!((p - expected).abs() < 1e-9, "{name} {} {value}: {p} {expected}", variable.name);
            }
        }
    }
}

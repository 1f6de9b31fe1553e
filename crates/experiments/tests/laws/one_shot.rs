//! `one-shot` trains what `rbm` and `rbse` train.

use experiments::{Advance, Metric, Setup, Source, digits8x8, find};
use serde_json::{Map, Value as Json, json};

use super::drive;

const SEED: u64 = 11;

fn object(json: Json) -> Map<String, Json> {
    json.as_object().expect("an object").clone()
}

/// The last state of a run of `rbm` or `rbse`, as a source.
fn trained(name: &str, experiment: &str, more: Json) -> Source {
    let kind = find(experiment).expect("it is in the catalogue");
    let mut params = object(json!({"hidden_units": 9, "batch": 155, "epochs": 2, "train_images": 310}));
    params.extend(object(more));
    let params = kind.resolve(None, &params).expect("valid params");
    let setup = Setup { params, seed: SEED, data: digits8x8(), sources: Vec::new(), every: Some(1000) };
    let mut run = kind.start(setup).expect("a small run starts");
    while !matches!(run.advance(), Advance::Done(_)) {}
    Source::read(name, &run.checkpoint()).expect("its own checkpoint is whole")
}

fn observed(networks: &str, sources: Vec<Source>) -> Vec<Metric> {
    let kind = find("one-shot").expect("it is in the catalogue");
    let params = object(json!({
        "hidden_units": 9, "batch": 155, "epochs": 2, "rbm_epochs": 2, "train_images": 310, "test_images": 40,
        "eta_w": 0.1, "eta_a": 0.3, "eta_rbm_low": 0.02, "eta_rbm_high": 0.05, "r": 16, "p0": 0.5,
        "draws": 2, "copies": 2, "test_copies": 2, "cloud_codes": 3, "networks": networks
    }));
    let params = kind.resolve(None, &params).expect("valid params");
    let setup = Setup { params, seed: SEED, data: digits8x8(), sources, every: Some(100_000) };
    let (metrics, _) = drive(kind.start(setup).expect("a small run starts"), |_| {});
    let last = metrics.last().expect("the last step is observed").step;
    metrics
        .into_iter()
        .filter(|metric| metric.step == last)
        .map(|metric| Metric { step: 0, ..metric })
        .collect()
}

#[test]
fn networks_trained_in_a_one_shot_run_are_those_of_runs_of_rbm_and_rbse_with_its_seed() {
    let sources = vec![
        trained("frozen", "rbse", json!({"model": "B", "eta_w": 0.1, "release_rule": "frozen"})),
        trained("rbm_high", "rbm", json!({"eta_w": 0.05})),
        trained("rbm_low", "rbm", json!({"eta_w": 0.02})),
        trained("rbse_a", "rbse", json!({"model": "A", "eta_w": 0.3})),
        trained("rbse_b", "rbse", json!({"model": "B", "eta_w": 0.1})),
        trained(
            "s2m",
            "rbse",
            json!({"model": "B", "eta_w": 0.1, "release_rule": "frozen", "masks": "half_step"}),
        ),
    ];
    let (trained, given) = (observed("trained", Vec::new()), observed("given", sources));
    // The error of reconstruction draws at the run's own last step, which differs.
    for (trained, given) in
        trained.iter().zip(&given).filter(|(metric, _)| metric.name != "reconstruction_mse")
    {
        assert_eq!(trained, given);
    }
    assert_eq!(trained.len(), given.len());
}

//! Every entry of the catalogue is put through the same laws.

mod bits;
mod findings;
mod golden;
mod honesty;
mod one_shot;
mod params;
mod reliability;

use experiments::{
    Advance, CanonicalParams, Data, DataNeed, Digest, Kind, Metric, Setup, Simulation, Source, SourceNeed,
    digits8x8,
};
use serde_json::{Map, Value as Json, json};

/// Short runs at small sizes, which still pass through every part: momentum switch, several epochs, each rule and
/// model. One list per experiment; a new experiment must add its own.
fn variants(kind: &dyn Kind) -> Vec<Map<String, Json>> {
    let object = |json: Json| json.as_object().expect("variants are objects").clone();
    let small = json!({
        "hidden_units": 9, "batch": 25, "epochs": 2, "train_images": 310, "test_images": 40,
        "momentum_switch_epoch": 1
    });
    let all = match kind.name() {
        "rbm" => vec![
            json!({"ais_temperatures": 40, "ais_chains": 10}),
            json!({"rule": "pcd", "cd_k": 2}),
            json!({"dropout": 0.3, "statistics": "samples"}),
            json!({"label_units": 2}),
        ],
        "rbse" => rbse_variants(),
        "exact" => return vec![object(json!({"steps": 30})), object(json!({"steps": 9, "law": "gaussian"}))],
        "ablation" => ablation_variants(),
        "one-shot" => vec![
            json!({"batch": 155, "rbm_epochs": 1, "draws": 2, "copies": 2, "test_copies": 2, "cloud_codes": 3,
                   "sweeps": 2}),
            json!({"networks": "given", "draws": 2, "copies": 1, "test_copies": 1, "cloud_codes": 4, "label_seed": 7}),
        ],
        "spine-dynamics" => return spine_variants().into_iter().map(object).collect(),
        "stdp-window" => {
            let small = json!({"pairings": 900, "synapses": 3});
            return vec![object(small), object(json!({"pairings": 300, "synapses": 5, "weight": 1.8}))];
        }
        "annealing" => return annealing_variants().into_iter().map(object).collect(),
        "posterior" => return posterior_variants().into_iter().map(object).collect(),
        "sparsity" => {
            let few = json!({"steps": 60, "units": 3, "train_images": 4, "wirings": 2});
            let more = json!({"steps": 45, "units": 2, "train_images": 3, "prior": "spike_and_slab", "temperature": 0.0});
            return vec![object(few), object(more)];
        }
        "spine-fit" => {
            let few = json!({"count": 30, "imaging_days": 5, "iterations": 20});
            return vec![object(few), object(json!({"count": 40, "components": 2, "iterations": 12}))];
        }
        name => panic!("add short variants of `{name}` here"),
    };
    all.into_iter().map(|more| object(small.clone()).into_iter().chain(object(more)).collect()).collect()
}

/// Every model, law, estimator, objective and release rule.
fn rbse_variants() -> Vec<Json> {
    vec![
        json!({"model": "A", "ais_temperatures": 40, "ais_chains": 10}),
        json!({"model": "B", "statistics": "samples"}),
        json!({"model": "A", "rule": "pcd", "cd_k": 2, "p0_sd": 0.2}),
        json!({"model": "A", "eta_w": 1.0, "epochs": 5}),
        json!({"model": "B", "masks": "half_step", "label_units": 1}),
        json!({"model": "B", "masks": "example", "release_rule": "frozen"}),
        json!({"model": "A", "estimator": "sampled"}),
        json!({"model": "B", "objective": "multi_sample", "objective_masks": 3, "hidden_units": 4}),
        json!({"model": "A", "release_rule": "local", "r": 0.1, "release_target": 0.5}),
        json!({"model": "A", "law": "gaussian", "sd0": 0.1}),
        json!({"model": "B", "law": "bernoulli_gaussian", "sd0": 0.1}),
        json!({"model": "A", "law": "quantal", "sites": 4}),
    ]
}

/// Both steppers, with and without activity, with a tail to fit.
fn spine_variants() -> Vec<Json> {
    let small = |more: Json| {
        let mut all = json!({"synapses": 400, "births": 3000, "interval": 0.05, "horizon": 4.0});
        let more = more.as_object().expect("variants are objects").clone();
        all.as_object_mut().expect("variants are objects").extend(more);
        all
    };
    vec![small(json!({})), small(json!({"stepper": "euler_maruyama", "pair_step": 0.01, "mu": 1.0}))]
}

/// Every landscape, schedule and sampler.
fn annealing_variants() -> Vec<Json> {
    vec![
        json!({"chains": 20, "steps": 3000}),
        json!({"chains": 20, "steps": 5100, "schedule": "constant", "t_start": 0.0, "restart_every": 90}),
        json!({"chains": 10, "steps": 2000, "landscape": "funnel", "dimensions": 3, "sampler": "underdamped"}),
        json!({"chains": 5, "steps": 4000, "landscape": "middle_barrier", "sampler": "parallel_tempering",
               "schedule": "constant", "replicas": 3}),
        json!({"chains": 50, "steps": 2500, "landscape": "saddle", "schedule": "constant", "t_start": 1.0}),
        json!({"chains": 10, "steps": 900, "landscape": "deceptive", "dimensions": 4, "schedule": "logarithmic"}),
    ]
}

/// Every task and sampler.
fn posterior_variants() -> Vec<Json> {
    let chains = |task: &str, more: Json| {
        let mut all = json!({"task": task, "chains": 500, "steps": 300, "h": 0.01});
        let more = more.as_object().expect("variants are objects").clone();
        all.as_object_mut().expect("variants are objects").extend(more);
        all
    };
    let learner = json!({"units": 2, "train_images": 4, "restarts": 2, "steps": 100});
    vec![
        chains("poisson", json!({"h": 0.001, "sampler": "split"})),
        chains("bimodal", json!({"transient": true, "chains": 60, "steps": 3100, "h": 0.001})),
        chains("bimodal", json!({"sampler": "parallel_tempering", "chains": 200})),
        chains("state_rate", json!({"flaw": "uncorrected_rate"})),
        chains("banana", json!({"sampler": "underdamped"})),
        chains("explaining_away", json!({"sampler": "preconditioned"})),
        chains("expression", json!({"log_density": "0 - x^4/8 - (y - x)^2/2"})),
        chains("bandit", json!({})),
        chains("matched", learner.clone()),
        chains("digits", learner),
    ]
}

/// Every kind of synapses, trained and given.
fn ablation_variants() -> Vec<Json> {
    let few = |model: &str, network: &str, sweeps: u32| {
        json!({"epochs": 1, "relearn_epochs": 0.2, "prune_percent": [50, 95], "draws": 1, "copies": 2, "test_copies": 1,
               "fit_members": 2, "likelihood_members": 3, "model": model, "network": network, "sweeps": sweeps})
    };
    vec![few("B", "trained", 0), few("A", "trained", 1), few("reliable", "given", 0)]
}

fn data_for(kind: &dyn Kind, params: &CanonicalParams) -> Data {
    match kind.data_need(params) {
        DataNeed::None => Data::None,
        DataNeed::Images { .. } => digits8x8(),
        DataNeed::Table => panic!("no variant takes a table"),
    }
}

/// The networks that a variant builds on, each trained as the first variant of the first experiment that serves.
fn sources_for(kind: &dyn Kind, params: &CanonicalParams) -> Vec<Source> {
    let train = |need: &SourceNeed| {
        let maker = experiments::find(need.experiments[0]).expect("a source is of the catalogue");
        let mut run = maker.start(setup(maker, &variants(maker)[0], 21)).expect("a small run starts");
        while !matches!(run.advance(), Advance::Done(_)) {}
        Source::read(need.name, &run.checkpoint()).expect("its own checkpoint is whole")
    };
    kind.source_needs(params).iter().filter(|need| need.required).map(train).collect()
}

fn setup(kind: &dyn Kind, overrides: &Map<String, Json>, seed: u64) -> Setup {
    let params = kind.resolve(None, overrides).unwrap_or_else(|errors| panic!("{}: {errors:?}", kind.name()));
    let data = data_for(kind, &params);
    let sources = sources_for(kind, &params);
    Setup { params, seed, data, sources, every: Some(3) }
}

/// Drives a run to its end; calls `look` before each piece of work.
fn drive(mut run: Box<dyn Simulation>, mut look: impl FnMut(&dyn Simulation)) -> (Vec<Metric>, Digest) {
    let mut metrics = Vec::new();
    loop {
        look(run.as_ref());
        match run.advance() {
            Advance::Stepped => {}
            Advance::Observed(observed) => metrics.extend(observed),
            Advance::Done(digest) => return (metrics, digest),
        }
    }
}

/// Runs every variant of every experiment through a law.
fn for_every_variant(law: impl Fn(&dyn Kind, &Map<String, Json>)) {
    for kind in experiments::CATALOGUE {
        for variant in variants(*kind) {
            law(*kind, &variant);
        }
    }
}

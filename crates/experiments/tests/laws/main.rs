//! Every entry of the catalogue is put through the same laws.

mod bayes_net;
mod bits;
mod findings;
mod forks;
mod golden;
mod honesty;
mod one_shot;
mod params;
mod reliability;
mod teams;

use experiments::{
    Advance, Audio, CanonicalParams, Data, DataNeed, Digest, Kind, Metric, Recording, Setup, Simulation,
    Source, SourceNeed, digits8x8, network_from_bif,
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
            json!({"shards": 4, "rule": "pcd", "statistics": "samples"}),
            json!({"shards": 3, "sync_every": 5}),
        ],
        "rbse" => rbse_variants(),
        "exact" => return vec![object(json!({"steps": 30})), object(json!({"steps": 9, "law": "gaussian"}))],
        "ablation" => ablation_variants(),
        "bayes-net" => return bayes_net_variants().into_iter().map(object).collect(),
        "one-shot" => vec![
            json!({"batch": 155, "rbm_epochs": 1, "draws": 2, "copies": 2, "test_copies": 2, "cloud_codes": 3,
                   "sweeps": 2}),
            json!({"networks": "given", "draws": 2, "copies": 1, "test_copies": 1, "cloud_codes": 4, "label_seed": 7}),
        ],
        "wta-mixture" => return wta_mixture_variants().into_iter().map(object).collect(),
        "spine-dynamics" => return spine_variants().into_iter().map(object).collect(),
        "stdp-window" => {
            let small = json!({"pairings": 900, "synapses": 3});
            return vec![object(small), object(json!({"pairings": 300, "synapses": 5, "weight": 1.8}))];
        }
        "annealing" => return annealing_variants().into_iter().map(object).collect(),
        "posterior" => return posterior_variants().into_iter().map(object).collect(),
        "reward" => return reward_variants().into_iter().map(object).collect(),
        "spike-temperature" => return spike_temperature_variants().into_iter().map(object).collect(),
        "sparsity" => {
            let few = json!({"steps": 60, "units": 3, "train_images": 4, "wirings": 2});
            let more = json!({"steps": 45, "units": 2, "train_images": 3, "prior": "spike_and_slab", "temperature": 0.0});
            return vec![object(few), object(more)];
        }
        "spine-fit" => {
            let few = json!({"count": 30, "imaging_days": 5, "iterations": 20});
            return vec![object(few), object(json!({"count": 40, "components": 2, "iterations": 12}))];
        }
        "self-repair" => return self_repair_variants().into_iter().map(object).collect(),
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
        json!({"model": "A", "shards": 2, "sync_every": 3, "rule": "pcd"}),
        json!({"model": "B", "masks": "example", "shards": 4}),
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

/// Both lesions with all that is measured around them; and every other entry of a timeline.
fn self_repair_variants() -> Vec<Json> {
    let small = |more: Json| {
        let mut all =
            json!({"neurons": 8, "circuits": 2, "test_trials": 8, "bands": 6, "bins": 3, "b": 0.003});
        let more = more.as_object().expect("variants are objects").clone();
        all.as_object_mut().expect("variants are objects").extend(more);
        all
    };
    vec![
        small(json!({"duration_s": 320, "test_every_s": 40, "timeline": [
            {"do": "lesion", "at_s": 160, "remove": "vision_neurons"},
            {"do": "lesion", "at_s": 240, "remove": "functional_connections"}]})),
        small(
            json!({"duration_s": 60, "test_every_s": 30, "unseen": "tune", "normaliser": 0.5, "most_within": 0.0,
                     "timeline": [
            {"do": "set", "at_s": 0, "temperature": 0.5, "prior_mean": 0.0},
            {"do": "clamp", "at_s": 10, "vision": true, "sound": false},
            {"do": "dataset", "at_s": 20, "pairs": "swapped"},
            {"do": "lesion", "at_s": 20, "remove": "all_connections", "share": 0.5},
            {"do": "set", "at_s": 30, "plasticity": false},
            {"do": "dataset", "at_s": 40, "pairs": "random"},
            {"do": "record", "at_s": 50}]}),
        ),
        small(
            json!({"sounds": "recordings", "digits": [1, 2, 7], "test_speaker": "b", "duration_s": 60, "test_every_s": 30,
                     "neurons": 100, "timeline": [
            {"do": "lesion", "at_s": 30, "remove": "vision_neurons", "share": 0.5},
            {"do": "dataset", "at_s": 40, "pairs": "swapped"}]}),
        ),
    ]
}

/// Two recordings, of a glide, for each of three digits and two speakers.
fn spoken() -> Data {
    let mut recordings = Vec::new();
    for (label, pace) in [("1", 1), ("2", 3), ("7", 9)] {
        for speaker in ["a", "b"] {
            recordings.extend([3, 30].map(|number| {
                Recording {
                    label: label.into(),
                    speaker: speaker.into(),
                    number,
                    sample_hz: 8000,
                    samples: (0..2400_i64)
                        .map(|n| ((n * (n / 40 * pace + i64::from(number)) % 257) * 20) as i16)
                        .collect(),
                }
            }));
        }
    }
    Data::Audio(Audio { recordings }.into())
}

/// Every task and schedule; a timeline of everything that can happen.
fn reward_variants() -> Vec<Json> {
    vec![
        json!({"duration_s": 100.0, "inputs": 12, "neurons": 8, "timeline": [
            {"do": "set", "at_s": 0.0, "prior_mean": 0.5}, {"do": "dataset", "at_s": 40.0, "pairs": "random"},
            {"do": "set", "at_s": 50.0, "temperature": 0.3}, {"do": "lesion", "at_s": 60.0,
             "remove": "functional_connections", "share": 0.5}, {"do": "set", "at_s": 80.0, "plasticity": false},
            {"do": "record", "at_s": 80.0}]}),
        json!({"task": "lever", "duration_s": 100.0, "inputs": 10, "temperature": 0.0, "timeline": [
            {"do": "dataset", "at_s": 50.0, "pairs": "swapped"}]}),
        json!({"task": "reach", "duration_s": 100.0, "inputs": 10, "neurons": 8, "timeline": [
            {"do": "lesion", "at_s": 50.0, "remove": "all_connections", "share": 0.3}]}),
        json!({"task": "deceptive", "duration_s": 100.0, "inputs": 10, "neurons": 8, "temperature": 1.0,
               "schedule": "geometric", "cool_from_s": 50.0, "timeline": []}),
    ]
}

/// Every compensation, taught and competing.
fn spike_temperature_variants() -> Vec<Json> {
    let small = |compensation: &str, winner: &str| {
        json!({"compensation": compensation, "winner": winner, "inputs": 6, "neurons": 3, "burn_in_s": 20.0,
               "sample_every_s": 10.0, "duration_s": 60.0})
    };
    vec![small("none", "taught"), small("predicted", "taught"), small("local", "competing")]
}

/// Every kind of synapses, trained and given.
fn ablation_variants() -> Vec<Json> {
    let few = |model: &str, network: &str, sweeps: u32| {
        json!({"epochs": 1, "relearn_epochs": 0.2, "prune_percent": [50, 95], "draws": 1, "copies": 2, "test_copies": 1,
               "fit_members": 2, "likelihood_members": 3, "model": model, "network": network, "sweeps": sweeps})
    };
    vec![few("B", "trained", 0), few("A", "trained", 1), few("reliable", "given", 0)]
}

/// Every mode, winner, start, rate, bias rule and limit of the hardware; every kind of patterns.
fn wta_mixture_variants() -> Vec<Json> {
    let images = |more: Json| {
        let mut params = json!({
            "neurons": 7, "presentations": 60, "train_images": 200, "test_images": 50, "spike_images": 30, "em_starts": 2,
            "em_steps": 5
        });
        params
            .as_object_mut()
            .expect("it was written as one")
            .extend(more.as_object().expect("it too").clone());
        params
    };
    let synthetic = |more: Json| {
        let base =
            json!({"patterns": "synthetic", "neurons": 3, "components": 3, "pixels": 5, "em_steps": 20});
        images(
            base.as_object()
                .expect("it was written as one")
                .iter()
                .chain(more.as_object().expect("it too"))
                .map(|(k, v)| (k.clone(), v.clone()))
                .collect::<Map<_, _>>()
                .into(),
        )
    };
    vec![
        images(json!({"batch": 12, "shards": 5, "drop_spikes": 0.1, "weight_bits": 4})),
        images(json!({})),
        images(json!({"mode": "spiking", "rate": "annealed", "eta": 0.002, "classes": [0, 3, 4]})),
        images(
            json!({"mode": "spiking", "epsp": "double_exponential", "bias": "homeostatic", "eta_b": 0.05, "drop_spikes": 0.1}),
        ),
        images(
            json!({"mode": "spiking", "epsp": "double_exponential", "tau_rise_ms": 0.0, "mismatch_sd": 0.1}),
        ),
        images(
            json!({"mode": "clocked", "rate": "constant", "eta": 0.01, "presentations": 20, "dt_ms": 1.0}),
        ),
        images(
            json!({"weight_bits": 4, "init": "log_half", "crop": 1, "min_on": 0.02, "c": 3.0, "drop_spikes": 0.2}),
        ),
        synthetic(json!({"starts": 3, "rate": "constant", "eta": 0.01})),
        synthetic(json!({"init": "truth", "winner": "argmax", "rate": "annealed", "eta": 0.01})),
        synthetic(json!({"winner": "uniform", "bias": "fixed", "mode": "spiking", "average_from": 1.0})),
        synthetic(
            json!({"neurons": 1, "components": 1, "rate": "constant", "eta": 0.01, "average_from": 0.5, "lo": 0.3}),
        ),
    ]
}

/// A network as a user uploads one.
const RAIN: &[u8] = b"network rain { }
variable rain { type discrete [ 2 ] { yes, no }; }
variable grass { type discrete [ 3 ] { dry, damp, wet }; }
probability ( rain ) { table 0.2, 0.8; }
probability ( grass | rain ) { (yes) 0.05, 0.25, 0.7; (no) 0.8, 0.15, 0.05; }";

/// Every network and mode; the first serves as a part of the one that is given its modules.
fn bayes_net_variants() -> Vec<Json> {
    vec![
        json!({"learning_s": 8, "hidden": 2, "sample_s": 4, "chains": 2, "held_out": 40, "em_starts": 1,
               "queries": [{"evidence": {"y3": "1", "y4": "0"}, "of": ["y1"]}, {"evidence": {"y1": "0"}}]}),
        json!({"network": "asia", "mode": "mixture", "hidden": 3, "learning_s": 5, "prune_nats": 0.01, "sample_s": 2,
               "burn_in_s": 0, "chains": 1, "held_out": 20}),
        json!({"network": "sachs", "learning_s": 3, "sample_s": 2, "chains": 1, "held_out": 20}),
        json!({"network": "dataset", "learning_s": 4, "sample_s": 2, "chains": 1, "held_out": 20,
               "presentation_noise": 0.5, "queries": [{"evidence": {"grass": "wet"}}]}),
        json!({"training": "given", "sample_s": 3, "chains": 1, "held_out": 20}),
        json!({"modules": ["y3", "y1"], "learning_s": 5, "held_out": 20}),
        json!({"mode": "mixture", "learning_s": 2, "sample_s": 0, "held_out": 20}),
        json!({"network": "random-joint", "learning_s": 3, "sample_s": 0, "held_out": 20}),
        json!({"network": "asia", "sum_out": "either", "learning_s": 3, "sample_s": 0, "held_out": 20}),
        json!({"network": "random-table", "modules": ["x4"], "learning_s": 3, "held_out": 20, "em_starts": 2,
               "weight_bits": 5, "mismatch_sd": 0.1, "anneal": 8, "eta_max": 0.05}),
    ]
}

fn data_for(kind: &dyn Kind, params: &CanonicalParams) -> Data {
    match kind.data_need(params) {
        DataNeed::None => Data::None,
        DataNeed::Images { .. } => digits8x8(),
        DataNeed::BayesNet => network_from_bif(RAIN).expect("a small network"),
        DataNeed::Table => panic!("no variant takes a table"),
        DataNeed::Audio => spoken(),
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

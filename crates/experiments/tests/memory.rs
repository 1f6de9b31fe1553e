//! A law of its own binary, since it counts every allocation: a run needs no more memory than its plan.

use std::sync::Arc;

use experiments::{Advance, Data, Images, Setup, digits8x8};
use peak_alloc::PeakAlloc;
use serde_json::{Value as Json, json};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Images as large as MNIST's, a quarter of the pixels on.
fn large() -> Data {
    let (count, rows, cols) = (3_000, 28, 28);
    let pixels = (0..count * rows * cols).map(|i| if (i * 7 + i / 784) % 4 == 0 { 255 } else { 0 }).collect();
    let labels = Some((0..count).map(|i| (i % 10) as u8).collect());
    Data::Images(Arc::new(Images { count, rows, cols, max: 255, test_count: 1_000, pixels, labels }))
}

#[test]
fn a_run_needs_no_more_memory_than_its_plan() {
    // Names that an experiment does not know are left out.
    let few = json!({"rbm_epochs": 1, "draws": 2, "cloud_codes": 40, "prune_percent": [50], "likelihood_members": 20,
                     "presentations": 400, "em_starts": 1, "em_steps": 2, "learning_s": 20, "sample_s": 2, "held_out": 100,
                     "steps": 400, "chains": 50, "births": 20_000, "pairings": 2_000, "count": 200, "iterations": 20,
                     "duration_s": 400, "burn_in_s": 100, "sample_every_s": 50, "test_trials": 20, "timeline": []});
    let small = json!({"epochs": 1});
    let wide = json!({"epochs": 1, "hidden_units": 500, "batch": 100, "train_images": 2000, "test_images": 300,
                      "threshold": 127, "copies": 3, "test_copies": 2});
    let in_shards = |more: Json| {
        let mut all = wide.clone();
        all.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        all
    };
    let (apart, shards) = (in_shards(json!({"shards": 4, "sync_every": 3})), in_shards(json!({"shards": 2})));
    let sizes = [(digits8x8 as fn() -> Data, small), (large, wide), (large, shards), (large, apart)];
    for (data, size) in sizes {
        let mut params = few.clone();
        params.as_object_mut().expect("an object").extend(size.as_object().expect("an object").clone());
        let has_shards = |kind: &&&dyn experiments::Kind| kind.schema()["properties"].get("shards").is_some();
        for kind in
            experiments::CATALOGUE.iter().filter(|kind| size.get("shards").is_none() || has_shards(kind))
        {
            // Its networks have 64 inputs.
            let takes_no_other = kind.name() == "sparsity" && size.get("hidden_units").is_some();
            if !takes_no_other {
                peak_within_plan(*kind, data, &params);
            }
        }
    }
}

fn peak_within_plan(kind: &dyn experiments::Kind, data: fn() -> Data, params: &Json) {
    let known = kind.schema()["properties"].as_object().expect("params are an object");
    let params = params.as_object().expect("params are an object").clone().into_iter();
    // So are sizes beyond what it takes.
    let fits = |name: &str, value: &Json| {
        let most = known.get(name).map(|schema| schema["maximum"].as_f64());
        most.is_some_and(|most| most.zip(value.as_f64()).is_none_or(|(most, value)| value <= most))
    };
    let params = params.filter(|(name, value)| fits(name, value)).collect();
    let params = kind.resolve(None, &params).expect("valid params");
    let before = MEMORY.current_usage();
    let data = data();
    let plan = kind.plan(&params, &data.shape()).expect("the params fit the data");
    MEMORY.reset_peak_usage();
    let mut run =
        kind.start(Setup { params, seed: 1, data, sources: Vec::new(), every: Some(7) }).expect("it starts");
    let mut checkpoint = Vec::new();
    loop {
        match run.advance() {
            Advance::Stepped => {}
            // A worker makes a checkpoint while the run is in memory.
            Advance::Observed(_) => checkpoint = run.checkpoint(),
            Advance::Done(_) => break,
        }
    }
    assert!(!checkpoint.is_empty());
    let peak = MEMORY.peak_usage().saturating_sub(before) as u64;
    println!("{}: peak {peak} of {} planned", kind.name(), plan.memory_bytes);
    assert!(peak <= plan.memory_bytes, "{}: {peak} bytes, planned {}", kind.name(), plan.memory_bytes);
}

//! Laws about forks: a run that goes on from the state of another one.

use experiments::{Advance, FORK, Kind, Setup, Source, StartError};
use serde_json::{Map, Value as Json, json};

use super::{drive, for_every_variant, setup};

/// The checkpoint in the middle of a run, as the source of a fork.
fn middle(kind: &dyn Kind, setup: &Setup) -> Source {
    let mut run = kind.start(setup.clone()).expect("a small run starts");
    while run.step() < run.steps() / 2 {
        run.advance();
    }
    Source::read(FORK, &run.checkpoint()).expect("its own checkpoint is whole")
}

fn with_fork(setup: &Setup, fork: Source) -> Setup {
    let mut setup = setup.clone();
    setup.sources.push(fork);
    setup
}

/// The state in the last checkpoint of a run, and what it observed.
fn to_the_end(
    run: Box<dyn experiments::Simulation>,
) -> (Vec<u8>, Vec<experiments::Metric>, experiments::Digest) {
    let mut last = Vec::new();
    let (metrics, digest) = drive(run, |run| {
        if run.step() == run.steps() {
            last = run.checkpoint();
        }
    });
    (Source::read("end", &last).expect("its own checkpoint is whole").body, metrics, digest)
}

#[test]
fn a_fork_that_changes_nothing_is_the_run_itself_from_there_on_and_resumes_with_the_same_bits() {
    for_every_variant(|kind, variant| {
        let setup = setup(kind, variant, 13);
        let (state, metrics, digest) = to_the_end(kind.start(setup.clone()).expect("a small run starts"));
        let forked = with_fork(&setup, middle(kind, &setup));
        let mut run = kind.start(forked.clone()).expect("it can be forked");
        assert_eq!(run.step(), run.steps() / 2, "{}", kind.name());
        let (end, rest, fork_digest) = to_the_end(kind.start(forked.clone()).expect("it can be forked"));
        assert!(end == state, "{}: the last state is that of the run", kind.name());
        assert!(metrics.ends_with(&rest) && !rest.is_empty(), "{}: it observes the same", kind.name());
        assert_ne!(fork_digest, digest, "{}: what it was forked from is part of it", kind.name());

        while !matches!(run.advance(), Advance::Stepped | Advance::Done(_)) {}
        let resumed = kind.resume(forked, &run.checkpoint()).expect("its own checkpoint is taken");
        assert_eq!(to_the_end(resumed).2, fork_digest, "{}", kind.name());
    });
}

/// Other values of a param that its schema names: the ends of its range, twice and half of it, other words.
fn others(kind: &dyn Kind, key: &str, value: &Json) -> Vec<Json> {
    let schema = kind.schema();
    let field = &schema["properties"][key];
    let words = |schema: &Json| match (&schema["enum"], &schema["oneOf"]) {
        (Json::Array(words), _) => words.clone(),
        (_, Json::Array(cases)) => cases.iter().map(|case| case["const"].clone()).collect(),
        _ => Vec::new(),
    };
    let name = field["$ref"].as_str().and_then(|name| name.rsplit('/').next()).unwrap_or_default();
    let mut others = words(&schema["$defs"][name]);
    match (value.as_u64(), value.as_f64()) {
        (Some(n), _) => others.extend([json!(n / 2), json!(2 * n + 1)]),
        (_, Some(x)) => others.extend([json!(x / 2.0), json!(2.0 * x + 0.01), field["minimum"].clone()]),
        _ => {}
    }
    others.retain(|other| other != value && !other.is_null());
    others
}

#[test]
fn every_param_that_a_fork_may_change_leaves_the_state_usable() {
    let tried = std::cell::RefCell::new(std::collections::BTreeSet::new());
    // Each variant tries another value of a param: together they see most of them, in a fraction of the time.
    let turn = std::cell::Cell::new(0);
    for_every_variant(|kind, variant| {
        let setup = setup(kind, variant, 17);
        let fork = middle(kind, &setup);
        let params: Map<String, Json> =
            serde_json::from_str(setup.params.as_str()).expect("params are an object");
        for key in kind.forkable() {
            let others = others(kind, key, &params[*key]);
            turn.set(turn.get() + 1);
            for at in 0..others.len() {
                let mut changed = params.clone();
                changed.insert((*key).to_owned(), others[(turn.get() + at) % others.len()].clone());
                // Not every value goes with every other; shorter runs may have ended before.
                let Ok(params) = kind.resolve(None, &changed) else { continue };
                match kind.start(with_fork(&Setup { params, ..setup.clone() }, fork.clone())) {
                    Ok(run) => {
                        to_the_end(run);
                        tried.borrow_mut().insert((kind.name(), *key));
                        break;
                    }
                    Err(StartError::Source(error)) => {
                        assert!(error.detail.contains("before step"), "{error}")
                    }
                    Err(StartError::Params(_)) => {}
                    Err(error) => panic!("{} with another {key}: {error}", kind.name()),
                }
            }
        }
    });
    for kind in experiments::CATALOGUE {
        for key in kind.forkable() {
            assert!(
                tried.borrow().contains(&(kind.name(), *key)),
                "no variant of {} tries `{key}`",
                kind.name()
            );
        }
    }
}

#[test]
fn what_a_fork_must_not_change_is_named() {
    let kind = experiments::find("rbm").expect("it is in the catalogue");
    let variant = &super::variants(kind)[0];
    let base = setup(kind, variant, 1);
    let fork = middle(kind, &base);
    let with = |key: &str, value: Json| {
        let mut variant = variant.clone();
        variant.insert(key.to_owned(), value);
        with_fork(&setup(kind, &variant, 1), fork.clone())
    };
    let refused = |setup| kind.start(setup).err().map(|error| error.to_string()).unwrap_or_default();
    let why = refused(with("hidden_units", json!(10)));
    assert!(why.starts_with("parameter `hidden_units` is 10; a fork must leave it at 9"), "{why}");
    let why = refused(with("epochs", json!(1)));
    assert!(why.contains("it must be before step"), "{why}");
    let other_data = Setup { data: experiments::Data::None, ..base.clone() };
    assert!(kind.start(with_fork(&other_data, fork.clone())).is_err());
    let rbse = experiments::find("rbse").expect("it is in the catalogue");
    let foreign = with_fork(&setup(rbse, &super::variants(rbse)[0], 1), fork);
    let why = rbse.start(foreign).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(why.contains("source `fork` is of rbm") && why.contains("it must be of rbse"), "{why}");
}

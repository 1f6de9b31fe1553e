//! Laws about bits: resume, observation, checkpoints.

use experiments::{Advance, CheckpointError, Metric, StartError};

use super::{drive, for_every_variant, setup, variants};

/// From each checkpoint to the next step, whose state and chain of metrics are those of the run that was not stopped: by
/// induction so is the end. From the first, a middle and the last one it is driven there as well.
#[test]
fn a_run_resumed_from_any_checkpoint_ends_with_the_same_metrics_and_digest() {
    for_every_variant(|kind, variant| {
        let setup = setup(kind, variant, 11);
        let mut checkpoints = Vec::new();
        let start = kind.start(setup.clone()).expect("a small run starts");
        let (metrics, digest) = drive(start, |run| checkpoints.push((run.step(), run.checkpoint())));
        let to_the_end = [0, checkpoints.len() / 2, checkpoints.len() - 1];
        for (place, (step, checkpoint)) in checkpoints.iter().enumerate() {
            let resume = || kind.resume(setup.clone(), checkpoint).expect("its own checkpoint is taken");
            let mut resumed = resume();
            assert_eq!(resumed.step(), *step);
            assert_eq!(&resumed.checkpoint(), checkpoint, "state bytes are equal at once after a restore");
            if let Some((next, expected)) = checkpoints.iter().find(|(later, _)| later > step) {
                while resumed.step() < *next {
                    let advance = resumed.advance();
                    assert!(!matches!(advance, Advance::Done(_)), "{} ends at step {step}", kind.name());
                }
                assert!(&resumed.checkpoint() == expected, "{} resumed at step {step}", kind.name());
            }
            if to_the_end.contains(&place) {
                let (rest, again) = drive(resume(), |_| {});
                assert_eq!(again, digest, "{} resumed at step {step}", kind.name());
                assert!(metrics.ends_with(&rest), "{} resumed at step {step} observes the same", kind.name());
            }
        }
    });
}

#[test]
fn observing_more_often_changes_no_state() {
    for_every_variant(|kind, variant| {
        let last_state = |every| {
            let setup = experiments::Setup { every: Some(every), ..setup(kind, variant, 5) };
            let mut last = Vec::new();
            drive(kind.start(setup).expect("a small run starts"), |run| last = run.checkpoint());
            let header = 4 + u32::from_le_bytes([last[4], last[5], last[6], last[7]]) as usize + 4 + 4;
            last.split_off(header)
        };
        assert_eq!(last_state(1), last_state(48), "{}", kind.name());
    });
}

#[test]
fn looking_at_any_step_gives_values_and_changes_nothing() {
    for_every_variant(|kind, variant| {
        let setup = setup(kind, variant, 5);
        let digest = drive(kind.start(setup.clone()).expect("a small run starts"), |_| {}).1;
        let mut fields = serde_json::Value::Null;
        let looked = drive(kind.start(setup).expect("a small run starts"), |run| {
            run.look();
            if run.step() % 7 == 0 {
                fields = run.state();
            }
        });
        assert_eq!(looked.1, digest, "{}", kind.name());
        assert!(fields.is_object() || fields.is_array(), "{}: {fields}", kind.name());
    });
}

#[test]
fn another_seed_gives_other_bits() {
    for_every_variant(|kind, variant| {
        let digest = |seed| drive(kind.start(setup(kind, variant, seed)).expect("it starts"), |_| {}).1;
        assert_ne!(digest(1), digest(2), "{}", kind.name());
    });
}

#[test]
fn a_checkpoint_of_another_run_is_refused() {
    for_every_variant(|kind, variant| {
        let checkpoint = kind.start(setup(kind, variant, 1)).expect("it starts").checkpoint();
        let refused = kind.resume(setup(kind, variant, 2), &checkpoint).err();
        let foreign = matches!(refused, Some(StartError::Checkpoint(CheckpointError::Foreign { .. })));
        assert!(foreign, "{}: {refused:?}", kind.name());
    });
}

#[test]
fn a_damaged_checkpoint_is_never_loaded() {
    for_every_variant(|kind, variant| {
        let setup = setup(kind, variant, 1);
        let mut run = kind.start(setup.clone()).expect("it starts");
        while !matches!(run.advance(), Advance::Stepped) {}
        let good = run.checkpoint();
        let damaged = (0..50).map(|i| good[..good.len() * i / 50].to_vec()).chain((0..100).map(|i| {
            let mut flipped = good.clone();
            flipped[good.len() * i / 100] ^= 1 << (i % 8);
            flipped
        }));
        for (i, bytes) in damaged.enumerate() {
            // A compressed state has bits that mean nothing: then it must be the same state, which its hash holds.
            if let Ok(run) = kind.resume(setup.clone(), &bytes) {
                assert_eq!(run.checkpoint(), good, "{}: damage {i} was not noticed", kind.name());
            }
        }
    });
}

#[test]
fn metrics_are_declared_in_their_order_and_finite_and_every_one_is_seen_at_the_last_step_of_some_run() {
    for kind in experiments::CATALOGUE {
        let place = |name: &str| kind.metrics().iter().position(|spec| spec.name == name);
        let mut seen = vec![false; kind.metrics().len()];
        for variant in variants(*kind) {
            let start = kind.start(setup(*kind, &variant, 3)).expect("it starts");
            let steps = start.steps();
            let (metrics, _) = drive(start, |_| {});
            let order = |metric: &Metric| (metric.step, place(metric.name).expect("it is declared"));
            for pair in metrics.windows(2) {
                let names = (pair[0].name, pair[1].name);
                assert!(order(&pair[0]) < order(&pair[1]), "{}: {names:?}", kind.name());
            }
            for metric in &metrics {
                assert!(metric.value.is_finite(), "{}: {}", kind.name(), metric.name);
                seen[order(metric).1] |= metric.step == steps;
            }
        }
        for (spec, seen) in kind.metrics().iter().zip(seen) {
            assert!(seen, "{}: no variant ends with `{}`", kind.name(), spec.name);
        }
    }
}

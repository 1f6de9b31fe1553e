//! Attempts that go well: everything arrives, in order, with the bits of an undisturbed run.

use std::time::Duration;

use experiments::Advance;
use jobs::{CheckpointRef, MetricPoint, Outcome, Stop};
use serde_json::json;

use super::stage::{MEMORY, Stage, again, digits, ended, expected, start, toy};

fn same(found: &[MetricPoint], expected: &[MetricPoint]) {
    assert_eq!(found.len(), expected.len(), "number of metrics");
    for (found, expected) in found.iter().zip(expected) {
        let is_same = found.name == expected.name && found.step == expected.step;
        assert!(is_same && found.value.same_bits(&expected.value), "{found:?} instead of {expected:?}");
    }
}

fn succeeded(digest: String) -> Option<Outcome> {
    Some(Outcome::Succeeded { digest })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_experiment_gives_all_metrics_in_order_and_the_digest_of_an_undisturbed_run() {
    for experiment in ["rbm", "rbse"] {
        let stage = Stage::new();
        let lease = digits(experiment, &stage.puppet);
        let (metrics, digest) = expected(&lease);
        let steps = start(&lease).steps();
        stage.play(lease).await;
        same(&stage.puppet.points(), &metrics);
        assert_eq!(stage.puppet.outcome(), succeeded(digest));
        assert_eq!(
            stage.puppet.checkpoints().pop().map(|last| last.step),
            Some(steps),
            "the end leaves a checkpoint"
        );
        assert_eq!(stage.shared.memory.free(), MEMORY);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_resumed_from_any_point_ends_with_the_same_bits() {
    for (experiment, advances) in [("rbm", 1), ("rbm", 17), ("rbse", 18), ("rbse", 36)] {
        let stage = Stage::new();
        let lease = digits(experiment, &stage.puppet);
        let (metrics, digest) = expected(&lease);
        let mut simulation = start(&lease);
        let mut before = 0;
        for _ in 0..advances {
            if let Advance::Observed(metrics) = simulation.advance() {
                before += metrics.len();
            }
        }
        let bytes = simulation.checkpoint();
        let digest_of_bytes = *blake3::hash(&bytes).as_bytes();
        let checkpoint =
            CheckpointRef { step: simulation.step(), digest: digest_of_bytes, bytes: bytes.len() as u64 };
        stage.puppet.set(|state| {
            state.chunks.insert(digest_of_bytes, [(0, bytes)].into());
        });
        stage.play(again(&lease, checkpoint)).await;
        assert_eq!(stage.puppet.outcome(), succeeded(digest), "{experiment} after {advances} advances");
        same(&stage.puppet.points(), &metrics[before..]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paused_run_leaves_a_checkpoint_from_which_it_goes_on_alike() {
    let stage = Stage::new();
    let (lease, probe) = toy("paused", json!({"steps": 60}));
    let (metrics, digest) = expected(&lease);
    probe.gate(Some(20));
    let first = stage.begin(lease.clone());
    stage.held(&probe, 20).await;
    stage.wish(&lease, Stop::Paused).await;
    probe.gate(None);
    ended(first).await;
    assert_eq!(stage.puppet.outcome(), Some(Outcome::Stopped(Stop::Paused)));
    let checkpoint = stage.puppet.checkpoints().pop().expect("a pause leaves a checkpoint");
    assert_eq!(checkpoint.step, 21, "it stops at the next step");

    let paused = stage.puppet.points();
    stage.puppet.set(|state| state.wish.clear());
    stage.play(again(&lease, checkpoint)).await;
    let all = stage.puppet.points();
    same(&all, &metrics);
    assert!(paused.len() < all.len());
    let outcome = stage.puppet.state().reports.last().and_then(|(_, report)| report.outcome.clone());
    assert_eq!(outcome, succeeded(digest));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn checkpoints_come_at_multiples_of_their_steps_and_once_at_the_end() {
    let stage = Stage::new();
    let (mut lease, probe) = toy("steps", json!({"steps": 30}));
    lease.checkpoint_every_steps = Some(10);
    // Held after each one, so that it is reported before the next takes its place.
    for step in [10, 20] {
        probe.gate(Some(step));
        if step == 10 {
            drop(stage.begin(lease.clone()));
        }
        stage
            .puppet
            .until("the checkpoint is reported", |state| {
                state
                    .reports
                    .iter()
                    .any(|(_, report)| report.checkpoint.as_ref().is_some_and(|c| c.step == step))
                    .then_some(())
            })
            .await;
    }
    probe.gate(None);
    stage.puppet.until("the run ends", |state| state.reports.last()?.1.outcome.clone()).await;
    let steps: Vec<u64> = stage.puppet.checkpoints().iter().map(|checkpoint| checkpoint.step).collect();
    assert_eq!(steps, [10, 20, 30]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn checkpoints_come_with_wall_time_when_a_job_does_not_say() {
    let stage = Stage::new();
    let (lease, probe) = toy("wall time", json!({"steps": 30}));
    probe.gate(Some(12));
    let attempt = stage.begin(lease);
    stage.held(&probe, 12).await;
    assert!(stage.puppet.checkpoints().is_empty());
    stage.pass(Duration::from_secs(30));
    probe.gate(Some(20));
    stage
        .puppet
        .until("a checkpoint", |state| state.reports.iter().find_map(|(_, report)| report.checkpoint.clone()))
        .await;
    stage.held(&probe, 20).await;
    assert_eq!(stage.puppet.checkpoints().iter().map(|checkpoint| checkpoint.step).collect::<Vec<_>>(), [13]);
    probe.gate(None);
    ended(attempt).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_many_runs_no_simulation_no_thread_and_no_memory_is_left() {
    let stage = Stage::new();
    let mut runs = Vec::new();
    for _ in 0..50 {
        let (lease, _) = toy("many", json!({"steps": 20, "wide": 1000}));
        runs.push(stage.begin(lease));
    }
    for run in runs {
        ended(run).await;
    }
    let (_, probe) = toy("many", json!({}));
    assert_eq!((probe.get().alive, probe.get().observed), (0, 50 * 21));
    assert_eq!(stage.shared.memory.free(), MEMORY);
}

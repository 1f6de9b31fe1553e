//! Attempts that end badly or early.

use std::time::Duration;

use jobs::{CheckpointRef, Class, NonFinite, Outcome, Stop, Value};
use serde_json::json;

use super::stage::{MEMORY, Stage, again, digits, ended, toy};

fn failed(outcome: Option<Outcome>) -> (Class, String) {
    match outcome {
        Some(Outcome::Failed { class, message }) => (class, message),
        other => panic!("{other:?} is no failure"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_in_a_step_ends_its_run_as_a_crash_and_nothing_else() {
    let stage = Stage::new();
    let (good, probe) = toy("beside a panic", json!({"steps": 10}));
    probe.gate(Some(5));
    let beside = stage.begin(good.clone());
    let (bad, bad_probe) = toy("panic", json!({"steps": 10, "panic_at": 3}));
    stage.play(bad.clone()).await;
    let outcome = stage.puppet.outcome();
    assert_eq!(failed(outcome), (Class::Crash, "the simulation panicked: told to panic at step 3".into()));
    let of_bad = |report: &jobs::Report| report.run == bad.run;
    let steps: Vec<u64> = stage
        .puppet
        .state()
        .reports
        .iter()
        .map(|(_, report)| report)
        .filter(|r| of_bad(r))
        .flat_map(|report| report.metrics.iter().map(|point| point.step))
        .collect();
    assert_eq!(steps, [0, 1, 2, 3], "what it observed before is there");
    assert_eq!(bad_probe.get().alive, 0);

    probe.gate(None);
    ended(beside).await;
    let last = stage.puppet.state().reports.last().map(|(_, report)| (report.run, report.outcome.clone()));
    assert!(matches!(last, Some((run, Some(Outcome::Succeeded { .. }))) if run == good.run));
    assert_eq!(stage.shared.memory.free(), MEMORY);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_metric_that_is_not_finite_ends_the_run_as_diverged_and_is_reported() {
    let stage = Stage::new();
    let (lease, _) = toy("nan", json!({"steps": 10, "nan_at": 4}));
    stage.play(lease.clone()).await;
    assert_eq!(failed(stage.puppet.outcome()), (Class::Diverged, "metric place is nan at step 4".into()));
    let last = stage.puppet.points().pop().expect("metrics were reported");
    assert!(matches!(last.value, Value::Scalar(x) if x.is_nan() && last.step == 4));

    let stage = Stage::new();
    stage.play(crate::coordinator::Lease { on_nonfinite: NonFinite::Record, ..lease }).await;
    assert!(matches!(stage.puppet.outcome(), Some(Outcome::Succeeded { .. })), "recording goes on");
    assert_eq!(stage.puppet.points().len(), 11);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_attempt_over_its_wall_time_ends_with_a_checkpoint() {
    let stage = Stage::new();
    let (lease, probe) = toy("wall", json!({"steps": 10}));
    probe.gate(Some(5));
    let attempt = stage.begin(lease);
    stage.held(&probe, 5).await;
    stage.pass(Duration::from_secs(60));
    probe.gate(None);
    ended(attempt).await;
    assert_eq!(failed(stage.puppet.outcome()), (Class::Timeout, "the attempt took longer than 60 s".into()));
    assert_eq!(stage.puppet.checkpoints().pop().map(|checkpoint| checkpoint.step), Some(6));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_start_says_whose_fault_it_is() {
    let play = async |lease| {
        let stage = Stage::new();
        stage.play(lease).await;
        assert_eq!(stage.shared.memory.free(), MEMORY);
        failed(stage.puppet.outcome())
    };
    let (bad_params, _) = toy("start", json!({"steps": "ten"}));
    let message = "parameter `steps` is \"ten\"; it must be a number";
    assert_eq!(play(bad_params).await, (Class::UserError, message.into()));
    let (no_data, _) = toy("start", json!({"steps": 1, "no_data": true}));
    assert_eq!(play(no_data).await, (Class::UserError, "data set: there is none".into()));
    let (mut unknown, _) = toy("start", json!({"steps": 1}));
    unknown.version = 2;
    assert_eq!(play(unknown).await, (Class::Crash, "this worker has no toy v2".into()));
    let (mut large, _) = toy("start", json!({"steps": 1, "wide": (1 << 20) + 1}));
    large.every = Some(1);
    let message = "metric wide at step 0 is 1048577 bytes; it must be at most 1048576";
    assert_eq!(play(large).await, (Class::UserError, message.into()));
    let nowhere = digits("rbm", &super::puppet::Puppet::default());
    let (class, message) = play(nowhere).await;
    assert!(class == Class::UserError && message.contains("there is no such data set"), "{message}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkpoint_that_is_damaged_foreign_or_gone_is_never_used() {
    let (lease, probe) = toy("damaged", json!({"steps": 5}));
    let bytes = b"[1, true, 5".to_vec();
    let digest = *blake3::hash(&bytes).as_bytes();
    let reference = |digest| CheckpointRef { step: 1, digest, bytes: 11 };
    // What came as it was stored and is of no use would be so for every worker; what came otherwise may be better next time.
    for (kept, asked, expected, words) in [
        (digest, digest, Class::CheckpointRefused, "checkpoint is damaged: EOF"),
        ([1; 32], [1; 32], Class::Crash, "checkpoint at step 1 is damaged: it does not match its hash"),
        (digest, [2; 32], Class::Crash, "checkpoint at step 1: there is no such checkpoint"),
    ] {
        let stage = Stage::new();
        stage.puppet.set(|state| {
            state.chunks.insert(kept, [(0, bytes.clone())].into());
        });
        stage.play(again(&lease, reference(asked))).await;
        let (class, message) = failed(stage.puppet.outcome());
        assert!(class == expected && message.starts_with(words), "{message}");
    }
    assert_eq!((probe.get().observed, probe.get().alive), (0, 0));

    let stage = Stage::new();
    let lease = digits("rbm", &stage.puppet);
    let other = super::stage::start(&crate::coordinator::Lease { seed: 8, ..lease.clone() }).checkpoint();
    let digest = *blake3::hash(&other).as_bytes();
    let checkpoint = CheckpointRef { step: 0, digest, bytes: other.len() as u64 };
    stage.puppet.set(|state| {
        state.chunks.insert(digest, [(0, other)].into());
    });
    stage.play(again(&lease, checkpoint)).await;
    let (class, message) = failed(stage.puppet.outcome());
    assert!(class == Class::CheckpointRefused && message.contains("seed 8"), "{message}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_or_drained_run_stops_at_the_next_step_with_a_checkpoint() {
    for stop in [Stop::Cancelled, Stop::Drain] {
        let stage = Stage::new();
        let (lease, probe) = toy(&format!("{stop:?}"), json!({"steps": 1000}));
        probe.gate(Some(10));
        let attempt = stage.begin(lease.clone());
        stage.held(&probe, 10).await;
        match stop {
            Stop::Drain => stage.drain().await,
            stop => stage.wish(&lease, stop).await,
        }
        probe.gate(None);
        ended(attempt).await;
        assert_eq!(stage.puppet.outcome(), Some(Outcome::Stopped(stop)));
        assert_eq!(stage.puppet.checkpoints().pop().map(|checkpoint| checkpoint.step), Some(11));
        assert_eq!((probe.get().step, probe.get().alive), (11, 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_stopped_while_it_waits_for_its_data_says_so() {
    let stage = Stage::new();
    let lease = digits("rbm", &stage.puppet);
    stage.drain.cancel();
    stage.play(lease).await;
    let outcome = stage.puppet.outcome();
    assert!(matches!(outcome, Some(Outcome::Stopped(Stop::Drain))), "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stale_attempt_is_dropped_and_says_nothing_more() {
    let stage = Stage::new();
    let (lease, probe) = toy("stale", json!({"steps": 1_000_000}));
    probe.gate(Some(10));
    let attempt = stage.begin(lease.clone());
    stage.held(&probe, 10).await;
    stage.puppet.set(|state| state.stale.push(lease.run));
    let reports = stage.puppet.state().reports.len();
    probe.gate(None);
    let began = std::time::Instant::now();
    ended(attempt).await;
    assert!(began.elapsed() < Duration::from_secs(1), "dropped after {:?}", began.elapsed());
    assert_eq!(stage.puppet.state().reports.len(), reports);
    assert_eq!((stage.puppet.outcome(), probe.get().alive), (None, 0));
    assert!(probe.get().step < 1_000_000);
}

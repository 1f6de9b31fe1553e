//! The server goes away and comes back.

use jobs::Outcome;
use serde_json::json;

use super::stage::{Stage, digits, ended, expected, toy};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_server_is_away_a_run_computes_on_and_afterwards_nothing_is_missing() {
    let stage = Stage::new();
    let (mut lease, probe) = toy("away", json!({"steps": 2_000}));
    lease.checkpoint_every_steps = Some(100);
    let (metrics, digest) = expected(&lease);
    let before = probe.get().observed;
    probe.gate(Some(50));
    let attempt = stage.begin(lease);
    stage.held(&probe, 50).await;
    stage.puppet.set(|state| state.is_away = true);
    probe.gate(None);
    // To its very end, though nobody hears of it.
    let missed = |state: &super::puppet::State| state.missed >= 3 && probe.get().observed - before == 2_001;
    stage.puppet.until("it computes on", |state| missed(state).then_some(())).await;
    assert_eq!(stage.puppet.outcome(), None);
    stage.puppet.set(|state| state.is_away = false);
    ended(attempt).await;
    assert_eq!(stage.puppet.points(), metrics);
    assert_eq!(stage.puppet.outcome(), Some(Outcome::Succeeded { digest }));
    assert!(stage.puppet.checkpoints().len() < 5, "old checkpoints are not kept for a server that is away");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_too_much_waits_the_run_waits_and_no_metric_is_dropped() {
    let stage = Stage::new();
    let (lease, probe) = toy("flood", json!({"steps": 25_000}));
    let (metrics, digest) = expected(&lease);
    let before = probe.get().observed;
    stage.puppet.set(|state| state.is_away = true);
    let attempt = stage.begin(lease);
    let full = |state: &super::puppet::State| state.missed >= 5 && probe.get().observed - before >= 10_000;
    stage.puppet.until("the outbox is full", |state| full(state).then_some(())).await;
    // 10,000 wait and one more is at the door; it can never be more, whenever one looks.
    assert!(probe.get().observed - before <= 10_001, "{} observations", probe.get().observed - before);
    stage.puppet.set(|state| state.is_away = false);
    ended(attempt).await;
    assert_eq!(stage.puppet.points(), metrics);
    assert_eq!(stage.puppet.outcome(), Some(Outcome::Succeeded { digest }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_whose_answer_got_lost_is_sent_again_as_it_was() {
    let stage = Stage::new();
    let (lease, _) = toy("lost answers", json!({"steps": 300, "wide": 100}));
    let (metrics, _) = expected(&lease);
    stage.puppet.set(|state| state.lose_answers = 3);
    stage.play(lease).await;
    assert_eq!(stage.puppet.state().missed, 3);
    assert_eq!(stage.puppet.points(), metrics, "the puppet compares what it is sent again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_attempt_that_was_given_away_during_an_outage_is_dropped() {
    let stage = Stage::new();
    let (lease, probe) = toy("given away", json!({"steps": 100_000}));
    stage.puppet.set(|state| state.is_away = true);
    let attempt = stage.begin(lease.clone());
    stage.puppet.until("it is noticed", |state| (state.missed >= 2).then_some(())).await;
    stage.puppet.set(|state| {
        state.stale.push(lease.run);
        state.is_away = false;
    });
    ended(attempt).await;
    assert_eq!((stage.puppet.state().reports.len(), probe.get().alive), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_whose_data_is_not_there_yet_waits_for_the_server_and_then_begins() {
    let stage = Stage::new();
    let lease = digits("rbm", &stage.puppet);
    let (metrics, _) = expected(&lease);
    stage.puppet.set(|state| state.is_away = true);
    let attempt = stage.begin(lease);
    stage.puppet.until("it asks for data", |state| (state.missed >= 4).then_some(())).await;
    stage.puppet.set(|state| state.is_away = false);
    ended(attempt).await;
    assert_eq!(stage.puppet.points().len(), metrics.len());
}

//! A worker's life, with several runs.

use std::{sync::Arc, time::Duration};

use jobs::{Outcome, Stop};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{
    stage::{MEMORY, Stage, toy},
    toy,
};
use crate::{Config, WorkerError, describe, pool::Pool};

fn config(slots: u32) -> Config {
    Config {
        gang: gang::Gang::Alone,
        server: "http://127.0.0.1:1".into(),
        slots,
        memory_bytes: MEMORY,
        cache_dir: "unused".into(),
        labels: [("rack".to_owned(), "7".to_owned())].into(),
        name: "test:1".into(),
    }
}

fn work(stage: &Stage, slots: u32) -> (tokio::task::JoinHandle<Result<(), WorkerError>>, CancellationToken) {
    let shutdown = CancellationToken::new();
    let pool = Pool { shared: stage.shared.clone(), worker: describe(config(slots), stage.shared.catalogue) };
    let token = shutdown.clone();
    (tokio::spawn(async move { pool.run(token).await }), shutdown)
}

fn outcomes(state: &super::puppet::State) -> Vec<Outcome> {
    state.reports.iter().filter_map(|(_, report)| report.outcome.clone()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_fills_its_slots_accounts_for_memory_and_drains() {
    let stage = Stage::new();
    let (first, probe) = toy("pool", json!({"steps": 1_000}));
    probe.gate(Some(5));
    let more = (0..3).map(|_| toy("pool", json!({"steps": 1_000})).0);
    let leases: Vec<_> = [first].into_iter().chain(more).collect();
    stage.puppet.set(|state| state.leases.extend(leases));
    let (worker, shutdown) = work(&stage, 3);
    stage
        .puppet
        .until("three runs are at the gate", |state| {
            let at_gate =
                state.reports.iter().filter(|(_, report)| report.step == 5).map(|(_, report)| report.run);
            (at_gate.collect::<std::collections::BTreeSet<_>>().len() == 3).then_some(())
        })
        .await;
    let asked = stage.puppet.state().asked.clone();
    let free: Vec<_> = asked.iter().map(|free| (free.slots, free.memory_bytes)).collect();
    assert_eq!(free, [(3, MEMORY), (2, MEMORY - toy::MEMORY), (1, MEMORY - 2 * toy::MEMORY)]);
    assert_eq!(stage.puppet.state().leases.len(), 1, "the fourth run stays with the server");
    let registered = stage.puppet.state().registered.clone();
    assert_eq!((registered.len(), registered[0].slots, registered[0].labels["rack"].as_str()), (1, 3, "7"));
    assert!(registered[0].catalogue.iter().any(|able| able.experiment == "rbse"));

    shutdown.cancel();
    stage.two_more_reports().await;
    probe.gate(None);
    worker.await.expect("no panic").expect("a drained worker is no error");
    assert_eq!(outcomes(&stage.puppet.state()), vec![Outcome::Stopped(Stop::Drain); 3]);
    assert_eq!(stage.puppet.checkpoints().len(), 3);
    assert_eq!(stage.puppet.state().leases.len(), 1, "a worker that drains takes nothing new");
    assert_eq!((probe.get().alive, stage.shared.memory.free()), (0, MEMORY));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_goes_through_many_runs_with_few_slots() {
    let stage = Stage::new();
    stage.puppet.set(|state| state.leases.extend((0..60).map(|_| toy("queue", json!({"steps": 5})).0)));
    let (worker, shutdown) = work(&stage, 2);
    stage.puppet.until("all runs end", |state| (outcomes(state).len() == 60).then_some(())).await;
    shutdown.cancel();
    worker.await.expect("no panic").expect("a drained worker is no error");
    let state = stage.puppet.state();
    assert!(outcomes(&state).iter().all(|outcome| matches!(outcome, Outcome::Succeeded { .. })));
    assert!(state.asked.iter().all(|free| free.slots >= 1));
}

#[tokio::test(start_paused = true)]
async fn a_worker_waits_for_a_server_that_is_not_there_yet() {
    let stage = Stage::new();
    stage.puppet.set(|state| state.is_away = true);
    let (worker, shutdown) = work(&stage, 1);
    stage.puppet.until("many tries", |state| (state.missed >= 100).then_some(())).await;
    stage.puppet.set(|state| state.is_away = false);
    stage.puppet.until("it asks for work", |state| (!state.asked.is_empty()).then_some(())).await;
    stage.puppet.set(|state| state.is_away = true);
    stage.puppet.until("it notices", |state| (state.missed >= 110).then_some(())).await;
    stage.puppet.set(|state| state.is_away = false);
    stage.puppet.until("it asks again", |state| (state.asked.len() >= 2).then_some(())).await;
    let registered = stage.puppet.state().registered.clone();
    assert!(registered.len() == 2 && registered[0] == registered[1], "the same worker registers again");
    shutdown.cancel();
    worker.await.expect("no panic").expect("no error");
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_never_reached_a_server_stops_at_once() {
    let stage = Stage::new();
    stage.puppet.set(|state| state.is_away = true);
    let (worker, shutdown) = work(&stage, 1);
    stage.puppet.until("a try", |state| (state.missed >= 1).then_some(())).await;
    shutdown.cancel();
    worker.await.expect("no panic").expect("no error");
}

#[tokio::test(start_paused = true)]
async fn a_worker_returns_within_thirty_seconds_though_nobody_hears_its_farewell() {
    let stage = Stage::new();
    let (lease, probe) = toy("farewell", json!({"steps": 1_000}));
    probe.gate(Some(5));
    stage.puppet.set(|state| state.leases.push_back(lease));
    let (worker, shutdown) = work(&stage, 1);
    stage.puppet.until("it runs", |state| (!state.reports.is_empty()).then_some(())).await;
    stage.puppet.set(|state| state.is_away = true);
    let began = tokio::time::Instant::now();
    shutdown.cancel();
    worker.await.expect("no panic").expect("no error");
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    probe.gate(None);
    let probe = Arc::clone(&probe);
    stage.puppet.until("its thread ends", |_| (probe.get().alive == 0).then_some(())).await;
    assert!(probe.get().step < 10);
}

#[tokio::test]
async fn settings_that_cannot_work_are_refused_by_name() {
    let refused = async |config| {
        let ended = crate::run(config, crate::Witness::default(), CancellationToken::new()).await;
        ended.expect_err("refused").to_string()
    };
    assert_eq!(refused(config(0)).await, "`slots` is 0; it must be at least 1");
    let nowhere = Config { server: "no address".into(), ..config(1) };
    assert_eq!(
        refused(nowhere).await,
        "the server's address is `no address`; it must be like http://127.0.0.1:7717"
    );
    let no_dir = Config { cache_dir: "/dev/null/cache".into(), ..config(1) };
    assert_eq!(refused(no_dir).await, "cannot make the cache folder /dev/null/cache");
}

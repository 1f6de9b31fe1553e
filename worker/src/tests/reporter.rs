//! When reports are sent. Time stands still but for the waits of the code under test.

use std::{sync::Arc, time::Duration};

use jobs::{MetricPoint, Outcome, RunId, Stop, Value};
use tokio::time::Instant;

use super::puppet::Puppet;
use crate::{
    coordinator::Terms,
    outbox::{Checkpoint, Order, Outbox},
    reporter::Reporter,
    witness::Witness,
};

const SERVICE: Terms = Terms {
    report_min_ms: 200,
    report_max_ms: 10_000,
    checkpoint_ms: 30_000,
    max_checkpoint_bytes: 512 << 20,
    max_report_points: proto::POINTS_LIMIT,
};

fn begin(lease_ms: u64) -> (Arc<Puppet>, Arc<Outbox>, tokio::task::JoinHandle<()>, Instant) {
    let (puppet, outbox) = (Arc::new(Puppet::default()), Arc::new(Outbox::new(0)));
    let who = (RunId(uuid::Uuid::from_u128(1)), 1);
    let reporter =
        Reporter::new(puppet.clone(), outbox.clone(), Witness::default(), who, 0, &SERVICE, lease_ms);
    (puppet, outbox, tokio::spawn(reporter.run()), Instant::now())
}

fn observe(outbox: &Outbox, step: u64) {
    outbox.stepped(step);
    outbox.observed(vec![MetricPoint { name: "w".into(), step, value: Value::Scalar(0.5) }]);
}

async fn times(puppet: &Puppet, count: usize, began: Instant) -> Vec<Duration> {
    puppet.until("reports", |state| (state.reports.len() >= count).then_some(())).await;
    puppet.state().reports.iter().map(|(at, _)| at.duration_since(began)).collect()
}

/// Timers have a resolution of 1 ms.
fn near(time: Duration, ms: u64) -> bool {
    (ms..=ms + 2).contains(&(time.as_millis() as u64))
}

#[tokio::test(start_paused = true)]
async fn with_nothing_new_the_lease_is_renewed_every_ten_seconds_or_third_of_a_lease() {
    for (lease_ms, every) in [(60_000, 10_000), (2_000, 666)] {
        let (puppet, _outbox, _task, began) = begin(lease_ms);
        let times = times(&puppet, 3, began).await;
        assert!(near(times[0], every), "{times:?}");
        assert!(times.windows(2).all(|pair| near(pair[1] - pair[0], every)), "{times:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn news_is_sent_at_once_but_not_more_often_than_the_server_likes() {
    let (puppet, outbox, _task, began) = begin(30_000);
    observe(&outbox, 1);
    assert!(near(times(&puppet, 1, began).await[0], 200));
    observe(&outbox, 2);
    observe(&outbox, 3);
    assert!(near(times(&puppet, 2, began).await[1], 400));
    assert_eq!(puppet.points().len(), 3);
    times(&puppet, 3, began).await; // a renewal
    observe(&outbox, 4);
    let times = times(&puppet, 4, began).await;
    assert!(times[3] - times[2] < Duration::from_millis(220), "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_ends_at_once_says_everything_in_one_report() {
    let (puppet, outbox, task, began) = begin(30_000);
    observe(&outbox, 1);
    outbox.checkpointed(Checkpoint {
        step: 1,
        digest: *blake3::hash(b"x").as_bytes(),
        bytes: Arc::from(&b"x"[..]),
    });
    outbox.ended(Outcome::Stopped(Stop::Paused));
    task.await.expect("the reporter ends");
    assert_eq!(puppet.state().reports.len(), 1);
    assert!(puppet.state().reports[0].0.duration_since(began) < Duration::from_millis(5));
    assert_eq!((puppet.points().len(), puppet.checkpoints().len()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn the_lease_is_renewed_while_a_checkpoint_goes_up() {
    let (puppet, outbox, task, _) = begin(30_000);
    puppet.set(|state| state.hold_chunks = true);
    observe(&outbox, 1);
    let bytes: Arc<[u8]> = vec![7; 20 << 20].into(); // three parts
    outbox.checkpointed(Checkpoint { step: 1, digest: *blake3::hash(&bytes).as_bytes(), bytes });
    puppet.until("renewals", |state| (state.reports.len() >= 3).then_some(())).await;
    observe(&outbox, 2);
    assert!(puppet.points().is_empty(), "metrics wait for the checkpoint they go with");
    puppet.set(|state| state.hold_chunks = false);
    puppet
        .until("the checkpoint", |state| {
            state.reports.iter().find_map(|(_, report)| report.checkpoint.clone())
        })
        .await;
    outbox.ended(Outcome::Stopped(Stop::Cancelled));
    task.await.expect("the reporter ends");
    assert_eq!(puppet.points().iter().map(|point| point.step).collect::<Vec<_>>(), [1, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_link_that_breaks_carries_less_at_once_for_a_while() {
    let (puppet, outbox, task, _) = begin(30_000);
    puppet.set(|state| state.break_parts = 2);
    let bytes: Arc<[u8]> = vec![7; 20 << 20].into();
    let digest = *blake3::hash(&bytes).as_bytes();
    outbox.stepped(1);
    outbox.checkpointed(Checkpoint { step: 1, digest, bytes: bytes.clone() });
    outbox.ended(Outcome::Stopped(Stop::Cancelled));
    task.await.expect("the reporter ends");
    assert_eq!(puppet.state().parts, [1, 2, 4, 8, 5]);
    let stored: Vec<u8> = puppet.state().chunks[&digest].values().flatten().copied().collect();
    assert!(stored == bytes[..], "each of them at its place");
}

#[tokio::test(start_paused = true)]
async fn tries_come_within_two_seconds_for_as_long_as_the_server_is_away() {
    let (puppet, outbox, task, began) = begin(30_000);
    puppet.set(|state| state.is_away = true);
    observe(&outbox, 1);
    puppet.until("a long outage", |state| (state.missed >= 2_000).then_some(())).await;
    let away = began.elapsed();
    assert!(away > Duration::from_secs(1_800) && away < Duration::from_secs(4_001), "{away:?}");
    puppet.set(|state| state.is_away = false);
    outbox.ended(Outcome::Stopped(Stop::Paused));
    task.await.expect("the reporter ends");
    assert_eq!(puppet.points().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_the_server_wishes_reaches_the_thread_and_a_lost_lease_ends_all() {
    let (puppet, outbox, task, _) = begin(30_000);
    let run = RunId(uuid::Uuid::from_u128(1));
    puppet.set(|state| {
        state.wish.insert(run, Stop::Paused);
    });
    assert_eq!(outbox.stopped().await, Order::Stop(Stop::Paused));
    puppet.set(|state| {
        state.wish.insert(run, Stop::LeaseLost);
    });
    task.await.expect("the reporter ends");
    assert_eq!(outbox.order(), Order::Abandon);
}

//! Order, bounds and barriers of what waits between thread and task.

use std::{sync::Arc, thread};

use jobs::{Array, Dtype, MetricKind, MetricPoint, Outcome, Stop, Value};

use crate::outbox::{Checkpoint, Order, Outbox};

fn scalar(step: u64) -> MetricPoint {
    MetricPoint { name: "w".into(), step, value: Value::Scalar(step as f64) }
}

fn wide(step: u64, bytes: usize) -> MetricPoint {
    let array = Array {
        kind: MetricKind::Vector,
        dtype: Dtype::U8,
        shape: vec![bytes as u32],
        data: vec![step as u8; bytes],
    };
    MetricPoint { name: "w".into(), step, value: Value::Array(array) }
}

fn checkpoint(step: u64) -> Checkpoint {
    Checkpoint { step, digest: [step as u8; 32], bytes: Arc::from([step as u8].as_slice()) }
}

fn observe(outbox: &Outbox, point: MetricPoint) {
    outbox.stepped(point.step);
    outbox.observed(vec![point]);
}

#[test]
fn a_checkpoint_waits_for_the_metrics_before_it_and_the_outcome_for_all() {
    let outbox = Outbox::new(0);
    (1..=6_000).for_each(|step| observe(&outbox, scalar(step)));
    outbox.checkpointed(checkpoint(6_000));
    observe(&outbox, scalar(6_001));
    outbox.ended(Outcome::Stopped(Stop::Paused));

    let first = outbox.take(proto::POINTS_LIMIT);
    assert_eq!((first.points.len(), first.step), (5_000, 5_000));
    assert!(first.checkpoint.is_none() && first.outcome.is_none());
    let second = outbox.take(proto::POINTS_LIMIT);
    assert_eq!((second.points.len(), second.step), (1_001, 6_001));
    assert_eq!(second.checkpoint.map(|checkpoint| checkpoint.step), Some(6_000));
    assert_eq!(second.outcome, Some(Outcome::Stopped(Stop::Paused)));
    let steps: Vec<u64> = first.points.iter().chain(&second.points).map(|point| point.step).collect();
    assert!(steps.into_iter().eq(1..=6_001), "every metric once, in order");
}

#[test]
fn a_report_stays_below_a_message_of_4_mib() {
    let outbox = Outbox::new(0);
    (1..=7).for_each(|step| observe(&outbox, wide(step, 1 << 20)));
    let sizes: Vec<usize> = (0..4).map(|_| outbox.take(proto::POINTS_LIMIT).points.len()).collect();
    assert_eq!(sizes, [2, 2, 2, 1]);
}

#[test]
fn a_report_has_as_many_points_as_the_server_takes() {
    let outbox = Outbox::new(0);
    (1..=7).for_each(|step| observe(&outbox, scalar(step)));
    let sizes: Vec<usize> = (0..3).map(|_| outbox.take(3).points.len()).collect();
    assert_eq!(sizes, [3, 3, 1]);
}

#[test]
fn a_newer_checkpoint_takes_the_place_of_one_that_still_waits() {
    let outbox = Outbox::new(0);
    observe(&outbox, scalar(1));
    outbox.checkpointed(checkpoint(1));
    observe(&outbox, scalar(2));
    outbox.checkpointed(checkpoint(2));
    let batch = outbox.take(proto::POINTS_LIMIT);
    assert_eq!((batch.points.len(), batch.checkpoint.map(|checkpoint| checkpoint.step)), (2, Some(2)));
    assert!(outbox.take(proto::POINTS_LIMIT).checkpoint.is_none());
}

#[test]
fn the_thread_waits_when_the_outbox_is_full_until_the_server_has_answered() {
    let outbox = Arc::new(Outbox::new(0));
    (1..=10_000).for_each(|step| observe(&outbox, scalar(step)));
    let thread = {
        let outbox = outbox.clone();
        thread::spawn(move || observe(&outbox, scalar(10_001)))
    };
    let (first, second) = (outbox.take(proto::POINTS_LIMIT), outbox.take(proto::POINTS_LIMIT));
    // Taken, but not acknowledged: the thread may not go on, whenever it looks.
    assert_eq!(
        (first.points.len(), second.points.len(), outbox.take(proto::POINTS_LIMIT).points.len()),
        (5_000, 5_000, 0)
    );
    outbox.delivered(first.size);
    thread.join().expect("there is room now");
    assert_eq!(outbox.take(proto::POINTS_LIMIT).points.len(), 1);
}

#[test]
fn bytes_fill_the_outbox_too_but_one_observation_always_fits() {
    let outbox = Arc::new(Outbox::new(0));
    outbox.observed((0..9).map(|_| wide(1, 1 << 20)).collect()); // 9 MiB at once
    let thread = {
        let outbox = outbox.clone();
        thread::spawn(move || observe(&outbox, scalar(2)))
    };
    let taken: Vec<_> = (0..5).map(|_| outbox.take(proto::POINTS_LIMIT)).collect();
    assert_eq!(taken.iter().map(|batch| batch.points.len()).sum::<usize>(), 9, "the scalar is not in yet");
    taken.into_iter().for_each(|batch| outbox.delivered(batch.size));
    thread.join().expect("there is room now");
}

#[test]
fn a_thread_that_waits_for_room_hears_that_it_shall_stop() {
    for (stop, order) in [(Stop::Cancelled, Order::Stop(Stop::Cancelled)), (Stop::LeaseLost, Order::Abandon)]
    {
        let outbox = Arc::new(Outbox::new(0));
        (1..=10_000).for_each(|step| observe(&outbox, scalar(step)));
        let thread = {
            let outbox = outbox.clone();
            thread::spawn(move || {
                observe(&outbox, scalar(10_001));
                outbox.order()
            })
        };
        outbox.stop(stop);
        assert_eq!(thread.join().expect("it does not wait"), order);
    }
}

#[test]
fn what_a_user_wants_goes_before_a_drain_and_a_lost_lease_before_all() {
    let outbox = Outbox::new(0);
    outbox.stop(Stop::Drain);
    outbox.stop(Stop::Paused);
    outbox.stop(Stop::Drain);
    assert_eq!(outbox.order(), Order::Stop(Stop::Paused));
    outbox.stop(Stop::Cancelled);
    assert_eq!(outbox.order(), Order::Stop(Stop::Cancelled));
    outbox.abandon();
    outbox.stop(Stop::Paused);
    assert_eq!(outbox.order(), Order::Abandon);
}

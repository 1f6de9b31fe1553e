//! Metrics: every bit, once.

use std::collections::BTreeSet;
use std::sync::Arc;

use jobs::{Array, Class, Directive, Dtype, MetricKind, MetricPoint, RunState, Stop, Value};

use super::fixture::{Bench, START, TTL, run_id, says, scalar};
use crate::{Store, StoreError};

fn array(kind: MetricKind, shape: &[u32], data: &[u8]) -> Value {
    Value::Array(Array { kind, dtype: Dtype::U8, shape: shape.to_vec(), data: data.to_vec() })
}

/// NaN payloads, signs of zero, infinities, the smallest numbers, arrays.
pub async fn metrics_keep_every_bit(store: Arc<dyn Store>) {
    let bench = Bench::with_job(store, 1).await;
    let run = bench.granted(1, START).await;
    let odd = [0.1, -0.0, 0.0, f64::INFINITY, f64::NEG_INFINITY, 5e-324, f64::MIN, f64::MAX];
    let nans = [
        0x7ff8_0000_0000_0001,
        0xfff8_dead_beef_0001,
        0x7ff0_0000_0000_0001,
        u64::MAX,
        0x8000_0000_0000_0001,
    ];
    let values: Vec<_> = odd.into_iter().chain(nans.map(f64::from_bits)).collect();
    let mut report = says(&run, 0, 100);
    report.metrics = values.iter().zip(0..).map(|(value, step)| scalar("odd", step, *value)).collect();
    let image = array(MetricKind::Tiles, &[1, 2, 3], &[0, 1, 2, 3, 4, 255]);
    report.metrics.push(MetricPoint { name: "image".into(), step: 7, value: image.clone() });
    bench.report(report, START).await;
    let stored = bench.values(run.id, "odd").await;
    assert_eq!((stored.total, stored.sampled), (values.len() as u64, false));
    for ((step, attempt, stored), (value, at)) in stored.rows.iter().zip(values.iter().zip(0..)) {
        assert_eq!((*step, *attempt), (at, 1));
        assert!(stored.same_bits(&Value::Scalar(*value)), "{value} at step {at}");
    }
    assert_eq!(bench.values(run.id, "image").await.rows, [(7, 1, image)]);
    assert!(bench.values(run.id, "nothing").await.rows.is_empty());
}

/// The attempt that first wrote a row keeps it.
pub async fn metrics_sent_again_by_a_later_attempt_change_nothing(store: Arc<dyn Store>) {
    let bench = Bench::with_job(store, 1).await;
    let first = bench.granted(1, START).await;
    let metrics = |steps: std::ops::Range<u64>| {
        let vector = |step| array(MetricKind::Vector, &[1], &[u8::try_from(step % 200).expect("small")]);
        let both = |step| {
            [scalar("loss", step, f64::NAN), MetricPoint { name: "row".into(), step, value: vector(step) }]
        };
        steps.flat_map(both).collect::<Vec<_>>()
    };
    bench.report(jobs::Report { metrics: metrics(0..10), ..says(&first, 0, 10) }, START).await;
    bench.store.expire_leases(START + TTL).await.expect("expired");
    let second = bench.granted(2, START + TTL).await;
    bench.report(jobs::Report { metrics: metrics(5..15), ..says(&second, 0, 15) }, START + TTL).await;
    for name in ["loss", "row"] {
        let attempts: Vec<_> = bench.values(first.id, name).await.rows.iter().map(|row| row.1).collect();
        assert_eq!(attempts, [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2]);
    }
    let series = bench.store.series(first.id).await.expect("readable");
    assert_eq!(series.iter().map(|one| (one.count, one.last_step)).collect::<Vec<_>>(), [(15, 14), (15, 14)]);
    assert!(matches!(bench.run(first.id).await.state, RunState::Running(_)));
}

/// The row stays, the run fails, the log says where.
pub async fn other_bits_for_a_step_fail_the_run(store: Arc<dyn Store>) {
    for (place, value) in [(0, 0.0), (1, f64::from_bits(0x7ff8_0000_0000_0002))] {
        let bench = Bench { store: Arc::clone(&store) };
        bench.submit(super::fixture::job(1 + place, 1)).await;
        let run = bench.granted(1, START + 9).await;
        let old = if value == 0.0 { -0.0 } else { f64::from_bits(0x7ff8_0000_0000_0001) };
        bench.report(jobs::Report { metrics: vec![scalar("loss", 1, old)], ..says(&run, 0, 1) }, START).await;
        let checkpoint = Some(bench.checkpoint(2, START).await);
        let metrics = vec![scalar("loss", 1, value), scalar("loss", 2, 1.0)];
        let answer = bench.report(jobs::Report { metrics, checkpoint, ..says(&run, 1, 2) }, START).await;
        assert_eq!(answer, Directive::Stop(Stop::LeaseLost));
        let failed = bench.run(run.id).await;
        assert!(matches!(failed.state, RunState::Failed { class: Class::DivergedBits, .. }));
        assert!(bench.store.checkpoints(run.id).await.expect("readable").is_empty());
        let rows = bench.values(run.id, "loss").await.rows;
        assert!(rows[0].2.same_bits(&Value::Scalar(old)), "the row stays");
    }
    let bench = Bench { store };
    let expected = [
        "job_submitted",
        "run_started",
        "run_progressed",
        "run_progressed",
        "determinism_violation",
        "run_ended",
    ];
    let events: Vec<_> = bench.events().await;
    let told: Vec<_> = events.iter().filter(|name| **name != "run_progressed").collect();
    assert_eq!(told[..4], [&expected[0], &expected[1], &expected[4], &expected[5]]);
    assert_eq!(events.last(), Some(&"job_ended"));
}

/// Whatever the worker says of its end.
pub async fn other_bits_in_the_last_report_of_a_run_fail_it(store: Arc<dyn Store>) {
    let bench = Bench::with_job(store, 1).await;
    let run = bench.granted(1, START).await;
    bench.report(jobs::Report { metrics: vec![scalar("loss", 1, 1.0)], ..says(&run, 0, 1) }, START).await;
    let outcome = Some(jobs::Outcome::Failed { class: Class::UserError, message: "enough".into() });
    let metrics = vec![scalar("loss", 1, 2.0)];
    let answer = bench.report(jobs::Report { metrics, outcome, ..says(&run, 1, 1) }, START).await;
    assert_eq!(answer, Directive::Stop(Stop::LeaseLost));
    let failed = bench.run(run.id).await;
    assert!(matches!(failed.state, RunState::Failed { class: Class::DivergedBits, .. }), "{failed:?}");
}

/// A metric keeps its kind.
pub async fn another_kind_for_a_metric_fails_the_run(store: Arc<dyn Store>) {
    let bench = Bench::with_job(store, 1).await;
    let run = bench.granted(1, START).await;
    bench.report(jobs::Report { metrics: vec![scalar("loss", 1, 1.0)], ..says(&run, 0, 1) }, START).await;
    let other = MetricPoint { name: "loss".into(), step: 2, value: array(MetricKind::Vector, &[1], &[1]) };
    bench.report(jobs::Report { metrics: vec![other], ..says(&run, 1, 2) }, START).await;
    assert!(matches!(bench.run(run.id).await.state, RunState::Failed { class: Class::DivergedBits, .. }));
}

/// 64 names, not 65.
pub async fn too_many_names_are_refused(store: Arc<dyn Store>) {
    let bench = Bench::with_job(store, 1).await;
    let run = bench.granted(1, START).await;
    let named = |count| (0..count).map(|n| scalar(&format!("metric_{n}"), 1, 1.0)).collect::<Vec<_>>();
    let refused = bench.store.report(jobs::Report { metrics: named(257), ..says(&run, 0, 1) }, START).await;
    assert!(matches!(refused, Err(StoreError::Limit(why)) if why.contains("257")));
    bench.report(jobs::Report { metrics: named(256), ..says(&run, 0, 1) }, START).await;
    let one_more = jobs::Report { metrics: vec![scalar("more", 2, 1.0)], ..says(&run, 1, 2) };
    assert!(matches!(bench.store.report(one_more, START).await, Err(StoreError::Limit(_))));
    assert_eq!(bench.store.series(run.id).await.expect("readable").len(), 256);
}

/// Names, sizes and shapes.
pub async fn oddly_shaped_values_are_refused(store: Arc<dyn Store>) {
    let bench = Bench::with_job(store, 1).await;
    let run = bench.granted(1, START).await;
    let long = format!("a{}", "b".repeat(64));
    let odd_names = ["", "A", "1a", "a-b", "ä", long.as_str()].map(|name| scalar(name, 1, 1.0));
    let short = array(MetricKind::Matrix, &[2, 2], &[1, 2, 3]);
    let vast = array(MetricKind::Matrix, &[u32::MAX, u32::MAX, u32::MAX], &[]);
    let large = array(MetricKind::Vector, &[(1 << 20) + 1], &vec![0; (1 << 20) + 1]);
    let odd_values = [short, vast, large].map(|value| MetricPoint { name: "a".into(), step: 1, value });
    let late = scalar("a", u64::MAX, 1.0);
    for metric in odd_names.into_iter().chain(odd_values).chain([late]) {
        let refused =
            bench.store.report(jobs::Report { metrics: vec![metric], ..says(&run, 0, 1) }, START).await;
        assert!(matches!(refused, Err(StoreError::Limit(_))), "{refused:?}");
    }
    let most = array(MetricKind::Vector, &[1 << 20], &vec![0; 1 << 20]);
    let metrics = vec![MetricPoint { name: "a".repeat(64), step: 1, value: most }];
    bench.report(jobs::Report { metrics, ..says(&run, 0, 1) }, START).await;
}

/// A spike of one step in 900 is still there in 20 rows, and every row is a real one.
pub async fn thinning_keeps_the_first_the_last_and_the_extremes(store: Arc<dyn Store>) {
    let bench = Bench::with_job(store, 1).await;
    let run = bench.granted(1, START).await;
    let value = |step: u64| match step {
        313 => -1e9,
        400 => f64::INFINITY,
        401 => f64::NAN,
        402 => 1e9,
        _ => (step as f64 * 0.1).sin(),
    };
    let metrics = (10..910).map(|step| scalar("loss", step, value(step))).collect();
    bench.report(jobs::Report { metrics, ..says(&run, 0, 910) }, START).await;
    for points in [2, 3, 4, 20, 899] {
        let rows = bench.values_to(run.id, "loss", points).await.expect("readable");
        assert!(rows.sampled && rows.total == 900 && rows.rows.len() <= points as usize, "{points} points");
        assert!(rows.rows.iter().all(|row| row.2.same_bits(&Value::Scalar(value(row.0)))), "real rows");
        let steps: Vec<_> = rows.rows.iter().map(|row| row.0).collect();
        assert!(steps.windows(2).all(|pair| pair[0] < pair[1]), "by step, each once");
        assert_eq!((steps.first(), steps.last()), (Some(&10), Some(&909)));
        assert!(points < 4 || (steps.contains(&313) && steps.contains(&401)), "extremes: {steps:?}");
    }
    let all = bench.values_to(run.id, "loss", 900).await.expect("readable");
    assert_eq!((all.sampled, all.rows.len()), (false, 900));
    let query = crate::MetricQuery { run: run.id, name: "loss".into(), from: 100, to: 109, points: 10 };
    let some = bench.store.metrics(query).await.expect("readable");
    assert_eq!(some.rows.iter().map(|row| row.0).collect::<BTreeSet<_>>(), (100..110).collect());
}

/// Names, kinds, counts and the last value.
pub async fn series_say_what_there_is(store: Arc<dyn Store>) {
    let bench = Bench::with_job(store, 1).await;
    let run = bench.granted(1, START).await;
    let row =
        MetricPoint { name: "hist".into(), step: 3, value: array(MetricKind::Histogram, &[2, 1], &[1, 2]) };
    let metrics = vec![scalar("loss", 1, 4.0), row, scalar("loss", 9, 2.0), scalar("loss", 5, 3.0)];
    bench.report(jobs::Report { metrics, ..says(&run, 0, 9) }, START).await;
    let series = bench.store.series(run_id(1, 0)).await.expect("readable");
    let shown = series.iter().map(|one| (one.name.as_str(), one.kind, one.count, one.last_step, one.last));
    assert_eq!(
        shown.collect::<Vec<_>>(),
        [("hist", MetricKind::Histogram, 1, 3, None), ("loss", MetricKind::Scalar, 3, 9, Some(2.0))]
    );
}

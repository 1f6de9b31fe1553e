//! A crowd of listeners: each event reaches every one of them, once, in order and soon.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::future::join_all;
use proto::v1;
use tokio::{
    task::JoinHandle,
    time::{Instant, interval},
};

use super::listener::{Heard, Listener};
use crate::support::{Attempt, PROMPT, Puppet, Service, Times, digits_job, resident_kib, times, until};

/// A run reports ten times a second, and each report is an event.
const EVERY: Duration = Duration::from_millis(100);
const SETTINGS: [(&str, &str); 2] =
    [("VESICLE_PROGRESS_EVENT_MS", "0"), ("VESICLE_MAX_CONNECTIONS_PER_ADDRESS", "2048")];

/// How large a crowd, for how long, and what is put up with.
struct Crowd {
    listeners: usize,
    jobs: usize,
    /// Of each job, beside its beginning and its end.
    events: u64,
    /// 99 of 100 events are with their listener by then, from the report on that makes them.
    p99: Duration,
    growth_kib: u64,
}

/// The time of an event by the clock of this machine, which is the server's too; rounded down, which makes it later.
fn age(data: &str) -> Duration {
    let at = data.split_once(r#""at":""#).and_then(|(_, rest)| rest.split('"').next());
    let at: jiff::Timestamp = at.and_then(|at| at.parse().ok()).expect("an event has a time");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970");
    now.saturating_sub(Duration::from_millis(at.as_millisecond() as u64))
}

/// Listens to the end; answers how old each report was when it came, and the number of the last event.
async fn listen(port: u16, job: String) -> (Vec<Duration>, u64) {
    let (mut listener, mut ages) = (Listener::new(port, &job), Vec::new());
    let note = |Heard { kind, data }: Heard<'_>| {
        if kind == "run_progressed" {
            ages.push(age(data));
        }
    };
    listener.follow(|wait| wait, note).await;
    (ages, listener.seen)
}

/// Reports ten times a second.
async fn report(mut attempt: Attempt, events: u64) {
    let mut tick = interval(EVERY);
    for step in 1..=events {
        tick.tick().await;
        let value = |name: &str| v1::MetricPoint {
            name: name.into(),
            step,
            value: Some(v1::metric_point::Value::Scalar(1.0 / step as f64)),
        };
        let report = attempt.report(step, vec![value("loss"), value("score")]);
        attempt.say(report).await;
    }
    attempt.fail().await;
}

async fn play(crowd: Crowd, settings: &[(&str, &str)]) {
    let service = Service::start_with(&[&SETTINGS, settings].concat()).await;
    let (client, pid) = (&service.client, service.server_pid());
    let mut jobs = Vec::new();
    for n in 0..crowd.jobs {
        jobs.push(client.submit(&digits_job(1, 1_000, 1), &format!("crowd-{n}")).await);
    }
    let before = resident_kib(pid);
    let listeners: Vec<JoinHandle<_>> = (0..crowd.listeners)
        .map(|n| tokio::spawn(listen(service.port(), jobs[n % jobs.len()].clone())))
        .collect();
    until("everybody listens", PROMPT, async || {
        (client.telemetry("vesicle_event_streams").await == crowd.listeners as f64).then_some(())
    })
    .await;
    let began = Instant::now();
    let mut reporting = Vec::new();
    for _ in &jobs {
        let attempt = Puppet::connect(&client.server).await.lease().await;
        reporting.push(tokio::spawn(report(attempt, crowd.events)));
    }
    let mut most = before;
    until("all reports are sent", EVERY * crowd.events as u32 + 3 * PROMPT, async || {
        most = most.max(resident_kib(pid));
        reporting.iter().all(JoinHandle::is_finished).then_some(())
    })
    .await;
    for reported in reporting {
        reported.await.expect("no puppet panics");
    }
    let took = began.elapsed();
    let (mut ages, mut seen) = (Vec::new(), Vec::new());
    for heard in join_all(listeners).await {
        let (all, last) = heard.expect("no event was left out and none came twice");
        assert_eq!(all.len() as u64, crowd.events, "each report is an event");
        ages.extend(all);
        seen.push(last);
    }
    for (n, last) in seen.into_iter().enumerate() {
        let job = client.job(&jobs[n % jobs.len()]).await;
        assert_eq!(job["last_seq"], last, "listener {n} heard the end");
    }
    let (ages, growth) = (Times::of(ages), most.saturating_sub(before));
    eprintln!(
        "{} listeners, {} events in {:.1} s: p50 {:?}, p99 {:?}, longest {:?}; the server grew by {} KiB",
        crowd.listeners,
        ages.count(),
        took.as_secs_f64(),
        ages.percentile(50),
        ages.percentile(99),
        ages.longest(),
        growth
    );
    assert!(ages.percentile(99) <= crowd.p99, "p99 {:?}", ages.percentile(99));
    assert!(growth <= crowd.growth_kib, "{growth} KiB");
}

/// The small crowd may take four times as long: the build is not optimised, and the machine may be busy with others.
#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_of_listeners_hears_every_event_soon() {
    let growth_kib = 64 << 10;
    let small = Crowd { listeners: 100, jobs: 4, events: 40, p99: Duration::from_secs(1), growth_kib };
    let large = Crowd { listeners: 500, jobs: 10, events: 600, p99: Duration::from_millis(250), growth_kib };
    play(times(small, large), &[]).await;
}

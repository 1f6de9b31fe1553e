//! Following a job.

use axum::{body::Body, http::Request};
use futures::StreamExt;
use http_body_util::BodyExt;
use serde_json::json;
use tower::ServiceExt;

use super::support::{Bench, plain_report, point, quick, soon};
use crate::{Config, events::events, rest};

/// `id` and `event` of each event of an SSE text.
fn entries(text: &str) -> Vec<(u64, String)> {
    let field = |block: &str, name: &str| {
        block.lines().find_map(|line| line.strip_prefix(name).map(|rest| rest.trim().to_owned()))
    };
    text.split("\n\n")
        .filter_map(|block| Some((field(block, "id:")?.parse().expect("a number"), field(block, "event:")?)))
        .collect()
}

#[tokio::test]
async fn a_stream_carries_every_event_once_and_ends_with_the_job() {
    let bench = Bench::new().await;
    let (job, _) = bench.small_job().await;
    bench.post(&format!("/api/v1/jobs/{job}/cancel"), "").await;
    let answer = soon("the end of the stream", bench.get(&format!("/api/v1/jobs/{job}/events"))).await;
    assert_eq!(answer.header("content-type"), "text/event-stream");
    assert_eq!(answer.header("x-accel-buffering"), "no");
    let expected = [(1, "job_submitted"), (2, "run_ended"), (3, "job_ended")];
    assert_eq!(entries(&answer.text()), expected.map(|(seq, name)| (seq, name.to_owned())));
    assert!(answer.text().contains("retry:"), "{}", answer.text());
    assert!(answer.text().contains(r#""event":"job_submitted""#), "{}", answer.text());
}

#[tokio::test]
async fn a_stream_resumes_after_the_last_event_seen() {
    let bench = Bench::new().await;
    let (job, _) = bench.small_job().await;
    bench.post(&format!("/api/v1/jobs/{job}/cancel"), "").await;
    let path = format!("/api/v1/jobs/{job}/events");
    let by_header = soon("the stream", bench.get_with(&path, &[("last-event-id", "1")])).await;
    assert_eq!(entries(&by_header.text()).iter().map(|entry| entry.0).collect::<Vec<_>>(), [2, 3]);
    let by_query = soon("the stream", bench.get(&format!("{path}?after=2"))).await;
    assert_eq!(entries(&by_query.text()).iter().map(|entry| entry.0).collect::<Vec<_>>(), [3]);
    let at_the_end = soon("the stream", bench.get(&format!("{path}?after=3"))).await;
    assert_eq!(entries(&at_the_end.text()), []);
}

#[tokio::test]
async fn one_page_comes_as_json_if_asked() {
    let bench = Bench::new().await;
    let (job, _) = bench.small_job().await;
    let path = format!("/api/v1/jobs/{job}/events");
    let page = bench.get_with(&path, &[("accept", "application/json")]).await.json();
    assert_eq!(
        (&page["events"][0]["event"], &page["events"][0]["seq"]),
        (&json!("job_submitted"), &json!(1))
    );
    assert_eq!(page["last_seq"], 1);
}

#[tokio::test]
async fn a_follower_hears_of_what_happens_later() {
    let bench = Bench::new().await;
    let (job, _) = bench.small_job().await;
    let mut stream = Box::pin(events(bench.app.clone(), job, 1).expect("there is room"));
    let granted = bench.lease().await;
    bench.app.bell.ring_job(job);
    let event = soon("the start", stream.next()).await.expect("goes on").expect("is read");
    assert_eq!(event.kind.name(), "run_started");
    // Nobody rings this time: the poll finds it.
    let metrics = vec![point("reconstruction_error", 1, 0.5)];
    bench.report(jobs::Report { metrics, ..plain_report(&granted.run, 0, 1) }).await;
    let event = soon("the progress", stream.next()).await.expect("goes on").expect("is read");
    assert_eq!((event.seq, event.kind.name()), (3, "run_progressed"));
}

#[tokio::test]
async fn a_stream_ends_when_the_server_goes_away() {
    let bench = Bench::new().await;
    let (job, _) = bench.small_job().await;
    let mut stream = Box::pin(events(bench.app.clone(), job, 1).expect("there is room"));
    let (next, ()) = tokio::join!(soon("the end", stream.next()), async { bench.app.drain.cancel() });
    assert!(next.is_none());
}

#[tokio::test]
async fn a_quiet_stream_is_kept_alive_by_comments() {
    let bench = Bench::with(Config { keep_alive_ms: 20, ..quick() }).await;
    let (job, _) = bench.small_job().await;
    let request = Request::get(format!("/api/v1/jobs/{job}/events?after=1")).header("host", "localhost");
    let router = rest::router(bench.app.clone());
    let response = router.oneshot(request.body(Body::empty()).expect("a request")).await.expect("answers");
    let mut body = response.into_body();
    let retry = body.frame().await.expect("goes on").expect("is read").into_data().expect("data");
    assert!(retry.starts_with(b"retry:"), "{retry:?}");
    let comment =
        soon("a comment", body.frame()).await.expect("goes on").expect("is read").into_data().expect("data");
    assert!(comment.starts_with(b":"), "{comment:?}");
}

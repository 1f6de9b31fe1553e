//! Limits that are settings: at the limit, and beyond it.

use proto::v1::{self, job_service_client::JobServiceClient};
use serde_json::{Value as Json, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tonic::Code;

use super::support::{Bench, quick, serve, small_spec, soon, text};
use crate::{Config, events::events};

const REQUEST: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

fn named(name: &str) -> Json {
    let mut spec = small_spec();
    spec["name"] = json!(name);
    spec
}

#[tokio::test]
async fn so_many_jobs_wait_and_one_more_is_refused_until_one_has_begun() {
    let bench = Bench::with(Config { max_queued_jobs: 3, ..quick() }).await;
    for n in 0..3 {
        bench.submit(named(&format!("job {n}"))).await;
    }
    for _ in 0..30 {
        let answer = bench.post("/api/v1/jobs", small_spec().to_string()).await;
        let problem = answer.problem(503, "busy");
        assert_eq!(answer.header("retry-after"), "1");
        let detail = text(&problem["detail"]);
        assert!(detail.starts_with("3 jobs wait for a worker; there may be at most 3"), "{detail}");
    }
    bench.lease().await;
    bench.submit(named("in its place")).await;
}

#[tokio::test]
async fn a_job_of_so_many_runs_is_taken_and_a_larger_one_is_refused() {
    let bench = Bench::with(Config { max_runs_per_job: 4, ..quick() }).await;
    let mut spec = small_spec();
    for (seeds, taken) in [(4, true), (5, false), (400, false)] {
        spec["seeds"] = json!({"from": 1, "count": seeds});
        let answer = bench.post("/api/v1/jobs", spec.to_string()).await;
        if taken {
            assert_eq!(answer.status.as_u16(), 201, "{}", answer.text());
        } else {
            let problem = answer.problem(422, "invalid");
            let expected = format!("seeds and sweep make {seeds} runs; they must make at most 4 here");
            assert_eq!(
                (text(&problem["detail"]), &problem["errors"][0]["pointer"]),
                (&*expected, &json!("/seeds"))
            );
        }
    }
}

#[tokio::test]
async fn a_json_body_is_held_to_depth_strings_and_items() {
    let strict = Config { max_json_depth: 2, max_json_string_bytes: 12, max_json_items: 5, ..quick() };
    let bench = Bench::with(strict).await;
    bench.submit(small_spec()).await; // two levels, strings of 12 bytes (hidden_units), four members
    let grid = json!({"grid": {"epochs": [1]}});
    let long = json!("thirteen-long");
    for (field, value, rule) in [("sweep", grid, "at most 2"), ("name", long, "at most 12")] {
        let mut spec = small_spec();
        spec[field] = value;
        let problem = bench.post("/api/v1/jobs", spec.to_string()).await.problem(400, "malformed");
        assert!(text(&problem["detail"]).ends_with(rule), "{problem}");
    }
    let mut spec = small_spec();
    spec["seeds"] = json!([1, 2, 3, 4, 5]);
    bench.submit(spec.clone()).await;
    spec["seeds"] = json!([1, 2, 3, 4, 5, 6]);
    let problem = bench.post("/api/v1/jobs", spec.to_string()).await.problem(400, "malformed");
    assert!(text(&problem["detail"]).ends_with("at most 5"), "{problem}");
}

#[tokio::test]
async fn so_many_streams_are_open_and_one_more_is_refused_until_one_has_closed() {
    let bench = Bench::with(Config { max_event_streams: 2, ..quick() }).await;
    let (job, _) = bench.small_job().await;
    let open = || events(bench.app.clone(), job, 0);
    let (one, _two) = (open().expect("there is room"), open().expect("there is room"));
    let path = format!("/api/v1/jobs/{job}/events");
    let problem = bench.get(&path).await.problem(503, "busy");
    assert_eq!(problem["detail"], "2 event streams are open; there may be at most 2");
    drop(one);
    drop(open().expect("there is room again"));
}

#[tokio::test]
async fn a_stream_with_room_for_one_event_loses_none() {
    let bench = Bench::with(Config { stream_buffer_events: 1, ..quick() }).await;
    let (job, _) = bench.small_job().await;
    bench.post(&format!("/api/v1/jobs/{job}/cancel"), "").await;
    let answer = soon("the stream", bench.get(&format!("/api/v1/jobs/{job}/events"))).await;
    let ids: Vec<_> =
        answer.text().lines().filter_map(|line| line.strip_prefix("id: ").map(str::to_owned)).collect();
    assert_eq!(ids, ["1", "2", "3"]);
}

#[tokio::test]
async fn a_message_at_the_limit_is_read_and_a_larger_one_is_refused() {
    let message = |key: usize| v1::SubmitJobRequest {
        spec_json: small_spec().to_string(),
        idempotency_key: "k".repeat(key),
    };
    // A tag, a length of one byte or two, the text.
    let field = |bytes: usize| 1 + if bytes < 128 { 1 } else { 2 } + bytes;
    let most = field(small_spec().to_string().len()) + field(100);
    let running = serve(Config { max_message_bytes: most, ..quick() }).await;
    let mut client = JobServiceClient::connect(format!("http://{}", running.addr)).await.expect("connects");
    client.submit_job(message(100)).await.expect("it is not too large");
    let refused = client.submit_job(message(101)).await.expect_err("it is too large");
    assert_eq!(refused.code(), Code::ResourceExhausted, "{refused}");
}

/// The status line of the answer to a request, or nothing where the connection is closed instead.
async fn ask(stream: &mut TcpStream) -> String {
    let mut line = [0; 12];
    let asked = async {
        stream.write_all(REQUEST).await?;
        stream.read_exact(&mut line).await
    };
    let answered = soon("an answer or the end", asked).await;
    answered.map(|_| String::from_utf8_lossy(&line).into_owned()).unwrap_or_default()
}

#[tokio::test]
async fn an_address_has_so_many_connections_and_another_one_is_closed_until_one_has_gone() {
    let running = serve(Config { max_connections_per_address: 2, ..quick() }).await;
    let connect = async || TcpStream::connect(running.addr).await.expect("connects");
    let (mut one, mut two) = (connect().await, connect().await);
    assert_eq!(
        (ask(&mut one).await.as_str(), ask(&mut two).await.as_str()),
        ("HTTP/1.1 200", "HTTP/1.1 200")
    );
    assert_eq!(ask(&mut connect().await).await, "");
    drop(one);
    soon("room for another one", async {
        while ask(&mut connect().await).await.is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert!(!ask(&mut two).await.is_empty(), "those that are there stay");
}

#[tokio::test]
async fn a_page_has_as_many_entries_as_may_be_and_the_rest_is_on_the_next_ones() {
    let bench = Bench::with(Config { page_size: 2, max_page_size: 3, ..quick() }).await;
    for n in 0..7 {
        bench.submit(named(&format!("job {n}"))).await;
    }
    let mut spec = small_spec();
    spec["seeds"] = json!({"from": 1, "count": 7});
    let job = bench.submit(spec).await;
    let runs = format!("/api/v1/jobs/{}/runs", text(&job["id"]));
    for (path, field) in [("/api/v1/jobs", "jobs"), (&*runs, "runs")] {
        let count = async |query: &str| {
            let page = bench.get(&format!("{path}{query}")).await.json();
            assert!(page["next_cursor"].is_string(), "the rest is not lost: {page}");
            page[field].as_array().map(Vec::len)
        };
        for (query, entries) in
            [("", 2), ("?limit=1", 1), ("?limit=3", 3), ("?limit=4", 3), ("?limit=300", 3)]
        {
            assert_eq!(count(query).await, Some(entries), "{path}{query}");
        }
        bench.get(&format!("{path}?limit=1001")).await.problem(400, "malformed");
    }
    let events = format!("/api/v1/jobs/{}/events?limit=300", text(&job["id"]));
    bench.post(&format!("/api/v1/jobs/{}/cancel", text(&job["id"])), "").await;
    let page = bench.get_with(&events, &[("accept", "application/json")]).await.json();
    assert_eq!(page["events"].as_array().map(Vec::len), Some(3), "{page}");
}

#[tokio::test]
async fn one_more_request_than_a_connection_may_have_waits_and_is_not_refused() {
    for (most, waits) in [(2, true), (3, false)] {
        let running = serve(Config { max_http2_streams: most, ..quick() }).await;
        let url = format!("http://{}", running.addr);
        let mut client = JobServiceClient::connect(url.clone()).await.expect("connects");
        let mut other = JobServiceClient::connect(url).await.expect("connects");
        let spec_json = small_spec().to_string();
        let request = v1::SubmitJobRequest { spec_json, idempotency_key: String::new() };
        let job = client.submit_job(request).await.expect("is taken").into_inner().job.expect("a job");
        let watch = v1::WatchJobRequest { id: job.id.clone(), after_seq: 0 };
        let mut open = Vec::new();
        for _ in 0..2 {
            let mut stream = client.watch_job(watch.clone()).await.expect("is answered").into_inner();
            soon("the first event", stream.message()).await.expect("the stream goes on");
            open.push(stream);
        }
        let mut third = tokio::spawn(async move { client.get_job(v1::GetJobRequest { id: job.id }).await });
        // Long for one answer: the other connection gets a hundred of them.
        let hundred = async {
            for _ in 0..100 {
                other.list_jobs(v1::ListJobsRequest::default()).await.expect("is answered");
            }
        };
        let waited = tokio::select! {
            biased;
            answer = &mut third => { answer.expect("no panic").expect("is answered"); false }
            () = hundred => true,
        };
        assert_eq!(waited, waits, "{most} at once");
        if waited {
            open.pop();
            soon("the third answer", third).await.expect("no panic").expect("it was not refused");
        }
    }
}

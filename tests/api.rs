//! The edges of the API over real sockets.

use std::collections::BTreeSet;

use futures::{StreamExt, stream};
use reqwest::{Method, StatusCode};
use serde_json::{Value as Json, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::{
    checker::{self, History},
    support::{PROMPT, Service, digits_job, json, text},
};

#[tokio::test(flavor = "multi_thread")]
async fn fifty_keys_sent_four_times_at_once_make_fifty_jobs() {
    const KEYS: usize = 50;
    const TIMES: usize = 4;
    let mut service = Service::start().await;
    let client = service.client.clone();
    let spec = digits_job(1, 1, 1);
    let send = async |n: usize| {
        let key = format!("key-{}", n / TIMES);
        let (status, job) = client.try_submit(&spec, &key).await.expect("the server answers");
        assert!(matches!(status, StatusCode::CREATED | StatusCode::OK), "{status}: {job}");
        (key, text(&job, "id"), status == StatusCode::CREATED)
    };
    let answers: Vec<_> = stream::iter(0..KEYS * TIMES).map(send).buffer_unordered(32).collect().await;
    assert_eq!(answers.iter().filter(|(_, _, created)| *created).count(), KEYS, "each key created once");
    let jobs: BTreeSet<_> = answers.iter().map(|(_, job, _)| job.clone()).collect();
    assert_eq!(jobs.len(), KEYS);
    let (status, problem) =
        client.try_submit(&digits_job(2, 1, 1), "key-0").await.expect("the server answers");
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "the same key, another job: {problem}");

    for job in &jobs {
        client.post(&format!("/jobs/{job}/cancel"), StatusCode::ACCEPTED).await;
    }
    service.stop_server().await;
    let answered = answers.into_iter().map(|(key, job, _)| (key, job)).collect();
    checker::assert_sound(&service.database().await, &History { answered, ..History::default() }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_makes_a_run_for_each_point_and_seed_in_order() {
    let service = Service::start().await;
    let mut spec = digits_job(1, 1, 1);
    spec["sweep"] = json!({"grid": {"p0": [0.3, 0.5], "r": [10, 16]}});
    spec["seeds"] = json!([7, 3, 5]);
    let job = service.client.submit(&spec, "sweep").await;
    let runs = service.client.runs(&job).await;
    let found: Vec<_> = runs
        .iter()
        .map(|run| {
            (
                run["index"].clone(),
                run["params"]["p0"].clone(),
                run["params"]["r"].as_f64(),
                run["seed"].clone(),
            )
        })
        .collect();
    let points = [(0.3, 10.0), (0.3, 16.0), (0.5, 10.0), (0.5, 16.0)];
    let expected: Vec<_> = points
        .iter()
        .flat_map(|&(p0, r)| [7, 3, 5].map(|seed| (p0, r, seed)))
        .enumerate()
        .map(|(index, (p0, r, seed))| (json!(index), json!(p0), Some(r), json!(seed)))
        .collect();
    assert_eq!(found, expected);
    assert!(runs.iter().all(|run| run["params"]["hidden_units"] == 64 && run["waiting_for"].is_string()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_description_that_is_served_is_the_one_that_is_checked_in() {
    let service = Service::start().await;
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/server/openapi.json");
    let file: Json =
        serde_json::from_str(&std::fs::read_to_string(file).expect("it is checked in")).expect("it is JSON");
    assert_eq!(service.client.get("/openapi.json").await, file, "`make openapi` writes it anew");
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_paths_and_wrong_methods_are_problems_and_no_successes() {
    let service = Service::start().await;
    let unknown = uuid::Uuid::now_v7();
    let (job, run) = (format!("/api/v1/jobs/{unknown}"), format!("/api/v1/runs/{unknown}"));
    let cases = [
        (Method::GET, "/nothing", 404),
        (Method::GET, "/api/v1/nothing", 404),
        (Method::POST, "/vesicle.v1.NoService/Nothing", 404),
        (Method::GET, job.as_str(), 404),
        (Method::GET, run.as_str(), 404),
        (Method::DELETE, "/api/v1/jobs", 405),
        (Method::PUT, job.as_str(), 405),
        (Method::POST, "/api/v1/version", 405),
    ];
    for (method, path, status) in cases {
        let response = service.client.request(method.clone(), path).send().await.expect("the server answers");
        assert_eq!(response.status(), status, "{method} {path}");
        let kind =
            response.headers().get("content-type").and_then(|kind| kind.to_str().ok()).map(str::to_owned);
        assert_eq!(kind.as_deref(), Some("application/problem+json"), "{method} {path}");
        let problem = json(response).await;
        assert_eq!(problem["status"], status, "{method} {path}: {problem}");
        assert!(
            problem["request_id"].is_string() && problem["code"].is_string(),
            "{method} {path}: {problem}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_do_not_finish_their_headers_are_closed_and_others_served() {
    const SLOW: usize = 100;
    let service = Service::start_with(&[("VESICLE_HEADER_TIMEOUT_MS", "1000")]).await;
    let open = async |n: usize| {
        let mut connection =
            TcpStream::connect(("127.0.0.1", service.port())).await.expect("the server listens");
        // Nothing, a preface of HTTP/2 that breaks off, and headers of HTTP/1.1 that do.
        let begin: &[u8] =
            [b"".as_slice(), b"PRI * HTTP/2.0\r\n", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-"][n % 3];
        connection.write_all(begin).await.expect("the server takes a beginning");
        connection
    };
    let slow: Vec<_> = stream::iter(0..SLOW).map(open).buffer_unordered(SLOW).collect().await;
    assert_eq!(service.client.get("/jobs").await["jobs"], json!([]), "others are served meanwhile");
    let closed = async |mut connection: TcpStream| {
        let mut answer = Vec::new();
        // Reset or closed, perhaps after a 408: what counts is that it ends.
        timeout(PROMPT, connection.read_to_end(&mut answer)).await.is_ok()
    };
    let closed: Vec<_> = stream::iter(slow).map(closed).buffer_unordered(SLOW).collect().await;
    assert_eq!(closed.into_iter().filter(|closed| *closed).count(), SLOW);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_asked_to_stop_ends_its_streams_and_goes() {
    let mut service = Service::start().await;
    let job = service.client.submit(&digits_job(1, 1, 1), "stop").await;
    let mut events = std::pin::pin!(service.client.events(&job, None).await);
    let first = events.next().await.expect("the job was submitted");
    assert_eq!((first.seq, first.kind.as_str()), (1, "job_submitted"));
    service.stop_server().await;
    assert!(events.next().await.is_none(), "the stream ends with the server");
}

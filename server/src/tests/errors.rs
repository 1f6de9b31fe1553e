//! The shape of errors, and limits at and over.

use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use serde_json::json;

use super::support::{Bench, quick, small_spec, text};
use crate::Config;

#[tokio::test]
async fn an_unknown_path_is_404_and_a_wrong_method_405_both_as_problems() {
    let bench = Bench::new().await;
    let problem = bench.get("/api/v1/nothing").await.problem(404, "not_found");
    assert_eq!(problem["instance"], "/api/v1/nothing");
    let answer = bench.post("/api/v1/workers", "").await;
    answer.problem(405, "method_not_allowed");
    assert!(answer.header("allow").contains("GET"), "{:?}", answer.headers);
}

#[tokio::test]
async fn grpc_paths_answer_other_clients_with_problems() {
    let bench = Bench::new().await;
    let path = "/vesicle.v1.JobService/GetJob";
    let answer = bench.get(path).await;
    answer.problem(405, "method_not_allowed");
    assert_eq!(answer.header("allow"), "POST");
    bench.post(path, "{}").await.problem(415, "unsupported_media_type");
    bench.post("/vesicle.v1.NoService/GetJob", "{}").await.problem(404, "not_found");
}

#[tokio::test]
async fn ids_and_names_that_mean_nothing_are_not_found() {
    let bench = Bench::new().await;
    let id = "0191f2a4-7c00-7000-8000-000000000001";
    for path in [
        format!("/api/v1/jobs/{id}"),
        format!("/api/v1/jobs/{id}/runs"),
        format!("/api/v1/jobs/{id}/events"),
        format!("/api/v1/runs/{id}"),
        format!("/api/v1/runs/{id}/metrics"),
        format!("/api/v1/runs/{id}/metrics/error"),
        "/api/v1/jobs/xyz".into(),
        "/api/v1/runs/%FF".into(),
        "/api/v1/datasets/none".into(),
    ] {
        bench.get(&path).await.problem(404, "not_found");
    }
    for verb in ["cancel", "pause", "resume"] {
        bench.post(&format!("/api/v1/jobs/{id}/{verb}"), "").await.problem(404, "not_found");
    }
}

#[tokio::test]
async fn a_query_out_of_bounds_or_unknown_is_malformed() {
    let bench = Bench::new().await;
    let (job, run) = bench.small_job().await;
    for path in [
        "/api/v1/jobs?limit=0".to_owned(),
        "/api/v1/jobs?limit=1001".into(),
        "/api/v1/jobs?limit=many".into(),
        "/api/v1/jobs?page=2".into(),
        "/api/v1/jobs?cursor=1".into(),
        format!("/api/v1/jobs/{job}/runs?cursor=x"),
        format!("/api/v1/jobs/{job}/events?after=-1"),
        format!("/api/v1/jobs/{job}/events?after=9007199254740992"),
        format!("/api/v1/runs/{}/metrics/reconstruction_error?to=9007199254740992", run.id),
        format!("/api/v1/runs/{}/metrics/reconstruction_error?from=%2B5", run.id),
        format!("/api/v1/runs/{}/metrics/reconstruction_error?points=1", run.id),
        format!("/api/v1/runs/{}/metrics/reconstruction_error?points=5001", run.id),
        format!("/api/v1/runs/{}/metrics/reconstruction_error?format=xml", run.id),
    ] {
        bench.get(&path).await.problem(400, "malformed");
    }
    assert_eq!(bench.get("/api/v1/jobs?limit=1000").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_body_at_the_limit_is_read_and_one_byte_more_is_refused() {
    let spec = small_spec().to_string();
    let bench = Bench::with(Config { max_json_bytes: spec.len(), ..quick() }).await;
    assert_eq!(bench.post("/api/v1/jobs", spec.clone()).await.status, StatusCode::CREATED);
    bench.post("/api/v1/jobs", format!("{spec} ")).await.problem(413, "too_large");
    // Without a length nobody knows before it has been read.
    let stream = futures::stream::iter([spec.clone(), " ".into()].map(Ok::<_, std::io::Error>));
    bench.post("/api/v1/jobs", Body::from_stream(stream)).await.problem(413, "too_large");
}

#[tokio::test]
async fn what_is_not_json_or_nested_too_deep_is_malformed() {
    let bench = Bench::new().await;
    bench.post("/api/v1/jobs", "{\"experiment\":").await.problem(400, "malformed");
    let deep = format!("{{\"experiment\":{}{}}}", "[".repeat(200_000), "]".repeat(200_000));
    let problem = bench.post("/api/v1/jobs", deep).await.problem(400, "malformed");
    assert!(text(&problem["detail"]).contains("at most 32"), "{problem}");
    let headers = [("content-type", "text/plain")];
    bench.post_with("/api/v1/jobs", "{}", &headers).await.problem(415, "unsupported_media_type");
}

#[tokio::test]
async fn a_bad_idempotency_key_is_refused() {
    let bench = Bench::new().await;
    for key in ["", "with space", &"k".repeat(129)] {
        let headers = [("content-type", "application/json"), ("idempotency-key", key)];
        let answer = bench.post_with("/api/v1/jobs", small_spec().to_string(), &headers).await;
        answer.problem(400, "malformed");
    }
    let key = "k".repeat(128);
    let headers = [("content-type", "application/json"), ("idempotency-key", key.as_str())];
    let answer = bench.post_with("/api/v1/jobs", small_spec().to_string(), &headers).await;
    assert_eq!(answer.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_thousand_runs_are_taken_and_one_more_is_refused() {
    let bench = Bench::new().await;
    let mut spec = small_spec();
    spec["seeds"] = json!({"from": 0, "count": 1_000});
    assert_eq!(bench.submit(spec.clone()).await["runs"]["total"], 1_000);
    spec["seeds"] = json!({"from": 0, "count": 1_001});
    bench.post("/api/v1/jobs", spec.to_string()).await.problem(422, "invalid");
}

#[tokio::test]
async fn only_this_host_is_served() {
    let bench = Bench::new().await;
    let from = |host: &'static str| Request::get("/healthz").header(header::HOST, host).body(Body::empty());
    for host in ["localhost", "localhost:7717", "127.0.0.1:1", "[::1]:7717", "LOCALHOST"] {
        assert_eq!(bench.send(from(host).expect("a request")).await.status, StatusCode::OK, "{host}");
    }
    for host in ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "10.0.0.1", "user@"] {
        bench.send(from(host).expect("a request")).await.problem(421, "misdirected");
    }
    let without = Request::get("/healthz").body(Body::empty()).expect("a request");
    bench.send(without).await.problem(421, "misdirected");

    let open = Bench::with(Config { insecure_listen: true, ..quick() }).await;
    assert_eq!(open.send(from("evil.example").expect("a request")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_page_forbids_foreign_script() {
    let bench = Bench::new().await;
    let files = [("/", "text/html"), ("/page.js", "text/javascript"), ("/page.css", "text/css")];
    for (path, kind) in files.map(|(path, kind)| (path, format!("{kind}; charset=utf-8"))) {
        let answer = bench.get(path).await;
        assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, kind.as_str()));
        assert!(answer.header("content-security-policy").contains("script-src 'self'"), "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
}

//! Submitting jobs and acting on them.

use axum::http::StatusCode;
use serde_json::{Value as Json, json};

use super::support::{Bench, small_spec, text};

#[tokio::test]
async fn a_job_is_created_with_location_tag_and_resolved_spec() {
    let bench = Bench::new().await;
    let answer = bench.post("/api/v1/jobs", small_spec().to_string()).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    let job = answer.json();
    assert_eq!(answer.header("location"), format!("/api/v1/jobs/{}", text(&job["id"])));
    assert!(answer.header("etag").starts_with("W/\""), "{}", answer.header("etag"));
    assert_eq!(
        (&job["state"], &job["runs"]["queued"], &job["runs"]["total"]),
        (&json!("queued"), &json!(1), &json!(1))
    );
    assert_eq!(job["spec"]["version"], job["version"]);
    assert!(text(&job["dataset"]).starts_with("blake3:"), "{job}");
    assert_eq!((&job["ended_at"], &job["last_seq"]), (&Json::Null, &json!(1)));
}

#[tokio::test]
async fn a_sweep_makes_points_times_seeds_runs_with_canonical_params() {
    let bench = Bench::new().await;
    let mut spec = small_spec();
    spec["sweep"] = json!({"grid": {"hidden_units": [8, 16], "epochs": [1, 2]}});
    spec["seeds"] = json!({"from": 5, "count": 3});
    let job = bench.submit(spec).await;
    assert_eq!(job["runs"]["total"], 12);
    let page = bench.get(&format!("/api/v1/jobs/{}/runs?limit=12", text(&job["id"]))).await.json();
    let runs = page["runs"].as_array().expect("runs");
    let seen: Vec<_> = runs
        .iter()
        .map(|run| {
            (
                run["index"].as_u64(),
                run["seed"].as_u64(),
                &run["params"]["epochs"],
                &run["params"]["hidden_units"],
            )
        })
        .collect();
    assert_eq!(seen[0], (Some(0), Some(5), &json!(1), &json!(8)));
    assert_eq!(seen[5], (Some(5), Some(7), &json!(1), &json!(16)));
    assert_eq!(seen[11], (Some(11), Some(7), &json!(2), &json!(16)));
    assert!(runs[0]["params"].get("momentum_end").is_some(), "defaults are filled in: {}", runs[0]["params"]);
}

#[tokio::test]
async fn the_same_key_and_body_make_one_job() {
    let bench = Bench::new().await;
    let headers = [("content-type", "application/json"), ("idempotency-key", "k1")];
    let body = small_spec().to_string();
    let first = bench.post_with("/api/v1/jobs", body.clone(), &headers).await;
    let again = bench.post_with("/api/v1/jobs", body, &headers).await;
    assert_eq!((first.status, again.status), (StatusCode::CREATED, StatusCode::OK));
    assert_eq!(first.json()["id"], again.json()["id"]);

    let mut other = small_spec();
    other["name"] = json!("other");
    let refused = bench.post_with("/api/v1/jobs", other.to_string(), &headers).await;
    refused.problem(422, "idempotency_key_reused");
}

#[tokio::test]
async fn all_errors_come_in_one_answer_with_field_value_and_rule() {
    let bench = Bench::new().await;
    let spec = json!({
        "experiment": "rbm", "params": {"hidden_units": 0, "nonsense": 1}, "sweep": {"grid": {"epochs": [1, -3]}},
        "priority": 500, "dataset": "nowhere", "version": 77
    });
    let problem = bench.post("/api/v1/jobs", spec.to_string()).await.problem(422, "invalid");
    let errors = problem["errors"].as_array().expect("errors");
    let detail = |pointer: &str| {
        let found = errors.iter().find(|error| error["pointer"] == pointer);
        text(&found.unwrap_or_else(|| panic!("{pointer} is missing in {problem}"))["detail"]).to_owned()
    };
    assert_eq!(detail("/params/hidden_units"), "parameter `hidden_units` is 0; it must be at least 1");
    assert!(detail("/params/nonsense").contains("there is no such parameter"));
    assert!(detail("/sweep/grid/epochs").contains("-3"), "{}", detail("/sweep/grid/epochs"));
    assert_eq!(detail("/priority"), "`priority` is 500; it must be -100 to 100");
    assert!(detail("/version").contains("77"));
    assert!(detail("/dataset").contains("`nowhere`"));
}

#[tokio::test]
async fn an_unknown_data_set_is_named() {
    let bench = Bench::new().await;
    let mut spec = small_spec();
    spec["dataset"] = json!("nowhere");
    let problem = bench.post("/api/v1/jobs", spec.to_string()).await.problem(422, "invalid");
    assert_eq!(problem["errors"][0]["pointer"], "/dataset");
    assert!(text(&problem["detail"]).contains("`nowhere`"), "{problem}");
}

#[tokio::test]
async fn structure_is_checked_field_by_field() {
    let bench = Bench::new().await;
    let spec = json!({"experimnt": "rbm", "seeds": "many", "limits": {"wall": 3}});
    let problem = bench.post("/api/v1/jobs", spec.to_string()).await.problem(422, "invalid");
    let pointers: Vec<&str> =
        problem["errors"].as_array().expect("errors").iter().map(|error| text(&error["pointer"])).collect();
    for pointer in ["/experiment", "/experimnt", "/seeds", "/limits/wall"] {
        assert!(pointers.contains(&pointer), "{pointer} is missing in {pointers:?}");
    }
}

#[tokio::test]
async fn a_run_that_needs_more_memory_than_its_limit_is_refused() {
    let bench = Bench::new().await;
    let mut spec = small_spec();
    spec["limits"] = json!({"memory_bytes": 1 << 20});
    let problem = bench.post("/api/v1/jobs", spec.to_string()).await.problem(422, "invalid");
    assert_eq!(problem["errors"][0]["pointer"], "/limits/memory_bytes");
}

#[tokio::test]
async fn a_data_set_can_be_named_by_hash() {
    let bench = Bench::new().await;
    let hash = bench.get("/api/v1/datasets/digits8x8").await.json()["hash"].clone();
    let mut spec = small_spec();
    spec["dataset"] = hash.clone();
    assert_eq!(bench.submit(spec).await["dataset"], hash);
}

#[tokio::test]
async fn wishes_are_accepted_repeated_and_refused_once_the_job_has_ended() {
    let bench = Bench::new().await;
    let id = text(&bench.submit(small_spec()).await["id"]).to_owned();
    let act = async |verb: &str| bench.post(&format!("/api/v1/jobs/{id}/{verb}"), "").await;
    for (verb, state) in [
        ("pause", "paused"),
        ("pause", "paused"),
        ("resume", "queued"),
        ("resume", "queued"),
        ("cancel", "cancelled"),
        ("cancel", "cancelled"),
    ] {
        let answer = act(verb).await;
        assert_eq!((answer.status, answer.header("retry-after")), (StatusCode::ACCEPTED, "1"), "{verb}");
        assert_eq!(answer.json()["state"], state, "{verb}");
    }
    let problem = act("pause").await.problem(409, "wrong_state");
    assert!(text(&problem["detail"]).contains("is cancelled"), "{problem}");
    act("resume").await.problem(409, "wrong_state");
}

#[tokio::test]
async fn nothing_is_taken_while_the_server_goes_away() {
    let bench = Bench::new().await;
    bench.app.drain.cancel();
    let answer = bench.post("/api/v1/jobs", small_spec().to_string()).await;
    answer.problem(503, "draining");
    assert_eq!(answer.header("retry-after"), "1");
    bench.get("/readyz").await.problem(503, "draining");
    assert_eq!(bench.get("/healthz").await.status, StatusCode::OK);
}

//! Reading jobs, runs, metrics, the catalogue and workers.

use axum::http::StatusCode;
use jobs::{Array, Dtype, MetricKind, MetricPoint, Report, Value};
use serde_json::{Value as Json, json};

use super::support::{Bench, plain_report, point, small_spec, text};

#[tokio::test]
async fn jobs_are_listed_newest_first_page_by_page() {
    let bench = Bench::new().await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(bench.submit(small_spec()).await["id"].clone());
    }
    let first = bench.get("/api/v1/jobs?limit=2").await.json();
    assert_eq!((&first["jobs"][0]["id"], &first["jobs"][1]["id"]), (&ids[2], &ids[1]));
    let second =
        bench.get(&format!("/api/v1/jobs?limit=2&cursor={}", text(&first["next_cursor"]))).await.json();
    assert_eq!((&second["jobs"][0]["id"], &second["next_cursor"]), (&ids[0], &Json::Null));
}

#[tokio::test]
async fn a_job_and_a_run_answer_to_the_beginning_of_their_id() {
    let bench = Bench::new().await;
    let (job, run) = bench.small_job().await;
    // The first 12 digits are the time; ids made within a millisecond share them.
    let prefix = |id: String| id.replace('-', "")[..20].to_owned();
    let found = bench.get(&format!("/api/v1/jobs/{}", prefix(job.to_string()))).await.json();
    assert_eq!(found["id"], job.to_string());
    let found = bench.get(&format!("/api/v1/runs/{}", prefix(run.id.to_string()))).await.json();
    assert_eq!(found["id"], run.id.to_string());
}

#[tokio::test]
async fn what_did_not_move_is_answered_with_304() {
    let bench = Bench::new().await;
    let (job, run) = bench.small_job().await;
    let paths = [
        "/api/v1/jobs".to_owned(),
        format!("/api/v1/jobs/{job}"),
        format!("/api/v1/jobs/{job}/runs"),
        format!("/api/v1/runs/{}", run.id),
        format!("/api/v1/runs/{}/metrics", run.id),
    ];
    for path in &paths {
        let answer = bench.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        let again = bench.get_with(path, &[("if-none-match", answer.header("etag"))]).await;
        assert_eq!((again.status, again.bytes.len()), (StatusCode::NOT_MODIFIED, 0), "{path}");
        assert_eq!(again.header("etag"), answer.header("etag"));
    }
    let tag = bench.get(&paths[1]).await.header("etag").to_owned();
    bench.post(&format!("/api/v1/jobs/{job}/pause"), "").await;
    assert_eq!(bench.get_with(&paths[1], &[("if-none-match", &tag)]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_queued_run_says_what_it_waits_for() {
    let bench = Bench::new().await;
    let (_, run) = bench.small_job().await;
    let path = format!("/api/v1/runs/{}", run.id);
    let waiting = bench.get(&path).await.json()["waiting_for"].clone();
    assert!(text(&waiting).starts_with("a worker with rbm v"), "{waiting}");

    bench.app.store.register(super::support::worker()).await.expect("registers");
    assert_eq!(bench.get(&path).await.json()["waiting_for"], "a free slot");
    bench.lease().await;
    assert_eq!(bench.get(&path).await.json()["waiting_for"], Json::Null);
}

/// A run with 3,000 numbers, one not finite, and a vector.
async fn observed(bench: &Bench) -> String {
    bench.small_job().await;
    let run = bench.lease().await.run;
    let name = "reconstruction_error";
    let mut metrics: Vec<MetricPoint> =
        (0..3_000).map(|step| point(name, step, f64::from(step as u32))).collect();
    metrics.push(point("broken", 0, f64::NAN));
    let data = [0.5_f32, 1.5].into_iter().flat_map(f32::to_le_bytes).collect();
    let array = Array { kind: MetricKind::Vector, dtype: Dtype::F32, shape: vec![2], data };
    for step in [0, 10] {
        metrics.push(MetricPoint { name: "profile".into(), step, value: Value::Array(array.clone()) });
    }
    bench.report(Report { metrics, ..plain_report(&run, 0, 1) }).await;
    run.id.to_string()
}

#[tokio::test]
async fn a_long_series_is_thinned_to_real_rows() {
    let bench = Bench::new().await;
    let run = observed(&bench).await;
    let path = format!("/api/v1/runs/{run}/metrics/reconstruction_error");
    let all = bench.get(&format!("{path}?points=5000")).await.json();
    assert_eq!((&all["sampled"], &all["total"]), (&json!(false), &json!(3_000)));
    let thin = bench.get(&format!("{path}?points=100")).await.json();
    let rows = thin["rows"].as_array().expect("rows");
    assert_eq!(thin["sampled"], true);
    assert!(rows.len() <= 100 && rows.len() > 40, "{}", rows.len());
    assert_eq!((&rows[0], rows.last()), (&json!([0, 0.0]), Some(&json!([2_999, 2_999.0]))));
    let part = bench.get(&format!("{path}?from=10&to=12")).await.json();
    assert_eq!(part["rows"], json!([[10, 10.0], [11, 11.0], [12, 12.0]]));
    let last = bench.get(&format!("{path}?from=last")).await.json();
    assert_eq!(last["rows"], json!([[2_999, 2_999.0]]));
}

#[tokio::test]
async fn a_series_comes_as_csv_or_ndjson_if_asked() {
    let bench = Bench::new().await;
    let run = observed(&bench).await;
    let path = format!("/api/v1/runs/{run}/metrics/reconstruction_error?to=1");
    let csv = bench.get_with(&path, &[("accept", "text/csv")]).await;
    assert_eq!(csv.header("content-type"), "text/csv");
    assert_eq!(csv.text(), "step,reconstruction_error\n0,0.0\n1,1.0\n");
    let lines = bench.get_with(&path, &[("accept", "application/x-ndjson")]).await;
    let first: Json = serde_json::from_str(lines.text().lines().next().expect("a line")).expect("JSON");
    assert_eq!(first, json!({"step": 0, "name": "reconstruction_error", "value": 0.0}));
    let broken =
        bench.get_with(&format!("/api/v1/runs/{run}/metrics/broken"), &[("accept", "text/csv")]).await;
    assert_eq!(broken.text(), "step,broken\n0,nan\n");
}

#[tokio::test]
async fn arrays_travel_as_base64_or_nested_lists_and_nan_by_name() {
    let bench = Bench::new().await;
    let run = observed(&bench).await;
    let path = format!("/api/v1/runs/{run}/metrics/profile?from=last");
    let row = bench.get(&path).await.json()["rows"][0].clone();
    assert_eq!(row, json!([10, {"kind": "vector", "dtype": "f32", "shape": [2], "data": "AAAAPwAAwD8="}]));
    assert_eq!(bench.get(&format!("{path}&format=json")).await.json()["rows"], json!([[10, [0.5, 1.5]]]));
    let broken = bench.get(&format!("/api/v1/runs/{run}/metrics/broken")).await.json();
    assert_eq!(broken["rows"], json!([[0, {"nonfinite": "nan"}]]));
}

#[tokio::test]
async fn the_metrics_of_a_run_are_listed_with_their_last_value() {
    let bench = Bench::new().await;
    let run = observed(&bench).await;
    let list = bench.get(&format!("/api/v1/runs/{run}/metrics")).await.json();
    let metrics = list["metrics"].as_array().expect("metrics");
    let found = |name: &str| metrics.iter().find(|metric| metric["name"] == name).expect("is listed").clone();
    assert_eq!(found("reconstruction_error")["last"], 2_999.0);
    assert_eq!(found("broken")["last"], json!({"nonfinite": "nan"}));
    assert_eq!((&found("profile")["kind"], &found("profile")["last"]), (&json!("vector"), &Json::Null));
    let shown = bench.get(&format!("/api/v1/runs/{run}")).await.json();
    assert_eq!(shown["scalars"]["reconstruction_error"], 2_999.0);
}

#[tokio::test]
async fn a_declared_metric_without_values_is_empty_and_an_unknown_one_is_not_there() {
    let bench = Bench::new().await;
    let (_, run) = bench.small_job().await;
    let declared = experiments::find("rbm").expect("is there").metrics()[0].name;
    let empty = bench.get(&format!("/api/v1/runs/{}/metrics/{declared}", run.id)).await;
    assert_eq!((empty.status, &empty.json()["rows"]), (StatusCode::OK, &json!([])));
    bench.get(&format!("/api/v1/runs/{}/metrics/nonsense", run.id)).await.problem(404, "not_found");
}

#[tokio::test]
async fn the_catalogue_is_told_with_schema_presets_and_page() {
    let bench = Bench::new().await;
    let list = bench.get("/api/v1/experiments").await.json();
    assert_eq!(list["experiments"].as_array().map(Vec::len), Some(experiments::CATALOGUE.len()));
    let one = bench.get("/api/v1/experiments/rbse").await.json();
    assert_eq!(one["schema"]["type"], "object");
    assert!(one["defaults"].get("hidden_units").is_some(), "{}", one["defaults"]);
    assert!(one["presets"].is_object() && !text(&one["readme"]).is_empty());
    bench.get("/api/v1/experiments/none").await.problem(404, "not_found");
}

#[tokio::test]
async fn workers_are_listed_with_what_they_can_run() {
    let bench = Bench::new().await;
    bench.app.store.register(super::support::worker()).await.expect("registers");
    let workers = bench.get("/api/v1/workers").await.json();
    assert_eq!((&workers["workers"][0]["live"], &workers["workers"][0]["slots"]), (&json!(true), &json!(4)));
    assert!(text(&workers["workers"][0]["experiments"][0]).contains(" v"), "{workers}");
}

#[tokio::test]
async fn operators_get_health_telemetry_and_version() {
    let bench = Bench::new().await;
    bench.small_job().await;
    assert_eq!(bench.get("/readyz").await.json()["status"], "ready");
    let telemetry = bench.get("/metrics").await.text();
    assert!(telemetry.contains("vesicle_runs{state=\"queued\"} 1"), "{telemetry}");
    assert!(telemetry.contains("vesicle_jobs_submitted_total 1"), "{telemetry}");
    assert_eq!(bench.get("/api/v1/version").await.json()["name"], "vesicle");
    assert_eq!(bench.get("/api/v1/openapi.json").await.text(), crate::openapi_json());
}

//! What is kept of a run: the rules of its job, pins, `vesicle gc`; the journal of leases; a database of the schema before.

use std::{io::Read, time::Duration};

use flate2::read::GzDecoder;
use proto::v1::{self, job_service_client::JobServiceClient};
use reqwest::{Method, StatusCode};
use serde_json::{Value as Json, json};

use crate::support::{OnSqlite, PROMPT, Service, command, digits_job, json as body, text, until};

/// For a job of a few runs.
const JOB: Duration = Duration::from_secs(120);

/// What `vesicle` prints when it does well.
async fn vesicle(service: &Service, args: &[&str]) -> String {
    let all = [&["--server", service.client.server.as_str()], args].concat();
    let output = command(&all, &[]).output().await.expect("the binary under test can be started");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "vesicle {}: {said}", args.join(" "));
    String::from_utf8(output.stdout).expect("it writes UTF-8")
}

async fn document(service: &Service, args: &[&str]) -> Json {
    serde_json::from_str(&vesicle(service, args).await).expect("it prints JSON")
}

async fn kept(service: &Service, run: &str) -> Vec<Json> {
    let listed = service.client.get(&format!("/runs/{run}/checkpoints")).await;
    listed["checkpoints"].as_array().expect("a list").clone()
}

fn steps(checkpoints: &[Json]) -> Vec<u64> {
    checkpoints.iter().map(|one| one["step"].as_u64().expect("a step")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_keeps_what_it_says_and_what_is_pinned() {
    let service = Service::up().await;
    let mut spec = digits_job(1, 4, 1);
    spec["every"] = json!(10);
    spec["keep"] = json!({"last": 1, "every_steps": 100, "best": {"metric": "reconstruction_mse", "goal": "min", "count": 2}});
    let job = service.client.submit(&spec, "keep").await;
    service.client.until_job_is(&job, "succeeded", JOB).await;
    let run = text(&service.client.runs(&job).await[0], "id");

    // Which reports carried a checkpoint depends on time; what is left of those that came follows from the rule.
    let log = service.client.request(Method::GET, &format!("/api/v1/jobs/{job}/events?limit=1000"));
    let log = body(log.header("accept", "application/json").send().await.expect("the server answers")).await;
    let log = log["events"].as_array().expect("events").iter();
    let log = log.filter(|one| one["event"] == "checkpoint_stored");
    let mut came: Vec<u64> = log.map(|one| one["step"].as_u64().expect("a step")).collect();
    came.sort_unstable();
    let first = |from: u64| came.iter().copied().find(|step| (from..from + 100).contains(step));
    let course = service.client.get(&format!("/runs/{run}/metrics/reconstruction_mse?points=5000")).await;
    let course: Vec<(u64, f64)> = serde_json::from_value(course["rows"].clone()).expect("numbers");
    let score = |step: u64| course.iter().rfind(|(at, _)| *at <= step).expect("observed before").1;
    let mut best = came.clone();
    best.sort_by(|a, b| score(*a).total_cmp(&score(*b)).then(a.cmp(b)));
    let mut expected: Vec<u64> = [first(100), first(200)].into_iter().flatten().chain([260]).collect();
    expected.extend(best.into_iter().take(2));
    expected.sort_unstable_by(|a, b| b.cmp(a));
    expected.dedup();
    let all = kept(&service, &run).await;
    assert_eq!(steps(&all), expected, "of {came:?}");
    assert_eq!(all[0]["score"], json!(score(260)));

    // The command line and gRPC say the same; a pin holds against thinning, and only that.
    let listed = document(&service, &["checkpoint", &run, "--json"]).await;
    assert_eq!(listed["checkpoints"], json!(all));
    let oldest = *expected.last().expect("some are kept");
    let table = vesicle(&service, &["checkpoint", &run]).await;
    assert!(table.contains(&oldest.to_string()), "{table}");
    vesicle(&service, &["checkpoint", &run, "--step", &oldest.to_string(), "--pin"]).await;
    let mut grpc =
        JobServiceClient::connect(service.client.server.clone()).await.expect("the server listens");
    let request = v1::ListRunCheckpointsRequest { run_id: run.clone() };
    let answer = grpc.list_run_checkpoints(request).await.expect("answered").into_inner().checkpoints;
    assert_eq!(answer.iter().map(|one| one.step).collect::<Vec<_>>(), expected);
    assert!(answer.iter().all(|one| one.pinned == (one.step == oldest)));

    let would = document(&service, &["gc", "--final-only", "--dry-run", "--json"]).await;
    assert_eq!(would["checkpoints"], expected.len() - 2, "all but the final one and the pinned one: {would}");
    assert_eq!(steps(&kept(&service, &run).await), expected, "nothing went yet");
    let gone = v1::CollectGarbageRequest { final_only: true, ..Default::default() };
    let gone = grpc.collect_garbage(gone).await.expect("answered").into_inner();
    assert_eq!(gone.checkpoints, would["checkpoints"].as_u64().expect("a count"));
    assert_eq!(steps(&kept(&service, &run).await), [260, oldest]);
    let unpin = v1::UnpinRunCheckpointRequest { run_id: run.clone(), step: oldest };
    let unpinned = grpc.unpin_run_checkpoint(unpin).await.expect("answered").into_inner().checkpoint;
    assert!(!unpinned.expect("the checkpoint").pinned);
    vesicle(&service, &["gc", "--final-only"]).await;
    assert_eq!(steps(&kept(&service, &run).await), [260]);

    // What is wrong is told by field, value and rule.
    let missing = service.client.post(&format!("/runs/{run}/checkpoints/7/pin"), StatusCode::NOT_FOUND).await;
    assert!(text(&missing, "detail").ends_with("has no checkpoint at step 7; it has 260"), "{missing}");
    let young = service.client.post("/gc?older_than_s=59", StatusCode::BAD_REQUEST).await;
    assert_eq!(young["detail"], "`older_than_s` is 59; it must be at least 60");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_cannot_hold_is_refused_by_field() {
    let service = Service::start().await;
    for (keep, pointer, rule) in [
        (json!({"last": 0}), "/keep/last", "it must be 1 to 1000"),
        (json!({"last": 1001}), "/keep/last", "it must be 1 to 1000"),
        (json!({"every_steps": 0}), "/keep/every_steps", "it must be at least 1"),
        (json!({"every_steps": 64}), "/keep/every_steps", "it must be at least 65"),
        (json!({"best": {"metric": "mse"}}), "/keep/best/metric", "it must be one of reconstruction_mse,"),
        (
            json!({"best": {"metric": "weight_histogram"}}),
            "/keep/best/metric",
            "it must be one of reconstruction_mse,",
        ),
        (
            json!({"best": {"metric": "reconstruction_mse", "count": 0}}),
            "/keep/best/count",
            "it must be 1 to 1000",
        ),
        (json!({"first": 3}), "/keep/first", ""),
    ] {
        let mut spec = digits_job(1, 1_000, 1);
        spec["keep"] = keep;
        let (status, fault) =
            service.client.try_submit(&spec, &spec["keep"].to_string()).await.expect("answered");
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{spec}");
        let errors = fault["errors"].as_array().expect("errors");
        assert!(errors.len() == 1 && errors[0]["pointer"] == pointer, "{fault}");
        assert!(text(&errors[0], "detail").contains(rule), "{fault}");
    }
    // At the limits it is taken.
    let mut spec = digits_job(1, 1_000, 1);
    spec["keep"] = json!({"last": 1000, "every_steps": 65, "best": null});
    service.client.submit(&spec, "limits").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_journal_of_leases_names_each_attempt_and_how_it_ended() {
    let service = Service::start().await;
    let job = service.client.submit(&digits_job(1, 40, 20), "journal").await;
    let first = service.worker();
    until("a checkpoint is stored", PROMPT, async || {
        let run = service.client.runs(&job).await.swap_remove(0);
        run["checkpoint_step"].as_u64().filter(|step| *step > 0)
    })
    .await;
    first.kill().await;
    let _second = service.worker();
    service.client.until_job_is(&job, "succeeded", JOB).await;
    let journal = document(&service, &["show", &job, "--leases", "--json"]).await;
    let leases = journal["leases"].as_array().expect("leases");
    let told: Vec<_> = leases.iter().map(|one| (one["attempt"].as_u64(), one["ended"].as_str())).collect();
    assert_eq!(told, [(Some(1), Some("lost")), (Some(2), Some("succeeded"))], "{journal}");
    assert_ne!(leases[0]["worker"], leases[1]["worker"]);
    assert_eq!(
        leases[1]["from_step"], leases[0]["stored_step"],
        "the second went on where the first had stored"
    );
    let table = vesicle(&service, &["show", &format!("{job}/0"), "--leases"]).await;
    assert!(table.contains("lost") && table.contains("succeeded"), "{table}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_the_schema_before_goes_on_to_the_same_bits() {
    let mut service = Service::start_on_sqlite(OnSqlite::OldFile, &[]).await;
    service.stop_server().await;
    for left in ["vesicle.db-wal", "vesicle.db-shm"] {
        let _absent_after_a_clean_stop = std::fs::remove_file(service.folder().join(left));
    }
    let mut database = Vec::new();
    let packed: &[u8] = include_bytes!("fixtures/schema-3.db.gz");
    GzDecoder::new(packed).read_to_end(&mut database).expect("the fixture is whole");
    std::fs::write(service.sqlite_file(), database).expect("the folder can be written");
    service.start_server().await;

    let jobs = service.client.get("/jobs").await;
    let jobs = jobs["jobs"].as_array().expect("jobs");
    let named = |name: &str| text(jobs.iter().find(|job| job["name"] == name).expect("it is there"), "id");
    let _worker = service.worker();
    for (name, seed, epochs, every) in [("half", "7", "2000", "13000"), ("waiting", "3", "1", "1")] {
        let job = named(name);
        let before = service.client.runs(&job).await.swap_remove(0);
        assert_eq!(before["state"], "paused", "{before}");
        service.client.post(&format!("/jobs/{job}/resume"), StatusCode::ACCEPTED).await;
        service.client.until_job_is(&job, "succeeded", JOB).await;
        let after = service.client.runs(&job).await.swap_remove(0);
        let epochs = format!("epochs={epochs}");
        let args =
            ["run", "rbm", "--seed", seed, "--every", every, "--set", "hidden_units=8", "--set", &epochs];
        let alone = vesicle(&service, &args).await;
        let last: Json = serde_json::from_str(alone.lines().last().expect("a last line")).expect("JSON");
        assert_eq!(after["digest"], last["digest"], "{name}");
    }
    let ended = service.client.runs(&named("ended")).await.swap_remove(0);
    assert_eq!(ended["digest"], "5676e1178745cd36905bdd25f845868df1cbe5a0e5ae1e1f5cd77e52382a4c3f");
    assert_eq!(kept(&service, &text(&ended, "id")).await.len(), 1, "its checkpoint is listed as others are");
}

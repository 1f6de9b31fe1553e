//! Jobs that build on finished runs, and checkpoints that users take away.

use axum::body::Body;
use experiments::{Advance, CanonicalParams, Header, Setup, digits8x8};
use jobs::{CheckpointRef, JobSource, Outcome, Report, Run};
use proto::v1::{self, get_run_checkpoint_response::Part, job_service_client::JobServiceClient};
use serde_json::{Value as Json, json};
use store::{Chunk, NewJob, Store};
use tonic::Code;

use super::support::{Bench, plain_report, quick, serve, small_spec, text};

/// The final checkpoint of a run, computed here.
fn compute(run: &Run) -> (u64, Vec<u8>) {
    let params = CanonicalParams::from_stored(run.spec.params.clone());
    let kind = experiments::find("rbm").expect("it is in the catalogue");
    let setup = Setup { params, seed: run.spec.seed, data: digits8x8(), sources: Vec::new(), every: None };
    let mut simulation = kind.start(setup).expect("it starts");
    while !matches!(simulation.advance(), Advance::Done(_)) {}
    (simulation.step(), simulation.checkpoint())
}

/// Puts a checkpoint in chunks.
async fn put(store: &dyn Store, step: u64, content: &[u8]) -> CheckpointRef {
    let digest = *blake3::hash(content).as_bytes();
    let chunks = (0..).zip(content.chunks(1_000)).map(|(n, bytes)| Chunk { n, bytes: bytes.to_vec() });
    store.put_chunks(digest, chunks.collect(), 1).await.expect("is stored");
    CheckpointRef { step, digest, bytes: content.len() as u64 }
}

/// A run that succeeded with two checkpoints, the last of them a real one.
async fn finished(bench: &Bench) -> (Run, CheckpointRef, Vec<u8>) {
    bench.small_job().await;
    let run = bench.lease().await.run;
    let early = put(bench.app.store.as_ref(), 1, b"early").await;
    bench.report(Report { checkpoint: Some(early), ..plain_report(&run, 0, 1) }).await;
    let (step, content) = compute(&run);
    let last = put(bench.app.store.as_ref(), step, &content).await;
    let outcome = Some(Outcome::Succeeded { digest: "ab".repeat(32) });
    bench.report(Report { checkpoint: Some(last.clone()), outcome, ..plain_report(&run, 1, step) }).await;
    (run, last, content)
}

async fn refused(bench: &Bench, from: Json) -> Vec<(String, String)> {
    let mut spec = small_spec();
    spec["from"] = from;
    let problem = bench.post("/api/v1/jobs", Body::from(spec.to_string())).await.problem(422, "invalid");
    let errors = problem["errors"].as_array().expect("errors").iter();
    errors.map(|error| (text(&error["pointer"]).to_owned(), text(&error["detail"]).to_owned())).collect()
}

#[tokio::test]
async fn what_a_job_cannot_build_on_is_refused_by_field() {
    let bench = Bench::new().await;
    let (run, ..) = finished(&bench).await;
    let id = run.id.to_string();
    let builds_on_none = refused(&bench, json!([{"as": "network", "run": id}])).await;
    assert_eq!(builds_on_none.len(), 1, "{builds_on_none:?}");
    assert_eq!(builds_on_none[0].0, "/from/0/as");
    assert!(builds_on_none[0].1.contains("builds on no run"), "{builds_on_none:?}");

    let nowhere = "0191f2a4-7c00-7000-8000-000000000001";
    let from =
        json!([{"as": "a", "run": nowhere}, {"as": "b", "run": id, "step": 17}, {"as": "b", "run": "last"}]);
    let errors = refused(&bench, from).await;
    let pointers: Vec<&str> = errors.iter().map(|(pointer, _)| pointer.as_str()).collect();
    for pointer in ["/from/0/run", "/from/1/step", "/from/2/as", "/from/2/run"] {
        assert!(pointers.contains(&pointer), "{pointer} is missing in {errors:?}");
    }
    let step =
        errors.iter().find(|(pointer, _)| pointer == "/from/1/step").map(|(_, detail)| detail.as_str());
    let kept = format!("the run has {}, 1", run.spec.steps);
    assert!(step.is_some_and(|step| step.contains("is 17") && step.contains(&kept)), "{step:?}");
    for from in [json!({"network": id}), json!([{"as": "a", "run": id, "step": "first"}])] {
        assert!(!refused(&bench, from).await.is_empty());
    }
}

#[tokio::test]
async fn a_job_shows_what_it_builds_on_and_its_lease_carries_it() {
    let bench = Bench::new().await;
    let (run, checkpoint, _) = finished(&bench).await;
    let source = JobSource { name: "network".into(), run: run.id, checkpoint: checkpoint.clone() };
    let job = bench.app.store.job(run.job).await.expect("answers").expect("is there");
    let new = NewJob {
        id: jobs::JobId(bench.app.clock.id()),
        spec: job.spec,
        dataset: job.dataset,
        from: vec![source.clone()],
        runs: vec![store::NewRun { id: jobs::RunId(bench.app.clock.id()), spec: run.spec.clone() }],
        idempotency: None,
        now: bench.app.now().await.expect("there is a clock"),
    };
    let id = bench.app.store.submit(new).await.expect("is stored").job.id;
    let body = bench.get(&format!("/api/v1/jobs/{id}")).await.json();
    let digest = blake3::Hash::from_bytes(checkpoint.digest).to_hex().to_string();
    let expected = json!([{"as": "network", "run": run.id.to_string(), "step": checkpoint.step,
                           "digest": digest, "bytes": checkpoint.bytes}]);
    assert_eq!(body["from"], expected);
    assert_eq!(bench.lease().await.job.from, [source]);
}

#[tokio::test]
async fn a_checkpoint_can_be_taken_away() {
    let bench = Bench::new().await;
    let (run, checkpoint, content) = finished(&bench).await;
    let path = format!("/api/v1/runs/{}/checkpoint", run.id);
    let answer = bench.get(&path).await;
    assert!(answer.bytes == content, "{} bytes of {}", answer.bytes.len(), content.len());
    assert_eq!(answer.header("content-type"), "application/octet-stream");
    assert_eq!(answer.header("content-length"), content.len().to_string());
    let hex = blake3::Hash::from_bytes(checkpoint.digest).to_hex();
    assert_eq!(answer.header("etag"), format!("\"{hex}\""));
    let name = format!("rbm-{}-step-{}.ckpt", run.id, checkpoint.step);
    assert!(answer.header("content-disposition").contains(&name));
    let header = Header::peek(&answer.bytes).expect("a checkpoint");
    assert_eq!((header.params, header.step), (run.spec.params, checkpoint.step));

    assert_eq!(bench.get(&format!("{path}?step=1")).await.bytes, b"early");
    let problem = bench.get(&format!("{path}?step=2")).await.problem(404, "not_found");
    let has = format!("no checkpoint at step 2; it has {}, 1", checkpoint.step);
    assert!(text(&problem["detail"]).contains(&has), "{problem}");
    bench.get(&format!("{path}?step=-1")).await.problem(400, "malformed");
    bench.get("/api/v1/runs/0191f2a4-7c00-7000-8000-000000000001/checkpoint").await.problem(404, "not_found");
    let (_, fresh) = bench.small_job().await;
    let problem = bench.get(&format!("/api/v1/runs/{}/checkpoint", fresh.id)).await.problem(404, "not_found");
    assert!(text(&problem["detail"]).contains("has no checkpoint yet"), "{problem}");
}

#[tokio::test]
async fn a_checkpoint_can_be_taken_away_over_grpc() {
    let running = serve(quick()).await;
    let mut client = JobServiceClient::connect(format!("http://{}", running.addr)).await.expect("connects");
    let spec_json = small_spec().to_string();
    let submit = v1::SubmitJobRequest { spec_json, idempotency_key: String::new() };
    let job = client.submit_job(submit).await.expect("is taken").into_inner().job.expect("a job");
    let mut worker =
        v1::worker_service_client::WorkerServiceClient::connect(format!("http://{}", running.addr))
            .await
            .expect("connects");
    let info = super::support::worker();
    worker.register(v1::RegisterRequest::from(info.clone())).await.expect("is taken");
    let ask =
        v1::AcquireRequest { worker_id: info.id.to_string(), free_slots: 1, free_memory_bytes: 8 << 30 };
    let lease = worker.acquire(ask).await.expect("answers").into_inner().lease.expect("there is work");
    assert_eq!((lease.job_id, lease.sources.len()), (job.id, 0));

    let get = |step| v1::GetRunCheckpointRequest { run_id: lease.run_id.clone(), step };
    let none = client.get_run_checkpoint(get(None)).await.expect_err("there is none");
    assert_eq!(none.code(), Code::NotFound);
    let content = b"state".to_vec();
    let digest = blake3::hash(&content).as_bytes().to_vec();
    let chunk = Some(v1::Chunk { n: 0, bytes: content.clone() });
    let put = v1::PutChunkRequest { digest: digest.clone(), chunk };
    worker.put_chunk(futures::stream::iter([put])).await.expect("is taken");
    let about = v1::CheckpointRef { step: 3, digest, bytes: 5 };
    let (run_id, checkpoint) = (lease.run_id.clone(), Some(about.clone()));
    let report = v1::ReportRequest { run_id, attempt: 1, step: 3, checkpoint, ..Default::default() };
    worker.report(report).await.expect("is taken");
    let mut stream = client.get_run_checkpoint(get(Some(3))).await.expect("is there").into_inner();
    let mut parts = Vec::new();
    while let Some(message) = stream.message().await.expect("is read") {
        parts.push(message.part.expect("a part"));
    }
    assert_eq!(parts, [Part::About(about), Part::Chunk(v1::Chunk { n: 0, bytes: content })]);
}

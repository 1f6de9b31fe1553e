//! What users ask over gRPC, on a real port.

use proto::v1::{self, job_service_client::JobServiceClient, put_dataset_request::Part};
use tonic::{Code, Request, transport::Channel};
use tonic_types::StatusExt;

use super::support::{quick, serve, small_spec, soon};
use crate::Running;

async fn client(running: &Running) -> JobServiceClient<Channel> {
    JobServiceClient::connect(format!("http://{}", running.addr)).await.expect("connects")
}

fn submission() -> v1::SubmitJobRequest {
    v1::SubmitJobRequest { spec_json: small_spec().to_string(), idempotency_key: "one".into() }
}

#[tokio::test]
async fn a_job_is_submitted_watched_and_cancelled() {
    let running = serve(quick()).await;
    let mut client = client(&running).await;
    let first = client.submit_job(submission()).await.expect("is taken").into_inner();
    let again = client.submit_job(submission()).await.expect("is taken").into_inner();
    assert!(first.created && !again.created);
    let job = first.job.expect("a job");
    assert_eq!(again.job.expect("a job").id, job.id);

    let watch = v1::WatchJobRequest { id: job.id.clone(), after_seq: 0 };
    let mut events = client.watch_job(watch).await.expect("is there").into_inner();
    let cancelled = client.cancel_job(v1::CancelJobRequest { id: job.id.clone() }).await.expect("is taken");
    assert_eq!(cancelled.into_inner().job.expect("a job").state, "cancelled");
    let mut seen = Vec::new();
    while let Some(event) = soon("an event", events.message()).await.expect("is read") {
        seen.push((event.seq, event.kind));
    }
    let expected = [(1, "job_submitted"), (2, "run_ended"), (3, "job_ended")];
    assert_eq!(seen, expected.map(|(seq, kind)| (seq, kind.to_owned())));

    let refused = client.pause_job(v1::PauseJobRequest { id: job.id }).await.expect_err("has ended");
    assert_eq!(refused.code(), Code::FailedPrecondition);
}

#[tokio::test]
async fn jobs_runs_and_metrics_are_read() {
    let running = serve(quick()).await;
    let mut client = client(&running).await;
    let job = client.submit_job(submission()).await.expect("is taken").into_inner().job.expect("a job");
    let jobs = client.list_jobs(v1::ListJobsRequest::default()).await.expect("answers").into_inner().jobs;
    assert_eq!(jobs.iter().map(|one| &one.id).collect::<Vec<_>>(), [&job.id]);
    let found =
        client.get_job(v1::GetJobRequest { id: job.id.clone() }).await.expect("is there").into_inner();
    assert_eq!(found.job.expect("a job").spec_json, job.spec_json);
    let runs = v1::ListRunsRequest { job_id: job.id.clone(), ..Default::default() };
    let runs = client.list_runs(runs).await.expect("answers").into_inner().runs;
    assert_eq!((runs.len(), runs[0].seed), (1, 7));
    let id = runs[0].id.clone();
    let run = client.get_run(v1::GetRunRequest { id: id.clone() }).await.expect("is there").into_inner().run;
    assert!(run.expect("a run").waiting_for.starts_with("a worker with rbm"));
    let series = client.list_metrics(v1::ListMetricsRequest { run_id: id.clone() }).await.expect("answers");
    assert!(series.into_inner().series.is_empty());
    let query = v1::QueryMetricsRequest { run_id: id, name: "nonsense".into(), ..Default::default() };
    assert_eq!(client.query_metrics(query).await.expect_err("is unknown").code(), Code::NotFound);
}

#[tokio::test]
async fn a_bad_job_is_an_invalid_argument_with_every_violation() {
    let running = serve(quick()).await;
    let mut client = client(&running).await;
    let spec_json = r#"{"experiment":"rbm","priority":500,"params":{"hidden_units":0}}"#.to_owned();
    let request = v1::SubmitJobRequest { spec_json, idempotency_key: String::new() };
    let refused = client.submit_job(request).await.expect_err("must be refused");
    assert_eq!(refused.code(), Code::InvalidArgument);
    let violations = refused.get_details_bad_request().expect("has violations").field_violations;
    let mut fields: Vec<&str> = violations.iter().map(|one| one.field.as_str()).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["/params/hidden_units", "/priority"]);
}

#[tokio::test]
async fn the_catalogue_data_sets_and_workers_are_told() {
    let running = serve(quick()).await;
    let mut client = client(&running).await;
    let all = client.list_experiments(v1::ListExperimentsRequest {}).await.expect("answers").into_inner();
    assert_eq!(all.experiments.len(), experiments::CATALOGUE.len());
    let rbse =
        client.get_experiment(v1::GetExperimentRequest { name: "rbse".into() }).await.expect("is there");
    assert!(rbse.into_inner().experiment.expect("an experiment").schema_json.contains("hidden_units"));
    let all = client.list_datasets(v1::ListDatasetsRequest {}).await.expect("answers").into_inner().datasets;
    assert_eq!(all[0].names, ["digits8x8"]);
    let info = v1::GetDatasetInfoRequest { name: all[0].hash.clone() };
    assert!(client.get_dataset_info(info).await.is_ok());
    let workers = client.list_workers(v1::ListWorkersRequest {}).await.expect("answers").into_inner();
    assert!(workers.workers.is_empty());
}

#[tokio::test]
async fn a_data_set_is_uploaded_in_pieces() {
    let running = serve(quick()).await;
    let mut client = client(&running).await;
    let file = [&[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2][..], &[1; 8]].concat();
    let header = v1::DatasetHeader { name: "mine".into(), max: 16, attribution: String::new() };
    let data = |bytes: &[u8]| v1::DatasetPart { file: v1::DatasetFile::Images.into(), bytes: bytes.to_vec() };
    let parts = [Part::Header(header), Part::Data(data(&file[..5])), Part::Data(data(&file[5..]))];
    let messages = parts.map(|part| v1::PutDatasetRequest { part: Some(part) });
    let put =
        client.put_dataset(Request::new(futures::stream::iter(messages.clone()))).await.expect("is taken");
    assert!(put.into_inner().created);
    let headless = futures::stream::iter(messages[1..].to_vec());
    let refused = client.put_dataset(headless).await.expect_err("has no header");
    assert_eq!(refused.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn health_and_reflection_answer() {
    let running = serve(quick()).await;
    let channel = Channel::from_shared(format!("http://{}", running.addr)).expect("an address");
    let channel = channel.connect().await.expect("connects");
    let mut health = tonic_health::pb::health_client::HealthClient::new(channel.clone());
    let ask = tonic_health::pb::HealthCheckRequest { service: String::new() };
    let status = health.check(ask).await.expect("answers").into_inner().status();
    assert_eq!(status, tonic_health::pb::health_check_response::ServingStatus::Serving);

    use tonic_reflection::pb::v1::{
        ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
        server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
    };
    let ask = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let answers =
        ServerReflectionClient::new(channel).server_reflection_info(futures::stream::iter([ask])).await;
    let answer =
        answers.expect("answers").into_inner().message().await.expect("is read").expect("one answer");
    let Some(MessageResponse::ListServicesResponse(list)) = answer.message_response else {
        panic!("no list")
    };
    let names: Vec<_> = list.service.into_iter().map(|service| service.name).collect();
    assert!(names.contains(&"vesicle.v1.WorkerService".to_owned()), "{names:?}");
}

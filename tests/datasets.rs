//! Data sets end to end: the same content by command line, REST and gRPC; a run on it; what is refused, and why.

use std::{io::Write, path::Path, process::Stdio, time::Duration};

use flate2::{Compression, write::GzEncoder};
use proto::v1::{self, DatasetFile, job_service_client::JobServiceClient, put_dataset_request::Part};
use reqwest::{Method, StatusCode, multipart};
use serde_json::{Value as Json, json};
use tokio::process::Command;

use crate::support::{PROMPT, Service, json as body, text};

const COUNT: usize = 60;

fn idx(dims: &[u32], data: &[u8]) -> Vec<u8> {
    let header = [0, 0, 8, dims.len() as u8].into_iter().chain(dims.iter().flat_map(|dim| dim.to_be_bytes()));
    header.chain(data.iter().copied()).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory takes every byte");
    encoder.finish().expect("memory takes every byte")
}

/// Sixty images of 4x4 pixels: diagonals in two directions.
fn images() -> Vec<u8> {
    let pixel = |i: usize| {
        let (image, row, col) = (i / 16, i / 4 % 4, i % 4);
        if (image % 2 == 0 && row == col) || (image % 2 == 1 && row + col == 3) { 200 } else { (i % 7) as u8 }
    };
    idx(&[COUNT as u32, 4, 4], &(0..COUNT * 16).map(pixel).collect::<Vec<_>>())
}

fn labels() -> Vec<u8> {
    idx(&[COUNT as u32], &(0..COUNT).map(|i| (i % 2) as u8).collect::<Vec<_>>())
}

async fn post(service: &Service, name: &str, images: Vec<u8>, labels: Vec<u8>) -> (StatusCode, Json) {
    let file = |bytes| multipart::Part::bytes(bytes).file_name("file.idx");
    let form = multipart::Form::new().text("name", name.to_owned());
    let form = form.part("images", file(images)).part("labels", file(labels));
    let request = service.client.request(Method::POST, "/api/v1/datasets").multipart(form);
    let response = request.send().await.expect("the server answers");
    (response.status(), body(response).await)
}

async fn command_line(service: &Service, name: &str, images: &Path, labels: &Path) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_vesicle"))
        .args(["--server", &service.client.server, "data", "add", name, "--images"])
        .arg(images)
        .arg("--labels")
        .arg(labels)
        .stdin(Stdio::null())
        .output()
        .await
        .expect("the binary runs");
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

async fn put_over_grpc(service: &Service, name: &str) -> v1::PutDatasetResponse {
    let header = v1::DatasetHeader { name: name.into(), ..Default::default() };
    let part = |file: DatasetFile, bytes: &[u8]| {
        let data = v1::DatasetPart { file: file.into(), bytes: bytes.to_vec() };
        v1::PutDatasetRequest { part: Some(Part::Data(data)) }
    };
    let mut messages = vec![v1::PutDatasetRequest { part: Some(Part::Header(header)) }];
    messages.extend(images().chunks(100).map(|bytes| part(DatasetFile::Images, bytes)));
    messages.push(part(DatasetFile::Labels, &gzip(&labels())));
    let mut client =
        JobServiceClient::connect(service.client.server.clone()).await.expect("the server listens");
    client.put_dataset(futures::stream::iter(messages)).await.expect("the data set is taken").into_inner()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_content_is_one_data_set_however_it_comes_and_runs_use_it() {
    let service = Service::up().await;
    let files = tempfile::tempdir().expect("there is a place for temporary files");
    let (plain, packed) = (files.path().join("images.idx"), files.path().join("labels.idx.gz"));
    std::fs::write(&plain, images()).expect("the folder can be written");
    std::fs::write(&packed, gzip(&labels())).expect("the folder can be written");
    let (taken, words) = command_line(&service, "diagonals", &plain, &packed).await;
    assert!(taken, "{words}");

    let (status, again) = post(&service, "diagonals", gzip(&images()), labels()).await;
    assert_eq!(status, StatusCode::OK, "the same content, packed otherwise: {again}");
    let other = put_over_grpc(&service, "lines").await;
    let dataset = other.dataset.expect("an answer has a data set");
    assert!(!other.created && dataset.hash == text(&again, "hash"), "{dataset:?}");
    assert_eq!(dataset.names, ["diagonals", "lines"], "known content gets one more name");

    let mut darker = images();
    *darker.last_mut().expect("it has pixels") = 9;
    let (status, refused) = post(&service, "lines", darker, labels()).await;
    assert_eq!(status, StatusCode::CONFLICT, "a name that is taken: {refused}");

    let params = json!({"hidden_units": 8, "batch": 10, "epochs": 4, "threshold": 100, "train_images": 40, "test_images": 20});
    let spec = json!({"experiment": "rbse", "dataset": "lines", "params": params, "seeds": [1, 2]});
    let job = service.client.submit(&spec, "on-lines").await;
    let job = service.client.until_job_is(&job, "succeeded", Duration::from_secs(60)).await;
    assert_eq!(text(&job, "dataset"), dataset.hash);
    let run = service.client.runs(&text(&job, "id")).await.remove(0);

    // The same run in one process, from the files, gives the same digest.
    let mut here = Command::new(env!("CARGO_BIN_EXE_vesicle"));
    here.args(["run", "rbse", "--seed", "1", "--images"]).arg(&plain).arg("--labels").arg(&packed);
    for (name, value) in spec["params"].as_object().expect("params are an object") {
        here.args(["--set", &format!("{name}={value}")]);
    }
    let output = here.stdin(Stdio::null()).output().await.expect("the binary runs");
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    let last: Json =
        serde_json::from_str(lines.lines().last().unwrap_or_default()).expect("the last line is JSON");
    assert_eq!(text(&last, "digest"), text(&run, "digest"));
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_cannot_be_used_are_refused_with_the_reason_and_the_server_lives() {
    let service = Service::start().await;
    let truncated = images()[..500].to_vec();
    let huge = idx(&[u32::MAX, 1000, 1000], &[]);
    let bomb = gzip(&idx(&[64 << 20], &vec![0; 64 << 20]));
    let few_labels = idx(&[3], &[0, 1, 2]);
    let cases = [
        ("malformed", b"PK\x03\x04 not IDX".to_vec(), labels(), "00 00 08"),
        ("truncated", truncated, labels(), "ends after"),
        ("cut-gzip", gzip(&images())[..60].to_vec(), labels(), ""),
        ("huge", huge, labels(), "at most"),
        ("bomb", bomb, labels(), "100 times"),
        ("few-labels", images(), few_labels, "labels"),
    ];
    for (name, images, labels, reason) in cases {
        let (status, problem) = post(&service, name, images, labels).await;
        let refused = matches!(status, StatusCode::UNPROCESSABLE_ENTITY | StatusCode::PAYLOAD_TOO_LARGE);
        assert!(refused, "{name}: {status}: {problem}");
        assert!(problem.to_string().contains(reason), "{name}: {problem}");
    }
    let known = service.client.get("/datasets").await;
    assert_eq!(
        known["datasets"].as_array().map(Vec::len),
        Some(1),
        "only the built-in one is there: {known}"
    );
    tokio::time::timeout(PROMPT, post(&service, "good", images(), labels())).await.expect("it still answers");
}

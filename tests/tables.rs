//! Tables of spines end to end: the same content by command line, REST and gRPC; a fit to it; what is refused, and why.

use std::{fmt::Write, time::Duration};

use proto::v1::{self, DatasetFile, job_service_client::JobServiceClient, put_dataset_request::Part};
use reqwest::{Method, StatusCode, multipart};
use serde_json::{Value as Json, json};

use crate::support::{Service, command, json as body, text};

/// Forty spines on six days; every fifth is not seen on the last day.
fn spines() -> String {
    let mut table = String::from("# made up\nspine_id,day,volume,present\n");
    for spine in 0..40_u32 {
        for look in 0..6_u32 {
            let seen = look < 5 || spine % 5 > 0;
            let volume = if seen { 0.2 + f64::from((spine * 7 + look * 3) % 11) / 10.0 } else { 0.0 };
            let row = writeln!(table, "s{spine},{},{volume},{}", 4 * look, u8::from(seen));
            row.expect("memory takes every line");
        }
    }
    table
}

async fn post(service: &Service, name: &str, parts: &[(&'static str, String)]) -> (StatusCode, Json) {
    let form = multipart::Form::new().text("name", name.to_owned());
    let form = parts.iter().fold(form, |form, (field, text)| {
        form.part(*field, multipart::Part::bytes(text.clone().into_bytes()).file_name("file"))
    });
    let request = service.client.request(Method::POST, "/api/v1/datasets").multipart(form);
    let response = request.send().await.expect("the server answers");
    (response.status(), body(response).await)
}

async fn put_over_grpc(service: &Service, name: &str) -> v1::PutDatasetResponse {
    let header = v1::DatasetHeader { name: name.into(), ..Default::default() };
    let table = spines().into_bytes();
    let data = table.chunks(500).map(|bytes| {
        let data = v1::DatasetPart { file: DatasetFile::Table.into(), bytes: bytes.to_vec() };
        v1::PutDatasetRequest { part: Some(Part::Data(data)) }
    });
    let messages: Vec<_> =
        [v1::PutDatasetRequest { part: Some(Part::Header(header)) }].into_iter().chain(data).collect();
    let mut client =
        JobServiceClient::connect(service.client.server.clone()).await.expect("the server listens");
    client.put_dataset(futures::stream::iter(messages)).await.expect("the table is taken").into_inner()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_one_data_set_however_it_comes_and_a_fit_to_it_has_the_bits_of_one_process() {
    let service = Service::up().await;
    let folder = tempfile::tempdir().expect("there is a place for temporary files");
    let file = folder.path().join("spines.csv").display().to_string();
    std::fs::write(&file, spines()).expect("the folder can be written");
    let add = ["--server", &service.client.server, "data", "add", "spines", "--table", &file];
    let added = command(&add, &[]).output().await.expect("the binary under test can be started");
    let words = String::from_utf8_lossy(&added.stderr).into_owned();
    assert!(added.status.success() && words.contains("table of 240 rows, 4 columns"), "{words}");
    let (status, again) = post(&service, "spines", &[("table", spines())]).await;
    assert_eq!(status, StatusCode::OK, "the same content: {again}");
    let other = put_over_grpc(&service, "more").await;
    let dataset = other.dataset.expect("an answer has a data set");
    assert!(!other.created && dataset.hash == text(&again, "hash"), "{dataset:?}");

    let params = json!({"spines": "table", "log_threshold": -2.0, "iterations": 30});
    let spec =
        json!({"experiment": "spine-fit", "dataset": "more", "params": params, "seeds": [1], "every": 10});
    let job = service.client.submit(&spec, "fit").await;
    let job = service.client.until_job_is(&job, "succeeded", Duration::from_secs(60)).await;
    let run = service.client.runs(&text(&job, "id")).await.remove(0);
    let here = [
        "run",
        "spine-fit",
        "--table",
        &file,
        "--set",
        "spines=table",
        "--set",
        "log_threshold=-2",
        "--set",
        "iterations=30",
        "--every",
        "10",
    ];
    let output = command(&here, &[]).output().await.expect("the binary under test can be started");
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    let last: Json = serde_json::from_str(lines.lines().last().unwrap_or_default()).expect("a line of JSON");
    assert_eq!(text(&last, "digest"), text(&run, "digest"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_table_is_refused_with_line_and_reason() {
    let service = Service::start().await;
    let names = "spine_id,day,volume\n";
    let cases = [
        ("spine_id,day\na,0\n".to_owned(), "line 1: there is no column `volume`"),
        (format!("{names}a,0,0.5\na,4,NaN\n"), "line 3: `volume` is `NaN`"),
        (format!("{names}a,4,0.5\na,0,0.5\n"), "line 3: `day` is 0; it must be after 4"),
        (format!("{names}a,0,-0.5\n"), "line 2: `volume` is -0.5; it must be at least 0"),
        (format!("{names}a,0\n"), "line 2: it has 2 cells"),
        (String::new(), "the table is empty"),
    ];
    for (table, reason) in cases {
        let (status, problem) = post(&service, "broken", &[("table", table)]).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
        assert!(problem.to_string().contains(reason), "{problem}");
    }
    let (status, problem) =
        post(&service, "two", &[("table", spines()), ("bif", "network x { }".into())]).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(problem.to_string().contains("`bif` is given; it must be left out with `table`"), "{problem}");
    let spec = json!({"experiment": "spine-fit", "dataset": "digits8x8", "params": {"spines": "table"}});
    let (status, problem) = service.client.try_submit(&spec, "images").await.expect("it answers");
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(problem.to_string().contains("of kind images"), "{problem}");
}

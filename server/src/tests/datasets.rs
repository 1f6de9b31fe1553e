//! Uploading data sets.

use axum::http::StatusCode;
use serde_json::json;

use super::support::{Answer, Bench, quick, text};
use crate::Config;

const BOUNDARY: &str = "----vesicle";

/// A form of (name, content).
fn form(fields: Fields<'_>) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, content) in fields {
        let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    body
}

/// Name and content of each field of a form.
type Fields<'a> = &'a [(&'a str, &'a [u8])];

async fn upload(bench: &Bench, fields: Fields<'_>) -> Answer {
    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
    bench.post_with("/api/v1/datasets", form(fields), &[("content-type", kind.as_str())]).await
}

/// An IDX file of bytes.
fn idx(dims: &[u32], fill: u8) -> Vec<u8> {
    let mut file = vec![0, 0, 8, dims.len() as u8];
    file.extend(dims.iter().flat_map(|dim| dim.to_be_bytes()));
    file.extend(vec![fill; dims.iter().product::<u32>() as usize]);
    file
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("writes to memory")
}

#[tokio::test]
async fn plain_and_gzip_files_are_one_data_set() {
    let bench = Bench::new().await;
    let (images, labels, test) = (idx(&[6, 4, 3], 9), idx(&[6], 1), idx(&[2, 4, 3], 5));
    let test_labels = idx(&[2], 2);
    let plain: [(&str, &[u8]); 7] = [
        ("name", b"mine"),
        ("max", b"16"),
        ("attribution", b"me, CC0"),
        ("images", &images),
        ("labels", &labels),
        ("test_images", &test),
        ("test_labels", &test_labels),
    ];
    let first = upload(&bench, &plain).await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.text());
    let dataset = first.json();
    let shape = json!({"kind": "images", "count": 8, "rows": 4, "cols": 3, "max": 16, "test_count": 2, "labelled": true});
    assert_eq!((&dataset["shape"], &dataset["attribution"]), (&shape, &json!("me, CC0")));
    assert_eq!(first.header("location"), format!("/api/v1/datasets/{}", text(&dataset["hash"])));

    let (images, labels) = (gz(&images), gz(&labels));
    let packed: [(&str, &[u8]); 6] = [
        ("images", &images),
        ("labels", &labels),
        ("test_images", &test),
        ("test_labels", &test_labels),
        ("max", b"16"),
        ("name", b"mine"),
    ];
    let again = upload(&bench, &packed).await;
    assert_eq!((again.status, &again.json()["hash"]), (StatusCode::OK, &dataset["hash"]));
    assert_eq!(bench.get(first.header("location")).await.json()["names"], json!(["mine"]));
}

#[tokio::test]
async fn a_name_of_other_content_is_taken() {
    let bench = Bench::new().await;
    let images = idx(&[2, 2, 2], 1);
    upload(&bench, &[("name", b"digits8x8"), ("images", &images)]).await.problem(409, "name_taken");
}

#[tokio::test]
async fn files_that_make_no_data_set_are_refused_by_name() {
    let bench = Bench::new().await;
    let (images, short) = (idx(&[2, 2, 2], 1), idx(&[3], 1));
    let truncated = &images[..images.len() - 1];
    let cases: [(Fields<'_>, &str); 9] = [
        (&[("name", b"a")], "/images"),
        (&[("images", &images)], "/name"),
        (&[("name", b"../etc"), ("images", &images)], "/name"),
        (&[("name", b"a"), ("images", b"not idx")], "/images"),
        (&[("name", b"a"), ("images", b"")], "/images"),
        (&[("name", b"a"), ("images", truncated)], "/images"),
        (&[("name", b"a"), ("images", &images), ("labels", &short)], "/images"),
        (&[("name", b"a"), ("images", &images), ("max", b"0")], "/max"),
        (&[("name", b"a"), ("pictures", &images)], "/pictures"),
    ];
    for (fields, pointer) in cases {
        let problem = upload(&bench, fields).await.problem(422, "invalid");
        assert_eq!(problem["errors"][0]["pointer"], *pointer, "{problem}");
    }
}

#[tokio::test]
async fn more_than_the_limit_is_cut_off() {
    let images = idx(&[4, 4, 4], 1);
    let bench = Bench::with(Config { max_dataset_bytes: 64, ..quick() }).await;
    let fits = upload(&bench, &[("name", b"fits"), ("images", &images)]).await;
    assert_eq!(fits.status, StatusCode::CREATED, "{}", fits.text());
    let larger = idx(&[4, 4, 5], 1);
    upload(&bench, &[("name", b"a"), ("images", &larger)]).await.problem(413, "too_large");
    let declares = idx(&[1, 1, 1], 1)[..4].iter().copied().chain([0xff; 12]).collect::<Vec<u8>>();
    upload(&bench, &[("name", b"a"), ("images", &declares)]).await.problem(413, "too_large");
}

#[tokio::test]
async fn a_bomb_is_refused() {
    let bench = Bench::new().await;
    let bomb = gz(&idx(&[4_000, 100, 100], 0));
    upload(&bench, &[("name", b"a"), ("images", &bomb)]).await.problem(413, "too_large");
}

#[tokio::test]
async fn another_media_type_is_not_taken() {
    let bench = Bench::new().await;
    bench.post("/api/v1/datasets", "{}").await.problem(415, "unsupported_media_type");
}

#[tokio::test]
async fn the_digits_are_there_with_attribution() {
    let bench = Bench::new().await;
    let all = bench.get("/api/v1/datasets").await.json();
    assert_eq!(all["datasets"][0]["names"], json!(["digits8x8"]));
    assert!(text(&all["datasets"][0]["attribution"]).contains("CC BY 4.0"));
}

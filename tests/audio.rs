//! Recordings end to end: the same content as a folder, an archive, by REST and gRPC; a network that learns from them; what is
//! refused, and why.

use std::{io::Cursor, path::Path, time::Duration};

use proto::v1::{self, DatasetFile, job_service_client::JobServiceClient, put_dataset_request::Part};
use reqwest::{Method, StatusCode, multipart};
use serde_json::{Value as Json, json};

use crate::support::{Service, command, json as body, text};

/// A recording: 16 bits, one channel.
fn wav(sample_rate: u32, samples: &[i16]) -> Vec<u8> {
    let sample_format = hound::SampleFormat::Int;
    let spec = hound::WavSpec { channels: 1, sample_rate, bits_per_sample: 16, sample_format };
    let mut bytes = Cursor::new(Vec::new());
    let mut writer = hound::WavWriter::new(&mut bytes, spec).expect("a plain header");
    samples.iter().for_each(|&x| writer.write_sample(x).expect("memory takes it"));
    writer.finalize().expect("memory takes it");
    bytes.into_inner()
}

/// Two speakers, four recordings of each of two digits: glides up and down.
fn spoken() -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for digit in [1_i64, 2] {
        for (speaker, number) in ["ann", "bob"].iter().flat_map(|name| [0, 7, 12, 13].map(|n| (name, n))) {
            let glide = |n: i64| ((n * (n / 40 * (2 * digit - 3) + 70 + number) % 257 - 128) * 100) as i16;
            let samples: Vec<i16> = (0..2400).map(glide).collect();
            files.push((format!("{digit}_{speaker}_{number}.wav"), wav(8000, &samples)));
        }
    }
    files
}

fn archive(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, format!("recordings/{name}"), bytes.as_slice()).expect("memory");
    }
    builder.into_inner().expect("memory takes it")
}

async fn post(service: &Service, name: &str, audio: Vec<u8>) -> (StatusCode, Json) {
    let part = multipart::Part::bytes(audio).file_name("file");
    let form = multipart::Form::new().text("name", name.to_owned()).part("audio", part);
    let request = service.client.request(Method::POST, "/api/v1/datasets").multipart(form);
    let response = request.send().await.expect("the server answers");
    (response.status(), body(response).await)
}

async fn put_over_grpc(service: &Service, name: &str, audio: &[u8]) -> v1::PutDatasetResponse {
    let header = v1::DatasetHeader { name: name.into(), ..Default::default() };
    let data = audio.chunks(5000).map(|bytes| {
        let data = v1::DatasetPart { file: DatasetFile::Audio.into(), bytes: bytes.to_vec() };
        v1::PutDatasetRequest { part: Some(Part::Data(data)) }
    });
    let messages: Vec<_> =
        [v1::PutDatasetRequest { part: Some(Part::Header(header)) }].into_iter().chain(data).collect();
    let mut client =
        JobServiceClient::connect(service.client.server.clone()).await.expect("the server listens");
    client.put_dataset(futures::stream::iter(messages)).await.expect("they are taken").into_inner()
}

/// Adds recordings by the command line; what it says, and whether it went well.
async fn add(service: &Service, name: &str, option: &str, path: &Path) -> (bool, String) {
    let path = path.display().to_string();
    let add = ["--server", &service.client.server, "data", "add", name, option, &path];
    let output = command(&add, &[]).output().await.expect("the binary under test can be started");
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn recordings_are_one_data_set_however_they_come_and_a_run_on_them_has_the_bits_of_one_process() {
    let service = Service::up().await;
    let folder = tempfile::tempdir().expect("there is a place for temporary files");
    let recordings = folder.path().join("recordings");
    std::fs::create_dir(&recordings).expect("a folder can be made");
    for (name, bytes) in spoken() {
        std::fs::write(recordings.join(name), bytes).expect("the folder can be written");
    }
    std::fs::write(recordings.join("notes.txt"), "not a sound").expect("the folder can be written");
    let (went_well, words) = add(&service, "folder", "--audio-dir", &recordings).await;
    assert!(went_well && words.contains("16 recordings of 2 labels by 2 speakers"), "{words}");
    let packed = folder.path().join("spoken.tar");
    std::fs::write(&packed, archive(&spoken())).expect("the folder can be written");
    let (went_well, words) = add(&service, "packed", "--audio", &packed).await;
    assert!(went_well, "{words}");
    let (status, again) = post(&service, "posted", archive(&spoken())).await;
    assert_eq!(status, StatusCode::OK, "the same content: {again}");
    assert_eq!(
        (text(&again, "kind").as_str(), &again["shape"]["speakers"]),
        ("audio", &json!(["ann", "bob"]))
    );
    let other = put_over_grpc(&service, "streamed", &archive(&spoken())).await;
    let dataset = other.dataset.expect("an answer has a data set");
    assert!(!other.created && dataset.hash == text(&again, "hash"), "{dataset:?}");

    let timeline = json!([{"do": "lesion", "at_s": 20.0, "remove": "vision_neurons"}]);
    let params = json!({"sounds": "recordings", "neurons": 16, "circuits": 2, "duration_s": 40.0, "test_every_s": 20.0,
                        "test_trials": 8, "timeline": timeline});
    let spec = json!({"experiment": "self-repair", "dataset": "packed", "params": params, "seeds": [1], "every": 10});
    let job = service.client.submit(&spec, "heard").await;
    let job = service.client.until_job_is(&job, "succeeded", Duration::from_secs(60)).await;
    let run = service.client.runs(&text(&job, "id")).await.remove(0);
    let file = folder.path().join("params.json");
    std::fs::write(&file, params.to_string()).expect("the folder can be written");
    let (file, recordings) = (file.display().to_string(), recordings.display().to_string());
    let here = ["run", "self-repair", "--audio", &recordings, "--params", &file, "--every", "10"];
    let output = command(&here, &[]).output().await.expect("the binary under test can be started");
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    let last: Json = serde_json::from_str(lines.lines().last().unwrap_or_default()).expect("a line of JSON");
    assert_eq!(text(&last, "digest"), text(&run, "digest"), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_recordings_are_refused_with_file_and_reason() {
    let service = Service::start().await;
    let good = wav(8000, &[1; 100]);
    let cases = [
        (("1_a_0.wav", wav(4000, &[1; 100])), "the sample rate is 4000 Hz; it must be from 7800"),
        (("1_a_0.wav", wav(8000, &[])), "the recording has 0 samples; it must have at least one"),
        (("1_a_0.wav", good[..150].to_vec()), "it is truncated"),
        (("1_a_0.wav", b"OggS, it says, and not RIFF, which is no WAV".to_vec()), "it is no WAV file"),
        (("one.wav", good.clone()), "it must be called label_speaker_number.wav"),
    ];
    for ((name, bytes), reason) in cases {
        let (status, problem) = post(&service, "odd", archive(&[(name.to_owned(), bytes)])).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
        let found = problem.to_string();
        assert!(found.contains(reason) && found.contains(&format!("file `{name}`")), "{found}");
    }
    let (status, problem) = post(&service, "odd", b"no archive at all".to_vec()).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(problem.to_string().contains("`audio`"), "{problem}");
    let empty = tempfile::tempdir().expect("there is a place for temporary files");
    let (went_well, words) = add(&service, "odd", "--audio-dir", empty.path()).await;
    assert!(!went_well && words.contains("there are no .wav files in"), "{words}");
    let spec = json!({"experiment": "self-repair", "params": {"sounds": "recordings"}});
    let (status, problem) = service.client.try_submit(&spec, "silent").await.expect("it answers");
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(problem.to_string().contains("recordings that were uploaded"), "{problem}");
}

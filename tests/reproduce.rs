//! `vesicle reproduce` as its users run it.

use std::process::{Output, Stdio};

use serde_json::Value as Json;

use crate::support::{Service, command};

async fn reproduce(args: &[&str]) -> Output {
    let all: Vec<&str> = ["reproduce"].iter().chain(args).copied().collect();
    command(&all, &[]).stdin(Stdio::null()).output().await.expect("the binary runs")
}

#[tokio::test]
async fn a_finding_is_tested_on_a_private_server_and_leaves_a_report() {
    let folder = tempfile::tempdir().expect("there is a place for temporary files");
    let report = folder.path().join("report");
    let place = report.display().to_string();
    let done = reproduce(&["--quick", "--only", "rbse/digits-gap", "--json", "--report", &place]).await;
    let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert_eq!(done.status.code(), Some(0), "{err}");
    let lines: Vec<Json> = out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len(), 1, "{out}");
    assert_eq!((&lines[0]["finding"], &lines[0]["verdict"]), (&"digits-gap".into(), &"holds".into()));
    assert_eq!(lines[0]["seeds"], serde_json::json!([1]));
    for file in ["index.html", "findings.json"] {
        assert!(report.join(file).is_file(), "{file}");
    }
}

#[tokio::test]
async fn what_is_not_there_and_tuning_seeds_are_usage_errors() {
    for args in [&["--only", "rsbe"][..], &["--only", "rbse/no-such"], &["--seeds", "101"]] {
        let done = reproduce(args).await;
        assert_eq!(done.status.code(), Some(2), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
    }
}

#[tokio::test]
async fn on_a_given_server_the_jobs_stay_and_are_taken_up_again() {
    let service = Service::up().await;
    let folder = tempfile::tempdir().expect("there is a place for temporary files");
    let place = folder.path().display().to_string();
    let server = service.client.server.clone();
    let args = ["--quick", "--only", "rbse/digits-gap", "--json", "--report", &place, "--server", &server];
    let mut seen = Vec::new();
    for _ in 0..2 {
        let done = reproduce(&args).await;
        assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
        seen.push(done.stdout);
    }
    assert_eq!(seen[0], seen[1]);
    let jobs = service.client.get("/jobs").await;
    // The finding's own job and its negative control, each once.
    assert_eq!(jobs["jobs"].as_array().map(Vec::len), Some(2), "{jobs}");
}

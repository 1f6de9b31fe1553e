//! The contract, held against independent clients: gRPC from Python, and requests that schemathesis makes up.

use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::support::{Service, resident_kib};

/// That schemathesis makes up, at least.
const CASES: &str = "10000";
/// That the server may grow by meanwhile (P16).
const GROWTH_KIB: u64 = 32 << 10;

/// Programs of the virtual environment with `tests/contract/requirements.txt`. `None`, and a word on standard error, where
/// it is not made.
///
/// # Panics
/// If `CI` says that nothing may be skipped.
fn programs() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/contract-venv");
    let made = folder.join("ready").exists();
    if !made {
        assert!(
            std::env::var_os("CI").is_none(),
            "the contract tests need python3 with venv, and `make clients`"
        );
        eprintln!("skipped: needs python3 with venv, and `make clients`");
    }
    made.then(|| folder.join("bin"))
}

fn file(path: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path).display().to_string()
}

/// Runs a program in the folder of a service; what it said, and whether it was content.
async fn run(service: &Service, program: &Path, args: &[&str]) -> (String, bool) {
    let mut command = Command::new(program);
    command.args(args).current_dir(service.folder()).env("NO_COLOR", "1").envs(service.env());
    let output = command.kill_on_drop(true).output().await.expect("the environment has it");
    let said = [output.stdout, output.stderr].concat();
    (String::from_utf8_lossy(&said).into_owned(), output.status.success())
}

#[tokio::test(flavor = "multi_thread")]
async fn independent_clients_find_what_the_descriptions_promise() {
    let Some(programs) = programs() else { return };
    // schemathesis reads a stream to its end, so the streams of jobs that wait must have one.
    let mut service =
        Service::up_with(&["up", "--workers", "1", "--slots", "1"], &[("VESICLE_STREAM_AGE_MS", "500")])
            .await;
    let (url, python) = (service.client.server.clone(), programs.join("python"));
    let compare = [&file("tests/contract/grpc_client.py"), &file("proto"), &url];
    let (said, same) = run(&service, &python, &compare.map(String::as_str)).await;
    assert!(same, "{said}");
    eprint!("{said}");

    // It names files beside it, which that client has written.
    let settings = service.folder().join("schemathesis.toml");
    std::fs::copy(file("tests/contract/schemathesis.toml"), settings).expect("the folder can be written");
    let before = resident_kib(service.server_pid());
    let described = format!("{url}/api/v1/openapi.json");
    let report = ["--report", "ndjson", "--report-ndjson-path", "requests.ndjson"];
    let fuzz = [&["run", &described, "--max-examples", "30"], &report[..]].concat();
    let (findings, clean) = run(&service, &programs.join("schemathesis"), &fuzz).await;
    let grown = resident_kib(service.server_pid()).saturating_sub(before);
    let openapi = file("server/openapi.json");
    let count = [&file("tests/contract/figures.py"), openapi.as_str(), "requests.ndjson", CASES];
    let (figures, enough) = run(&service, &python, &count).await;
    eprint!("{figures}");
    eprintln!("the server grew by {grown} KiB");
    assert!(grown <= GROWTH_KIB, "the server grew by {grown} KiB");
    assert!(clean && enough, "{findings}\n{figures}");
    let log = service.server_log();
    let faults: Vec<_> =
        log.lines().filter(|line| line.contains("panicked") || line.contains("internal error")).collect();
    assert!(faults.is_empty(), "{faults:?}");
    service.stop_server().await;
}

//! One run computed by several threads or processes: the same digest, whoever computes, is killed or goes on.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value as Json, json};

use crate::support::{PROMPT, Reference, Service, command_by, undisturbed};

/// A run of some seconds on the built-in digits: 390 steps with a checkpoint every 10.
fn job(sweeps: u32) -> Json {
    json!({
        "experiment": "rbse",
        "params": {"hidden_units": 64, "epochs": 6, "train_images": 1300, "batch": 20, "test_images": 50, "cd_k": sweeps,
                   "rule": "pcd", "shards": 4},
        "seeds": {"from": 1, "count": 1},
        "every": 13,
        "checkpoint_every_steps": 10,
    })
}

/// For a job of one run.
const JOB: Duration = Duration::from_secs(90);

/// The lines of `vesicle run` for a short run, without the time it took; started by `launcher`.
async fn lines(launcher: &[&str], more: &[&str]) -> Vec<String> {
    let run =
        ["run", "rbm", "--set", "epochs=1", "--set", "train_images=400", "--set", "rule=pcd", "--every", "5"];
    let env = root_may();
    let output = command_by(launcher, &[&run[..], more].concat(), &env).output().await;
    let output = output.expect("the launcher and the binary under test can be started");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{launcher:?} {more:?}: {}\n{said}", output.status);
    let text = String::from_utf8(output.stdout).expect("NDJSON is UTF-8");
    let without_time = |line: &str| line.split(",\"seconds\"").next().unwrap_or_default().to_owned();
    text.lines().map(without_time).collect()
}

/// Tests may run as root in a container, which Open MPI wants to hear twice.
fn root_may() -> Vec<(String, String)> {
    ["OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"]
        .map(|name| (name.to_owned(), "1".to_owned()))
        .into()
}

/// A run has the digest that it has when nothing disturbs it.
fn assert_undisturbed(run: &Json, expected: &BTreeMap<String, Reference>) {
    let id = run["id"].as_str().expect("a run has an id");
    assert_eq!(run["digest"], expected[id].digest.as_str(), "{run}");
}

#[tokio::test(flavor = "multi_thread")]
async fn threads_give_a_run_with_shards_the_lines_and_the_digest_of_one_thread() {
    let alone = lines(&[], &["--set", "shards=4"]).await;
    for threads in ["2", "3", "5"] {
        assert_eq!(
            lines(&[], &["--set", "shards=4", "--threads", threads]).await,
            alone,
            "{threads} threads"
        );
    }
    let digest = |lines: &[String]| lines.last().expect("there are lines").clone();
    assert_ne!(digest(&lines(&[], &["--set", "shards=2"]).await), digest(&alone), "shards decide bits");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_with_threads_gives_the_digest_of_an_undisturbed_run() {
    let service = Service::start().await;
    let spec = job(40);
    let id = service.client.submit(&spec, "threads").await;
    let expected = undisturbed(&spec, &service.client.runs(&id).await, service.folder()).await;
    let worker =
        service.process("worker", &["work", "--server", &service.client.server, "--threads", "2"], &[]);
    service.client.until_job_is(&id, "succeeded", JOB).await;
    let run = service.client.runs(&id).await.swap_remove(0);
    assert_undisturbed(&run, &expected);
    assert!(worker.terminate(PROMPT).await.success());
}

/// Several copies of one run would be the worst of answers.
#[cfg(not(feature = "mpi"))]
#[tokio::test]
async fn a_build_without_mpi_refuses_to_be_one_of_several_processes() {
    let env = [("OMPI_COMM_WORLD_SIZE".to_owned(), "2".to_owned())];
    for args in [&["run", "rbm"][..], &["work", "--gang"], &["up", "--gang", "2", "--listen", "127.0.0.1:0"]]
    {
        let output =
            command_by(&[], args, &env).output().await.expect("the binary under test can be started");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
        assert!(said.contains("--features mpi") && output.stdout.is_empty(), "{args:?}: {said}");
    }
}

#[cfg(feature = "mpi")]
mod ranks;

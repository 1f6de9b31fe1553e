//! Jobs that build on finished runs, end to end.

use std::{path::Path, time::Duration};

use reqwest::{Method, StatusCode};
use serde_json::{Value as Json, json};

use crate::{
    checker::{self, History, Records},
    support::{PROMPT, Service, command, digits_job, text, undisturbed, undisturbed_from, until},
};

/// For a job of a few runs.
const JOB: Duration = Duration::from_secs(120);

/// What removing synapses of the network of a finished run costs.
fn follower(run: &str, step: &Json) -> Json {
    json!({
        "experiment": "ablation",
        "params": {"network": "given", "model": "A", "draws": 1, "likelihood_members": 0, "fit_members": 1, "test_images": 50},
        "from": [{"as": "network", "run": run, "step": step}],
        "every": 300,
        "checkpoint_every_steps": 50,
    })
}

/// What `vesicle` says when it does well.
async fn vesicle(service: &Service, args: &[&str]) -> String {
    let all = [&["--server", service.client.server.as_str()], args].concat();
    let output = command(&all, &[]).output().await.expect("the binary under test can be started");
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "vesicle {}: {words}", args.join(" "));
    String::from_utf8(output.stdout).expect("it writes UTF-8")
}

/// The bytes of a checkpoint over REST.
async fn checkpoint(service: &Service, run: &str, step: u64) -> Vec<u8> {
    let path = format!("/api/v1/runs/{run}/checkpoint?step={step}");
    let response = service.client.request(Method::GET, &path).send().await.expect("the server answers");
    assert_eq!(response.status(), StatusCode::OK, "{path}");
    response.bytes().await.expect("all of it comes").to_vec()
}

/// Step of the checkpoint before the newest one; which it is depends on how the reports fell.
async fn earlier_step(service: &Service, run: &str) -> u64 {
    let kept = service.client.get(&format!("/runs/{run}/checkpoints")).await;
    let last = kept["checkpoints"].as_array().and_then(|all| all.last()).expect("it has checkpoints");
    last["step"].as_u64().expect("a step")
}

fn digest_of_last_line(lines: &str) -> String {
    let last = lines.lines().last().expect("a last line");
    text(&serde_json::from_str(last).expect("the last line is JSON"), "digest")
}

/// Waits until the first run of a job is on its way with a checkpoint, in an attempt after `attempt`.
async fn until_on_its_way(service: &Service, job: &str, attempt: u64) {
    until("the run is on its way", PROMPT, async || {
        let run = service.client.runs(job).await.swap_remove(0);
        let stored = run["checkpoint_step"].as_u64().unwrap_or(0);
        assert_ne!(run["state"], "failed", "{run}");
        (run["state"] == "running" && run["attempt"].as_u64() > Some(attempt) && stored > 0).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_builds_on_a_finished_run_gives_the_same_bits_through_kills_and_without_a_server() {
    let (mut service, mut history) = (Service::start().await, History::default());
    let source_spec = digits_job(1, 4, 1);
    let source = service.client.submit(&source_spec, "source").await;
    let runs = service.client.runs(&source).await;
    let (run, steps) = (text(&runs[0], "id"), runs[0]["steps"].as_u64().expect("a run has steps"));
    let (status, problem) =
        service.client.try_submit(&follower(&run, &json!("last")), "early").await.expect("it answers");
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    assert!(text(&problem, "detail").contains("is queued; a job can build on it once"), "{problem}");

    let worker = service.worker();
    service.client.until_job_is(&source, "succeeded", JOB).await;
    history.undisturbed.extend(undisturbed(&source_spec, &runs, service.folder()).await);
    let spec = follower(&run[..13], &json!("last"));
    let job = service.client.submit(&spec, "follower").await;
    let stored = service.client.job(&job).await;
    assert_eq!(
        (&stored["from"][0]["run"], &stored["from"][0]["step"]),
        (&json!(run), &json!(steps)),
        "{stored}"
    );
    assert_eq!(stored["spec"]["from"][0]["run"], json!(run), "the whole id is kept");

    until_on_its_way(&service, &job, 0).await;
    worker.kill().await;
    let worker = service.worker();
    until_on_its_way(&service, &job, 1).await;
    service.kill_server().await;
    service.start_server().await;
    service.client.until_job_is(&job, "succeeded", JOB).await;

    // Taken away as a file, it gives the same results without the server.
    let file = service.folder().join("network.ckpt").display().to_string();
    vesicle(&service, &["checkpoint", &run, "-o", &file]).await;
    let kept = std::fs::read(Path::new(&file)).expect("the file was written");
    assert_eq!(checkpoint(&service, &run, steps).await, kept);
    assert_eq!(blake3::hash(&kept).to_hex().to_string(), text(&stored["from"][0], "digest"));
    let from = format!("network={file}");
    let runs = service.client.runs(&job).await;
    history.undisturbed.extend(undisturbed_from(&spec, &runs, Some(&from), service.folder()).await);
    history.answered.extend([("source".to_owned(), source), ("follower".to_owned(), job.clone())]);
    assert!(worker.terminate(PROMPT).await.success());
    service.stop_server().await;
    checker::assert_sound(&service.database().await, &history).await;
    let attempts = Records::read(&service.database().await).await.runs[&text(&runs[0], "id")].attempt;
    assert!(attempts >= 2, "the worker was killed in between: {attempts}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_earlier_step_can_be_built_on_by_command_line_and_is_shown() {
    let service = Service::up().await;
    let source = service.client.submit(&digits_job(1, 1, 1), "source").await;
    service.client.until_job_is(&source, "succeeded", JOB).await;
    let run = text(&service.client.runs(&source).await[0], "id");
    let earlier = earlier_step(&service, &run).await;
    let sets = [
        "network=given",
        "model=A",
        "draws=0",
        "likelihood_members=0",
        "fit_members=1",
        "test_images=50",
        "prune_percent=[50]",
        "relearn_epochs=0",
    ];
    let sets: Vec<&str> = sets.iter().flat_map(|set| ["--set", set]).collect();

    let submit =
        |from: &str| [&["submit", "ablation", "--wait", "--from", from], &sets[..]].concat().join(" ");
    let words = submit(&format!("network=last/0@{earlier}"));
    let id = vesicle(&service, &words.split(' ').collect::<Vec<_>>()).await.trim().to_owned();
    let shown = vesicle(&service, &["show", &id]).await;
    assert!(shown.contains(&format!("builds on   run {run} at step {earlier}, as network")), "{shown}");
    let digest = text(&service.client.runs(&id).await[0], "digest");

    let here = [&["run", "ablation"], &sets[..]].concat();
    let from = |step: &str| format!("network={run}@{step}");
    let same = vesicle(&service, &[&here[..], &["--from", &from(&earlier.to_string())]].concat()).await;
    assert_eq!(digest_of_last_line(&same), digest);
    let other = vesicle(&service, &[&here[..], &["--from", &from("last")]].concat()).await;
    assert_ne!(digest_of_last_line(&other), digest, "another step is another source");

    for (step, status) in
        [(json!(7), StatusCode::UNPROCESSABLE_ENTITY), (json!(earlier), StatusCode::CREATED)]
    {
        let mut spec = follower(&run, &step);
        spec["seeds"] = json!([2]);
        let (found, answer) =
            service.client.try_submit(&spec, &format!("step-{step}")).await.expect("it answers");
        assert_eq!(found, status, "{answer}");
    }
    // An experiment that takes no such run says which it takes.
    let (status, problem) = service
        .client
        .try_submit(&follower(&text(&service.client.runs(&id).await[0], "id"), &json!("last")), "x")
        .await
        .expect("it answers");
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(problem.to_string().contains("is of ablation v"), "{problem}");
}

const RAIN: &str = "network rain { }
variable rain { type discrete [ 2 ] { yes, no }; }
variable sprinkler { type discrete [ 2 ] { on, off }; }
variable grass { type discrete [ 3 ] { dry, damp, wet }; }
probability ( rain ) { table 0.2, 0.8; }
probability ( sprinkler | rain ) { (yes) 0.1, 0.9; (no) 0.4, 0.6; }
probability ( grass | rain, sprinkler ) {
  (yes, on) 0.02, 0.08, 0.9; (yes, off) 0.1, 0.3, 0.6; (no, on) 0.1, 0.4, 0.5; (no, off) 0.9, 0.08, 0.02; }";

/// Uploads the network, and sees that one whose rows do not sum to 1 is refused by its line; the file.
async fn add_rain(service: &Service) -> String {
    let file = service.folder().join("rain.bif").display().to_string();
    std::fs::write(&file, RAIN).expect("the folder can be written");
    vesicle(service, &["data", "add", "rain", "--bif", &file]).await;
    let broken = service.folder().join("broken.bif").display().to_string();
    std::fs::write(&broken, RAIN.replace("0.2, 0.8", "0.2, 0.7")).expect("the folder can be written");
    let all = ["--server", service.client.server.as_str(), "data", "add", "broken", "--bif", &broken];
    let refused = command(&all, &[]).output().await.expect("the binary under test can be started");
    let words = String::from_utf8_lossy(&refused.stderr);
    assert!(
        !refused.status.success() && words.contains("line 5") && words.contains("must sum to 1"),
        "{words}"
    );
    file
}

#[tokio::test(flavor = "multi_thread")]
async fn modules_of_an_uploaded_network_learn_on_two_workers_and_join_to_the_bits_of_one_process() {
    let service = Service::start().await;
    let workers = [service.worker(), service.worker()];
    let file = add_rain(&service).await;
    let parts = json!({
        "experiment": "bayes-net", "dataset": "rain", "params": {"network": "dataset", "learning_s": 30, "held_out": 50},
        "sweep": {"grid": {"modules": [["rain", "grass"], ["sprinkler"]]}}, "every": 10,
    });
    let job = service.client.submit(&parts, "parts").await;
    service.client.until_job_is(&job, "succeeded", JOB).await;
    let here = [
        "run",
        "bayes-net",
        "--bif",
        &file,
        "--set",
        "network=dataset",
        "--set",
        "held_out=50",
        "--every",
        "10",
    ];
    let mut sources = Vec::new();
    for (at, (run, modules)) in
        service.client.runs(&job).await.iter().zip([r#"["rain","grass"]"#, r#"["sprinkler"]"#]).enumerate()
    {
        let (modules, id) = (format!("modules={modules}"), text(run, "id"));
        let alone =
            vesicle(&service, &[&here[..], &["--set", "learning_s=30", "--set", &modules]].concat()).await;
        assert_eq!(digest_of_last_line(&alone), text(run, "digest"), "{modules}");
        let checkpoint = service.folder().join(format!("part-{at}.ckpt")).display().to_string();
        vesicle(&service, &["checkpoint", &id, "-o", &checkpoint]).await;
        sources.push((format!("part_{}={id}", at + 1), format!("part_{}={checkpoint}", at + 1)));
    }
    let sampling = ["--set", "training=given", "--set", "sample_s=3"];
    let submit = [
        "submit",
        "bayes-net",
        "--wait",
        "--dataset",
        "rain",
        "--set",
        "network=dataset",
        "--set",
        "held_out=50",
    ];
    let from = ["--every", "10", "--from", &sources[0].0, "--from", &sources[1].0];
    let joined = vesicle(&service, &[&submit[..], &sampling, &from].concat()).await;
    let digest = text(&service.client.runs(joined.trim()).await[0], "digest");
    let from = ["--from", &sources[1].1, "--from", &sources[0].1];
    let alone = vesicle(&service, &[&here[..], &sampling, &from].concat()).await;
    assert_eq!(digest_of_last_line(&alone), digest);
    for worker in workers {
        assert!(worker.terminate(PROMPT).await.success());
    }
}

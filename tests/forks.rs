//! Forks, and runs that are computed again: `fork`, `verify`, `compare`, `replay`.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value as Json, json};

use crate::support::{Service, Tamper, command, digits_job, text};

/// For a job of a few runs.
const JOB: Duration = Duration::from_secs(120);

/// What `vesicle` prints and says, and its exit code.
async fn vesicle(service: &Service, args: &[&str]) -> (String, String, Option<i32>) {
    let all = [&["--server", service.client.server.as_str()], args].concat();
    let output = command(&all, &[]).output().await.expect("the binary under test can be started");
    let words = |bytes| String::from_utf8(bytes).expect("it writes UTF-8");
    (words(output.stdout), words(output.stderr), output.status.code())
}

/// What it prints when it does well.
async fn done(service: &Service, args: &[&str]) -> String {
    let (printed, said, code) = vesicle(service, args).await;
    assert_eq!(code, Some(0), "vesicle {}: {said}{printed}", args.join(" "));
    printed
}

async fn document(service: &Service, args: &[&str]) -> Json {
    serde_json::from_str(&done(service, args).await).expect("it prints JSON")
}

/// A run that succeeded, and the steps of its checkpoints, newest first.
async fn finished(service: &Service) -> (String, Vec<u64>) {
    let job = service.client.submit(&digits_job(1, 2, 1), "source").await;
    service.client.until_job_is(&job, "succeeded", JOB).await;
    let run = text(&service.client.runs(&job).await[0], "id");
    let kept = service.client.get(&format!("/runs/{run}/checkpoints")).await;
    let steps = kept["checkpoints"].as_array().expect("a list").iter().map(|one| one["step"].as_u64());
    let steps: Vec<u64> = steps.map(|step| step.expect("a step")).collect();
    assert!(steps.len() >= 2 && steps[0] == 130 && steps[1] < 130, "{steps:?}");
    (run, steps)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fork_goes_on_under_the_same_random_numbers() {
    let service = Service::up().await;
    let (run, steps) = finished(&service).await;
    let at = steps[1].to_string();

    // The same future, and another one from the same step.
    let twin = done(&service, &["fork", &run, "--at", &at, "--wait"]).await.trim().to_owned();
    let other =
        done(&service, &["fork", &run, "--at", &at, "--set", "r=60", "--set", "epochs=3", "--wait"]).await;
    let (twin, other) = (format!("{twin}/0"), format!("{}/0", other.trim()));
    let compared = document(&service, &["compare", &run, &twin, &other, "--json"]).await;
    let rows = compared["metrics"].as_array().expect("rows");
    let twin_id = text(&document(&service, &["show", &twin, "--json"]).await, "id");
    assert!(rows.iter().any(|row| row["run"] != json!(twin_id)));
    for row in rows {
        if row["run"] == json!(twin_id) {
            assert_eq!(row["same_until"], 130, "{row}");
            assert_eq!(row["difference"], 0.0, "{row}");
        }
    }
    let mean = rows.iter().find(|row| row["metric"] == "release_prob_mean" && row["run"] != json!(twin_id));
    let mean = mean.expect("both have release probabilities");
    assert_ne!(mean["difference"], 0.0, "another rule of release makes a difference: {mean}");
    assert!(mean["same_until"].is_null() || mean["same_until"].as_u64() <= Some(steps[1] + 13), "{mean}");

    // All three by a metric, the greatest first.
    let best = document(&service, &["ls", "best", "release_prob_mean", "--descending", "--json"]).await;
    let values: Vec<f64> =
        best["runs"].as_array().expect("runs").iter().filter_map(|run| run["value"].as_f64()).collect();
    assert!(values.len() == 3 && values.is_sorted_by(|a, b| a >= b), "{best}");
    let (_, said, code) = vesicle(&service, &["ls", "best", "mse", "--limit", "0"]).await;
    assert!(code == Some(1) && said.contains("`limit` is 0; it must be 1 to 1000"), "{said}");

    // Without the server, from the file: the same digest.
    let file = service.folder().join("at.ckpt").display().to_string();
    done(&service, &["checkpoint", &run, "--step", &at, "-o", &file]).await;
    let stored = document(&service, &["show", &other, "--json"]).await;
    let params = service.folder().join("params.json").display().to_string();
    std::fs::write(&params, stored["params"].to_string()).expect("the folder can be written");
    let from = format!("fork={file}");
    let here = done(
        &service,
        &["run", "rbse", "--seed", "1", "--params", &params, "--every", "13", "--from", &from],
    )
    .await;
    let last: Json = serde_json::from_str(here.lines().last().expect("a last line")).expect("JSON");
    assert_eq!(last["digest"], stored["digest"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_fork_must_not_change_is_refused_by_field() {
    let service = Service::up().await;
    let (run, steps) = finished(&service).await;
    let spec = |params: Json, step: u64| json!({"experiment": "rbse", "params": params, "from": [{"as": "fork", "run": run, "step": step}]});
    let same = |key: &str, value: Json| {
        let mut params = digits_job(1, 2, 1)["params"].clone();
        params[key] = value;
        params
    };
    let cases = [
        (
            spec(same("hidden_units", json!(65)), steps[1]),
            "/params/hidden_units",
            "a fork must leave it at 64",
        ),
        (spec(same("epochs", json!(2)), 130), "/from/0/step", "it must be before step 130"),
        (spec(same("epochs", json!(2)), 7), "/from/0/step", "a step whose checkpoint is kept"),
    ];
    for (at, (spec, pointer, rule)) in cases.into_iter().enumerate() {
        let (status, problem) =
            service.client.try_submit(&spec, &format!("case-{at}")).await.expect("it answers");
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
        assert_eq!(text(&problem["errors"][0], "pointer"), pointer, "{problem}");
        assert!(text(&problem["errors"][0], "detail").contains(rule), "{problem}");
    }
    let mut foreign = spec(json!({}), steps[1]);
    foreign["experiment"] = json!("rbm");
    let (_, problem) = service.client.try_submit(&foreign, "foreign").await.expect("it answers");
    assert!(problem.to_string().contains("is of rbse v"), "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_verified_bit_by_bit_and_a_value_that_was_changed_is_named() {
    let service = Service::up().await;
    let (run, steps) = finished(&service).await;
    let verdict = document(&service, &["verify", &run, "--json"]).await;
    let whole = verdict["values"].as_u64().expect("a number");
    assert_eq!((&verdict["same"], &verdict["from"], &verdict["to"]), (&json!(true), &json!(0), &json!(130)));
    let stored = document(&service, &["show", &run, "--json"]).await;
    assert_eq!(verdict["digest"], stored["digest"]);
    let earlier = steps[1].to_string();
    let part = document(&service, &["verify", &run, "--from", &earlier, "--json"]).await;
    assert_eq!((&part["same"], &part["from"]), (&json!(true), &json!(steps[1])));
    assert!(part["values"].as_u64() < Some(whole), "{part}");
    let first = document(&service, &["verify", &run, "--to", &earlier, "--json"]).await;
    assert_eq!((&first["same"], &first["to"]), (&json!(true), &json!(steps[1])));
    let (_, said, code) = vesicle(&service, &["verify", &run, "--from", "7"]).await;
    assert!(code == Some(1) && said.contains("has no checkpoint at step 7"), "{said}");

    // A step that was never observed, and the observed one beside it.
    let metrics = format!("/runs/{run}/metrics/reconstruction_mse");
    let rows = service.client.get(&metrics).await;
    let recorded = rows["rows"][2].clone();
    let (step, before) = (recorded[0].as_u64().expect("a step"), recorded[0].as_u64().expect("a step") - 1);
    let window =
        ["--from", &before.to_string(), "--to", &step.to_string(), "--record", "reconstruction_mse,state"];
    let (lines, said, code) = vesicle(&service, &[&["replay", &run], &window[..]].concat()).await;
    assert!(code == Some(0) && said.contains("have the same bits"), "{said}");
    let lines: Vec<Json> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let names: Vec<(u64, &str)> = lines
        .iter()
        .map(|line| (line["step"].as_u64().unwrap_or(0), line["name"].as_str().unwrap_or("")))
        .collect();
    let expected = [before, step].map(|step| [(step, "reconstruction_mse"), (step, "state")]).concat();
    assert_eq!(names, expected);
    assert_eq!(lines[2]["value"], recorded[1], "at an observed step it is what was recorded");
    assert!(lines[1]["value"]["Tiled"]["parameters"]["a"]["data"].is_array());
    let (_, said, code) =
        vesicle(&service, &["replay", &run, "--from", "1", "--to", "2", "--record", "spike"]).await;
    assert!(code == Some(2) && said.contains("--record has `spike`"), "{said}");

    // One bit of one stored value, behind everybody's back.
    let mut database = Tamper::with(&service).await;
    database.unguard("metric_stays").await;
    // Bits of a double as an integer: the next double.
    let change = format!(
        "UPDATE metric SET value = value + 1 WHERE step = {step} AND series_id =
         (SELECT id FROM series WHERE name = 'reconstruction_mse')"
    );
    assert_eq!(database.change(change).await, 1);
    database.close().await;
    let (printed, _, code) = vesicle(&service, &["verify", &run]).await;
    assert_eq!(code, Some(1), "{printed}");
    assert!(printed.contains(&format!("reconstruction_mse at step {step} is ")), "{printed}");
}

//! The page in a headless Chromium: what the service knows is drawn, and nothing foreign runs.

use std::{path::PathBuf, process::Stdio, time::Duration};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use serde_json::{Value as Json, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

const DEADLINE: Duration = Duration::from_secs(60);
/// Markup in a label must stay text. (Names of jobs cannot hold any.)
const LABEL: &str = "<img src=x onerror=alert(1)> & <b>seeds</b>";

#[tokio::test]
async fn the_page_lists_jobs_and_runs_and_draws_every_metric_by_its_kind() {
    let Some(chromium) = chromium() else { return };
    let service = Service::start().await;
    let job = service.finished_job().await;
    let runs = service.get(&format!("/api/v1/jobs/{}/runs", text(&job["id"]))).await;
    let runs: Vec<&str> = list(&runs["runs"]).iter().map(|run| text(&run["id"])).collect();
    let metrics = service.get(&format!("/api/v1/runs/{}/metrics", runs[0])).await;

    let dom = service.dom(&chromium, "#/").await;
    assert!(dom.contains(&format!("href=\"#/jobs/{}\"", text(&job["id"]))), "the job is not listed: {dom}");

    let dom = service.dom(&chromium, &format!("#/jobs/{}", text(&job["id"]))).await;
    assert!(
        dom.contains("&lt;img src=x onerror=alert(1)&gt;") && !dom.contains("<img"),
        "a label became markup: {dom}"
    );
    for run in &runs {
        assert!(dom.contains(&format!("href=\"#/runs/{run}\"")), "run {run} is not listed: {dom}");
    }
    for metric in
        list(&metrics["metrics"]).iter().filter(|metric| metric["kind"] == "scalar" && has_values(metric))
    {
        let figure = figure(&dom, text(&metric["name"]));
        assert_eq!(lines(figure), runs.len(), "one line a run: {figure}");
    }

    let dom = service.dom(&chromium, &format!("#/runs/{}", runs[0])).await;
    for metric in list(&metrics["metrics"]).iter().filter(|metric| has_values(metric)) {
        let figure = figure(&dom, text(&metric["name"]));
        let drawn: u64 = attribute(figure, "data-drawn").parse().expect("the page counts what it draws");
        assert!(drawn > 0, "the figure is blank: {figure}");
        let is_drawn = match text(&metric["kind"]) {
            "scalar" | "vector" => lines(figure) > 0,
            "histogram" => {
                attribute(figure.split_once("class=\"bars\"").expect("bars").1, "d").starts_with('M')
            }
            _ => figure.contains("<canvas ") && figure.contains("aria-label"),
        };
        assert!(is_drawn, "not drawn by its kind: {figure}");
    }
    let kept = service.get(&format!("/api/v1/runs/{}/checkpoints", runs[0])).await;
    let kept: Vec<&Json> = list(&kept["checkpoints"]).iter().map(|one| &one["step"]).collect();
    assert!(!kept.is_empty(), "the last one is kept");
    for step in kept {
        let file = format!("href=\"/api/v1/runs/{}/checkpoint?step={step}\"", runs[0]);
        assert!(dom.contains(&file), "the checkpoint at step {step} is not listed: {dom}");
    }
}

#[tokio::test]
async fn the_page_allows_scripts_and_styles_from_the_server_only() {
    let service = Service::start().await;
    for (path, kind) in [("/", "text/html"), ("/page.js", "text/javascript"), ("/page.css", "text/css")] {
        let response = reqwest::get(format!("{}{path}", service.url)).await.expect("the server answers");
        assert_eq!(response.status(), 200, "{path}");
        let header = |name: &str| response.headers()[name].to_str().expect("headers are ASCII").to_owned();
        assert!(header("content-type").starts_with(kind), "{path} is {}", header("content-type"));
        let policy = header("content-security-policy");
        assert!(policy.contains("default-src 'self'") && !policy.contains("unsafe"), "{path}: {policy}");
    }
}

/// The browser to use. Without one the test is left out, but not under CI.
fn chromium() -> Option<PathBuf> {
    let path = PathBuf::from(std::env::var("VESICLE_CHROMIUM").unwrap_or("/usr/bin/chromium".into()));
    if path.exists() {
        return Some(path);
    }
    assert_ne!(
        std::env::var("CI").as_deref(),
        Ok("true"),
        "{} is missing; apt-get install chromium",
        path.display()
    );
    eprintln!("skipped: needs chromium");
    None
}

/// `vesicle up` on a free port with a home of its own; it and its workers end with the test.
struct Service {
    url: String,
    child: Child,
    _home: TempDir,
}

impl Service {
    async fn start() -> Self {
        let home = tempfile::tempdir().expect("a folder for the data can be made");
        let mut child = Command::new(env!("CARGO_BIN_EXE_vesicle"))
            .args(["up", "--listen", "127.0.0.1:0"])
            .env("VESICLE_HOME", home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .expect("the binary starts");
        let mut lines = BufReader::new(child.stdout.take().expect("stdout is piped")).lines();
        let url = async {
            while let Some(line) = lines.next_line().await.expect("stdout is text") {
                if let Some((_, url)) = line.split_once("listening on ") {
                    return url.trim().to_owned();
                }
            }
            panic!("`vesicle up` ended before it listened");
        };
        let url = timeout(DEADLINE, url).await.expect("`vesicle up` listens in time");
        Self { url, child, _home: home }
    }

    async fn get(&self, path: &str) -> Json {
        let response = reqwest::get(format!("{}{path}", self.url)).await.expect("the server answers");
        response.error_for_status().expect("the path is known").json().await.expect("the body is JSON")
    }

    /// Submits a small job and follows its events, which end with the job.
    async fn finished_job(&self) -> Json {
        let client = reqwest::Client::new();
        let spec = json!({
            "name": "two seeds", "labels": {"note": LABEL}, "experiment": "rbse", "seeds": {"from": 1, "count": 2},
            "params": {"hidden_units": 16, "epochs": 3, "train_images": 300, "test_images": 100},
        });
        let answer = client.post(format!("{}/api/v1/jobs", self.url)).json(&spec).send().await;
        let answer = answer.expect("the server answers");
        assert_eq!(answer.status(), 201);
        let job: Json = answer.json().await.expect("the body is JSON");
        let path = format!("/api/v1/jobs/{}", text(&job["id"]));
        let events = client
            .get(format!("{}{path}/events", self.url))
            .header("accept", "text/event-stream")
            .send()
            .await;
        let events = timeout(DEADLINE, events.expect("the server answers").text()).await;
        events.expect("the job ends in time").expect("the stream is text");
        let job = self.get(&path).await;
        assert_eq!(job["state"], "succeeded", "{job}");
        job
    }

    /// The document after ten seconds of the browser's own time, which passes as fast as the page allows.
    async fn dom(&self, chromium: &PathBuf, hash: &str) -> String {
        let profile = tempfile::tempdir().expect("a folder for the profile can be made");
        let browser = Command::new(chromium)
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-sync",
            ])
            .args([
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-dev-shm-usage",
            ])
            .args(["--enable-logging=stderr", "--virtual-time-budget=10000", "--dump-dom"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg(format!("{}/{hash}", self.url))
            .kill_on_drop(true)
            .output();
        let output =
            timeout(DEADLINE, browser).await.expect("the browser ends in time").expect("the browser starts");
        let (dom, log) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(dom.contains("<h1"), "nothing was drawn at {hash}: {dom}\n{log}");
        // The page keeps its errors; what happens before its script runs is in the browser's log only.
        assert!(!dom.contains("data-errors"), "the page met an error at {hash}: {dom}");
        assert!(!log.contains("Content Security Policy"), "the policy was violated at {hash}: {log}");
        dom.into_owned()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(id) = self.child.id() {
            // An error means that it is gone already.
            let _ = killpg(Pid::from_raw(id.cast_signed()), Signal::SIGKILL);
        }
    }
}

fn text(value: &Json) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} should be a string"))
}

fn list(value: &Json) -> &[Json] {
    value.as_array().unwrap_or_else(|| panic!("{value} should be a list"))
}

fn has_values(metric: &Json) -> bool {
    metric["count"].as_u64().is_some_and(|count| count > 0)
}

/// The figure of a metric, from its attributes to its end.
fn figure<'a>(dom: &'a str, metric: &str) -> &'a str {
    let start = format!("<figure data-metric=\"{metric}\"");
    let at = dom.find(&start).unwrap_or_else(|| panic!("`{metric}` has no figure: {dom}"));
    dom[at..].split("</figure>").next().expect("a split has a first part")
}

fn attribute<'a>(element: &'a str, name: &str) -> &'a str {
    let value = element.split_once(&format!(" {name}=\"")).and_then(|(_, rest)| rest.split_once('"'));
    value.unwrap_or_else(|| panic!("no attribute `{name}`: {element}")).0
}

/// How many lines of a figure have a path that goes somewhere.
fn lines(figure: &str) -> usize {
    figure.split("<path class=\"line").skip(1).filter(|path| attribute(path, "d").contains('L')).count()
}

//! The live table of a job on a terminal: a bar and the course of one metric for each run.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use serde_json::{Map, Value as Json};

use crate::{
    client::{Client, Experiment, Follow, Job, JobEvent, Rows, Run, scalar},
    text::{Paint, bar, duration, grouped, number, sparkline, state},
};

const BAR: usize = 20;
const COURSE: usize = 24;
/// Runs shown at once; running ones come first.
const SHOWN: usize = 16;

/// A job and its runs as they are drawn.
pub(crate) struct Live {
    job: Job,
    metric: Option<String>,
    rows: Vec<Row>,
    place: HashMap<String, usize>,
    lines: Vec<ProgressBar>,
    began: Instant,
    paint: Paint,
}

struct Row {
    index: u32,
    label: String,
    state: String,
    step: u64,
    steps: u64,
    attempt: u64,
    note: String,
    course: Vec<f64>,
}

impl Live {
    /// As the job stands; drawn below what `screen` shows already.
    pub(crate) async fn new(
        client: &Client,
        job: &Job,
        metric: Option<String>,
        screen: &MultiProgress,
    ) -> anyhow::Result<Self> {
        let metric = shown_metric(client, job, metric).await;
        let runs = client.runs(&job.id).await?;
        let labels = labels(&runs);
        let mut rows = Vec::with_capacity(runs.len());
        for (run, label) in runs.iter().zip(labels) {
            let course = match &metric {
                Some(name) if run.step > 0 && runs.len() <= SHOWN => course(client, &run.id, name).await,
                _ => Vec::new(),
            };
            rows.push(Row::new(run, label, course));
        }
        let place = runs.into_iter().enumerate().map(|(place, run)| (run.id, place)).collect();
        // Room for the heading, the runs, and what is left out.
        let style = ProgressStyle::with_template("{wide_msg}").expect("the template is constant");
        let line = |_| screen.add(ProgressBar::new_spinner().with_style(style.clone()));
        let lines = (0..rows.len().min(SHOWN) + 2).map(line).collect();
        let live = Self {
            job: job.clone(),
            metric,
            rows,
            place,
            lines,
            began: Instant::now(),
            paint: Paint::stderr(),
        };
        live.draw();
        Ok(live)
    }

    /// Follows the job to its end.
    pub(crate) async fn follow(mut self, client: &Client) -> anyhow::Result<()> {
        let job = self.job.id.clone();
        let mut events = Follow::new(client, &job, self.job.last_seq);
        let mut tick = tokio::time::interval(Duration::from_secs(1));
        // Reading goes on while the clock ticks: a future that is dropped half-way would lose an event.
        let (sender, mut receiver) = tokio::sync::mpsc::channel(64);
        let read = async {
            while let Some(event) = events.next().await? {
                if sender.send(event).await.is_err() {
                    break;
                }
            }
            drop(sender);
            anyhow::Ok(())
        };
        let show = async {
            loop {
                tokio::select! {
                    event = receiver.recv() => match event {
                        Some(event) => self.take(client, &event).await,
                        None => break,
                    },
                    _ = tick.tick() => self.draw(),
                }
            }
            self.draw();
            self.lines.iter().for_each(ProgressBar::abandon);
        };
        let (read, ()) = tokio::join!(read, show);
        read
    }

    async fn take(&mut self, client: &Client, event: &JobEvent) {
        self.apply(event);
        // Progress is told a few times a second at most; what a run was in the end, its metrics know.
        if event.kind == "run_ended"
            && let Some(metric) = &self.metric
            && let Some(&place) = self.place.get(event.text("run"))
        {
            let course = course(client, event.text("run"), metric).await;
            self.rows[place].course = course;
            self.draw();
        }
    }

    fn apply(&mut self, event: &JobEvent) {
        if let Some(row) = self.place.get(event.text("run")).map(|&place| &mut self.rows[place]) {
            row.apply(event, self.metric.as_deref());
        }
        if event.kind == "job_ended" {
            self.job.state = event.text("outcome").to_owned();
        }
        self.draw();
    }

    fn draw(&self) {
        let shown = self.shown();
        let width = shown.iter().map(|row| row.label.chars().count()).max().unwrap_or(0);
        let mut texts = vec![self.heading()];
        texts.extend(shown.iter().map(|row| row.text(self.paint, width, self.metric.as_deref())));
        let hidden = self.rows.len() - shown.len();
        texts.push(if hidden > 0 {
            self.paint.dim(&format!("  … and {hidden} more runs"))
        } else {
            String::new()
        });
        for (line, text) in self.lines.iter().zip(texts) {
            line.set_message(text);
        }
    }

    /// Running rows first, then the others, in the order of their index.
    fn shown(&self) -> Vec<&Row> {
        let mut rows: Vec<&Row> = self.rows.iter().collect();
        rows.sort_by_key(|row| (row.state != "running", row.state != "queued", row.index));
        rows.truncate(SHOWN);
        rows.sort_by_key(|row| row.index);
        rows
    }

    fn heading(&self) -> String {
        let count = |state: &str| self.rows.iter().filter(|row| row.state == state).count();
        let states = ["running", "queued", "paused", "succeeded", "failed", "cancelled"];
        let counts = states.into_iter().filter(|name| count(name) > 0);
        let counts: Vec<String> =
            counts.map(|name| format!("{} {}", count(name), state(self.paint, name))).collect();
        let name = self.job.name.as_deref().unwrap_or(&self.job.experiment);
        let about = format!("{} v{}", self.job.experiment, self.job.version);
        let time = duration(self.began.elapsed().as_secs_f64().round());
        format!("{} {} · {} · {time}", self.paint.bold(name), self.paint.dim(&about), counts.join(" · "))
    }
}

impl Row {
    fn new(run: &Run, label: String, course: Vec<f64>) -> Self {
        Self {
            index: run.index,
            label,
            state: run.state.clone(),
            step: run.step,
            steps: run.steps,
            attempt: u64::from(run.attempt),
            note: run.failure.as_ref().map(|failure| failure.message.clone()).unwrap_or_default(),
            course,
        }
    }

    fn apply(&mut self, event: &JobEvent, metric: Option<&str>) {
        match event.kind.as_str() {
            "run_started" => {
                self.become_state("running");
                (self.attempt, self.step) = (event.count("attempt"), event.count("from_step"));
            }
            "run_progressed" => {
                self.step = event.count("step");
                let value = metric.and_then(|name| event.body["scalars"].get(name)).and_then(scalar);
                self.course.extend(value);
            }
            "run_requeued" => {
                self.become_state("queued");
                self.note = format!("attempt {} ended: {}", event.count("attempt"), event.text("class"));
            }
            "run_paused" => self.become_state("paused"),
            "run_resumed" => self.become_state("queued"),
            "run_ended" => {
                self.become_state(event.text("outcome"));
                self.note = event.text("message").to_owned();
                self.step = if self.state == "succeeded" { self.steps } else { self.step };
            }
            _ => {}
        }
    }

    fn become_state(&mut self, state: &str) {
        self.state = state.to_owned();
        self.note.clear();
    }

    fn text(&self, paint: Paint, label_width: usize, metric: Option<&str>) -> String {
        let (full, rest) = bar(self.step, self.steps, BAR);
        let full = match self.state.as_str() {
            "succeeded" => paint.green(&full),
            "failed" => paint.red(&full),
            "running" => paint.cyan(&full),
            _ => paint.dim(&full),
        };
        let percent = (self.step * 100).checked_div(self.steps).unwrap_or(0);
        let (rest, gap) = (paint.dim(&rest), " ".repeat(9_usize.saturating_sub(self.state.len())));
        let state = state(paint, &self.state);
        let (index, label) = (self.index, &self.label);
        let mut out =
            format!("  {index:>3}  {label:<label_width$}  {full}{rest} {percent:>3} %  {state}{gap}");
        if let (Some(name), Some(&last)) = (metric, self.course.last()) {
            out += &format!("  {} {:<8} {}", paint.dim(name), number(last), sparkline(&self.course, COURSE));
        }
        if self.attempt > 1 {
            out += &paint.yellow(&format!("  attempt {}", self.attempt));
        }
        if !self.note.is_empty() {
            out += &format!("  {}", paint.red(&self.note));
        }
        out
    }
}

/// What tells runs apart: the seed, and the params that are not the same in all.
fn labels(runs: &[Run]) -> Vec<String> {
    let differs = |key: &String| runs.iter().any(|run| run.params.get(key) != runs[0].params.get(key));
    let keys: Vec<&String> =
        runs.iter().take(1).flat_map(|run| run.params.keys()).filter(|key| differs(key)).collect();
    let label = |run: &Run| {
        let params = keys.iter().map(|key| format!("{key}={}", plain(&run.params, key)));
        params.chain([format!("seed {}", grouped(run.seed))]).collect::<Vec<_>>().join(" ")
    };
    runs.iter().map(label).collect()
}

fn plain(params: &Map<String, Json>, key: &str) -> String {
    match params.get(key) {
        Some(Json::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => String::new(),
    }
}

/// The metric that progress is shown with: the one asked for, or the first scalar of the experiment.
pub(crate) async fn shown_metric(client: &Client, job: &Job, asked: Option<String>) -> Option<String> {
    if asked.is_some() {
        return asked;
    }
    // Only decoration: without it the table has one column less.
    let experiment: Experiment = client.get(&format!("/experiments/{}", job.experiment)).await.ok()?;
    let mut scalars = experiment.metrics.into_iter().filter(|metric| metric.kind == "scalar");
    scalars.find(|metric| metric.cadence == "every").map(|metric| metric.name)
}

/// The course so far; nothing when there is none yet.
async fn course(client: &Client, run: &str, metric: &str) -> Vec<f64> {
    let rows = client.get::<Rows>(&format!("/runs/{run}/metrics/{metric}?points=100")).await;
    rows.map(|rows| rows.rows.iter().filter_map(|(_, value)| scalar(value)).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn run(index: u32, seed: u64, params: Json) -> Run {
        serde_json::from_value(json!({
            "id": format!("run-{index}"), "job_id": "job", "index": index, "state": "queued", "attempt": 0,
            "seed": seed, "params": params, "step": 0, "steps": 100, "checkpoint_step": null, "digest": null,
            "failure": null, "waiting_for": null, "updated_at": "",
        }))
        .expect("a run")
    }

    #[test]
    fn runs_are_labelled_by_what_differs() {
        let runs = [run(0, 1, json!({"r": 10, "model": "A"})), run(1, 1, json!({"r": 16, "model": "A"}))];
        assert_eq!(labels(&runs), ["r=10 seed 1", "r=16 seed 1"]);
        assert_eq!(labels(&runs[..1]), ["seed 1"]);
        assert!(labels(&[]).is_empty());
    }

    #[test]
    fn a_row_follows_the_events_of_its_run() {
        let mut row = Row::new(&run(0, 1, json!({})), "seed 1".into(), Vec::new());
        let mut tell = |kind: &str, body: Json| row.apply(&JobEvent { kind: kind.into(), body }, Some("mse"));
        tell("run_started", json!({"attempt": 2, "from_step": 40}));
        tell("run_progressed", json!({"step": 50, "scalars": {"mse": 0.25}}));
        let text = row.text(Paint::OFF, 6, Some("mse"));
        assert_eq!(text, "    0  seed 1  ━━━━━━━━━━──────────  50 %  running    mse 0.2500   ▄  attempt 2");
        let ended =
            JobEvent { kind: "run_ended".into(), body: json!({"outcome": "succeeded", "message": null}) };
        row.apply(&ended, None);
        assert_eq!((row.step, row.state.as_str()), (100, "succeeded"));
    }
}

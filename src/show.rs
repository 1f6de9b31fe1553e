//! `vesicle show`: one job or run in full.

use clap::Args;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value as Json;

use crate::{
    cli::Global,
    client::{Client, Found, Job, Rows, Run, scalar},
    exit::{Ended, Exit},
    leases, ls,
    output::{self, Output},
    story,
    text::{Paint, Table, age, grouped, number, sparkline, state},
};

const EXAMPLES: &str = "\
Examples:
  vesicle show last              the newest job and its runs
  vesicle show last/0            run 0 of it: params, metrics, attempts
  vesicle show last/0 --leases   who had it, for how long, and how each lease ended
  vesicle show 019a1f2c --json";

const COURSE: usize = 32;

/// Show a job or a run
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ShowArgs {
    /// Id of a job or run, or JOB/INDEX
    #[arg(value_name = "JOB|RUN")]
    id: String,
    /// The journal of leases instead: each attempt with its worker, its steps and how it ended
    #[arg(long)]
    leases: bool,
    #[command(flatten)]
    output: Output,
}

/// Runs the command.
pub(crate) async fn run(args: ShowArgs, global: &Global) -> Ended {
    let client = global.client()?;
    let found = client.find(&args.id).await?;
    if args.leases {
        return leases::show(&client, &found, args.output).await;
    }
    match (&found, args.output.json) {
        (Found::Job(job), true) => output::json(&client.get(&format!("/jobs/{}", job.id)).await?)?,
        (Found::Run(run), true) => output::json(&client.get(&format!("/runs/{}", run.id)).await?)?,
        (Found::Job(job), false) => output::text(&job_page(&client, job).await?)?,
        (Found::Run(run), false) => output::text(&run_page(&client, run).await?)?,
    }
    Ok(Exit::Ok)
}

async fn job_page(client: &Client, job: &Job) -> anyhow::Result<String> {
    let (paint, now) = (Paint::stdout(), Timestamp::now());
    let whole: Json = client.get(&format!("/jobs/{}", job.id)).await?;
    let name = job.name.as_deref().unwrap_or(&job.experiment);
    let mut out = format!("{} {}\n\n", paint.bold(name), state(paint, &job.state));
    let mut field =
        |name: &str, value: &str| out += &format!("{} {value}\n", paint.dim(&format!("{name:<11}")));
    field("job", &job.id);
    field("experiment", &format!("{} v{}", job.experiment, job.version));
    field("data set", job.dataset.as_deref().unwrap_or("-"));
    for source in &job.from {
        let step = grouped(source.step);
        field("builds on", &format!("run {} at step {step}, as {}", source.run, source.name));
    }
    field("submitted", &format!("{} ({} ago)", job.created_at, age(now, &job.created_at)));
    if let Some(ended) = &job.ended_at {
        field("ended", &format!("{ended} ({} ago)", age(now, ended)));
    }
    for (name, value) in whole["spec"].as_object().into_iter().flatten() {
        let is_shown = ["params", "preset", "sweep", "seeds", "labels", "requires"].contains(&name.as_str());
        if is_shown && !is_empty(value) {
            field(name, &value.to_string());
        }
    }
    out.push('\n');
    Ok(out + &ls::run_table(&client.runs(&job.id).await?))
}

async fn run_page(client: &Client, run: &Run) -> anyhow::Result<String> {
    let (paint, now) = (Paint::stdout(), Timestamp::now());
    let mut out = format!("{} {}\n\n", paint.bold(&format!("run {}", run.index)), state(paint, &run.state));
    let mut field =
        |name: &str, value: &str| out += &format!("{} {value}\n", paint.dim(&format!("{name:<11}")));
    field("run", &run.id);
    field("job", &run.job_id);
    field("seed", &run.seed.to_string());
    field("step", &format!("{} of {}", grouped(run.step), grouped(run.steps)));
    field("changed", &format!("{} ago", age(now, &run.updated_at)));
    field("checkpoint", &run.checkpoint_step.map_or("-".into(), |step| format!("step {}", grouped(step))));
    if let Some(digest) = &run.digest {
        field("digest", digest);
    }
    if let Some(failure) = &run.failure {
        field("failure", &paint.red(&format!("{}: {}", failure.class, failure.message)));
    }
    if let Some(waiting) = &run.waiting_for {
        field("waits for", waiting);
    }
    out += &format!("\n{}\n", paint.bold("params"));
    for (name, value) in &run.params {
        out += &format!("  {name:<24} {value}\n");
    }
    out += &format!("\n{}\n", paint.bold("metrics"));
    out += &metric_table(client, paint, run).await?;
    out += &format!("\n{}\n", paint.bold("attempts"));
    Ok(out + &attempts(client, run).await?)
}

#[derive(Deserialize)]
struct Series {
    metrics: Vec<SeriesEntry>,
}

#[derive(Deserialize)]
struct SeriesEntry {
    name: String,
    kind: String,
    unit: String,
    count: u64,
    last: Option<Json>,
}

async fn metric_table(client: &Client, paint: Paint, run: &Run) -> anyhow::Result<String> {
    let series: Series = client.get(&format!("/runs/{}/metrics", run.id)).await?;
    let mut table = Table::new(paint, &["  metric", ">last", "unit", "course", ">values"]);
    for entry in series.metrics {
        let mut course = format!("({})", entry.kind);
        if entry.kind == "scalar" {
            let rows: Rows =
                client.get(&format!("/runs/{}/metrics/{}?points=200", run.id, entry.name)).await?;
            let values: Vec<f64> = rows.rows.iter().filter_map(|(_, value)| scalar(value)).collect();
            course = sparkline(&values, COURSE);
        }
        let last = entry.last.as_ref().and_then(scalar).map(number).unwrap_or_default();
        table.row([&format!("  {}", entry.name), &last, &entry.unit, &course, &grouped(entry.count)]);
    }
    Ok(table.to_string())
}

/// What the job's log says of the run, progress left out.
async fn attempts(client: &Client, run: &Run) -> anyhow::Result<String> {
    let mut out = String::new();
    for event in client.log_of(run).await? {
        if let Some(what) = story::what(&event).filter(|_| event.kind != "run_progressed") {
            out += &format!("  {}  {what}\n", event.text("at"));
        }
    }
    Ok(out)
}

fn is_empty(value: &Json) -> bool {
    value.is_null() || value.as_object().is_some_and(serde_json::Map::is_empty)
}

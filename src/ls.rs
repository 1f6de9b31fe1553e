//! `vesicle ls`: jobs, or the runs of one.

use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde_json::{Value as Json, json};

use crate::{
    cli::Global,
    client::{Client, Run},
    exit::{Ended, Exit},
    output::{self, Output},
    text::{Paint, Table, age, grouped, number, short},
};

const EXAMPLES: &str = "\
Examples:
  vesicle ls                     the newest jobs
  vesicle ls runs last           the runs of the newest job
  vesicle ls best reconstruction_mse --experiment rbse    runs of all jobs, the least first
  vesicle ls jobs --json | jq -r '.jobs[] | select(.state==\"failed\") | .id'";

/// List jobs, or the runs of a job
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub(crate) struct LsArgs {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    jobs: JobsArgs,
}

#[derive(Debug, Subcommand)]
enum What {
    /// The newest jobs first
    Jobs(JobsArgs),
    /// The runs of a job, by index
    Runs(RunsArgs),
    /// Runs of all jobs, by the last value of a metric
    Best(BestArgs),
}

#[derive(Debug, Args)]
struct JobsArgs {
    /// At most that many
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Args)]
struct RunsArgs {
    /// The job
    job: String,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Args)]
struct BestArgs {
    /// The metric, which must be one number
    metric: String,
    /// Only runs of this experiment
    #[arg(long, value_name = "NAME")]
    experiment: Option<String>,
    /// Only runs of this job
    #[arg(long, value_name = "JOB")]
    job: Option<String>,
    /// Greatest first
    #[arg(long)]
    descending: bool,
    /// At most that many, 1 to 1000
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: u32,
    #[command(flatten)]
    output: Output,
}

/// Runs the command.
pub(crate) async fn run(args: LsArgs, global: &Global) -> Ended {
    let client = global.client()?;
    match args.what {
        Some(What::Runs(args)) => runs(&client, args).await,
        Some(What::Best(args)) => best(&client, args).await,
        Some(What::Jobs(args)) => jobs(&client, args).await,
        None => jobs(&client, args.jobs).await,
    }
}

async fn best(client: &Client, args: BestArgs) -> Ended {
    let mut path =
        format!("/runs?metric={}&descending={}&limit={}", args.metric, args.descending, args.limit);
    if let Some(experiment) = &args.experiment {
        path += &format!("&experiment={experiment}");
    }
    if let Some(job) = &args.job {
        path += &format!("&job={}", client.job(job).await?.id);
    }
    let ranking: Json = client.get(&path).await?;
    if args.output.json {
        output::json(&ranking)?;
        return Ok(Exit::Ok);
    }
    let text = |run: &Json, field: &str| run[field].as_str().unwrap_or_default().to_owned();
    let mut table = Table::new(
        Paint::stdout(),
        &["run", "job", ">index", ">seed", "state", &format!(">{}", args.metric), ">at step"],
    );
    for run in ranking["runs"].as_array().into_iter().flatten() {
        table.row([
            short(&text(run, "id")),
            short(&text(run, "job_id")),
            &run["index"].to_string(),
            &run["seed"].to_string(),
            &text(run, "state"),
            &number(run["value"].as_f64().unwrap_or(f64::NAN)),
            &grouped(run["step"].as_u64().unwrap_or_default()),
        ]);
    }
    output::text(&table.to_string())?;
    Ok(Exit::Ok)
}

async fn jobs(client: &Client, args: JobsArgs) -> Ended {
    if args.output.json {
        let page: Json = client.get(&format!("/jobs?limit={}", args.limit.clamp(1, 1_000))).await?;
        output::json(&page)?;
        return Ok(Exit::Ok);
    }
    let jobs = client.jobs(args.limit).await?;
    if jobs.is_empty() {
        eprintln!("no jobs yet; `vesicle submit rbse --watch` makes one");
        return Ok(Exit::Ok);
    }
    let now = Timestamp::now();
    let mut table =
        Table::new(Paint::stdout(), &["job", "name", "experiment", "state", ">runs ended", "age"]);
    for job in jobs {
        table.row([
            short(&job.id),
            job.name.as_deref().unwrap_or("-"),
            &format!("{} v{}", job.experiment, job.version),
            &job.state,
            &format!("{}/{}", job.runs.ended(), job.runs.total),
            &age(now, &job.created_at),
        ]);
    }
    output::text(&table.to_string())?;
    Ok(Exit::Ok)
}

async fn runs(client: &Client, args: RunsArgs) -> Ended {
    let job = client.job(&args.job).await?;
    if args.output.json {
        // All pages in one document, of the shape that a page has.
        let mut runs = Vec::new();
        let mut cursor = String::new();
        loop {
            let mut page: Json = client.get(&format!("/jobs/{}/runs?limit=500{cursor}", job.id)).await?;
            runs.extend(page["runs"].as_array_mut().map(std::mem::take).unwrap_or_default());
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        output::json(&json!({"runs": runs, "next_cursor": null}))?;
        return Ok(Exit::Ok);
    }
    output::text(&run_table(&client.runs(&job.id).await?))?;
    Ok(Exit::Ok)
}

/// Runs of a job as a table.
pub(crate) fn run_table(runs: &[Run]) -> String {
    let now = Timestamp::now();
    let headings = [">index", "run", ">seed", "state", ">step", ">of", ">attempt", "changed", "note"];
    let mut table = Table::new(Paint::stdout(), &headings);
    for run in runs {
        let waits = run.waiting_for.as_ref().map(|what| format!("waits for {what}"));
        let failed = run.failure.as_ref().map(|failure| format!("{}: {}", failure.class, failure.message));
        table.row([
            &run.index.to_string(),
            &run.id,
            &run.seed.to_string(),
            &run.state,
            &grouped(run.step),
            &grouped(run.steps),
            &run.attempt.to_string(),
            &format!("{} ago", age(now, &run.updated_at)),
            &failed.or(waits).unwrap_or_default(),
        ]);
    }
    table.to_string()
}

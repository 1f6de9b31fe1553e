//! `vesicle cancel | pause | resume`: what a user wants of a job.

use clap::Args;

use crate::{
    cli::Global,
    client::Job,
    exit::{Ended, Exit},
    output::{self, Output},
    text::{Paint, short, state},
};

/// The job that is meant.
#[derive(Debug, Args)]
pub(crate) struct VerbArgs {
    /// Id of the job, its first characters, or `last`
    job: String,
    #[command(flatten)]
    output: Output,
}

/// Runs the command. Repeating it changes nothing.
pub(crate) async fn run(args: VerbArgs, verb: &str, global: &Global) -> Ended {
    let client = global.client()?;
    let job = client.job(&args.job).await?;
    let answer = client.verb(&job.id, verb).await?;
    if args.output.json {
        output::json(&answer)?;
        return Ok(Exit::Ok);
    }
    let job: Job = serde_json::from_value(answer)?;
    let counts = [
        ("queued", job.runs.queued),
        ("running", job.runs.running),
        ("paused", job.runs.paused),
        ("succeeded", job.runs.succeeded),
        ("failed", job.runs.failed),
        ("cancelled", job.runs.cancelled),
    ];
    let counts = counts.into_iter().filter(|(_, n)| *n > 0).map(|(name, n)| format!("{n} {name}"));
    let counts: Vec<String> = counts.collect();
    let now = state(Paint::stderr(), &job.state);
    eprintln!("{verb} taken; job {} is {now} ({})", short(&job.id), counts.join(", "));
    if job.runs.running > 0 && verb != "resume" {
        eprintln!("running runs obey with their next report, within seconds");
    }
    Ok(Exit::Ok)
}

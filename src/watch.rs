//! `vesicle watch`: follows a job to its end, as a live table on a terminal and as plain lines elsewhere.

use std::io::IsTerminal;

use clap::Args;
use indicatif::MultiProgress;

use crate::{
    cli::Global,
    client::{Client, Follow, Job},
    exit::{Ended, Exit},
    live::{self, Live},
    output,
    story::Story,
    text::short,
};

const EXAMPLES: &str = "\
Examples:
  vesicle watch last
  vesicle watch 019a1f2c --metric reconstruction_mse
  vesicle watch 019a1f2c | tee log.txt        plain lines, one an event

The exit code tells how the job ended: 0 succeeded, 4 failed, 5 cancelled. Ctrl-C detaches, it does not cancel;
a server that restarts is waited for.";

/// Follow a job to its end
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct WatchArgs {
    /// The job
    job: String,
    /// Metric whose course is shown [default: the first scalar of the experiment]
    #[arg(long, value_name = "NAME")]
    metric: Option<String>,
}

/// Runs the command.
pub(crate) async fn run(args: WatchArgs, global: &Global) -> Ended {
    let client = global.client()?;
    let job = client.job(&args.job).await?;
    follow(&client.patient(), &job, args.metric).await
}

/// Follows a job in the way that fits where the output goes.
pub(crate) async fn follow(client: &Client, job: &Job, metric: Option<String>) -> Ended {
    until_ended(client, &job.id, async {
        match std::io::stdout().is_terminal() {
            true => Live::new(client, job, metric, &MultiProgress::new()).await?.follow(client).await,
            false => lines(client, job, metric).await,
        }
    })
    .await
}

/// Waits in silence.
pub(crate) async fn wait(client: &Client, job: &str) -> Ended {
    until_ended(client, job, async {
        let mut events = Follow::new(client, job, 0);
        while events.next().await?.is_some() {}
        Ok(())
    })
    .await
}

async fn lines(client: &Client, job: &Job, metric: Option<String>) -> anyhow::Result<()> {
    let metric = live::shown_metric(client, job, metric).await;
    let story = Story::new(client.runs(&job.id).await?, metric);
    let mut events = Follow::new(client, &job.id, 0);
    while let Some(event) = events.next().await? {
        if let Some(line) = story.line(&event) {
            output::line(&line)?;
        }
    }
    Ok(())
}

/// The exit code of a job once `work` has seen its end. Ctrl-C ends the watching, not the job.
async fn until_ended(client: &Client, job: &str, work: impl Future<Output = anyhow::Result<()>>) -> Ended {
    tokio::select! {
        done = work => done?,
        _ = tokio::signal::ctrl_c() => {
            eprintln!("\ndetached; the job goes on. Back to it: vesicle watch {}", short(job));
            return Ok(Exit::Interrupted);
        }
    }
    let job: Job = client.get(&format!("/jobs/{job}")).await?;
    Ok(Exit::of_state(&job.state))
}

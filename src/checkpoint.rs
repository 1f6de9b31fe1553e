//! `vesicle checkpoint`: lists the checkpoints of a run, takes one away, pins one.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::Context;
use clap::Args;
use experiments::Header;
use jiff::Timestamp;
use serde_json::Value as Json;

use crate::{
    cli::Global,
    client::{Client, Run},
    exit::{Ended, Exit},
    from,
    output::{self, Output},
    text::{Paint, Table, age, bytes, grouped, number},
};

const EXAMPLES: &str = "\
Examples:
  vesicle checkpoint last/0                     which ones the server keeps
  vesicle checkpoint last/0 -o network.ckpt
  vesicle run ablation --set network=given --from network=network.ckpt   builds on it here, without the server
  vesicle checkpoint 019a1f2c --step 1950 -o - | b3sum
  vesicle checkpoint 019a1f2c --step 1950 --pin

The server keeps what the job says (`vesicle submit --keep-last, --keep-every, --keep-best`; the two newest by default), what
is pinned, and what jobs build on.";

/// List the checkpoints of a run, write one to a file, or pin one
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CheckpointArgs {
    /// Id of the run, or JOB/INDEX
    run: String,
    /// Step of the checkpoint [default: the newest]
    #[arg(long, value_name = "STEP")]
    step: Option<u64>,
    /// Write it there; - for standard output
    #[arg(short = 'o', long = "output", value_name = "FILE", conflicts_with = "json")]
    file: Option<PathBuf>,
    /// Keep it whatever the job keeps
    #[arg(long, conflicts_with = "file")]
    pin: bool,
    /// Leave it to the rule of its job again
    #[arg(long, conflicts_with_all = ["file", "pin"])]
    unpin: bool,
    #[command(flatten)]
    output: Output,
}

/// Runs the command.
pub(crate) async fn run(args: CheckpointArgs, global: &Global) -> Ended {
    let client = global.client()?;
    if let Some(file) = &args.file {
        return write(&client, &args, file).await;
    }
    let run = client.run(&args.run).await?;
    if args.pin || args.unpin {
        return pin(&client, &args, &run).await;
    }
    let listed: Json = client.get(&format!("/runs/{}/checkpoints", run.id)).await?;
    match args.output.json {
        true => output::json(&listed)?,
        false => output::text(&table(&listed))?,
    }
    Ok(Exit::Ok)
}

async fn write(client: &Client, args: &CheckpointArgs, file: &Path) -> Ended {
    let content = from::fetch(client, &args.run, args.step).await?;
    let header = Header::peek(&content).context("what the server sent cannot be used")?;
    if file == Path::new("-") {
        std::io::stdout().lock().write_all(&content)?;
    } else {
        std::fs::write(file, &content).with_context(|| format!("cannot write {}", file.display()))?;
    }
    let (what, size) = (format!("{} v{}", header.experiment, header.version), bytes(content.len() as u64));
    eprintln!("checkpoint of {what}, seed {}, step {}: {size}", header.seed, grouped(header.step));
    Ok(Exit::Ok)
}

async fn pin(client: &Client, args: &CheckpointArgs, run: &Run) -> Ended {
    let step = args.step.or(run.checkpoint_step).context("the run has no checkpoint yet")?;
    let verb = if args.pin { "pin" } else { "unpin" };
    let pinned: Json = client.post(&format!("/runs/{}/checkpoints/{step}/{verb}", run.id)).await?;
    if args.output.json {
        output::json(&pinned)?;
    } else {
        eprintln!("checkpoint at step {} is {verb}ned", grouped(step));
    }
    Ok(Exit::Ok)
}

fn table(listed: &Json) -> String {
    let (paint, now) = (Paint::stdout(), Timestamp::now());
    let mut table = Table::new(paint, &[">step", ">size", ">attempt", "stored", ">best by", "pinned"]);
    for one in listed["checkpoints"].as_array().into_iter().flatten() {
        let count = |field: &str| one[field].as_u64().unwrap_or_default();
        let stored = format!("{} ago", age(now, one["stored_at"].as_str().unwrap_or_default()));
        let score = one["score"].as_f64().map(number).unwrap_or_default();
        let pinned = if one["pinned"] == true { "yes" } else { "" };
        let (step, size) = (grouped(count("step")), bytes(count("bytes")));
        table.row([&step, &size, &count("attempt").to_string(), &stored, &score, pinned]);
    }
    table.to_string()
}

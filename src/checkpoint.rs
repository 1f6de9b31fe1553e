//! `vesicle checkpoint`: takes a checkpoint of a run away.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::Context;
use clap::Args;
use experiments::Header;

use crate::{
    cli::Global,
    exit::{Ended, Exit},
    from,
    text::{bytes, grouped},
};

const EXAMPLES: &str = "\
Examples:
  vesicle checkpoint last/0 -o network.ckpt
  vesicle run ablation --set network=given --from network=network.ckpt   builds on it here, without the server
  vesicle checkpoint 019a1f2c --step 1950 -o - | b3sum

The server keeps the two newest checkpoints of a run, and those that jobs build on.";

/// Write a checkpoint of a run to a file
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CheckpointArgs {
    /// Id of the run, or JOB/INDEX
    run: String,
    /// Step of the checkpoint [default: the newest]
    #[arg(long, value_name = "STEP")]
    step: Option<u64>,
    /// Where to; - for standard output
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

/// Runs the command.
pub(crate) async fn run(args: CheckpointArgs, global: &Global) -> Ended {
    let content = from::fetch(&global.client()?, &args.run, args.step).await?;
    let header = Header::peek(&content).context("what the server sent cannot be used")?;
    if args.output == Path::new("-") {
        std::io::stdout().lock().write_all(&content)?;
    } else {
        let name = args.output.display();
        std::fs::write(&args.output, &content).with_context(|| format!("cannot write {name}"))?;
    }
    let (what, size) = (format!("{} v{}", header.experiment, header.version), bytes(content.len() as u64));
    eprintln!("checkpoint of {what}, seed {}, step {}: {size}", header.seed, grouped(header.step));
    Ok(Exit::Ok)
}

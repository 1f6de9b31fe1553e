//! `vesicle gc`: removes what nothing names any more.

use clap::Args;
use serde_json::Value as Json;

use crate::{
    cli::Global,
    exit::{Ended, Exit},
    output::{self, Output},
    text::{bytes, grouped},
};

const EXAMPLES: &str = "\
Examples:
  vesicle gc --dry-run                 what nothing names any more; the server removes it by itself each hour
  vesicle gc --final-only --dry-run    what thinning the runs that have ended would free
  vesicle gc --final-only

Checkpoints that are pinned, that jobs build on, or that a run needs to go on are never removed. What is forgotten goes in two
steps: a reader that is under way has an hour. A database file does not shrink but uses its free pages again; `vesicle backup`
writes a small one.";

/// Remove what nothing names any more: chunks of forgotten checkpoints, broken-off uploads
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct GcArgs {
    /// Say what would be removed, and remove nothing
    #[arg(long)]
    dry_run: bool,
    /// Forget checkpoints of runs that have ended as well: all but the final one and those that are needed
    #[arg(long)]
    final_only: bool,
    /// Chunks go that have been without a name for longer, in seconds; at least 60 [default: 3600]
    #[arg(long, value_name = "SECONDS")]
    older_than: Option<u64>,
    #[command(flatten)]
    output: Output,
}

/// Runs the command.
pub(crate) async fn run(args: GcArgs, global: &Global) -> Ended {
    let GcArgs { dry_run, final_only, older_than, output } = args;
    let mut path = format!("/gc?dry_run={dry_run}&final_only={final_only}");
    if let Some(seconds) = older_than {
        path += &format!("&older_than_s={seconds}");
    }
    let removed: Json = global.client()?.post(&path).await?;
    if output.json {
        output::json(&removed)?;
        return Ok(Exit::Ok);
    }
    let count = |field: &str| removed[field].as_u64().unwrap_or_default();
    let verb = if dry_run { "would be " } else { "" };
    let (checkpoints, chunks) = (grouped(count("checkpoints")), grouped(count("chunks")));
    let (forgotten, freed) = (bytes(count("checkpoint_bytes")), bytes(count("chunk_bytes")));
    output::line(&format!("{checkpoints} checkpoints ({forgotten}) {verb}forgotten; their chunks go later"))?;
    output::line(&format!("{chunks} chunks ({freed}) {verb}removed"))?;
    Ok(Exit::Ok)
}

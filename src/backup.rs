//! `vesicle backup`, `vesicle restore`: the whole database as one file, and back.

use std::path::PathBuf;

use clap::Args;
use store::{Contents, Place};

use crate::{
    exit::{Ended, Exit},
    local,
    output::{self, Output},
    settings::ServerArgs,
};

const EXAMPLES: &str = "\
Examples:
  vesicle backup vesicle-2026-11-22.db
  vesicle backup --database postgres://ann@db.example.org/vesicle vesicle.db
  vesicle restore vesicle.db --data-dir /srv/vesicle
  vesicle restore vesicle.db --database postgres://ann@db.example.org/vesicle    from SQLite to Postgres, if you like

The file is a SQLite database, whichever it was made from. Servers may go on while a backup is made: it holds everything
as it was at one moment. Nothing is ever written over: a backup needs a new file, a restore a place without a database.";

/// Where the database is, as for `vesicle serve`.
#[derive(Debug, Args)]
struct PlaceArgs {
    /// Folder of the database [env: VESICLE_HOME] [default: ~/.local/share/vesicle]
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
    /// Postgres database [env: VESICLE_DATABASE] [default: SQLite in the folder]
    #[arg(long, value_name = "ADDRESS")]
    database: Option<String>,
    /// File of settings [default: vesicle.toml, if there is one]
    #[arg(long, value_name = "FILE", env = "VESICLE_CONFIG")]
    config: Option<PathBuf>,
}

impl PlaceArgs {
    fn place(self) -> anyhow::Result<Place> {
        let Self { data_dir, database, config } = self;
        let settings = ServerArgs { data_dir, database, config, ..ServerArgs::default() }.settings()?;
        Ok(local::place(&settings))
    }
}

/// Copy the whole database into a file, while servers go on
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct BackupArgs {
    /// The new file
    file: PathBuf,
    #[command(flatten)]
    place: PlaceArgs,
    #[command(flatten)]
    output: Output,
}

/// Make a database of a backup, where there is none
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct RestoreArgs {
    /// What `vesicle backup` wrote
    file: PathBuf,
    #[command(flatten)]
    place: PlaceArgs,
    #[command(flatten)]
    output: Output,
}

/// Runs `vesicle backup`.
pub(crate) async fn backup(args: BackupArgs) -> Ended {
    let contents = store::backup(&args.place.place()?, &args.file).await?;
    say(&args.output, "saved", contents)
}

/// Runs `vesicle restore`.
pub(crate) async fn restore(args: RestoreArgs) -> Ended {
    let contents = store::restore(&args.file, &args.place.place()?).await?;
    say(&args.output, "restored", contents)
}

fn say(output: &Output, done: &str, contents: Contents) -> Ended {
    let Contents { jobs, runs, checkpoints, datasets, bytes } = contents;
    if output.json {
        let document = serde_json::json!({
            "jobs": jobs, "runs": runs, "checkpoints": checkpoints, "datasets": datasets, "bytes": bytes,
        });
        output::json(&document)?;
    } else {
        output::line(&format!(
            "{done}: {jobs} jobs, {runs} runs, {checkpoints} checkpoints, {datasets} data sets, {bytes} bytes; found sound"
        ))?;
    }
    Ok(Exit::Ok)
}

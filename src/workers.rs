//! `vesicle workers`: who computes.

use clap::Args;
use jiff::Timestamp;
use serde::Deserialize;

use crate::{
    cli::Global,
    client::Worker,
    exit::{Ended, Exit},
    output::{self, Output},
    text::{Paint, Table, age, short},
};

/// List the workers that the server knows
#[derive(Debug, Args)]
pub(crate) struct WorkersArgs {
    #[command(flatten)]
    output: Output,
}

#[derive(Deserialize)]
struct Workers {
    workers: Vec<Worker>,
}

/// Runs the command.
pub(crate) async fn run(args: WorkersArgs, global: &Global) -> Ended {
    let client = global.client()?;
    if args.output.json {
        output::json(&client.get("/workers").await?)?;
        return Ok(Exit::Ok);
    }
    let Workers { workers } = client.get("/workers").await?;
    if workers.is_empty() {
        eprintln!("no workers; start one with `vesicle work --server {}`", client.server());
        return Ok(Exit::Ok);
    }
    let now = Timestamp::now();
    let headings = ["worker", "name", "state", ">slots", "build", "seen", "experiments"];
    let mut table = Table::new(Paint::stdout(), &headings);
    for worker in workers {
        table.row([
            short(&worker.id),
            &worker.name,
            if worker.live { "live" } else { "silent" },
            &worker.slots.to_string(),
            &worker.build,
            &format!("{} ago", age(now, &worker.seen_at)),
            &worker.experiments.join(", "),
        ]);
    }
    output::text(&table.to_string())?;
    Ok(Exit::Ok)
}

//! `vesicle serve`: the server.

use clap::Args;

use crate::{
    exit::{Ended, Exit},
    local::{Service, asked_to_stop, exit_on_second_signal},
    logs::{self, LogArgs},
    output,
    settings::ServerArgs,
};

pub(crate) const SETTINGS_HELP: &str = "\
Settings come from vesicle.toml, then from VESICLE_* variables, then from flags; the last one counts. Each field of
vesicle.toml has a variable of its name: lease_ms is VESICLE_LEASE_MS. The folder is data_dir or VESICLE_HOME.";

const EXAMPLES: &str = "\
Examples:
  vesicle serve
  vesicle serve --listen 127.0.0.1:0 --data-dir /tmp/try    prints the port that it took

When it is ready it prints `listening on http://…` on standard output. SIGTERM or Ctrl-C drains it: no new work,
open requests end, the database is closed, within 20 s.";

/// Run the server: REST, gRPC and the page on one port
#[derive(Debug, Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{SETTINGS_HELP}"))]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    log: LogArgs,
}

/// Runs the command.
pub(crate) async fn run(args: ServeArgs) -> Ended {
    logs::start(args.log.log_format, "info");
    // Before anything is announced, or an early signal would be missed.
    let stop = tokio::spawn(asked_to_stop());
    let service = Service::start(args.server.settings()?).await?;
    output::line(&format!("listening on {}", service.url()))?;
    stop.await??;
    exit_on_second_signal();
    tracing::info!("asked to stop; draining");
    service.stop().await?;
    Ok(Exit::Ok)
}

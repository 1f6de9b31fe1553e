//! `vesicle up`: the server and its workers on this machine, in one command.

use clap::Args;

use crate::{
    exit::{Ended, Exit},
    gang,
    local::{Crew, Members, Service, Voice, asked_to_stop, exit_on_second_signal},
    logs::{self, LogArgs},
    output,
    serve::SETTINGS_HELP,
    settings::ServerArgs,
};

const EXAMPLES: &str = "\
Examples:
  vesicle up                        one worker process with a slot for each core
  vesicle up --workers 2 --slots 1
  vesicle up --workers 0            a server alone; workers come from elsewhere
  vesicle up --threads 2            two threads compute each run with shards
  vesicle up --gang 2               one worker of two processes (a build with --features mpi)

Workers are processes of their own; one that dies is started again. SIGTERM or Ctrl-C lets the workers write their
checkpoints, then stops the server; nothing is lost, the next `vesicle up` goes on.";

/// Run the server and workers on this machine
#[derive(Debug, Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{SETTINGS_HELP}"))]
pub(crate) struct UpArgs {
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    crew: CrewArgs,
    #[command(flatten)]
    log: LogArgs,
}

/// How many compute.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct CrewArgs {
    /// Worker processes
    #[arg(long, value_name = "N", env = "VESICLE_WORKERS", default_value_t = 1)]
    pub(crate) workers: u32,
    /// Runs at once in each of them [default: the cores, shared among the workers]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub(crate) slots: Option<u32>,
    /// Threads that compute each run with `shards` together
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) threads: u32,
    /// Makes each worker a gang of N processes, through mpirun, which compute one run with `shards`
    #[arg(long, value_name = "N", conflicts_with_all = ["slots", "threads"], value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) gang: Option<u32>,
}

/// Workers of one thread a run.
impl From<u32> for CrewArgs {
    fn from(workers: u32) -> Self {
        Self { workers, slots: None, threads: 1, gang: None }
    }
}

impl CrewArgs {
    /// Starts the workers.
    pub(crate) fn start(self, server: &str, voice: Voice) -> Crew {
        let Self { workers, slots, threads, gang } = self;
        let members = match gang {
            Some(processes) => Members::Processes(processes),
            None => Members::Threads {
                slots: slots.unwrap_or_else(|| share(share(cores(), workers), threads)),
                each: threads,
            },
        };
        Crew::start(server, workers, members, voice)
    }
}

/// Cores of this machine.
pub(crate) fn cores() -> u32 {
    std::thread::available_parallelism().map_or(1, |cores| u32::try_from(cores.get()).unwrap_or(u32::MAX))
}

pub(crate) fn share(cores: u32, workers: u32) -> u32 {
    cores.checked_div(workers).unwrap_or(1).max(1)
}

/// Runs the command.
pub(crate) async fn run(args: UpArgs) -> Ended {
    logs::start(args.log.log_format, "info");
    if args.crew.gang.is_some() {
        gang::check_build()?;
    }
    let stop = tokio::spawn(asked_to_stop());
    let service = Service::start(args.server.settings()?).await?;
    let url = service.url();
    output::line(&format!("listening on {url}"))?;
    let crew = args.crew.start(&url, Voice::Prefixed);
    stop.await??;
    exit_on_second_signal();
    tracing::info!("asked to stop; draining the workers, then the server");
    // In this order: the workers need the server to hand in their checkpoints.
    crew.stop().await;
    service.stop().await?;
    Ok(Exit::Ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cores_are_shared_and_nobody_goes_without() {
        assert_eq!([share(8, 2), share(2, 3), share(2, 0), share(7, 2)], [4, 1, 1, 3]);
    }
}

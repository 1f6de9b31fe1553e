//! The command line: one variant a subcommand, nothing else.

use clap::{Args, Parser, Subcommand};

use crate::{
    backup, checkpoint,
    client::{Client, Result},
    compare, data, demo, doctor,
    exit::Ended,
    experiments_cmd, fork, gc, ls, metrics, replay, reproduce, run, serve, show, submit, up, verbs, verify,
    watch, witness, work, workers,
};

const EXAMPLES: &str = "\
Start here:
  vesicle demo                          server, two workers, a demo job and its result
  vesicle run rbse --seed 1             one simulation in this process, no server

A service:
  vesicle up --workers 2                server and workers on this machine
  vesicle submit rbse --grid r=10,16 --seeds 1..3 --watch
  vesicle ls

Exit codes: 0 ok · 1 failure · 2 usage · 3 server not reachable · 4 run or job failed · 5 cancelled
Ids may be cut to their first characters (6 or more) where that is unique; `last` is the newest job and
JOB/INDEX a run of a job. Data goes to standard output, words to standard error; NO_COLOR is respected.";

/// Simulations of learning with stochastic synapses, as a service
#[derive(Debug, Parser)]
#[command(name = "vesicle", version, after_help = EXAMPLES, propagate_version = true, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every subcommand takes.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Address of the server [default: http://127.0.0.1:7717]
    #[arg(long, global = true, env = "VESICLE_SERVER", value_name = "URL")]
    server: Option<String>,
}

impl Global {
    /// A client for the server.
    pub(crate) fn client(&self) -> Result<Client> {
        Client::new(self.server())
    }

    /// The server's address.
    pub(crate) fn server(&self) -> &str {
        self.given().map_or("http://127.0.0.1:7717", String::as_str)
    }

    /// The server's address, if one was named.
    pub(crate) fn given(&self) -> Option<&String> {
        self.server.as_ref()
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::RunArgs),
    Demo(demo::DemoArgs),
    Reproduce(reproduce::ReproduceArgs),
    Serve(serve::ServeArgs),
    Work(work::WorkArgs),
    #[command(hide = true)]
    Witness(witness::WitnessArgs),
    Up(up::UpArgs),
    Submit(submit::SubmitArgs),
    Watch(watch::WatchArgs),
    Ls(ls::LsArgs),
    Show(show::ShowArgs),
    Metrics(metrics::MetricsArgs),
    Checkpoint(checkpoint::CheckpointArgs),
    Compare(compare::CompareArgs),
    Fork(fork::ForkArgs),
    Verify(verify::VerifyArgs),
    Replay(replay::ReplayArgs),
    /// End every run of a job that has not ended
    Cancel(verbs::VerbArgs),
    /// Put the runs of a job aside; their state is kept
    Pause(verbs::VerbArgs),
    /// Take the paused runs of a job up again
    Resume(verbs::VerbArgs),
    Data(data::DataCommand),
    Experiments(experiments_cmd::ExperimentsArgs),
    Workers(workers::WorkersArgs),
    Gc(gc::GcArgs),
    Backup(backup::BackupArgs),
    Restore(backup::RestoreArgs),
    Doctor(doctor::DoctorArgs),
}

impl Cli {
    /// Runs the subcommand.
    pub(crate) async fn execute(self) -> Ended {
        let global = &self.global;
        match self.command {
            Command::Run(args) => run::run(args, global).await,
            Command::Demo(args) => demo::run(args).await,
            Command::Reproduce(args) => reproduce::run(args, global).await,
            Command::Serve(args) => serve::run(args).await,
            Command::Work(args) => work::run(args, global).await,
            Command::Witness(args) => witness::run(args, global).await,
            Command::Up(args) => up::run(args).await,
            Command::Submit(args) => submit::run(args, global).await,
            Command::Watch(args) => watch::run(args, global).await,
            Command::Ls(args) => ls::run(args, global).await,
            Command::Show(args) => show::run(args, global).await,
            Command::Metrics(args) => metrics::run(args, global).await,
            Command::Checkpoint(args) => checkpoint::run(args, global).await,
            Command::Compare(args) => compare::run(args, global).await,
            Command::Fork(args) => fork::run(args, global).await,
            Command::Verify(args) => verify::run(args, global).await,
            Command::Replay(args) => replay::run(args, global).await,
            Command::Cancel(args) => verbs::run(args, "cancel", global).await,
            Command::Pause(args) => verbs::run(args, "pause", global).await,
            Command::Resume(args) => verbs::run(args, "resume", global).await,
            Command::Data(command) => data::run(command, global).await,
            Command::Experiments(args) => experiments_cmd::run(args),
            Command::Workers(args) => workers::run(args, global).await,
            Command::Gc(args) => gc::run(args, global).await,
            Command::Backup(args) => backup::backup(args).await,
            Command::Restore(args) => backup::restore(args).await,
            Command::Doctor(args) => doctor::run(args, global).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_subcommand_says_what_it_is_for() {
        for command in Cli::command().get_subcommands() {
            assert!(command.get_about().is_some(), "`vesicle {}` has no help", command.get_name());
        }
    }
}

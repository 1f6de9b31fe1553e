//! `vesicle witness`: the small process beside a worker that says so when the kernel kills it for want of memory.

use std::{
    io::stdin,
    os::{fd::AsFd, unix::process::CommandExt},
    process::{Command, Stdio},
};

use anyhow::Context;
use clap::Args;
use tokio::{
    io::BufReader,
    net::unix::pipe,
    signal::unix::{SignalKind, signal},
};
use worker::Witness;

use crate::{
    cli::Global,
    exit::{Ended, Exit},
    logs::{self, LogArgs},
};

/// Listen to a worker on standard input, and say so if it is killed for want of memory
#[derive(Debug, Args)]
pub(crate) struct WitnessArgs {
    #[command(flatten)]
    log: LogArgs,
}

/// Starts one beside this process.
pub(crate) async fn start(server: &str, log: LogArgs) -> anyhow::Result<Witness> {
    let binary = std::env::current_exe().context("cannot find this program's file")?;
    let (sender, receiver) = pipe::pipe()?;
    let mut command = Command::new(binary);
    command
        .args(["witness", "--server", server, "--log-format", log.log_format.name()])
        .stdin(Stdio::from(receiver.into_blocking_fd()?))
        .stdout(Stdio::null())
        // Ctrl-C is for the worker.
        .process_group(0);
    // Never waited for: it ends after this process.
    command.spawn().context("cannot start a witness")?;
    Ok(Witness::at(sender).await?)
}

/// Runs the command.
pub(crate) async fn run(args: WitnessArgs, global: &Global) -> Ended {
    logs::start(args.log.log_format, "info");
    // A service manager that stops the worker asks everybody to stop; the witness goes when the worker has gone.
    let _heard = [SignalKind::terminate(), SignalKind::interrupt()].map(signal);
    let notes = pipe::Receiver::from_owned_fd(stdin().as_fd().try_clone_to_owned()?)?;
    worker::testify(global.server(), BufReader::new(notes)).await?;
    Ok(Exit::Ok)
}

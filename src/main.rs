//! `vesicle`: the one binary. Each subcommand is a small file of its own; what they share is in `client` (the REST
//! API), `local` (server and workers of this machine) and `text` (words and pictures for people).
#![forbid(unsafe_code)]

mod again;
mod backup;
mod checkpoint;
mod cli;
mod client;
mod compare;
mod data;
mod demo;
mod doctor;
mod document;
mod exit;
mod experiments_cmd;
mod fork;
mod from;
mod gang;
mod gc;
mod leases;
mod live;
mod local;
mod local_data;
mod logs;
mod ls;
mod metrics;
mod output;
mod replay;
mod reproduce;
mod run;
mod run_bar;
mod series;
mod serve;
mod setting;
mod settings;
mod show;
mod story;
mod submit;
mod text;
mod together;
mod up;
mod verbs;
mod verify;
mod watch;
mod witness;
mod work;
mod workers;

use std::process::ExitCode;

use clap::Parser;

use crate::{cli::Cli, exit::Exit, text::Paint};

/// Gives back what large requests took for a moment; the allocator of the system keeps it, thread by thread.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let ended = match runtime {
        Ok(runtime) => {
            let ended = runtime.block_on(cli.execute());
            // A blocked reader of standard input must not hold the process up.
            runtime.shutdown_background();
            ended
        }
        Err(error) => Err(error.into()),
    };
    let exit = ended.unwrap_or_else(|error| report(&error));
    ExitCode::from(exit as u8)
}

/// Tells what went wrong, with its causes, and which exit code says so.
fn report(error: &anyhow::Error) -> Exit {
    if exit::is_broken_pipe(error) {
        return Exit::Ok;
    }
    eprintln!("{} {error:#}", Paint::stderr().red("error:"));
    Exit::of_error(error)
}

//! `vesicle work`: a worker process.

use std::{collections::BTreeMap, io::Read, path::PathBuf};

use ::gang::Gang;
use anyhow::anyhow;
use clap::Args;
use serde_json::Value as Json;
use tokio_util::sync::CancellationToken;
use worker::Witness;

use crate::{
    cli::Global,
    exit::{Ended, Exit, Usage},
    gang,
    local::{asked_to_stop, exit_on_second_signal},
    logs::{self, LogArgs},
    setting,
    up::{cores, share},
    witness,
};

const EXAMPLES: &str = "\
Examples:
  vesicle work --server http://127.0.0.1:7717
  vesicle work --slots 4 --label site=lab --label gpu=none
  vesicle work --threads 4                   four threads compute a run with shards
  mpirun -n 8 vesicle work --gang            one worker of eight processes (a build with --features mpi)

A worker dials out; it needs no port. SIGTERM or Ctrl-C drains it: it takes no new run, each run leaves a checkpoint
and goes back to the queue. A server that is away is waited for. A small second process, its witness, says so if the kernel
kills the worker for want of memory.

A gang is one worker: its first process speaks to the server, the others compute. SIGUSR1 drains it, which mpirun passes on;
mpirun itself ends everything a moment after SIGTERM or Ctrl-C. If a process is lost the launcher ends the others, the lease
runs out, and whoever comes next resumes the run with the same bits.";

/// Run a worker: it asks the server for runs and computes them
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct WorkArgs {
    /// Runs at once [default: the cores, one for each thread]
    #[arg(long, value_name = "N", env = "VESICLE_SLOTS", value_parser = clap::value_parser!(u32).range(1..=1024))]
    slots: Option<u32>,
    /// Threads that compute each run with `shards` together; a slot then counts as so many cores
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64))]
    threads: u32,
    /// Be one worker together with the other processes that mpirun or srun started: they compute one run with `shards`
    #[arg(long, conflicts_with_all = ["slots", "threads"])]
    gang: bool,
    /// Memory that all runs together may be planned to use, in MiB [default: three quarters of the machine's, or of its cgroup's]
    #[arg(long, value_name = "MIB", env = "VESICLE_MEMORY_MIB")]
    memory_mib: Option<u64>,
    /// Folder for data sets; several workers may share it [default: ~/.cache/vesicle]
    #[arg(long, value_name = "FOLDER", env = "VESICLE_CACHE")]
    cache_dir: Option<PathBuf>,
    /// What jobs can ask for with `requires`, such as site=lab; may be repeated
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = setting::assignment)]
    labels: Vec<(String, Json)>,
    /// Name for people [default: host and process id]
    #[arg(long)]
    name: Option<String>,
    /// End at once when standard input ends: the supervisor holds the other end
    #[arg(long, hide = true)]
    until_stdin_closes: bool,
    #[command(flatten)]
    log: LogArgs,
}

/// Runs the command.
pub(crate) async fn run(args: WorkArgs, global: &Global) -> Ended {
    logs::start(args.log.log_format, "info");
    let place = if args.gang { gang::take_rank()? } else { gang::take_place(args.threads as usize)? };
    let Some(place) = place else { return Ok(Exit::Ok) };
    if args.until_stdin_closes {
        std::thread::spawn(end_with_stdin);
    }
    let shutdown = CancellationToken::new();
    let (stop, token) = (tokio::spawn(asked_to_stop()), shutdown.clone());
    tokio::spawn(async move {
        if matches!(stop.await, Ok(Ok(()))) {
            exit_on_second_signal();
            tracing::info!("asked to stop; draining");
            token.cancel();
        }
    });
    let witness = witness::start(global.server(), args.log).await.unwrap_or_else(|error| {
        tracing::warn!("{error:#}; a worker that is killed for want of memory will count as lost");
        Witness::default()
    });
    worker::run(args.config(global.server(), place.gang)?, witness, shutdown).await?;
    Ok(Exit::Ok)
}

impl WorkArgs {
    fn config(self, server: &str, gang: Gang) -> anyhow::Result<worker::Config> {
        let text = |value: Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let labels: BTreeMap<String, String> =
            self.labels.into_iter().map(|(key, value)| (key, text(value))).collect();
        let memory_bytes = match self.memory_mib {
            Some(mib) => mib.saturating_mul(1 << 20),
            None => machine_memory().map(|bytes| bytes / 4 * 3).ok_or_else(no_memory)?,
        };
        Ok(worker::Config {
            server: server.to_owned(),
            slots: self.slots.unwrap_or_else(|| if self.gang { 1 } else { share(cores(), self.threads) }),
            gang,
            memory_bytes,
            cache_dir: self.cache_dir.or_else(default_cache).ok_or_else(no_home)?,
            labels,
            name: self.name.unwrap_or_else(default_name),
        })
    }
}

/// The supervisor is gone, and with it the server: there is nobody to drain for.
fn end_with_stdin() {
    let mut rest = Vec::new();
    let _ = std::io::stdin().read_to_end(&mut rest);
    std::process::exit(1);
}

fn no_home() -> anyhow::Error {
    anyhow!(Usage("there is no home directory; name a folder with --cache-dir or VESICLE_CACHE".into()))
}

fn no_memory() -> anyhow::Error {
    anyhow!(Usage("the memory of this machine cannot be read; state it with --memory-mib".into()))
}

fn default_cache() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")));
    Some(cache?.join("vesicle"))
}

fn default_name() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_else(|_| "worker".into());
    format!("{}:{}", host.trim(), std::process::id())
}

/// Physical memory in bytes, or the part of it that the cgroup of this process may use.
pub(crate) fn machine_memory() -> Option<u64> {
    let all = total_memory(&std::fs::read_to_string("/proc/meminfo").ok()?)?;
    Some(worker::memory_limit().map_or(all, |limit| limit.min(all)))
}

fn total_memory(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_of_the_machine_is_read_from_the_kernel() {
        assert_eq!(total_memory("MemTotal:        8005692 kB\nMemFree: 1 kB\n"), Some(8_005_692 * 1024));
        assert_eq!(total_memory("nothing"), None);
    }
}

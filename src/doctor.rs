//! `vesicle doctor`: what this machine offers and what is in the way.

use std::path::Path;

use clap::Args;
use kernels::Level;
use serde_json::{Value as Json, json};
use server::{Room, Space};
use store::{Postgres, PostgresOptions};

use crate::{
    cli::Global,
    exit::{Ended, Exit},
    output::{self, Output},
    settings::{ServerArgs, Settings},
    text::{Paint, bytes},
    up::cores,
};

/// Check this machine: vector instructions, database, folders, server
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    output: Output,
}

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Good,
    Note,
    Bad,
}

struct Check {
    name: &'static str,
    mark: Mark,
    value: String,
    advice: Option<String>,
}

impl Check {
    fn good(name: &'static str, value: impl Into<String>) -> Self {
        Self { name, mark: Mark::Good, value: value.into(), advice: None }
    }

    fn other(name: &'static str, mark: Mark, value: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { name, mark, value: value.into(), advice: Some(advice.into()) }
    }
}

/// Runs the command.
pub(crate) async fn run(args: DoctorArgs, global: &Global) -> Ended {
    let experiments: Vec<String> =
        experiments::CATALOGUE.iter().map(|kind| format!("{} v{}", kind.name(), kind.version())).collect();
    let mut checks = vec![
        Check::good("version", env!("CARGO_PKG_VERSION")),
        Check::good("experiments", experiments.join(", ")),
        level(),
        Check::good("cores", cores().to_string()),
        Check::good("SQLite", libsqlite3_sys::SQLITE_VERSION.to_string_lossy()),
    ];
    checks.extend(folder());
    checks.extend(disk());
    checks.extend(database().await);
    checks.push(mnist());
    checks.push(reach(global).await);
    match args.output.json {
        true => output::json(&document(&checks))?,
        false => output::text(&page(&checks))?,
    }
    let is_bad = checks.iter().any(|check| check.mark == Mark::Bad);
    Ok(if is_bad { Exit::Failure } else { Exit::Ok })
}

fn level() -> Check {
    let name = "instructions";
    match Level::detected() {
        Level::Avx512 => Check::good(name, "AVX-512 and VAES"),
        Level::Avx2 => Check::good(name, "AVX2, FMA and AES-NI"),
        Level::Portable => Check::other(
            name,
            Mark::Note,
            "portable",
            "results have the same bits, but take far longer than with AVX2",
        ),
    }
}

/// Settings and the folder of the database.
fn folder() -> Vec<Check> {
    let settings = match ServerArgs::default().settings() {
        Ok(settings) => settings,
        Err(error) => {
            return vec![Check::other("settings", Mark::Bad, format!("{error:#}"), "correct the setting")];
        }
    };
    let Settings { config, data_dir, .. } = settings;
    let folder = data_dir.display().to_string();
    let check = match writable(&data_dir) {
        Ok(true) => Check::good("data folder", folder),
        Ok(false) => {
            Check::other("data folder", Mark::Note, folder, "it does not exist yet; `vesicle serve` makes it")
        }
        Err(error) => {
            let advice =
                format!("it cannot be written to ({error}); name another with --data-dir or VESICLE_HOME");
            Check::other("data folder", Mark::Bad, folder, advice)
        }
    };
    vec![Check::good("listens on", config.listen.to_string()), check]
}

/// Room on the disk of the database, where it is SQLite's.
fn disk() -> Option<Check> {
    let Settings { config, data_dir, database } = ServerArgs::default().settings().ok()?;
    if database.is_some() {
        return None;
    }
    let there = data_dir.ancestors().find(|folder| folder.is_dir())?;
    Some(match Space::of(there) {
        Ok(space) => {
            let value = format!("{} free of {}", bytes(space.free), bytes(space.total));
            let room = space.room(&config);
            match room {
                Room::Plenty => Check::good("disk", value),
                Room::Low => Check::other("disk", Mark::Note, value, room.consequence()),
                Room::Running | Room::Reading => Check::other("disk", Mark::Bad, value, room.consequence()),
            }
        }
        Err(error) => Check::other("disk", Mark::Note, "not known", error.to_string()),
    })
}

/// The Postgres database, if one is named.
async fn database() -> Option<Check> {
    let address = ServerArgs::default().settings().ok()?.database?;
    Some(match Postgres::describe(&PostgresOptions::new(address)).await {
        Ok(found) => Check::good("database", found),
        Err(error) => {
            let advice = "`vesicle serve` would not start; start the database, or correct VESICLE_DATABASE";
            Check::other("database", Mark::Bad, error.to_string(), advice)
        }
    })
}

/// Tries it: permissions alone do not tell of full or read-only disks.
fn writable(folder: &Path) -> std::io::Result<bool> {
    if !folder.try_exists()? {
        return Ok(false);
    }
    tempfile::Builder::new().prefix(".vesicle-doctor").tempfile_in(folder).map(|_| true)
}

fn mnist() -> Check {
    match crate::local_data::files("mnist-t8k") {
        Ok(files) => {
            Check::good("MNIST", files.images.parent().unwrap_or(Path::new("")).display().to_string())
        }
        Err(error) => Check::other("MNIST", Mark::Note, "not at hand", error.to_string()),
    }
}

async fn reach(global: &Global) -> Check {
    let client = match global.client() {
        Ok(client) => client,
        Err(error) => return Check::other("server", Mark::Bad, global.server(), error.to_string()),
    };
    match client.get::<Json>("/version").await {
        Ok(version) => Check::good("server", format!("{} {version}", client.server())),
        Err(error) => Check::other("server", Mark::Note, "none", error.to_string()),
    }
}

fn page(checks: &[Check]) -> String {
    let paint = Paint::stdout();
    let mut out = String::new();
    for Check { name, mark, value, advice } in checks {
        let mark = match mark {
            Mark::Good => paint.green("ok  "),
            Mark::Note => paint.yellow("note"),
            Mark::Bad => paint.red("bad "),
        };
        out += &format!("{mark}  {name:<13} {value}\n");
        if let Some(advice) = advice {
            out += &format!("      {:<13} {}\n", "", paint.dim(advice));
        }
    }
    out
}

fn document(checks: &[Check]) -> Json {
    let word = |mark: Mark| match mark {
        Mark::Good => "ok",
        Mark::Note => "note",
        Mark::Bad => "bad",
    };
    let entry = |check: &Check| json!({"name": check.name, "mark": word(check.mark), "value": check.value, "advice": check.advice});
    json!({"checks": checks.iter().map(entry).collect::<Vec<_>>()})
}

//! `bench`: how fast the product trains, next to what people would use instead; see `bench/README.md`.
//!
//! Standard output holds JSON lines only ([`line::Line`]); everything for people goes to standard error.
#![forbid(unsafe_code)]

mod anchors;
mod case;
mod cpu;
mod environment;
mod floors;
mod growth;
mod line;
mod mnist;
mod ours;
mod pairs;
mod parts;
mod peer;
mod quality;
mod ratio;
mod scaling;
mod select;
mod service;
mod smoke;
mod synaptic;
mod weights;
mod wta;

use std::process::ExitCode;

use clap::Parser;
use comfy_table::Table;

use crate::{
    floors::Floors,
    line::{Line, Report},
    mnist::Mnist,
    select::Selection,
};

/// Measures training speed against other tools.
#[derive(Debug, Parser)]
struct Args {
    /// Groups or cases: rbm, rbse, growth, kernels, anchors, wta, synaptic, service, scaling, rbse/784x500, rbm/784x500/sampled, …
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_values = ["rbm", "rbse", "wta", "synaptic"])]
    only: Vec<String>,
    /// Peers to leave out: torch, scikit-learn, rbms, brian2, nest, mlflow
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    skip: Vec<String>,
    /// Interleaved pairs of a comparison
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..))]
    pairs: u32,
    /// Ours only, each case for a second
    #[arg(long)]
    smoke: bool,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether everything is valid and no ratio is below its floor.
fn run(args: &Args) -> anyhow::Result<bool> {
    let selection = Selection::new(&args.only, &args.skip)?;
    let floors = Floors::read()?;
    let mut report = Report::default();
    eprintln!("level {:?}, {} pairs", kernels::Level::detected(), args.pairs);
    if selection.wants_anchors() {
        anchors::measure(&selection, &mut report);
    }
    if selection.wants_training() {
        let mnist = Mnist::load()?;
        if args.smoke {
            smoke::run(&selection, &mnist, &mut report)?;
        } else {
            pairs::run(&selection, &mnist, &floors, args.pairs, &mut report)?;
            growth::run(&selection, &mnist, &mut report)?;
            parts::run(&selection, &mnist, &mut report);
        }
    }
    if selection.wants_scaling() && !args.smoke {
        scaling::run(&selection, &Mnist::load()?, &floors, args.pairs, &mut report)?;
    }
    if args.smoke {
        wta::smoke(&selection, &mut report)?;
        synaptic::smoke(&selection, &mut report);
    } else {
        wta::run(&selection, &floors, args.pairs, &mut report)?;
        synaptic::run(&selection, &floors, args.pairs, &mut report)?;
        service::run(&selection, &floors, args.pairs, &mut report)?;
    }
    eprintln!("{}", table(report.lines()));
    Ok(report.lines().iter().all(Line::passes))
}

fn table(lines: &[Line]) -> Table {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(["bench", "peer", "ours", "theirs", "unit", "ratio", "floor", "verdict"]);
    for line in lines {
        table.add_row(line.row());
    }
    table
}

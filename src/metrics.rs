//! `vesicle metrics`: the values of one metric of a run.

use clap::{Args, ValueEnum};

use crate::{
    cli::Global,
    exit::{Ended, Exit},
    output,
};

const EXAMPLES: &str = "\
Examples:
  vesicle metrics last/0 reconstruction_mse > mse.csv
  vesicle metrics 019a1f2c reliability_spearman --points 100 --format json
  vesicle metrics last/0 release_histogram --format json --from last";

/// Print the values of a metric of a run
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct MetricsArgs {
    /// Id of the run, or JOB/INDEX
    run: String,
    /// Name of the metric; `vesicle show RUN` lists them
    name: String,
    /// How it is printed
    #[arg(long, default_value = "csv")]
    format: Format,
    /// First step, or `last` for the last value only
    #[arg(long, value_name = "STEP")]
    from: Option<String>,
    /// Last step
    #[arg(long, value_name = "STEP")]
    to: Option<u64>,
    /// At most that many values, least and greatest kept
    #[arg(long, value_name = "N", default_value_t = 5000, value_parser = clap::value_parser!(u32).range(2..=5000))]
    points: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// `step,value`
    Csv,
    /// As the REST API gives it
    Json,
    /// One JSON object a line
    Ndjson,
}

/// Runs the command.
pub(crate) async fn run(args: MetricsArgs, global: &Global) -> Ended {
    let client = global.client()?;
    let run = client.run(&args.run).await?;
    let mut path = format!("/runs/{}/metrics/{}?points={}", run.id, args.name, args.points);
    if let Some(from) = &args.from {
        path += &format!("&from={from}");
    }
    if let Some(to) = args.to {
        path += &format!("&to={to}");
    }
    match args.format {
        Format::Csv => output::text(&client.get_text(&path, "text/csv").await?)?,
        Format::Ndjson => output::text(&client.get_text(&path, "application/x-ndjson").await?)?,
        Format::Json => output::json(&client.get(&path).await?)?,
    }
    Ok(Exit::Ok)
}

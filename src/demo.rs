//! `vesicle demo`: what `make run` shows — a service, a question, its answer.

use std::{io, io::IsTerminal, net::SocketAddr};

use clap::Args;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::{
    client::{Client, Job, Run, scalar},
    exit::{Ended, Exit},
    local::{Crew, Service, Voice, asked_to_stop, exit_on_second_signal},
    logs::{self, LogFormat},
    output,
    settings::{ServerArgs, Settings},
    text::{Paint, Table, number},
    together,
    up::CrewArgs,
};

const EXAMPLES: &str = "\
Examples:
  vesicle demo             leaves the server running until Ctrl-C, to look around on the page
  vesicle demo --exit      ends after the table

The data go to a temporary folder unless --data-dir or VESICLE_HOME names one.";

/// Columns of the table: metric, heading.
const COLUMNS: [(&str, &str); 6] = [
    ("reliability_spearman", ">Spearman(|w|,p)"),
    ("release_prob_top1", ">p top 1 %"),
    ("release_prob_top10", ">p top 10 %"),
    ("release_prob_rest", ">p other 90 %"),
    ("reconstruction_mse", ">reconstr. MSE"),
    ("pseudo_log_likelihood", ">PLL"),
];

/// Server, two workers, three small jobs and their result: do the strongest synapses become the most reliable?
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DemoArgs {
    #[command(flatten)]
    server: ServerArgs,
    /// Worker processes
    #[arg(long, value_name = "N", default_value_t = 2)]
    workers: u32,
    /// End after the table
    #[arg(long)]
    exit: bool,
}

/// Runs the command.
pub(crate) async fn run(args: DemoArgs) -> Ended {
    logs::start(LogFormat::Text, "error");
    let mut settings = args.server.settings()?;
    let chosen = args.server.data_dir.is_some() || std::env::var_os("VESICLE_HOME").is_some();
    // Removed when it is dropped, which is at the very end.
    let folder = if chosen { None } else { Some(tempfile::tempdir()?) };
    if let Some(folder) = &folder {
        settings.data_dir = folder.path().to_owned();
    }
    let stop = tokio::spawn(asked_to_stop());
    let service = start(settings, args.server.listen).await?;
    let url = service.url();
    let crew = CrewArgs::from(args.workers).start(&url, Voice::LastWords);
    output::line(&format!("listening on {url}"))?;
    eprintln!("{} worker processes; open {} to watch\n", args.workers, Paint::stderr().bold(&url));

    let show = show(&url);
    let exit = tokio::select! {
        shown = show => shown,
        _ = stop => return wind_up(crew, service).await.and(Ok(Exit::Interrupted)),
    };
    if exit.is_ok() && !args.exit && io::stdout().is_terminal() {
        eprintln!("\nthe server goes on at {}; Ctrl-C ends it", Paint::stderr().bold(&url));
        asked_to_stop().await?;
    }
    wind_up(crew, service).await?;
    exit
}

async fn wind_up(crew: Crew, service: Service) -> anyhow::Result<()> {
    exit_on_second_signal();
    crew.stop().await;
    service.stop().await
}

/// On the usual port, or on a free one if that is taken and nobody asked for it.
async fn start(settings: Settings, asked: Option<SocketAddr>) -> anyhow::Result<Service> {
    let mut elsewhere = settings.clone();
    elsewhere.config.listen.set_port(0);
    match Service::start(settings).await {
        Err(error) if asked.is_none() && is_taken(&error) => Service::start(elsewhere).await,
        started => started,
    }
}

fn is_taken(error: &anyhow::Error) -> bool {
    match error.downcast_ref::<server::StartError>() {
        Some(server::StartError::Listen { source, .. }) => source.kind() == io::ErrorKind::AddrInUse,
        _ => false,
    }
}

/// The three models that are compared.
fn jobs() -> [(&'static str, Json); 3] {
    let seeds = json!({"from": 1, "count": 3});
    [
        ("RBSE A", json!({"name": "RBSE A", "experiment": "rbse", "params": {"model": "A"}, "seeds": seeds})),
        ("RBSE B", json!({"name": "RBSE B", "experiment": "rbse", "params": {"model": "B"}, "seeds": seeds})),
        ("RBM", json!({"name": "RBM", "experiment": "rbm", "seeds": seeds})),
    ]
}

/// Submits the jobs, follows them and prints what came out.
async fn show(url: &str) -> Ended {
    let client = Client::new(url)?.patient();
    let mut submitted = Vec::new();
    for (_, spec) in jobs() {
        let answer = client.submit(&spec, &Uuid::now_v7().to_string()).await?;
        submitted.push(serde_json::from_value::<Job>(answer)?);
    }
    together::follow(&client, &submitted).await?;

    let headings = ["model", ">seed"].into_iter().chain(COLUMNS.map(|(_, heading)| heading));
    let mut table = Table::new(Paint::stdout(), &headings.collect::<Vec<_>>());
    let mut exit = Exit::Ok;
    for ((model, _), job) in jobs().into_iter().zip(&submitted) {
        for run in client.runs(&job.id).await? {
            exit = if run.state == "succeeded" { exit } else { Exit::Failed };
            table.row(row(model, &run));
        }
    }
    eprintln!();
    output::text(&format!("Strength and reliability of synapses after learning 8x8 digits\n\n{table}"))?;
    eprintln!("\np: release probability of the synapses with the strongest weights |w|, and of the others.");
    Ok(exit)
}

fn row(model: &str, run: &Run) -> Vec<String> {
    let value = |name: &str| run.scalars.get(name).and_then(scalar).map_or_else(|| "n/a".to_owned(), number);
    let about = [model.to_owned(), run.seed.to_string()];
    about.into_iter().chain(COLUMNS.map(|(name, _)| value(name))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_jobs_of_the_demo_fit_the_catalogue() {
        for (name, job) in jobs() {
            let kind = experiments::find(job["experiment"].as_str().unwrap_or_default()).expect(name);
            let params = job["params"].as_object().cloned().unwrap_or_default();
            kind.resolve(None, &params).expect(name);
            let has = |metric: &str| kind.metrics().iter().any(|spec| spec.name == metric);
            assert!(has("reconstruction_mse") && has("pseudo_log_likelihood"), "{name}");
        }
    }
}

//! `vesicle reproduce`: the findings of the literature, tested anew.

mod plan;
mod verdict;

use clap::Args;
use experiments::Kind;
use serde_json::Value as Json;
use uuid::Uuid;

use self::{plan::Task, verdict::Verdict};
use crate::{
    client::{Client, Job, Run},
    data::{self, Upload},
    exit::{Ended, Exit, Usage},
    local::{Crew, Service, Voice, asked_to_stop},
    local_data::{MNIST, mnist_files},
    logs::{self, LogFormat},
    output, setting,
    settings::{ServerArgs, Settings},
    together,
    up::CrewArgs,
};

const EXAMPLES: &str = "\
Examples:
  vesicle reproduce --quick                  what the built-in data can show, one seed
  vesicle reproduce --only rbse --seeds 1..3
  vesicle reproduce --json > findings.json

A finding is a claim of the literature with the job that tests it and the bound that its figures must meet. The jobs
run on a private server with two workers. Findings on MNIST read its files from $VESICLE_DATA/mnist.
Exit code: 0 if every finding holds, 1 if one does not.";

/// Seeds that were used to choose settings; figures from them prove nothing.
const TUNING: std::ops::RangeInclusive<u64> = 101..=199;

/// Test the findings of the literature anew and print what came out
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ReproduceArgs {
    /// Only findings of these experiments
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    only: Vec<String>,
    /// Seeds: 1..5 (1 to 5) or 1,5,9 [default: 1..5, with --quick 1]
    #[arg(long, value_name = "SEEDS", value_parser = setting::seeds)]
    seeds: Option<Json>,
    /// Only findings on built-in data, one seed
    #[arg(long)]
    quick: bool,
    /// Allow the seeds that settings were chosen with (101 to 199)
    #[arg(long)]
    tuning: bool,
    #[command(flatten)]
    output: output::Output,
}

/// Runs the command.
pub(crate) async fn run(args: ReproduceArgs) -> Ended {
    logs::start(LogFormat::Text, "error");
    let seeds = args.seeds()?;
    let claims = plan::claims(&args.kinds()?, args.quick);
    if claims.is_empty() {
        anyhow::bail!(Usage("these experiments have no findings to test".into()));
    }
    let tasks = plan::tasks(&claims);
    if tasks.iter().any(|task| task.dataset.as_deref() == Some(MNIST)) {
        mnist_files()?; // Before anything is started, so that a missing file is told at once.
    }
    let bench = Bench::start().await?;
    let measured = tokio::select! {
        measured = measure(&bench.url, &tasks, &seeds) => measured,
        stopped = asked_to_stop() => {
            stopped?;
            bench.stop().await?;
            return Ok(Exit::Interrupted);
        }
    };
    bench.stop().await?;
    let measured = measured?;
    let verdicts: Vec<Verdict> =
        claims.iter().map(|claim| Verdict::of(claim, &measured[claim.task])).collect();
    match args.output.json {
        true => output::json(&verdict::document(&seeds, &verdicts))?,
        false => output::text(&verdict::table(&seeds, &verdicts))?,
    }
    let failed = verdicts.iter().filter(|verdict| !verdict.holds).count();
    eprintln!("\n{} of {} findings hold, seeds {seeds:?}", verdicts.len() - failed, verdicts.len());
    Ok(if failed == 0 { Exit::Ok } else { Exit::Failure })
}

impl ReproduceArgs {
    fn seeds(&self) -> Result<Vec<u64>, Usage> {
        let default = if self.quick { vec![1] } else { (1..=5).collect() };
        let seeds = self.seeds.as_ref().map_or(default, setting::each_seed);
        match seeds.iter().find(|seed| TUNING.contains(seed) && !self.tuning) {
            Some(seed) => Err(Usage(format!(
                "seed {seed} was used to choose settings and proves nothing; take another, or allow it with --tuning"
            ))),
            None => Ok(seeds),
        }
    }

    fn kinds(&self) -> Result<Vec<&'static dyn Kind>, Usage> {
        if self.only.is_empty() {
            return Ok(experiments::CATALOGUE.to_vec());
        }
        let find = |name: &String| {
            let unknown = || {
                Usage(format!("experiment `{name}` is not in the catalogue; `vesicle experiments` lists it"))
            };
            experiments::find(name).ok_or_else(unknown)
        };
        self.only.iter().map(find).collect()
    }
}

/// A private service in a folder that is removed at the end.
struct Bench {
    url: String,
    service: Service,
    crew: Crew,
    folder: tempfile::TempDir,
}

impl Bench {
    async fn start() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let args = ServerArgs { listen: Some(([127, 0, 0, 1], 0).into()), ..ServerArgs::default() };
        let settings = Settings { data_dir: folder.path().to_owned(), ..args.settings()? };
        let service = Service::start(settings).await?;
        let url = service.url();
        let crew = CrewArgs { workers: 2, slots: None }.start(&url, Voice::LastWords);
        Ok(Self { url, service, crew, folder })
    }

    async fn stop(self) -> anyhow::Result<()> {
        self.crew.stop().await;
        self.service.stop().await?;
        self.folder.close()?;
        Ok(())
    }
}

/// The runs of every task, in the order of the seeds.
async fn measure(url: &str, tasks: &[Task], seeds: &[u64]) -> anyhow::Result<Vec<Vec<Run>>> {
    let client = Client::new(url)?.patient();
    if tasks.iter().any(|task| task.dataset.as_deref() == Some(MNIST)) {
        let [images, labels, test_images, test_labels] = mnist_files()?;
        let attribution = Some("Y. LeCun, C. Cortes, C. J. C. Burges, The MNIST database".to_owned());
        let (labels, test_images, test_labels) = (Some(labels), Some(test_images), Some(test_labels));
        let mnist = Upload { images, labels, test_images, test_labels, max: Some(255), attribution };
        data::upload(&client, MNIST, &mnist).await?;
    }
    let mut jobs = Vec::with_capacity(tasks.len());
    for task in tasks {
        let answer = client.submit(&task.spec(seeds), &Uuid::now_v7().to_string()).await?;
        jobs.push(serde_json::from_value::<Job>(answer)?);
    }
    together::follow(&client, &jobs).await?;
    let mut measured = Vec::with_capacity(jobs.len());
    for job in &jobs {
        measured.push(client.runs(&job.id).await?);
    }
    Ok(measured)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(seeds: &str, tuning: bool) -> ReproduceArgs {
        let seeds = Some(setting::seeds(seeds).expect("seeds"));
        ReproduceArgs { only: vec![], seeds, quick: false, tuning, output: output::Output { json: false } }
    }

    #[test]
    fn tuning_seeds_need_a_word() {
        assert_eq!(args("1..3", false).seeds().expect("fresh seeds"), [1, 2, 3]);
        assert!(args("100..101", false).seeds().is_err());
        assert!(args("101", true).seeds().is_ok());
    }
}

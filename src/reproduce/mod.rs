//! `vesicle reproduce`: the findings of the literature, tested anew.

mod bench;
mod gather;
mod plan;
mod progress;
mod report;
#[cfg(test)]
mod tests;
mod verdict;

use std::{collections::BTreeMap, path::PathBuf};

use clap::Args;
use experiments::Kind;
use serde_json::Value as Json;

use self::{
    bench::Bench,
    plan::{Choice, Plan},
    verdict::Verdict,
};
use crate::{
    cli::Global,
    exit::{Ended, Exit, Usage},
    local::asked_to_stop,
    logs::{self, LogFormat},
    output, setting,
};

const EXAMPLES: &str = "\
Examples:
  vesicle reproduce --quick                     what the built-in data can show, one seed
  vesicle reproduce --only rbm,rbse --seeds 1..3
  vesicle reproduce --only rbse/digits-gap      one finding
  vesicle reproduce --json | jq .verdict
  vesicle reproduce --server http://127.0.0.1:7717

A finding is a claim of the literature with the job that tests it and the bound that its figures must meet. The jobs
run on a private server with two workers, or on the server that --server names, where they stay and are taken up
again by the next call. Data sets that are not built in are read from $VESICLE_DATA (mnist/, fashion-mnist/); findings
whose data is not at hand are skipped, unless they are named. The report is DIR/index.html with
all figures in it; DIR/findings.json and DIR/figures/*.svg are for programs and documents.
Exit code: 0 if every verdict is the expected one, 1 if one is not.";

/// Seeds that were used to choose settings; figures from them prove nothing.
const TUNING: std::ops::RangeInclusive<u64> = 101..=199;

/// Test the findings of the literature anew and report what came out
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ReproduceArgs {
    /// Only findings of these experiments, or these findings (EXPERIMENT/FINDING)
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    only: Vec<String>,
    /// Seeds for all findings: 1..5 (1 to 5) or 1,5,9 [default: those of each finding, mostly 1..5; with --quick 1]
    #[arg(long, value_name = "SEEDS", value_parser = setting::seeds)]
    seeds: Option<Json>,
    /// Only findings on built-in data, one seed
    #[arg(long)]
    quick: bool,
    /// Findings that take very long too
    #[arg(long)]
    slow: bool,
    /// Allow the seeds that settings were chosen with (101 to 199), and print what they gave
    #[arg(long)]
    tuning: bool,
    /// Folder for report, figures and findings.json
    #[arg(long, value_name = "DIR", default_value = "vesicle-findings")]
    report: PathBuf,
    /// Print one JSON object a line for each finding
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) async fn run(args: ReproduceArgs, global: &Global) -> Ended {
    logs::start(LogFormat::Text, "error");
    let plan = args.possible_plan(global.given()).await?;
    let bench = Bench::start(global.given()).await?;
    let gathered = tokio::select! {
        gathered = gather::gather(bench.url(), &plan, bench.is_given()) => gathered,
        stopped = asked_to_stop() => {
            stopped?;
            bench.stop().await?;
            return Ok(Exit::Interrupted);
        }
    };
    let stopped = bench.stop().await;
    let gathered = gathered?;
    stopped?;
    let verdicts: Vec<Verdict> = plan.claims.iter().map(|claim| Verdict::of(claim, &gathered)).collect();
    match args.json {
        true => verdicts.iter().try_for_each(|verdict| output::line(&verdict::entry(verdict).to_string()))?,
        false => output::text(&verdict::table(&verdicts))?,
    }
    report::write(&args.report, &verdicts, &plan, &gathered)?;
    plan.skipped.iter().for_each(|skipped| eprintln!("skipped: {}: {}", skipped.name, skipped.reason));
    eprintln!("\nreport: {}", args.report.join("index.html").display());
    if args.tuning {
        eprint!("\n{}", verdict::tuned(&verdicts));
    }
    Ok(exit(&verdicts))
}

/// Success only if every verdict is the expected one.
fn exit(verdicts: &[Verdict<'_>]) -> Exit {
    let expected = verdicts.iter().filter(|verdict| verdict.outcome.is_as_expected()).count();
    eprintln!("{expected} of {} verdicts are as expected", verdicts.len());
    if expected == verdicts.len() { Exit::Ok } else { Exit::Failure }
}

impl ReproduceArgs {
    /// What the arguments ask for, as far as the data is at hand.
    ///
    /// # Errors
    /// If nothing is left, or a finding is named whose data is not at hand: before anything is started.
    async fn possible_plan(&self, server: Option<&String>) -> anyhow::Result<Plan> {
        let lacking = gather::lacking(server, &self.plan(BTreeMap::new())?).await?;
        let plan = self.plan(lacking.clone())?;
        if let Some(reason) = plan.datasets().into_iter().find_map(|dataset| lacking.get(dataset)) {
            anyhow::bail!("{reason}");
        }
        if !plan.claims.is_empty() {
            return Ok(plan);
        }
        match plan.skipped.first() {
            Some(skipped) => anyhow::bail!("{}: {}", skipped.name, skipped.reason),
            None => anyhow::bail!(Usage(
                "there are no findings to test among these; `--only` and `--quick` leave some out".into()
            )),
        }
    }

    fn plan(&self, lacking: BTreeMap<String, String>) -> Result<Plan, Usage> {
        let (only, seeds, quick, slow) = (self.only.clone(), self.seeds()?, self.quick, self.slow);
        // What settings were chosen with is for `tuned`, not for pictures.
        let choice = Choice { only, seeds, quick, slow, figures: !self.tuning, lacking };
        Plan::new(&self.kinds()?, &choice).map_err(Usage)
    }

    fn seeds(&self) -> Result<Option<Vec<u64>>, Usage> {
        let seeds = self.seeds.as_ref().map(setting::each_seed).or_else(|| self.quick.then(|| vec![1]));
        match seeds.iter().flatten().find(|seed| TUNING.contains(seed) && !self.tuning) {
            Some(seed) => Err(Usage(format!(
                "seed {seed} was used to choose settings and proves nothing; take another, or allow it with --tuning"
            ))),
            None => Ok(seeds),
        }
    }

    /// The experiments that `--only` names, each once, in the order of the catalogue.
    fn kinds(&self) -> Result<Vec<&'static dyn Kind>, Usage> {
        for name in &self.only {
            let (experiment, finding) =
                name.split_once('/').map_or((name.as_str(), None), |(a, b)| (a, Some(b)));
            let unknown =
                format!("experiment `{experiment}` is not in the catalogue; `vesicle experiments` lists it");
            let kind = experiments::find(experiment).ok_or(Usage(unknown))?;
            let known = experiments::findings(kind);
            if let Some(id) = finding.filter(|id| known.iter().all(|finding| finding.id != *id)) {
                let known: Vec<String> = known.into_iter().map(|finding| finding.id).collect();
                return Err(Usage(format!(
                    "{experiment} has no finding `{id}`; it has {}",
                    known.join(", ")
                )));
            }
        }
        let is_named = |kind: &&&'static dyn Kind| {
            let of_kind = |name: &String| name.split('/').next() == Some(kind.name());
            self.only.is_empty() || self.only.iter().any(of_kind)
        };
        Ok(experiments::CATALOGUE.iter().filter(is_named).copied().collect())
    }
}

#[cfg(test)]
mod argument_tests {
    use super::*;

    fn args(only: &[&str], seeds: Option<&str>, tuning: bool) -> ReproduceArgs {
        let seeds = seeds.map(|seeds| setting::seeds(seeds).expect("seeds"));
        let only = only.iter().map(ToString::to_string).collect();
        ReproduceArgs { only, seeds, quick: false, slow: false, tuning, report: "r".into(), json: false }
    }

    #[test]
    fn tuning_seeds_need_a_word() {
        assert_eq!(args(&[], Some("1..3"), false).seeds().expect("fresh seeds"), Some(vec![1, 2, 3]));
        assert_eq!(args(&[], None, false).seeds().expect("those of the findings"), None);
        assert!(args(&[], Some("100..101"), false).seeds().is_err());
        assert!(args(&[], Some("101"), true).seeds().is_ok());
    }

    #[test]
    fn experiments_and_findings_are_found_by_name() {
        let names = |only: &[&str]| args(only, None, false).kinds().map(|kinds| kinds.len());
        assert_eq!(names(&["rbse", "rbse/digits-gap"]).expect("both are there"), 1);
        assert!(names(&["rsbe"]).expect_err("a slip").0.contains("`rsbe`"));
        assert!(names(&["rbse/digits-gasp"]).expect_err("a slip").0.contains("digits-gap"));
    }
}

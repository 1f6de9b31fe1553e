//! `vesicle compare`: metrics of several runs, paired at equal steps.

use anyhow::bail;
use clap::Args;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::{
    cli::Global,
    client::{Client, Run, scalar},
    exit::{Ended, Exit, Usage},
    output::{self, Output},
    series::{self, Window},
    text::{Paint, Table, grouped, number, plus_minus, short},
};

const EXAMPLES: &str = "\
Examples:
  vesicle compare 019a1f2c last/0                   a run and its fork
  vesicle compare last/0 last/1 last/2 --metric reconstruction_mse,reliability_spearman
  vesicle compare 019a1f2c last/0 --json | jq '.metrics[].mean_difference'

Every other run is held against the first, metric by metric, at the steps where both have a value. \u{2206} is other minus
first: at the last such step, and the mean over them with its standard deviation. \"same until\" is the last step up to which
all values have the same bits.";

/// Hold metrics of runs against those of the first one, at equal steps
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CompareArgs {
    /// Ids of two or more runs, or JOB/INDEX
    #[arg(value_name = "RUN", num_args = 2.., required = true)]
    runs: Vec<String>,
    /// Only these metrics [default: all that are one number]
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    metric: Vec<String>,
    #[command(flatten)]
    output: Output,
}

/// Values of a metric by step.
type Series = Vec<(u64, Json)>;

/// One run against the first, in one metric.
#[derive(Debug, Clone, PartialEq)]
struct Pair {
    /// Steps where both have a value.
    steps: u64,
    /// The last of them with both values.
    last: (u64, f64, f64),
    /// Mean of the differences.
    mean: f64,
    /// Their standard deviation; 0 for one.
    sd: f64,
    /// Last step up to which all bits are the same.
    same_until: Option<u64>,
}

#[derive(Deserialize)]
struct Listed {
    metrics: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    kind: String,
    count: u64,
}

/// Runs the command.
pub(crate) async fn run(args: CompareArgs, global: &Global) -> Ended {
    let client = global.client()?;
    let mut runs = Vec::with_capacity(args.runs.len());
    for run in &args.runs {
        runs.push(client.run(run).await?);
    }
    let names = names(&client, &args, &runs[0]).await?;
    let mut rows = Vec::new();
    for name in &names {
        let first = values(&client, &runs[0], name).await?;
        for other in &runs[1..] {
            if let Some(pair) = pair(&first, &values(&client, other, name).await?) {
                rows.push((name.as_str(), other, pair));
            }
        }
    }
    if rows.is_empty() {
        bail!("the runs have no value of a common metric at the same step");
    }
    match args.output.json {
        true => output::json(&document(&runs, &rows))?,
        false => output::text(&table(&runs, &rows))?,
    }
    Ok(Exit::Ok)
}

/// The metrics of the first run that are compared.
async fn names(client: &Client, args: &CompareArgs, first: &Run) -> anyhow::Result<Vec<String>> {
    let listed: Listed = client.get(&format!("/runs/{}/metrics", first.id)).await?;
    let scalars = listed.metrics.into_iter().filter(|entry| entry.kind == "scalar" && entry.count > 0);
    let scalars: Vec<String> = scalars.map(|entry| entry.name).collect();
    if args.metric.is_empty() {
        return Ok(scalars);
    }
    for name in &args.metric {
        if !scalars.contains(name) {
            let known = scalars.join(", ");
            bail!(Usage(format!(
                "--metric has `{name}`; it must be one number of run {}: {known}",
                args.runs[0]
            )));
        }
    }
    Ok(args.metric.clone())
}

async fn values(client: &Client, run: &Run, name: &str) -> anyhow::Result<Series> {
    // At every step at most: what is thinned has no equal steps.
    series::all(client, &run.id, name, Window { from: 0, to: run.step, every: every(client, run).await? })
        .await
}

/// Steps between two observations of a run.
async fn every(client: &Client, run: &Run) -> anyhow::Result<u64> {
    let job: Json = client.get(&format!("/jobs/{}", run.job_id)).await?;
    Ok(job["spec"]["every"].as_u64().unwrap_or_else(|| experiments::default_every(run.steps)))
}

fn pair(first: &Series, other: &Series) -> Option<Pair> {
    let mut other = other.iter().peekable();
    let (mut differences, mut last, mut same_until, mut same) = (Vec::new(), None, None, true);
    for (step, a) in first {
        while other.next_if(|(at, _)| at < step).is_some() {}
        let Some((_, b)) = other.next_if(|(at, _)| at == step) else { continue };
        same &= a == b;
        if same {
            same_until = Some(*step);
        }
        // What is not finite has no difference.
        if let (Some(a), Some(b)) = (finite(a), finite(b)) {
            differences.push(b - a);
            last = Some((*step, a, b));
        }
    }
    let (n, last) = (differences.len() as f64, last?);
    let mean = differences.iter().sum::<f64>() / n;
    let squares: f64 = differences.iter().map(|d| (d - mean) * (d - mean)).sum();
    let sd = if n > 1.0 { (squares / (n - 1.0)).sqrt() } else { 0.0 };
    Some(Pair { steps: differences.len() as u64, last, mean, sd, same_until })
}

fn finite(value: &Json) -> Option<f64> {
    scalar(value).filter(|x| x.is_finite())
}

fn table(runs: &[Run], rows: &[(&str, &Run, Pair)]) -> String {
    let first = short(&runs[0].id).to_owned();
    let heads = [
        "metric",
        "run",
        ">steps",
        ">at step",
        &format!(">{first}"),
        ">run's",
        ">\u{2206}",
        ">mean \u{2206}",
        ">same until",
    ];
    let mut table = Table::new(Paint::stdout(), &heads);
    for (name, run, Pair { steps, last: (step, a, b), mean, sd, same_until }) in rows {
        table.row([
            *name,
            short(&run.id),
            &grouped(*steps),
            &grouped(*step),
            &number(*a),
            &number(*b),
            &number(b - a),
            &plus_minus(*mean, *sd),
            &same_until.map_or("-".to_owned(), grouped),
        ]);
    }
    table.to_string()
}

fn document(runs: &[Run], rows: &[(&str, &Run, Pair)]) -> Json {
    let metrics = rows.iter().map(|(name, run, pair)| {
        let (step, a, b) = pair.last;
        json!({
            "metric": name, "run": run.id, "steps": pair.steps, "last_step": step, "first": a, "other": b,
            "difference": b - a, "mean_difference": pair.mean, "sd_difference": pair.sd, "same_until": pair.same_until,
        })
    });
    json!({"first": runs[0].id, "metrics": metrics.collect::<Vec<_>>()})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_paired_at_equal_steps() {
        let first = vec![(0, json!(1.0)), (10, json!(2.0)), (20, json!(3.0)), (30, json!(4.0))];
        let other = vec![(10, json!(2.0)), (15, json!(9.0)), (20, json!(5.0)), (30, json!(8.0))];
        let pair = pair(&first, &other).expect("three steps are common");
        let expected = Pair { steps: 3, last: (30, 4.0, 8.0), mean: 2.0, sd: 2.0, same_until: Some(10) };
        assert_eq!(pair, expected);
    }

    #[test]
    fn runs_without_a_common_step_cannot_be_compared() {
        assert_eq!(pair(&vec![(0, json!(1.0))], &vec![(1, json!(1.0))]), None);
        let nan = json!({"nonfinite": "nan"});
        assert_eq!(pair(&vec![(0, nan.clone())], &vec![(0, nan)]), None);
    }
}

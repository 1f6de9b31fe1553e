//! `vesicle verify`: computes a part of a run again and compares every bit.

use clap::Args;
use experiments::{Advance, Header, Metric};
use serde_json::{Value as Json, json};

use crate::{
    again::{self, Again},
    cli::Global,
    client::Client,
    exit::{Ended, Exit},
    from,
    output::{self, Output},
    series::{self, Window},
    text::{Paint, grouped, short},
};

const EXAMPLES: &str = "\
Examples:
  vesicle verify last/0                     the whole run, from its beginning to its newest checkpoint
  vesicle verify 019a1f2c --from 900        from the checkpoint at step 900
  vesicle verify 019a1f2c --from 0 --to 900 up to the checkpoint at step 900

The run is computed here, from its params, seed, data set and what it builds on, and held against the server: the chain of
hashes over all metrics and the state, both in the checkpoint, every stored value, and the digest if the run has one.
Exit code: 0 if all bits are the same, 1 if not. The first differences are named.";

/// Differences that are printed.
const SHOWN: usize = 10;

/// Compute a part of a run again and compare every bit
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct VerifyArgs {
    /// Id of the run, or JOB/INDEX
    run: String,
    /// Step of the checkpoint to begin from; 0 is the beginning of the run
    #[arg(long, value_name = "STEP", default_value_t = 0)]
    from: u64,
    /// Step of the checkpoint to end at [default: the newest]
    #[arg(long, value_name = "STEP")]
    to: Option<u64>,
    #[command(flatten)]
    output: Output,
}

/// What was compared.
struct Verdict {
    /// Values, recorded and computed.
    values: u64,
    /// Digest, where both sides have one.
    digest: Option<String>,
    /// In words, the first ones.
    differences: Vec<String>,
}

/// Runs the command.
pub(crate) async fn run(args: VerifyArgs, global: &Global) -> Ended {
    let client = global.client()?;
    let again = Again::load(&client, &args.run).await?;
    let id = again.run.id.clone();
    let begin = match args.from {
        0 => None,
        step => Some(from::fetch(&client, &id, Some(step)).await?),
    };
    let end = Header::peek(&from::fetch(&client, &id, args.to).await?)?;
    let mut simulation = again.begin(begin.as_deref())?;
    let first = simulation.step();
    if first > end.step {
        anyhow::bail!(
            "--from is {first}; it must be at most {}, the step of the checkpoint to end at",
            end.step
        );
    }
    let bar = again.bar();
    let (metrics, difference, digest) = tokio::task::block_in_place(|| {
        let metrics = again::advance_to(&mut *simulation, &end, |simulation| {
            bar.step(simulation.step());
            Ok(())
        })?;
        let difference = again::difference(&*simulation, &end)?;
        let is_end = simulation.step() == simulation.steps() && end.observed;
        let digest = match is_end.then(|| simulation.advance()) {
            Some(Advance::Done(digest)) => Some(digest.to_string()),
            _ => None,
        };
        anyhow::Ok((metrics, difference, digest))
    })?;
    bar.finish();
    let window = Window { from: first, to: end.step, every: again.every() };
    let mut verdict = compare(&client, &again, &metrics, window).await?;
    verdict.differences.extend(difference);
    if let (Some(here), Some(there)) = (&digest, &again.run.digest) {
        if here != there {
            verdict.differences.push(format!("the digest is {here}; the server has {there}"));
        }
        verdict.digest = digest;
    }
    tell(&args, &again, (first, end.step), &verdict)
}

/// Holds what was computed against what the server stores.
async fn compare(
    client: &Client,
    again: &Again,
    computed: &[Metric],
    window: Window,
) -> anyhow::Result<Verdict> {
    let mut verdict = Verdict { values: 0, digest: None, differences: Vec::new() };
    // The checkpoint to begin from may have been taken after its step was observed.
    let from = computed.iter().map(|metric| metric.step).min().unwrap_or(window.to.saturating_add(1));
    for name in again.metrics() {
        let mine: Vec<&Metric> = computed.iter().filter(|metric| metric.name == name).collect();
        let theirs = match mine.is_empty() {
            true => Vec::new(),
            false => series::all(client, &again.run.id, name, Window { from, ..window }).await?,
        };
        let mut theirs = theirs.into_iter().peekable();
        for metric in mine {
            verdict.values += 1;
            let here = worker::metric_point(metric.clone()).value.to_json();
            while theirs.next_if(|(step, _)| *step < metric.step).is_some() {}
            let there = theirs.next_if(|(step, _)| *step == metric.step).map(|(_, value)| value);
            if there.as_ref() != Some(&here) {
                verdict.differences.push(words(metric, &here, there.as_ref()));
            }
        }
    }
    Ok(verdict)
}

fn words(metric: &Metric, here: &Json, there: Option<&Json>) -> String {
    let (name, step) = (metric.name, metric.step);
    match there {
        None => format!("{name} at step {step} is not stored"),
        Some(there) if here.is_number() => format!("{name} at step {step} is {here}; the server has {there}"),
        Some(_) => format!("{name} at step {step} has other bits"),
    }
}

fn tell(args: &VerifyArgs, again: &Again, (first, last): (u64, u64), verdict: &Verdict) -> Ended {
    let Verdict { values, digest, differences } = verdict;
    if args.output.json {
        let shown: Vec<&String> = differences.iter().take(SHOWN).collect();
        output::json(&json!({
            "run": again.run.id, "from": first, "to": last, "values": values, "digest": digest,
            "same": differences.is_empty(), "differences": shown,
        }))?;
    } else {
        let paint = Paint::stdout();
        let word = if differences.is_empty() { paint.green("same bits") } else { paint.red("other bits") };
        let (first, last, values) = (grouped(first), grouped(last), grouped(*values));
        let run = format!("{} run {}", again.experiment(), short(&again.run.id));
        output::line(&format!("{word}  {run}, steps {first} to {last}: {values} values, state"))?;
        if let Some(digest) = digest {
            output::line(&format!("digest     {digest}"))?;
        }
        for difference in differences.iter().take(SHOWN) {
            output::line(&format!("  {difference}"))?;
        }
        if differences.len() > SHOWN {
            output::line(&format!("  and {} more", differences.len() - SHOWN))?;
        }
    }
    Ok(if differences.is_empty() { Exit::Ok } else { Exit::Failure })
}

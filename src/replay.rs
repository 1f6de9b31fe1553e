//! `vesicle replay`: a window of a run once more, with what was never recorded.

use std::io::{self, Write};

use anyhow::bail;
use clap::Args;
use experiments::{Advance, Header, Simulation};
use serde_json::Value as Json;

use crate::{
    again::{self, Again},
    cli::Global,
    client::Client,
    exit::{Ended, Exit, Usage},
    from,
    run::Line,
    text::grouped,
};

const EXAMPLES: &str = "\
Examples:
  vesicle replay last/0 --from 1000 --to 1010 --record reconstruction_mse,release_histogram
  vesicle replay 019a1f2c --from 12000 --to 12100 --record state.w > weights.ndjson
  vesicle replay 019a1f2c --from 0 --to 0 --record state | jq '.value | keys'

What can be recorded: every metric, at each step and not only where the run was observed, and the state or a part of it
 (state, state.w, state.layers.0.w). Standard output has one line a value, {\"step\",\"name\",\"value\"}.
The run is computed from its nearest checkpoint before the window, and then on to the next one after it, whose state and
metrics must have the same bits: so the window is that of the run. Exit code: 0, or 1 if they have not.";

/// Compute a window of a run again and record what was not
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ReplayArgs {
    /// Id of the run, or JOB/INDEX
    run: String,
    /// First step of the window
    #[arg(long, value_name = "STEP")]
    from: u64,
    /// Last step of the window
    #[arg(long, value_name = "STEP")]
    to: u64,
    /// Metrics, `state` or parts of it
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', required = true)]
    record: Vec<String>,
    /// Stop at the end of the window, without the check
    #[arg(long)]
    unchecked: bool,
}

/// Runs the command.
pub(crate) async fn run(args: ReplayArgs, global: &Global) -> Ended {
    if args.from > args.to {
        bail!(Usage(format!("--from is {}; it must be at most {}, which --to is", args.from, args.to)));
    }
    let client = global.client()?;
    let again = Again::load(&client, &args.run).await?;
    if args.to > again.run.step {
        let (to, step) = (args.to, again.run.step);
        bail!(Usage(format!("--to is {to}; it must be at most {step}, which the run has reached")));
    }
    check_names(&again, &args.record)?;
    let kept = checkpoints(&client, &again.run.id).await?;
    // One at the first step of the window serves whether that was observed or not: looking changes nothing.
    let before = kept.iter().filter(|(header, _)| header.step <= args.from);
    let begin = before.max_by_key(|(header, _)| header.step).map(|(_, bytes)| bytes.as_slice());
    let after = kept.iter().map(|(header, _)| header).filter(|header| header.step >= args.to);
    let end = after.min_by_key(|header| header.step).filter(|_| !args.unchecked);
    let mut simulation = again.begin(begin)?;
    let replayed = tokio::task::block_in_place(|| replay(&again, &args, &mut *simulation, end))?;
    match (replayed, end) {
        (Some(difference), _) => {
            eprintln!("{difference}: this is not what the run did");
            return Ok(Exit::Failure);
        }
        (None, Some(end)) => {
            let step = grouped(end.step);
            eprintln!("checked: state and metrics up to the checkpoint at step {step} have the same bits");
        }
        (None, None) => eprintln!("not checked: no checkpoint after the window was used"),
    }
    Ok(Exit::Ok)
}

fn check_names(again: &Again, names: &[String]) -> anyhow::Result<()> {
    for name in names {
        let is_state = name == "state" || name.starts_with("state.");
        if !is_state && !again.metrics().any(|metric| metric == name) {
            let metrics: Vec<&str> = again.metrics().collect();
            let experiment = again.experiment();
            let rule = format!(
                "it must be state, a part of it, or a metric of {experiment}: {}",
                metrics.join(", ")
            );
            bail!(Usage(format!("--record has `{name}`; {rule}")));
        }
    }
    Ok(())
}

/// The checkpoints of a run that the server keeps.
async fn checkpoints(client: &Client, run: &str) -> anyhow::Result<Vec<(Header, Vec<u8>)>> {
    let mut kept = Vec::new();
    for step in from::steps(client, run).await? {
        let bytes = from::fetch(client, run, Some(step)).await?;
        kept.push((Header::peek(&bytes)?, bytes));
    }
    Ok(kept)
}

/// Computes and records; answers what differs at the end.
fn replay(
    again: &Again,
    args: &ReplayArgs,
    simulation: &mut dyn Simulation,
    end: Option<&Header>,
) -> anyhow::Result<Option<String>> {
    let bar = again.bar();
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut look = |simulation: &dyn Simulation| {
        let step = simulation.step();
        bar.step(step);
        if (args.from..=args.to).contains(&step) { record(&mut out, args, simulation) } else { Ok(()) }
    };
    look(simulation)?;
    let difference = match end {
        Some(end) => {
            again::advance_to(simulation, end, &mut look)?;
            again::difference(simulation, end)?
        }
        None => {
            while simulation.step() < args.to {
                match simulation.advance() {
                    Advance::Stepped => look(simulation)?,
                    Advance::Observed(_) => {}
                    Advance::Done(_) => break,
                }
            }
            None
        }
    };
    out.flush()?;
    bar.finish();
    Ok(difference)
}

/// One line for each thing that is to be recorded.
fn record(out: &mut impl Write, args: &ReplayArgs, simulation: &dyn Simulation) -> anyhow::Result<()> {
    let (step, is_state) = (simulation.step(), |name: &String| name == "state" || name.starts_with("state."));
    let metrics = match args.record.iter().all(is_state) {
        true => Vec::new(),
        false => simulation.look(),
    };
    let state = args.record.iter().any(is_state).then(|| simulation.state());
    for name in &args.record {
        let value = match (&state, name.strip_prefix("state")) {
            (Some(state), Some(path)) if is_state(name) => part(state, path)?.clone(),
            _ => match metrics.iter().find(|metric| metric.name == name) {
                Some(metric) => worker::metric_point(metric.clone()).value.to_json(),
                // Some metrics belong to some settings only.
                None => continue,
            },
        };
        writeln!(out, "{}", Line { step, name, value })?;
    }
    Ok(())
}

/// `.a.0.b` inside a state.
fn part<'a>(state: &'a Json, path: &str) -> anyhow::Result<&'a Json> {
    let found = state.pointer(&path.replace('.', "/"));
    found.ok_or_else(|| {
        let fields: Vec<&str> =
            state.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        Usage(format!("--record has `state{path}`; the state has no such part; it has {}", fields.join(", ")))
            .into()
    })
}

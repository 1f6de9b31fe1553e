//! `vesicle run`: one run in this process, without a server; its metrics as NDJSON.

use std::{
    io::{self, Write},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use ::gang::Gang;
use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use experiments::{Advance, Digest, Kind, Metric, Setup, Simulation, Source};
use serde_json::{Map, Value as Json, json};

use crate::{
    cli::Global,
    document,
    exit::{Ended, Exit, Usage},
    from::{self, From},
    gang,
    local_data::DataArgs,
    run_bar::RunBar,
    setting,
};

const EXAMPLES: &str = "\
Examples:
  vesicle run rbse --seed 1                            the 8x8 digits, defaults
  vesicle run rbse --set model=B --set r=10 | grep spearman
  vesicle run rbm --preset mnist --dataset mnist-t8k   MNIST, from $VESICLE_DATA/mnist
  vesicle run rbm --images train.idx.gz --labels labels.idx.gz
  vesicle run rbse --checkpoint-to half.ckpt --checkpoint-at 900 > whole.ndjson
  vesicle run rbse --resume-from half.ckpt             the same lines after step 900, the same digest
  vesicle run ablation --set network=given --from network=last/0    builds on a finished run of a server
  vesicle run ablation --set network=given --from network=n.ckpt    the same from a file
  vesicle run rbm --set shards=4 --threads 2           two threads compute each mini-batch
  mpirun -n 4 vesicle run rbm --set shards=4           four processes, the same digest (a build with --features mpi)

Standard output has one line a value, {\"step\",\"name\",\"value\"}, and at the end
{\"outcome\",\"digest\",\"steps\",\"seconds\"}. Repeating a run changes `seconds` only.
Exit code: 0 succeeded, 4 failed (a metric was not finite), 5 cancelled (Ctrl-C).";

/// Run one simulation here, without a server, and print its metrics
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct RunArgs {
    /// Experiment of the catalogue; `vesicle experiments` lists them
    experiment: String,
    /// Threads that compute a run with `shards` together; their number changes no bits
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64))]
    threads: u32,
    /// Randomness key, 0 to 2^53 - 1
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(..1 << 53))]
    seed: u64,
    /// Named set of params to start from instead of the defaults
    #[arg(long, value_name = "NAME")]
    preset: Option<String>,
    /// Param that differs, such as r=10 or model=B; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = setting::assignment)]
    set: Vec<(String, Json)>,
    /// Params from a JSON or TOML file; --set goes on top
    #[arg(long, value_name = "FILE")]
    params: Option<PathBuf>,
    #[command(flatten)]
    data: DataArgs,
    /// Steps between two observations [default: a hundredth of the run]
    #[arg(long, value_name = "STEPS", value_parser = clap::value_parser!(u64).range(1..))]
    every: Option<u64>,
    /// What a metric that is not finite does
    #[arg(long, value_name = "WHAT", default_value = "fail")]
    on_nonfinite: OnNonFinite,
    /// Write a checkpoint here
    #[arg(long, value_name = "FILE", help_heading = "Checkpoints")]
    checkpoint_to: Option<PathBuf>,
    /// At this step, once it is observed; the run goes on [default: the last step]
    #[arg(long, value_name = "STEP", requires = "checkpoint_to", help_heading = "Checkpoints")]
    checkpoint_at: Option<u64>,
    /// Finished run to build on, by what the experiment calls it: a checkpoint file or a run of the server; may be
    /// repeated
    #[arg(long, value_name = "NAME=FILE|RUN[@STEP]", value_parser = from::parse)]
    from: Vec<From>,
    /// Go on from a checkpoint of the same experiment, params, data and seed
    #[arg(long, value_name = "FILE", help_heading = "Checkpoints")]
    resume_from: Option<PathBuf>,
}

/// What a metric that is not finite does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OnNonFinite {
    /// The run fails
    Fail,
    /// The value is printed as it is
    Record,
}

/// How a run ended.
enum Outcome {
    Succeeded(Digest),
    Diverged(String),
    Cancelled,
}

/// Runs the command.
pub(crate) async fn run(args: RunArgs, global: &Global) -> Ended {
    let Some(place) = gang::take_place(args.threads as usize)? else { return Ok(Exit::Ok) };
    let kind = experiments::find(&args.experiment).ok_or_else(|| unknown_experiment(&args.experiment))?;
    let mut sources = Vec::with_capacity(args.from.len());
    for from in &args.from {
        sources.push(from.load(&global.client()?).await?);
    }
    let simulation = prepare(&args, kind, sources, place.gang)?;
    let steps = simulation.steps();
    if let Some(at) = args.checkpoint_at.filter(|&at| at > steps) {
        bail!(Usage(format!("--checkpoint-at is {at}; the run has {steps} steps")));
    }
    let cancelled = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&cancelled);
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            flag.store(true, Ordering::Relaxed);
        }
    });
    let drive = Drive { bar: RunBar::new(kind.name(), args.seed, steps), simulation, args: &args, cancelled };
    // The simulation has this thread for itself; the signal is heard on another.
    tokio::task::block_in_place(|| drive.finish())
}

fn unknown_experiment(name: &str) -> Usage {
    let known: Vec<&str> = experiments::CATALOGUE.iter().map(|kind| kind.name()).collect();
    Usage(format!("experiment `{name}` is not in the catalogue; it has {}", known.join(", ")))
}

fn prepare(
    args: &RunArgs,
    kind: &'static dyn Kind,
    sources: Vec<Source>,
    gang: Gang,
) -> anyhow::Result<Box<dyn Simulation>> {
    let mut overrides: Map<String, Json> =
        args.params.as_deref().map(document::read).transpose()?.unwrap_or_default();
    for (path, value) in &args.set {
        setting::set_path(&mut overrides, path, value.clone());
    }
    let params = kind.resolve(args.preset.as_deref(), &overrides).map_err(|errors| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        Usage(lines.join("\n"))
    })?;
    let data = args.data.load(kind.data_need(&params))?;
    let setup = Setup { params, seed: args.seed, data, sources, every: args.every };
    let Some(path) = &args.resume_from else { return Ok(gang.begin(kind, setup, None)?) };
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let resumed = gang.begin(kind, setup, Some(bytes));
    resumed.with_context(|| format!("cannot resume from {}", path.display()))
}

/// A simulation on its way to the end.
struct Drive<'a> {
    simulation: Box<dyn Simulation>,
    args: &'a RunArgs,
    bar: RunBar,
    cancelled: Arc<AtomicBool>,
}

impl Drive<'_> {
    fn finish(mut self) -> Ended {
        let began = Instant::now();
        let mut out = io::BufWriter::new(io::stdout().lock());
        let outcome = self.advance(&mut out)?;
        self.bar.finish();
        let seconds = began.elapsed().as_secs_f64();
        writeln!(out, "{}", last_line(&outcome, self.simulation.step(), seconds))?;
        out.flush()?;
        Ok(match outcome {
            Outcome::Succeeded(_) => Exit::Ok,
            Outcome::Diverged(_) => Exit::Failed,
            Outcome::Cancelled => Exit::Cancelled,
        })
    }

    fn advance(&mut self, out: &mut impl Write) -> anyhow::Result<Outcome> {
        let checkpoint_at = self.args.checkpoint_at.unwrap_or(self.simulation.steps());
        let checkpoint_to = self.args.checkpoint_to.as_ref();
        while !self.cancelled.load(Ordering::Relaxed) {
            // Whether the step is observed already shows in what comes next, so the state is taken before.
            let due = checkpoint_to.filter(|_| self.simulation.step() == checkpoint_at);
            let checkpoint = due.map(|path| (path, self.simulation.checkpoint()));
            let advance = self.simulation.advance();
            match (&advance, checkpoint) {
                (Advance::Observed(_), _) | (_, None) => {}
                (_, Some((path, bytes))) => {
                    std::fs::write(path, bytes)
                        .with_context(|| format!("cannot write {}", path.display()))?;
                }
            }
            match advance {
                Advance::Stepped => self.bar.step(self.simulation.step()),
                Advance::Observed(metrics) => {
                    self.print(out, &metrics)?;
                    if let Some(diverged) = self.diverged(&metrics) {
                        return Ok(Outcome::Diverged(diverged));
                    }
                }
                Advance::Done(digest) => return Ok(Outcome::Succeeded(digest)),
            }
        }
        Ok(Outcome::Cancelled)
    }

    fn print(&self, out: &mut impl Write, metrics: &[Metric]) -> io::Result<()> {
        for metric in metrics {
            let value = worker::metric_point(metric.clone()).value;
            writeln!(out, "{}", Line { step: metric.step, name: metric.name, value: value.to_json() })?;
            if let jobs::Value::Scalar(x) = value {
                self.bar.scalar(metric.name, x);
            }
        }
        // A reader of the pipe sees each observation when it is made.
        out.flush()
    }

    fn diverged(&self, metrics: &[Metric]) -> Option<String> {
        let metrics = metrics.iter().filter(|_| self.args.on_nonfinite == OnNonFinite::Fail);
        let mut bad = metrics.filter(|metric| !metric.value.is_finite());
        bad.next().map(|metric| format!("metric `{}` is not finite at step {}", metric.name, metric.step))
    }
}

/// `{"step", "name", "value"}` in this order.
pub(crate) struct Line<'a> {
    pub(crate) step: u64,
    pub(crate) name: &'a str,
    pub(crate) value: Json,
}

impl std::fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Metric names are plain words, so they need no escapes.
        write!(f, r#"{{"step":{},"name":"{}","value":{}}}"#, self.step, self.name, self.value)
    }
}

fn last_line(outcome: &Outcome, steps: u64, seconds: f64) -> String {
    let (outcome, digest, failure) = match outcome {
        Outcome::Succeeded(digest) => ("succeeded", json!(digest.to_string()), None),
        Outcome::Diverged(message) => ("failed", Json::Null, Some(message)),
        Outcome::Cancelled => ("cancelled", Json::Null, None),
    };
    let failure =
        failure.map(|message| format!(r#","failure":{}"#, json!({"class": "diverged", "message": message})));
    let seconds = (seconds * 1e3).round() / 1e3;
    format!(
        r#"{{"outcome":"{outcome}","digest":{digest},"steps":{steps},"seconds":{seconds}{}}}"#,
        failure.unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_the_order_of_the_contract() {
        let line = Line { step: 3, name: "mse", value: json!({"nonfinite": "nan"}) };
        assert_eq!(line.to_string(), r#"{"step":3,"name":"mse","value":{"nonfinite":"nan"}}"#);
        let last = last_line(&Outcome::Succeeded(Digest([0xab; 32])), 9, 1.23456);
        let digest = "ab".repeat(32);
        assert_eq!(
            last,
            format!(r#"{{"outcome":"succeeded","digest":"{digest}","steps":9,"seconds":1.235}}"#)
        );
        let last = last_line(&Outcome::Diverged("metric `x` is not finite at step 2".into()), 2, 0.0);
        let last: Json = serde_json::from_str(&last).expect("the last line is JSON");
        assert_eq!(
            (last["outcome"].as_str(), last["failure"]["class"].as_str()),
            (Some("failed"), Some("diverged"))
        );
    }
}

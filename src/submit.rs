//! `vesicle submit`: a job from a file or from flags.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use crate::{
    cli::Global,
    client::Job,
    document,
    exit::{Ended, Exit},
    from::{self, From},
    output, setting,
    text::{Paint, short},
    watch,
};

const EXAMPLES: &str = "\
Examples:
  vesicle submit rbse --seeds 1..3 --watch
  vesicle submit rbse --set model=B --grid r=10,16 --grid p0=0.3,0.5 --seeds 1,2 --name strength
  vesicle submit rbm --preset mnist --dataset mnist --wait
  vesicle submit ablation --set network=given --from network=last/0   builds on run 0 of the newest job
  vesicle submit job.toml --name again          flags go on top of the file
  jq '.seeds=[7]' job.json | vesicle submit -

A job file is JSON or TOML:
  experiment = \"rbse\"
  seeds = { from = 1, count = 3 }
  params = { hidden_units = 64 }
  sweep = { grid = { r = [10, 16], p0 = [0.3, 0.5] } }

Standard output is the id of the job. With --wait or --watch the exit code tells how it ended:
0 succeeded, 4 failed, 5 cancelled. Ctrl-C detaches, it does not cancel.";

/// Submit a job: an experiment, params, perhaps a sweep, seeds
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SubmitArgs {
    /// A job file (.json, .toml, - for standard input) or the name of an experiment
    #[arg(value_name = "FILE|EXPERIMENT")]
    target: String,
    #[command(flatten)]
    spec: SpecArgs,
    /// Follow the job with a live table
    #[arg(long, conflicts_with_all = ["wait", "json"])]
    watch: bool,
    /// Wait in silence until the job has ended
    #[arg(long)]
    wait: bool,
    /// Key that makes a repetition harmless: the same key and job give the same job [default: a new one]
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// Print what would be sent, and send nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    output: output::Output,
}

/// Fields of a job.
#[derive(Debug, Default, Args)]
struct SpecArgs {
    /// A name to find it by
    #[arg(long, help_heading = "Job")]
    name: Option<String>,
    /// Named set of params to start from
    #[arg(long, value_name = "NAME", help_heading = "Job")]
    preset: Option<String>,
    /// Param that differs, such as r=10 or model=B; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = setting::assignment, help_heading = "Job")]
    set: Vec<(String, Json)>,
    /// Params from a JSON or TOML file; --set goes on top
    #[arg(long, value_name = "FILE", help_heading = "Job")]
    params: Option<PathBuf>,
    /// Values to sweep over, such as r=10,16; several make a grid
    #[arg(long, value_name = "KEY=A,B", value_parser = setting::grid, help_heading = "Job")]
    grid: Vec<(String, Vec<Json>)>,
    /// Seeds: 1..3 (1, 2 and 3) or 1,5,9 [default: 1]
    #[arg(long, value_name = "SEEDS", value_parser = setting::seeds, help_heading = "Job")]
    seeds: Option<Json>,
    /// Data set by name or hash; `vesicle data ls` lists them [default: the experiment's]
    #[arg(long, value_name = "NAME", help_heading = "Job")]
    dataset: Option<String>,
    /// Finished run to build on, by what the experiment calls it; RUN as in `vesicle show`, its newest checkpoint
    /// unless a step is given; may be repeated
    #[arg(long, value_name = "NAME=RUN[@STEP]", value_parser = from::parse, help_heading = "Job")]
    from: Vec<From>,
    /// Steps between two observations [default: a hundredth of the run]
    #[arg(long, value_name = "STEPS", help_heading = "Job")]
    every: Option<u64>,
    /// Steps between two checkpoints [default: by time, every 30 s]
    #[arg(long, value_name = "STEPS", help_heading = "Job")]
    checkpoint_every: Option<u64>,
    /// Keep the newest so many checkpoints of a run [default: 2]
    #[arg(long, value_name = "N", help_heading = "Job")]
    keep_last: Option<u32>,
    /// Keep the first checkpoint of every so many steps as well
    #[arg(long, value_name = "STEPS", help_heading = "Job")]
    keep_every: Option<u64>,
    /// Keep the checkpoint at which a metric was greatest as well; METRIC=min: least
    #[arg(long, value_name = "METRIC", value_parser = setting::goal, help_heading = "Job")]
    keep_best: Option<Json>,
    /// Higher goes first, -100 to 100 [default: 0]
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = "Job")]
    priority: Option<i32>,
    /// Free label, such as who=ann; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = setting::assignment, help_heading = "Job")]
    label: Vec<(String, Json)>,
}

/// Runs the command.
pub(crate) async fn run(args: SubmitArgs, global: &Global) -> Ended {
    let base = match document::is_file(&args.target) {
        true => document::read(Path::new(&args.target))?,
        false => Map::from_iter([("experiment".to_owned(), json!(args.target))]),
    };
    let sources = args.spec.sources(global).await?;
    let spec = Json::Object(args.spec.laid_over(base, sources)?);
    if args.dry_run {
        output::json(&spec)?;
        return Ok(Exit::Ok);
    }
    let client = global.client()?;
    // Made once: however often the request is sent, it is one job.
    let key = args.idempotency_key.unwrap_or_else(|| Uuid::now_v7().to_string());
    let answer = client.submit(&spec, &key).await?;
    let job: Job = serde_json::from_value(answer.clone())?;
    let waits = args.wait || args.watch;
    if args.output.json && !waits {
        output::json(&answer)?;
    } else if !args.output.json {
        output::line(&job.id)?;
    }
    if !waits {
        tell(&job);
        return Ok(Exit::Ok);
    }
    let exit = match args.watch {
        true => watch::follow(&client.clone().patient(), &job, None).await?,
        false => watch::wait(&client.clone().patient(), &job.id).await?,
    };
    if args.output.json && exit != Exit::Interrupted {
        output::json(&client.get(&format!("/jobs/{}", job.id)).await?)?;
    }
    Ok(exit)
}

fn tell(job: &Job) {
    let runs = if job.runs.total == 1 { "1 run".to_owned() } else { format!("{} runs", job.runs.total) };
    let name = job.name.as_deref().unwrap_or(&job.experiment);
    let hint = format!("vesicle watch {}", short(&job.id));
    eprintln!("submitted {name}: {runs}; follow with `{}`", Paint::stderr().bold(&hint));
}

impl SpecArgs {
    /// What `--from` names, with the ids that the server knows.
    async fn sources(&self, global: &Global) -> anyhow::Result<Vec<Json>> {
        let mut sources = Vec::with_capacity(self.from.len());
        for from in &self.from {
            sources.push(from.spec(&global.client()?).await?);
        }
        Ok(sources)
    }

    /// The fields that were given, on top of `spec`.
    fn laid_over(self, mut spec: Map<String, Json>, sources: Vec<Json>) -> anyhow::Result<Map<String, Json>> {
        let mut params = self.params.as_deref().map(document::read).transpose()?.unwrap_or_default();
        if let Some(Json::Object(base)) = spec.get("params") {
            params = base.clone().into_iter().chain(params).collect();
        }
        for (path, value) in self.set {
            setting::set_path(&mut params, &path, value);
        }
        if !params.is_empty() {
            spec.insert("params".into(), Json::Object(params));
        }
        if !self.grid.is_empty() {
            spec.insert("sweep".into(), json!({"grid": Map::from_iter(grid(self.grid))}));
        }
        for (key, value) in self.label {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            setting::set_path(&mut spec, &format!("labels.{key}"), Json::from(text));
        }
        let keep = [
            ("last", self.keep_last.map(Json::from)),
            ("every_steps", self.keep_every.map(Json::from)),
            ("best", self.keep_best),
        ];
        for (rule, value) in keep.into_iter().filter_map(|(rule, value)| Some((rule, value?))) {
            setting::set_path(&mut spec, &format!("keep.{rule}"), value);
        }
        let given = [
            ("name", self.name.map(Json::from)),
            ("preset", self.preset.map(Json::from)),
            ("seeds", self.seeds),
            ("dataset", self.dataset.map(Json::from)),
            ("from", Some(sources).filter(|sources| !sources.is_empty()).map(Json::from)),
            ("every", self.every.map(Json::from)),
            ("checkpoint_every_steps", self.checkpoint_every.map(Json::from)),
            ("priority", self.priority.map(Json::from)),
        ];
        spec.extend(given.into_iter().filter_map(|(field, value)| Some((field.to_owned(), value?))));
        Ok(spec)
    }
}

fn grid(grid: Vec<(String, Vec<Json>)>) -> impl Iterator<Item = (String, Json)> {
    grid.into_iter().map(|(path, values)| (path, Json::from(values)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_go_on_top_of_the_file() {
        let base = json!({"experiment": "rbse", "name": "old", "params": {"r": 1, "p0": 0.5}});
        let Json::Object(base) = base else { unreachable!("it is an object") };
        let flags = SpecArgs {
            name: Some("new".into()),
            set: vec![("r".into(), json!(10)), ("a.b".into(), json!(2))],
            grid: vec![("cd_k".into(), vec![json!(1), json!(2)])],
            seeds: Some(json!([7])),
            label: vec![("who".into(), json!("ann")), ("n".into(), json!(3))],
            ..SpecArgs::default()
        };
        let source = json!({"as": "network", "run": "019b0a12", "step": "last"});
        let expected = json!({
            "from": [source],
            "experiment": "rbse", "name": "new", "params": {"r": 10, "p0": 0.5, "a": {"b": 2}},
            "sweep": {"grid": {"cd_k": [1, 2]}}, "seeds": [7], "labels": {"who": "ann", "n": "3"},
        });
        assert_eq!(
            Json::Object(flags.laid_over(base, vec![source.clone()]).expect("no file to read")),
            expected
        );
    }
}

//! `vesicle fork`: a run once more from one of its checkpoints, with something changed.

use clap::Args;
use experiments::{FORK, default_every};
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use crate::{
    cli::Global,
    client::Job,
    exit::{Ended, Exit},
    output::{self, Output},
    setting,
    text::{Paint, short},
    watch,
};

const EXAMPLES: &str = "\
Examples:
  vesicle fork last/0 --at 900 --set r=30 --watch      what if the release rate had been learned faster from here on?
  vesicle fork 019a1f2c --grid eta_w=0.01,0.1          two of them, from the newest checkpoint
  vesicle fork 019a1f2c --at 900 --seeds 1..20         the same state, twenty futures
  vesicle fork 019a1f2c --set epochs=60                learns for longer

A fork has the seed of its run unless --seeds says otherwise: it meets the same random numbers at the same steps, so that a
difference between the two (`vesicle compare`) comes from the change alone. It can change the params that
leave the shape of the state as it is; `vesicle experiments NAME` names them.
Standard output is the id of the new job.";

/// Go on from a checkpoint of a run with something changed, under the same random numbers
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ForkArgs {
    /// Id of the run, or JOB/INDEX
    run: String,
    /// Step of the checkpoint [default: the newest]
    #[arg(long, value_name = "STEP")]
    at: Option<u64>,
    /// Param that differs, such as r=10; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = setting::assignment)]
    set: Vec<(String, Json)>,
    /// Values to sweep over, such as r=10,16; several make a grid
    #[arg(long, value_name = "KEY=A,B", value_parser = setting::grid)]
    grid: Vec<(String, Vec<Json>)>,
    /// Seeds: 1..3 (1, 2 and 3) or 1,5,9 [default: that of the run]
    #[arg(long, value_name = "SEEDS", value_parser = setting::seeds)]
    seeds: Option<Json>,
    /// A name to find it by
    #[arg(long)]
    name: Option<String>,
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
    output: Output,
}

/// Runs the command.
pub(crate) async fn run(args: ForkArgs, global: &Global) -> Ended {
    let client = global.client()?;
    let run = client.run(&args.run).await?;
    let job: Json = client.get(&format!("/jobs/{}", run.job_id)).await?;
    let spec = spec(&args, &json!({"id": run.id, "seed": run.seed, "steps": run.steps}), &run.params, &job);
    if args.dry_run {
        output::json(&spec)?;
        return Ok(Exit::Ok);
    }
    // Made once: however often the request is sent, it is one job.
    let key = args.idempotency_key.unwrap_or_else(|| Uuid::now_v7().to_string());
    let answer = client.submit(&spec, &key).await?;
    let job: Job = serde_json::from_value(answer.clone())?;
    match args.output.json {
        true => output::json(&answer)?,
        false => output::line(&job.id)?,
    }
    match (args.watch, args.wait) {
        (true, _) => watch::follow(&client.patient(), &job, None).await,
        (_, true) => watch::wait(&client.patient(), &job.id).await,
        _ => {
            let hint = format!("vesicle watch {}", short(&job.id));
            eprintln!("forked; follow with `{}`", Paint::stderr().bold(&hint));
            Ok(Exit::Ok)
        }
    }
}

/// The job that goes on from `run`, which is of `job`.
fn spec(args: &ForkArgs, run: &Json, params: &Map<String, Json>, job: &Json) -> Json {
    let mut params = params.clone();
    for (path, value) in &args.set {
        setting::set_path(&mut params, path, value.clone());
    }
    // What the run builds on by the ids that it was resolved to, and the run itself.
    let source = |source: &Json| json!({"as": source["as"], "run": source["run"], "step": source["step"]});
    let others = job["from"].as_array().into_iter().flatten().filter(|source| source["as"] != FORK);
    let mut from: Vec<Json> = others.map(source).collect();
    from.push(
        json!({"as": FORK, "run": run["id"], "step": args.at.map_or(json!("last"), |step| json!(step))}),
    );
    let steps = run["steps"].as_u64().unwrap_or_default();
    let mut spec = json!({
        "experiment": job["experiment"], "version": job["version"], "params": params, "from": from,
        "seeds": args.seeds.clone().unwrap_or_else(|| json!([run["seed"]])),
        // As often as the run, even if the fork is longer: then both have values at the same steps.
        "every": job["spec"]["every"].as_u64().unwrap_or_else(|| default_every(steps)),
    });
    let sweep: Map<String, Json> =
        args.grid.iter().cloned().map(|(key, values)| (key, values.into())).collect();
    let kept = ["limits", "on_nonfinite", "requires", "checkpoint_every_steps", "keep", "priority"];
    let mut more: Vec<(&str, Json)> =
        kept.iter().map(|field| (*field, job["spec"][*field].clone())).collect();
    more.push(("dataset", job["dataset"].clone()));
    more.push(("name", json!(args.name)));
    more.push(("sweep", if sweep.is_empty() { Json::Null } else { json!({"grid": sweep}) }));
    for (field, value) in more.into_iter().filter(|(_, value)| !value.is_null()) {
        spec[field] = value;
    }
    spec
}

//! Runs the jobs and gathers what they measured.

use std::collections::BTreeMap;

use experiments::{FindingJob, Results};
use serde_json::Value as Json;
use uuid::Uuid;

use super::{
    plan::{Plan, Task},
    progress,
};
use crate::{
    client::{Client, ClientError, Job, Rows, Run, scalar},
    data::{self, Upload},
    local_data,
};

/// The values of one metric at one step.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Values {
    /// Size along each dimension; empty for a number.
    pub(super) shape: Vec<usize>,
    /// In C order.
    pub(super) data: Vec<f64>,
}

/// What came out of one run.
#[derive(Debug, Clone, Default)]
pub(super) struct Measurement {
    /// Why it has no result.
    pub(super) failure: Option<String>,
    /// Final values.
    pub(super) last: BTreeMap<String, Values>,
    /// Values by step.
    pub(super) courses: BTreeMap<String, Vec<(u64, Values)>>,
    /// Its digest.
    pub(super) digest: Option<String>,
}

/// What came out of all runs, by the identity of the job and the seed.
#[derive(Debug, Default)]
pub(super) struct Gathered(pub(super) BTreeMap<(String, u64), Measurement>);

impl Gathered {
    /// The run of a job with a seed.
    ///
    /// # Errors
    /// Why there is no result.
    pub(super) fn run(&self, job: &FindingJob, seed: u64) -> Result<&Measurement, String> {
        let found = self.0.get(&(job.identity()?, seed)).ok_or("it was not run")?;
        found.failure.as_ref().map_or(Ok(found), |failure| Err(failure.clone()))
    }
}

impl Results for Gathered {
    fn last(&self, job: &FindingJob, seed: u64, metric: &str) -> Result<Vec<f64>, String> {
        let found = self.run(job, seed)?.last.get(metric);
        found.map(|values| values.data.clone()).ok_or_else(|| format!("`{metric}` was not observed"))
    }
}

/// Runs every task of the plan on the server.
///
/// With `keep` a job that the server has already from an earlier call is taken up rather than run again.
///
/// # Errors
/// If the server cannot be reached. A job that is refused or a run that fails is part of the result.
pub(super) async fn gather(url: &str, plan: &Plan, keep: bool) -> anyhow::Result<Gathered> {
    let client = Client::new(url)?.patient();
    for name in plan.datasets() {
        add(&client, name).await?;
    }
    let mut gathered = Gathered::default();
    let mut jobs = Vec::with_capacity(plan.tasks.len());
    for task in &plan.tasks {
        match submit(&client, task, keep).await {
            Ok(job) => jobs.push((task, job)),
            Err(ClientError::Problem(problem)) => gathered.refused(task, &problem.to_string()),
            Err(error) => return Err(error.into()),
        }
    }
    progress::follow(&client, jobs.iter().map(|(_, job)| job)).await?;
    for (task, job) in jobs {
        for run in client.runs(&job.id).await? {
            let measurement = measure(&client, task, &run).await?;
            gathered.0.insert((task.identity.clone(), run.seed), measurement);
        }
    }
    Ok(gathered)
}

impl Gathered {
    fn refused(&mut self, task: &Task, reason: &str) {
        for &seed in &task.seeds {
            let failure = Some(format!("the job was refused: {reason}"));
            let measurement = Measurement { failure, ..Measurement::default() };
            self.0.insert((task.identity.clone(), seed), measurement);
        }
    }
}

/// Data sets that findings use, and whose they are.
const ATTRIBUTIONS: [(&str, &str); 3] = [
    ("fsdd", "Z. Jackson and others, Free Spoken Digit Dataset, CC BY-SA 4.0"),
    ("mnist-t8k", "Y. LeCun, C. Cortes, C. J. C. Burges, The MNIST database"),
    ("fashion-mnist", "H. Xiao, K. Rasul, R. Vollgraf, arXiv:1708.07747, MIT licence"),
];

/// Uploads a data set that is at hand; one that is not must be on the server.
async fn add(client: &Client, name: &str) -> anyhow::Result<()> {
    if let Ok(Some(bif)) = local_data::network_file(name) {
        let upload = Upload { bif: Some(bif), ..Upload::default() };
        data::upload(client, name, &upload).await?;
        return Ok(());
    }
    let attribution = ATTRIBUTIONS.iter().find(|(known, _)| *known == name).map(|(_, whose)| (*whose).into());
    if let Ok(Some(archive)) = local_data::archive_file(name) {
        let upload = Upload { audio: Some(archive), attribution, ..Upload::default() };
        data::upload(client, name, &upload).await?;
        return Ok(());
    }
    let Ok(files) = local_data::files(name) else { return Ok(()) };
    let upload = Upload {
        images: Some(files.images),
        labels: Some(files.labels),
        test_images: Some(files.test_images),
        test_labels: Some(files.test_labels),
        max: Some(255),
        attribution,
        ..Upload::default()
    };
    data::upload(client, name, &upload).await?;
    Ok(())
}

/// Why data sets of the plan can be had nowhere: neither in `VESICLE_DATA` nor on the server, if one is given.
///
/// # Errors
/// If the server cannot be reached.
pub(super) async fn lacking(url: Option<&String>, plan: &Plan) -> anyhow::Result<BTreeMap<String, String>> {
    let mut lacking = BTreeMap::new();
    for name in plan.datasets() {
        if let Err(error) = local_data::at_hand(name) {
            lacking.insert(name.to_owned(), error.to_string());
        }
    }
    if let Some(url) = url.filter(|_| !lacking.is_empty()) {
        for name in data::names(&Client::new(url)?).await? {
            lacking.remove(&name);
        }
    }
    Ok(lacking)
}

async fn submit(client: &Client, task: &Task, keep: bool) -> Result<Job, ClientError> {
    let (spec, fresh) = (task.spec(), Uuid::now_v7().to_string());
    let parse =
        |answer: Json| serde_json::from_value::<Job>(answer).expect("a server answers a job with a job");
    if keep {
        let version = experiments::find(&task.job.experiment).map_or(0, experiments::Kind::version);
        let text = format!("{} {version} {spec}", env!("CARGO_PKG_VERSION"));
        let key = format!("reproduce-{}", blake3::hash(text.as_bytes()).to_hex());
        let job = parse(client.submit(&spec, &key).await?);
        if job.runs.failed + job.runs.cancelled == 0 {
            return Ok(job);
        }
    }
    Ok(parse(client.submit(&spec, &fresh).await?))
}

async fn measure(client: &Client, task: &Task, run: &Run) -> anyhow::Result<Measurement> {
    let mut measurement = Measurement { digest: run.digest.clone(), ..Measurement::default() };
    if run.state != "succeeded" {
        let why = run.failure.as_ref().map(|failure| format!(" ({}): {}", failure.class, failure.message));
        measurement.failure = Some(format!("the run {}{}", run.state, why.unwrap_or_default()));
        return Ok(measurement);
    }
    let numbers = run.scalars.iter().filter_map(|(name, value)| Some((name.clone(), scalar(value)?)));
    measurement.last = numbers.map(|(name, x)| (name, Values { shape: vec![], data: vec![x] })).collect();
    for name in &task.lists {
        let path = format!("/runs/{}/metrics/{name}?from=last&format=json", run.id);
        let Rows { rows } = client.get(&path).await?;
        if let Some((_, value)) = rows.last() {
            measurement.last.insert(name.clone(), values(value));
        }
    }
    for name in &task.courses {
        let path = format!("/runs/{}/metrics/{name}?points=500&format=json", run.id);
        let Rows { rows } = client.get(&path).await?;
        let course = rows.iter().map(|(step, value)| (*step, values(value))).collect();
        measurement.courses.insert(name.clone(), course);
    }
    Ok(measurement)
}

/// A value as it travels with `format=json`: a number, nested lists, or edges and counts (edges first).
fn values(json: &Json) -> Values {
    if let (Some(edges), Some(counts)) = (json["edges"].as_array(), json["counts"].as_array()) {
        let data = edges.iter().chain(counts).map(|x| scalar(x).unwrap_or(f64::NAN)).collect();
        return Values { shape: vec![edges.len(), counts.len()], data };
    }
    let (mut shape, mut level) = (Vec::new(), json);
    while let Some(list) = level.as_array() {
        shape.push(list.len());
        let Some(first) = list.first() else { break };
        level = first;
    }
    let mut data = Vec::new();
    flatten(json, &mut data);
    Values { shape, data }
}

fn flatten(json: &Json, data: &mut Vec<f64>) {
    match json.as_array() {
        Some(list) => list.iter().for_each(|inner| flatten(inner, data)),
        None => data.push(scalar(json).unwrap_or(f64::NAN)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_keep_their_shape() {
        assert_eq!(values(&json!(0.5)), Values { shape: vec![], data: vec![0.5] });
        let matrix = values(&json!([[1, 2, 3], [4, 5, {"nonfinite": "inf"}]]));
        assert_eq!(matrix, Values { shape: vec![2, 3], data: vec![1.0, 2.0, 3.0, 4.0, 5.0, f64::INFINITY] });
        let histogram = values(&json!({"edges": [0.0, 0.5, 1.0], "counts": [3, 4]}));
        assert_eq!(histogram, Values { shape: vec![3, 2], data: vec![0.0, 0.5, 1.0, 3.0, 4.0] });
    }

    #[test]
    fn a_run_without_result_says_why() {
        let params = serde_json::Map::new();
        let job = FindingJob { experiment: "rbse".into(), preset: None, params, dataset: None };
        let mut gathered = Gathered::default();
        assert!(gathered.last(&job, 1, "x").expect_err("nothing ran").contains("not run"));
        let identity = job.identity().expect("defaults are valid");
        let failure = Some("the run failed (crash): oh".to_owned());
        gathered.0.insert((identity.clone(), 1), Measurement { failure, ..Measurement::default() });
        assert!(gathered.last(&job, 1, "x").expect_err("it failed").contains("oh"));
        gathered.0.insert((identity, 2), Measurement::default());
        assert!(gathered.last(&job, 2, "x").expect_err("no such metric").contains("`x`"));
    }
}

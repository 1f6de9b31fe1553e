//! What a run gives when nothing disturbs it: the output of `vesicle run`.

use std::{collections::BTreeMap, path::Path};

use base64::{Engine, prelude::BASE64_STANDARD};
use futures::{StreamExt, stream};
use serde_json::Value as Json;

use super::child::command;

/// One value, bit for bit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Bits {
    /// The 64 bits of a double.
    Scalar(u64),
    /// A double that JSON cannot say: `nan`, `inf` or `-inf`.
    NonFinite(String),
    /// Type, shape and bytes.
    Array { dtype: String, shape: Vec<u64>, data: Vec<u8> },
}

impl Bits {
    /// As JSON on the command line and in REST says it.
    pub(crate) fn of_json(value: &Json) -> Self {
        if let Some(x) = value.as_f64() {
            return Self::Scalar(x.to_bits());
        }
        if let Some(what) = value["nonfinite"].as_str() {
            return Self::NonFinite(what.to_owned());
        }
        let data = value["data"].as_str().unwrap_or_else(|| panic!("no value of a metric: {value}"));
        Self::Array {
            dtype: value["dtype"].as_str().expect("an array names its type").to_owned(),
            shape: value["shape"].as_array().into_iter().flatten().filter_map(Json::as_u64).collect(),
            data: BASE64_STANDARD.decode(data).expect("an array is base64"),
        }
    }
}

/// The whole result of an undisturbed run.
#[derive(Debug, Clone)]
pub(crate) struct Reference {
    pub(crate) digest: String,
    /// By (name, step).
    pub(crate) values: BTreeMap<(String, u64), Bits>,
}

impl Reference {
    /// Runs `vesicle run` with these params and waits for it; `from` is what it builds on, `NAME=FILE`.
    async fn of(
        experiment: &str,
        params: &Json,
        seed: u64,
        every: Option<u64>,
        from: Option<&str>,
        dir: &Path,
    ) -> Self {
        let file = dir.join(format!("params-{}.json", uuid::Uuid::now_v7()));
        std::fs::write(&file, params.to_string()).expect("the temporary directory can be written");
        let (file, seed) = (file.display().to_string(), seed.to_string());
        let mut args = vec!["run", experiment, "--params", &file, "--seed", &seed];
        let every = every.map(|every| every.to_string());
        if let Some(every) = &every {
            args.extend(["--every", every]);
        }
        if let Some(from) = from {
            args.extend(["--from", from]);
        }
        let output = command(&args, &[]).output().await.expect("the binary under test can be started");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "vesicle {}: {}\n{said}", args.join(" "), output.status);
        Self::of_lines(&String::from_utf8(output.stdout).expect("NDJSON is UTF-8"))
    }

    fn of_lines(text: &str) -> Self {
        let mut values = BTreeMap::new();
        let mut digest = None;
        for line in text.lines() {
            let line: Json = serde_json::from_str(line).unwrap_or_else(|e| panic!("{line} is no JSON: {e}"));
            if let Some(name) = line["name"].as_str() {
                let key = (name.to_owned(), line["step"].as_u64().expect("a line has a step"));
                let before = values.insert(key, Bits::of_json(&line["value"]));
                assert!(before.is_none(), "`vesicle run` printed {line} twice");
            } else {
                assert_eq!(line["outcome"], "succeeded", "{line}");
                digest = line["digest"].as_str().map(str::to_owned);
            }
        }
        Self { digest: digest.expect("the last line has the digest"), values }
    }
}

/// The undisturbed results of the runs of a job as REST lists them, by run id; two at a time.
pub(crate) async fn undisturbed(spec: &Json, runs: &[Json], dir: &Path) -> BTreeMap<String, Reference> {
    undisturbed_from(spec, runs, None, dir).await
}

/// The same of runs that build on a checkpoint, `NAME=FILE`.
pub(crate) async fn undisturbed_from(
    spec: &Json,
    runs: &[Json],
    from: Option<&str>,
    dir: &Path,
) -> BTreeMap<String, Reference> {
    let experiment = spec["experiment"].as_str().expect("a job names its experiment");
    let one = async |run: &Json| {
        let seed = run["seed"].as_u64().expect("a run has a seed");
        let every = spec["every"].as_u64();
        let reference = Reference::of(experiment, &run["params"], seed, every, from, dir).await;
        (run["id"].as_str().expect("a run has an id").to_owned(), reference)
    };
    stream::iter(runs).map(one).buffer_unordered(2).collect().await
}

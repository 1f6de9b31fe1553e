//! `--from network=RUN`: finished runs that a run builds on, from a server or from files.

use std::path::Path;

use anyhow::Context;
use experiments::Source;
use serde_json::{Value as Json, json};

use crate::{client::Client, exit::Usage};

/// What `--from` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct From {
    name: String,
    run: String,
    step: Option<u64>,
}

/// `name=RUN` or `name=RUN@STEP`.
///
/// # Errors
/// If there is no `=`, or nothing on one of its sides.
pub(crate) fn parse(text: &str) -> Result<From, String> {
    let Some((name, run)) = text.split_once('=').filter(|(name, run)| !name.is_empty() && !run.is_empty())
    else {
        return Err(format!("`{text}` names no run; write network=RUN or network=RUN@STEP"));
    };
    // The name of a file may hold an @ as well: only a step or `last` behind it is one.
    let (run, step) = match run.rsplit_once('@') {
        Some((run, "last")) => (run, None),
        Some((before, step)) => match step.parse() {
            Ok(step) => (before, Some(step)),
            Err(_) => (run, None),
        },
        None => (run, None),
    };
    Ok(From { name: name.to_owned(), run: run.to_owned(), step })
}

impl From {
    /// As a job says it, with the whole id of the run.
    ///
    /// # Errors
    /// If the server does not know the run.
    pub(crate) async fn spec(&self, client: &Client) -> anyhow::Result<Json> {
        let run = client.run(&self.run).await?;
        let step = self.step.map_or(json!("last"), |step| json!(step));
        Ok(json!({"as": self.name, "run": run.id, "step": step}))
    }

    /// The source itself: from the file of this name if there is one, else from the server.
    ///
    /// # Errors
    /// If it cannot be had or read.
    pub(crate) async fn load(&self, client: &Client) -> anyhow::Result<Source> {
        let path = Path::new(&self.run);
        let bytes = if path.is_file() {
            if self.step.is_some() {
                return Err(Usage(format!("{} is a file with one step; leave @STEP out", self.run)).into());
            }
            std::fs::read(path).with_context(|| format!("cannot read {}", self.run))?
        } else {
            let fetched = fetch(client, &self.run, self.step).await;
            fetched
                .with_context(|| format!("`{}` is no file here; asking for a run of this name", self.run))?
        };
        Source::read(&self.name, &bytes).with_context(|| format!("cannot build on {}", self.run))
    }
}

/// A checkpoint of a run; the newest without a step.
///
/// # Errors
/// If the server does not have it.
pub(crate) async fn fetch(client: &Client, run: &str, step: Option<u64>) -> anyhow::Result<Vec<u8>> {
    let run = client.run(run).await?;
    let step = step.map(|step| format!("?step={step}")).unwrap_or_default();
    Ok(client.get_bytes(&format!("/runs/{}/checkpoint{step}", run.id)).await?)
}

/// Steps of the checkpoints of a run that the server keeps, newest first.
///
/// # Errors
/// If the server does not know the run.
pub(crate) async fn steps(client: &Client, run: &str) -> anyhow::Result<Vec<u64>> {
    let all: Json = client.get(&format!("/runs/{run}/checkpoints")).await?;
    Ok(all["checkpoints"].as_array().into_iter().flatten().filter_map(|one| one["step"].as_u64()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_a_name_and_a_run_perhaps_with_a_step() {
        let from = |name: &str, run: &str, step| From { name: name.into(), run: run.into(), step };
        for (text, expected) in [
            ("network=last/0", from("network", "last/0", None)),
            ("network=019b0a12@1950", from("network", "019b0a12", Some(1950))),
            ("network=last/3@last", from("network", "last/3", None)),
            ("net=me@home.ckpt", from("net", "me@home.ckpt", None)),
            ("net=a=b.ckpt", from("net", "a=b.ckpt", None)),
        ] {
            assert_eq!(parse(text), Ok(expected));
        }
        for text in ["network", "=019b0a12", "network="] {
            assert!(parse(text).is_err_and(|why| why.contains("network=RUN")), "{text}");
        }
    }
}

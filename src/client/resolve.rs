//! From what a person types to a job or run: an id, its first characters, `last`, or `JOB/INDEX` for a run.

use serde::Deserialize;

use super::{Client, ClientError, Job, Result, Run};

const SHORTEST: usize = 6;

#[derive(Deserialize)]
struct JobPage {
    jobs: Vec<Job>,
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct RunPage {
    runs: Vec<Run>,
    next_cursor: Option<String>,
}

/// A job or a run.
pub(crate) enum Found {
    /// A job.
    Job(Box<Job>),
    /// A run.
    Run(Box<Run>),
}

impl Client {
    /// The newest jobs, at most `limit`.
    pub(crate) async fn jobs(&self, limit: usize) -> Result<Vec<Job>> {
        let (mut jobs, mut cursor) = (Vec::new(), String::new());
        while jobs.len() < limit {
            let page: JobPage =
                self.get(&format!("/jobs?limit={}{cursor}", (limit - jobs.len()).min(500))).await?;
            jobs.extend(page.jobs);
            match page.next_cursor {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        Ok(jobs)
    }

    /// All runs of a job, by index.
    pub(crate) async fn runs(&self, job: &str) -> Result<Vec<Run>> {
        let (mut runs, mut cursor) = (Vec::new(), String::new());
        loop {
            let page: RunPage = self.get(&format!("/jobs/{job}/runs?limit=500{cursor}")).await?;
            runs.extend(page.runs);
            match page.next_cursor {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok(runs),
            }
        }
    }

    /// The job that `text` names; the server knows which ids begin so.
    pub(crate) async fn job(&self, text: &str) -> Result<Job> {
        if text == "last" {
            let none = || ClientError::NoSuchId("there is no job yet; `vesicle submit` makes one".into());
            return self.jobs(1).await?.pop().ok_or_else(none);
        }
        self.get(&format!("/jobs/{}", id(text, "job")?)).await
    }

    /// The run that `text` names.
    pub(crate) async fn run(&self, text: &str) -> Result<Run> {
        let Some((job, index)) = text.split_once('/') else {
            return self.get(&format!("/runs/{}", id(text, "run")?)).await;
        };
        let job = self.job(job).await?;
        let found = self.runs(&job.id).await?.into_iter().find(|run| index.parse() == Ok(run.index));
        let missing =
            || format!("job {} has no run {index}; it has {}, counted from 0", job.id, job.runs.total);
        found.ok_or_else(|| ClientError::NoSuchId(missing()))
    }

    /// The job or run that `text` names.
    pub(crate) async fn find(&self, text: &str) -> Result<Found> {
        if text.contains('/') {
            return Ok(Found::Run(Box::new(self.run(text).await?)));
        }
        match self.job(text).await {
            Ok(job) => Ok(Found::Job(Box::new(job))),
            Err(error) if error.is_not_found() => Ok(Found::Run(Box::new(self.run(text).await?))),
            Err(error) => Err(error),
        }
    }
}

/// An id or the beginning of one.
fn id<'a>(text: &'a str, what: &str) -> Result<&'a str> {
    let rule = match () {
        () if !text.chars().all(|c| c.is_ascii_hexdigit() || c == '-') => "is no id; `vesicle ls` lists them",
        () if text.len() < SHORTEST => "is too short; give at least 6 characters of the id",
        () => return Ok(text),
    };
    Err(ClientError::NoSuchId(format!("{what} `{text}` {rule}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_of_an_id_is_enough_if_it_has_six_characters() {
        assert_eq!(id("019b0A", "job"), Ok("019b0A"));
        let short = id("019b0", "job").expect_err("five characters").to_string();
        assert_eq!(short, "job `019b0` is too short; give at least 6 characters of the id");
    }

    #[test]
    fn text_that_is_no_id_never_reaches_a_path() {
        assert!(id("../workers", "run").is_err() && id("newest", "run").is_err());
    }
}

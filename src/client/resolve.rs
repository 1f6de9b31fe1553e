//! From what a person types to an id: a whole id, a prefix that only one has, `last`, or `JOB/INDEX` for a run.

use serde::Deserialize;

use super::{Client, ClientError, Job, Result, Run};

const SHORTEST: usize = 6;
const WHOLE: usize = 36;

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
        let (mut jobs, mut cursor) = (Vec::new(), None::<String>);
        while jobs.len() < limit {
            let page = (limit - jobs.len()).min(500);
            let after = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
            let page: JobPage = self.get(&format!("/jobs?limit={page}{after}")).await?;
            jobs.extend(page.jobs);
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
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

    /// The job that `text` names.
    pub(crate) async fn job(&self, text: &str) -> Result<Job> {
        if text.len() == WHOLE {
            return self.get(&format!("/jobs/{text}")).await;
        }
        if text == "last" {
            let newest = self.jobs(1).await?.pop();
            return newest.ok_or_else(|| ClientError::NoSuchId("there is no job yet; `vesicle submit` makes one".into()));
        }
        let jobs = self.jobs(usize::MAX).await?;
        let id = only(text, "job", jobs.iter().map(|job| job.id.as_str()))?.to_owned();
        self.get(&format!("/jobs/{id}")).await
    }

    /// The run that `text` names.
    pub(crate) async fn run(&self, text: &str) -> Result<Run> {
        if text.len() == WHOLE {
            return self.get(&format!("/runs/{text}")).await;
        }
        if let Some((job, index)) = text.split_once('/') {
            let job = self.job(job).await?;
            let missing = || format!("job {} has no run {index}; it has {} from 0 on", job.id, job.runs.total);
            let runs = self.runs(&job.id).await?;
            let found = runs.into_iter().find(|run| index.parse() == Ok(run.index));
            return found.ok_or_else(|| ClientError::NoSuchId(missing()));
        }
        check_length(text, "run")?;
        let mut runs = Vec::new();
        for job in self.jobs(usize::MAX).await? {
            runs.extend(self.runs(&job.id).await?.into_iter().map(|run| run.id));
        }
        let id = only(text, "run", runs.iter().map(String::as_str))?;
        self.get(&format!("/runs/{id}")).await
    }

    /// The job or run that `text` names.
    pub(crate) async fn find(&self, text: &str) -> Result<Found> {
        if text.contains('/') {
            return Ok(Found::Run(Box::new(self.run(text).await?)));
        }
        match self.job(text).await {
            Ok(job) => Ok(Found::Job(Box::new(job))),
            Err(ClientError::NoSuchId(_)) if text != "last" => Ok(Found::Run(Box::new(self.run(text).await?))),
            Err(error) if error.is_not_found() => Ok(Found::Run(Box::new(self.run(text).await?))),
            Err(error) => Err(error),
        }
    }
}

fn check_length(prefix: &str, what: &str) -> Result<()> {
    if prefix.len() >= SHORTEST {
        return Ok(());
    }
    let rule = format!("{what} `{prefix}` is too short; give at least {SHORTEST} characters of its id");
    Err(ClientError::NoSuchId(rule))
}

/// The one id that begins with `prefix`.
fn only<'a>(prefix: &str, what: &str, ids: impl Iterator<Item = &'a str>) -> Result<&'a str> {
    check_length(prefix, what)?;
    let wanted = prefix.to_ascii_lowercase();
    let mut found = ids.filter(|id| id.starts_with(&wanted));
    match (found.next(), found.next()) {
        (Some(id), None) => Ok(id),
        (None, _) => Err(ClientError::NoSuchId(format!("no {what} has an id that begins with `{prefix}`"))),
        (Some(one), Some(other)) => Err(ClientError::NoSuchId(format!(
            "`{prefix}` is the beginning of {} {what} ids, {one} and {other} among them; give more of it",
            found.count() + 2
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDS: [&str; 3] = ["019a0000-aaaa", "019a0000-aabb", "019b0000-cccc"];

    #[test]
    fn a_prefix_that_one_id_has_is_enough() {
        assert_eq!(only("019B00", "job", IDS.into_iter()), Ok(IDS[2]));
        assert_eq!(only(IDS[0], "job", IDS.into_iter()), Ok(IDS[0]));
    }

    #[test]
    fn a_prefix_that_two_ids_have_names_them() {
        let error = only("019a00", "job", IDS.into_iter()).expect_err("two ids begin so").to_string();
        assert!(error.contains("2 job ids") && error.contains(IDS[0]) && error.contains(IDS[1]), "{error}");
    }

    #[test]
    fn a_prefix_may_not_be_short_or_unknown() {
        let short = only("019b0", "job", IDS.into_iter()).expect_err("five characters").to_string();
        assert_eq!(short, "job `019b0` is too short; give at least 6 characters of its id");
        assert!(only("ffffff", "run", IDS.into_iter()).is_err());
    }
}

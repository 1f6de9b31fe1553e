//! The log of a job, page by page.

use serde::Deserialize;
use serde_json::Value as Json;

use super::{Client, JobEvent, Result, Run};

#[derive(Deserialize)]
struct EventPage {
    events: Vec<Json>,
}

impl Client {
    /// All events of a job so far.
    pub(crate) async fn log(&self, job: &str) -> Result<Vec<JobEvent>> {
        let (mut log, mut after) = (Vec::new(), 0);
        loop {
            let page: EventPage = self.get(&format!("/jobs/{job}/events?after={after}&limit=1000")).await?;
            let Some(last) = page.events.last() else { return Ok(log) };
            after = last["seq"].as_u64().unwrap_or(u64::MAX);
            let event =
                |body: Json| JobEvent { kind: body["event"].as_str().unwrap_or_default().to_owned(), body };
            log.extend(page.events.into_iter().map(event));
        }
    }

    /// Those of a run.
    pub(crate) async fn log_of(&self, run: &Run) -> Result<Vec<JobEvent>> {
        let mut log = self.log(&run.job_id).await?;
        log.retain(|event| event.text("run") == run.id);
        Ok(log)
    }
}

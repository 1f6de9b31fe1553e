//! Cancel, pause, resume: shared by REST and gRPC.

use jobs::{Job, JobState};
use store::Verb;

use crate::{
    app::App,
    fault::{Fault, Kind},
};

/// Does what a user asks of a job. Repeating it changes nothing.
pub(crate) async fn act(app: &App, id: &str, verb: Verb) -> Result<Job, Fault> {
    let job = app.job(id).await?;
    let state = job.counts.state();
    match (state, verb) {
        (JobState::Cancelled, Verb::Cancel) => return Ok(job),
        (JobState::Succeeded | JobState::Failed | JobState::Cancelled, _) => {
            let detail = format!("job {} is {}; it must not have ended", job.id, state_name(state));
            return Err(Fault::new(Kind::Conflict, detail));
        }
        _ => {}
    }
    let job = app.store.wish(job.id, verb, app.now().await?).await?;
    app.bell.ring_job(job.id);
    if verb == Verb::Resume {
        app.bell.ring_work();
    }
    Ok(job)
}

/// A job's state as users see it.
pub(crate) fn state_name(state: JobState) -> &'static str {
    match state {
        JobState::Queued => "queued",
        JobState::Running => "running",
        JobState::Paused => "paused",
        JobState::Succeeded => "succeeded",
        JobState::Failed => "failed",
        JobState::Cancelled => "cancelled",
    }
}

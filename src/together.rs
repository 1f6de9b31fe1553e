//! Several jobs followed at once, as `demo` and `reproduce` do.

use std::io::IsTerminal;

use futures::future::try_join_all;
use indicatif::MultiProgress;

use crate::{
    client::{Client, Follow, Job},
    live::Live,
    story::Story,
};

/// Follows all jobs to their ends; progress goes to standard error.
pub(crate) async fn follow(client: &Client, jobs: &[Job]) -> anyhow::Result<()> {
    if !std::io::stderr().is_terminal() {
        try_join_all(jobs.iter().map(|job| tell(client, job))).await?;
        return Ok(());
    }
    let screen = MultiProgress::new();
    let mut boards = Vec::with_capacity(jobs.len());
    for job in jobs {
        boards.push(Live::new(client, job, None, &screen).await?);
    }
    try_join_all(boards.into_iter().map(|board| board.follow(client))).await?;
    Ok(())
}

/// The ends of the runs, as lines.
async fn tell(client: &Client, job: &Job) -> anyhow::Result<()> {
    let story = Story::new(client.runs(&job.id).await?, None);
    let name = job.name.as_deref().unwrap_or(&job.experiment);
    let mut events = Follow::new(client, &job.id, 0);
    while let Some(event) = events.next().await? {
        let is_news = ["run_ended", "run_requeued", "job_ended"].contains(&event.kind.as_str());
        if let Some(line) = story.line(&event).filter(|_| is_news) {
            eprintln!("{name}  {line}");
        }
    }
    Ok(())
}

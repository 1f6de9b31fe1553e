//! A job's log as a stream: rows of the store after a cursor, one after the other, none left out.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use futures::{Stream, stream};
use jobs::{Event, EventKind, JobId};
use tokio::time::{Instant, sleep, sleep_until};

use crate::{
    app::App,
    config::millis,
    doorbell::JobBell,
    fault::{Fault, Kind},
};

/// Events of `job` with a number greater than `after`, until `job_ended`, a drain, or old age. Refused when as many
/// streams are open as may be.
///
/// Pulled by the client: a slow one holds one batch and delays nobody.
pub(crate) fn events(
    app: App,
    job: JobId,
    after: u64,
) -> Result<impl Stream<Item = Result<Event, Fault>> + Send, Fault> {
    let permit = Arc::clone(&app.streams).try_acquire_owned().map_err(|_| {
        let most = app.config.max_event_streams;
        Fault::new(Kind::Busy, format!("{most} event streams are open; there may be at most {most}"))
    })?;
    // Listening begins before the first read, so nothing falls between.
    let bell = app.bell.job(job);
    let end = Instant::now() + millis(app.config.stream_age_ms);
    let open = (app.telemetry.stream_opened(), permit);
    let cursor = Cursor { job, after, bell, batch: VecDeque::new(), end, ended: false };
    Ok(stream::unfold((app, cursor, open), |(app, mut cursor, open)| async move {
        let item = cursor.next(&app).await.transpose()?;
        Some((item, (app, cursor, open)))
    }))
}

struct Cursor {
    job: JobId,
    after: u64,
    bell: JobBell,
    batch: VecDeque<Event>,
    end: Instant,
    ended: bool,
}

impl Cursor {
    async fn next(&mut self, app: &App) -> Result<Option<Event>, Fault> {
        loop {
            if self.ended {
                return Ok(None);
            }
            if let Some(event) = self.batch.pop_front() {
                self.after = event.seq;
                self.ended = matches!(event.kind, EventKind::JobEnded { .. });
                return Ok(Some(event));
            }
            if app.drain.is_cancelled() {
                return Ok(None);
            }
            match self.read(app).await {
                Ok(events) => self.batch = events.into(),
                Err(error) => {
                    self.ended = true;
                    return Err(error.into());
                }
            }
            if self.batch.is_empty() && (self.is_past_the_end(app).await? || !self.wait(app).await) {
                return Ok(None);
            }
        }
    }

    /// The next events. Streams that catch up take turns: whoever asks for anything else finds the store free.
    async fn read(&self, app: &App) -> store::Result<Vec<Event>> {
        let _turn = app.stream_reads.acquire().await.expect("nobody closes it");
        app.store.events(self.job, self.after, app.config.stream_buffer_events.max(1)).await
    }

    /// Whether the job ended before the cursor: nothing will follow.
    async fn is_past_the_end(&self, app: &App) -> Result<bool, Fault> {
        let job = app.store.job(self.job).await?;
        Ok(job.is_none_or(|job| job.ended_at.is_some() && job.last_seq <= self.after))
    }

    /// Waits for a ring or the next look; `false` when the stream is to end.
    async fn wait(&mut self, app: &App) -> bool {
        let poll: Duration = millis(app.config.event_poll_ms);
        tokio::select! {
            () = self.bell.rung() => true,
            () = sleep(poll) => true,
            () = sleep_until(self.end) => false,
            () = app.drain.cancelled() => false,
        }
    }
}

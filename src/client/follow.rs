//! Follows the log of a job through its event stream, across broken connections and server restarts.

use std::{pin::Pin, time::Duration};

use eventsource_stream::{Event, Eventsource};
use futures::{Stream, StreamExt};
use serde_json::Value as Json;

use super::{Client, Job, Result};

type Events = Pin<Box<dyn Stream<Item = std::result::Result<Event, String>> + Send>>;

/// Without a word from the server.
const RECONNECT: Duration = Duration::from_millis(500);
/// What a server says is obeyed up to here: it spreads clients that were all cut at once.
const LONGEST: Duration = Duration::from_secs(60);

/// One entry of a job's log.
#[derive(Debug, Clone)]
pub(crate) struct JobEvent {
    /// Its kind, such as `run_started`.
    pub(crate) kind: String,
    /// All of it.
    pub(crate) body: Json,
}

impl JobEvent {
    /// A field that is text.
    pub(crate) fn text(&self, field: &str) -> &str {
        self.body[field].as_str().unwrap_or_default()
    }

    /// A field that is a count.
    pub(crate) fn count(&self, field: &str) -> u64 {
        self.body[field].as_u64().unwrap_or_default()
    }
}

/// The events of a job, each once and in order.
pub(crate) struct Follow<'a> {
    client: &'a Client,
    job: String,
    after: u64,
    reconnect: Duration,
    events: Option<Events>,
}

impl<'a> Follow<'a> {
    /// Events with a number greater than `after`.
    pub(crate) fn new(client: &'a Client, job: &str, after: u64) -> Self {
        Self { client, job: job.to_owned(), after, reconnect: RECONNECT, events: None }
    }

    /// The next event; `None` after the last one of a job that has ended.
    pub(crate) async fn next(&mut self) -> Result<Option<JobEvent>> {
        loop {
            let events = match &mut self.events {
                Some(events) => events,
                closed => {
                    let response = self.client.events(&self.job, self.after).await?;
                    let stream =
                        response.bytes_stream().eventsource().map(|event| event.map_err(|e| e.to_string()));
                    closed.insert(Box::pin(stream))
                }
            };
            match events.next().await {
                Some(Ok(event)) => {
                    if let Some(event) = self.take(event) {
                        return Ok(Some(event));
                    }
                }
                Some(Err(_)) => self.pause().await,
                None if self.has_ended().await? => return Ok(None),
                None => self.pause().await,
            }
        }
    }

    /// An event that was not seen before.
    fn take(&mut self, event: Event) -> Option<JobEvent> {
        if let Some(reconnect) = event.retry {
            self.reconnect = reconnect;
        }
        let seq: u64 = event.id.parse().ok().filter(|&seq| seq > self.after)?;
        let body = serde_json::from_str(&event.data).ok()?;
        self.after = seq;
        Some(JobEvent { kind: event.event, body })
    }

    async fn pause(&mut self) {
        self.events = None;
        tokio::time::sleep(self.reconnect.min(LONGEST)).await;
    }

    async fn has_ended(&self) -> Result<bool> {
        let job: Job = self.client.get(&format!("/jobs/{}", self.job)).await?;
        Ok(job.ended_at.is_some() && self.after >= job.last_seq)
    }
}

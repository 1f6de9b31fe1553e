//! `/jobs/{id}/events`: server-sent events, or one page as JSON.

use std::convert::Infallible;

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue},
    response::{IntoResponse, Response, Sse, sse},
};
use futures::{Stream, StreamExt, future::ready};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    answer::{at_most, number, page_size, tagged},
    body::{Event, Events},
    extract::{Path, Query, accepts},
};
use crate::{app::App, config::millis, events::events, fault::Fault};

/// Which events.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct After {
    /// Events with a greater number are sent; `Last-Event-ID` says the same.
    #[param(minimum = 0, maximum = 9_007_199_254_740_991_u64, nullable = false)]
    after: Option<u64>,
    /// Of a JSON page: at most that many.
    #[param(minimum = 1, maximum = 1_000, default = 100, nullable = false)]
    limit: Option<u32>,
}

/// Follows the log of a job: every event once, in order, resumable by number.
///
/// Server-sent events with `id` = number and `event` = kind, ending after `job_ended`; with
/// `Accept: application/json` one page instead.
#[utoipa::path(
    get, path = "/jobs/{id}/events", operation_id = "watch_job", tag = "events",
    params(super::JobPath, After,
           ("Last-Event-ID" = Option<String>, Header, description = "Number of the last event seen",
            pattern = "^[0-9]{0,15}$", nullable = false)),
    responses(
        (status = 200, description = "The events",
         content((Events = "application/json"), (String = "text/event-stream"))),
        (status = 304), (status = 404), (status = 409),
    ),
)]
pub(super) async fn watch_job(
    State(app): State<App>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Query(query): Query<After>,
) -> Result<Response, Fault> {
    let limit = page_size("limit", query.limit, &app.config)?;
    // A reconnecting EventSource repeats its URL: the header is the newer of the two.
    let after = match last_event_id(&headers)? {
        Some(seen) => seen,
        None => at_most("after", query.after.unwrap_or(0))?,
    };
    let job = app.job(&id).await?;
    if accepts(&headers, "application/json") && !accepts(&headers, "text/event-stream") {
        let events = app.store.events(job.id, after, limit).await?;
        let last_seq = events.last().map_or(job.last_seq, |event| event.seq.max(job.last_seq));
        return tagged(&headers, &Events { events: events.iter().map(Event::from).collect(), last_seq });
    }
    let (events, seat) = (events(app.clone(), job.id, after)?, app.seats.take());
    let retry = sse::Event::default().retry(seat.retry());
    let stream = futures::stream::once(ready(Ok(retry))).chain(lines(events)).inspect(move |_| {
        let _taken = &seat; // as long as the stream is there
    });
    let keep_alive = sse::KeepAlive::new().interval(millis(app.config.keep_alive_ms));
    let mut response = Sse::new(stream).keep_alive(keep_alive).into_response();
    // A proxy that collects the answer would hold the events back.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

/// Each event as SSE; an error ends the stream, and the client resumes where it was.
fn lines(
    events: impl Stream<Item = Result<jobs::Event, Fault>> + Send,
) -> impl Stream<Item = Result<sse::Event, Infallible>> + Send {
    events.take_while(|event| ready(event.is_ok())).filter_map(|event| {
        let line = event.ok().and_then(|event| {
            let line = sse::Event::default().id(event.seq.to_string()).event(event.kind.name());
            line.json_data(Event::from(&event)).ok()
        });
        ready(line.map(Ok))
    })
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<u64>, Fault> {
    let Some(id) = headers.get("last-event-id") else { return Ok(None) };
    // An EventSource that has seen no event may send an empty one.
    match id.to_str().unwrap_or("?").trim() {
        "" => Ok(None),
        text => number("Last-Event-ID", text).map(Some),
    }
}

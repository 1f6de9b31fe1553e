//! Events as streams carry them.

use serde::Serialize;
use serde_json::{Map, Value as Json, json};
use utoipa::ToSchema;

use crate::clock::rfc3339;

/// A page of a job's log.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Events {
    pub(crate) events: Vec<Event>,
    /// Number of the job's last event.
    pub(crate) last_seq: u64,
}

/// An entry of a job's log: `seq`, `at`, `event` and the fields of that event.
#[derive(Serialize, ToSchema)]
pub(crate) struct Event {
    /// 1, 2, … without gaps.
    #[schema(minimum = 1)]
    seq: u64,
    /// When the request came that it tells of; the order of events is that of `seq`.
    #[schema(format = DateTime)]
    at: String,
    /// The event's kind and fields.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    fields: Map<String, Json>,
}

/// The schemas that macros cannot say: an event, which has the fields of its kind, and its line in a stream.
pub(crate) fn schemas() -> Json {
    let kinds = [
        "job_submitted",
        "run_started",
        "run_progressed",
        "checkpoint_stored",
        "run_requeued",
        "run_paused",
        "run_resumed",
        "run_ended",
        "checkpoint_corrupt",
        "determinism_violation",
        "job_ended",
    ];
    let event = json!({
        "description": "An entry of a job's log: number, time, kind and the fields of that kind.",
        "type": "object", "required": ["seq", "at", "event"], "additionalProperties": true,
        "properties": {
            "seq": {"type": "integer", "minimum": 1, "description": "1, 2, … without gaps."},
            "at": {"type": "string", "format": "date-time"},
            "event": {"type": "string", "enum": kinds}
        }
    });
    let line = json!({
        "description": "A server-sent event; `data` is an `Event` as JSON.",
        "type": "object", "required": ["id", "event", "data"],
        "properties": {
            "id": {"type": "string", "pattern": "^[0-9]+$"},
            "event": {"type": "string", "enum": kinds},
            "data": {"type": "string", "contentMediaType": "application/json"}
        }
    });
    json!({"Event": event, "StreamedEvent": line})
}

impl From<&jobs::Event> for Event {
    fn from(event: &jobs::Event) -> Self {
        let mut fields = match serde_json::to_value(&event.kind) {
            Ok(Json::Object(fields)) => fields,
            _ => Map::from_iter([("event".to_owned(), json!(event.kind.name()))]),
        };
        // Times are texts everywhere.
        if let Some(until) = fields.get("not_before").and_then(Json::as_u64) {
            fields.insert("not_before".into(), json!(rfc3339(until)));
        }
        Self { seq: event.seq, at: rfc3339(event.at), fields }
    }
}

#[cfg(test)]
mod tests {
    use jobs::{Class, EventKind, JobId, RunId};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn an_event_says_number_time_kind_and_fields() {
        let run = RunId(Uuid::from_u128(7));
        let kind = EventKind::RunRequeued { run, attempt: 2, class: Class::Crash, not_before: Some(10_000) };
        let event = jobs::Event { job: JobId(Uuid::nil()), seq: 3, at: 5, kind };
        let expected = json!({
            "seq": 3, "at": "1970-01-01T00:00:00.005Z", "event": "run_requeued", "run": run, "attempt": 2,
            "class": "crash", "not_before": "1970-01-01T00:00:10.000Z"
        });
        assert_eq!(serde_json::to_value(Event::from(&event)).expect("plain data"), expected);
    }
}

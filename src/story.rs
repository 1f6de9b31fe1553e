//! The log of a job as plain lines: one an event, as people read logs.

use std::collections::HashMap;

use crate::{
    client::{JobEvent, Run, scalar},
    text::{bytes, grouped, number, short},
};

/// Tells events by the index of their run.
pub(crate) struct Story {
    index: HashMap<String, u32>,
    metric: Option<String>,
}

impl Story {
    /// Of a job with these runs; progress is told with the value of `metric`.
    pub(crate) fn new(runs: Vec<Run>, metric: Option<String>) -> Self {
        Self { index: runs.into_iter().map(|run| (run.id, run.index)).collect(), metric }
    }

    /// The line of an event: time of day, run, what happened; `None` for kinds this program does not know.
    pub(crate) fn line(&self, event: &JobEvent) -> Option<String> {
        let mut what = what(event)?;
        if let Some(name) = &self.metric
            && let Some(value) = event.body["scalars"].get(name).and_then(scalar)
        {
            what += &format!("  {name} {}", number(value));
        }
        let at = event.text("at");
        let time = at.get(11..19).unwrap_or(at);
        Some(match self.index.get(event.text("run")) {
            Some(index) => format!("{time}  run {index}  {what}"),
            None => format!("{time}  {what}"),
        })
    }
}

/// What happened, without when and to which run.
pub(crate) fn what(event: &JobEvent) -> Option<String> {
    let step = || grouped(event.count("step"));
    Some(match event.kind.as_str() {
        "job_submitted" => format!("submitted with {} runs", event.count("runs")),
        "run_started" => started(event),
        "run_progressed" => format!("step {}/{}", step(), grouped(event.count("steps"))),
        "checkpoint_stored" => format!("checkpoint at step {}, {}", step(), bytes(event.count("bytes"))),
        "run_requeued" => {
            format!("attempt {} ended ({}); queued again", event.count("attempt"), event.text("class"))
        }
        "run_paused" => "paused".into(),
        "run_resumed" => "resumed".into(),
        "run_ended" => ended(event),
        "checkpoint_corrupt" => {
            format!("checkpoint at step {} is damaged; the one before it is used", step())
        }
        "determinism_violation" => {
            format!(
                "metric {} at step {} has other bits than an earlier attempt gave",
                event.text("name"),
                step()
            )
        }
        "job_ended" => format!("job {}", event.text("outcome")),
        _ => return None,
    })
}

fn started(event: &JobEvent) -> String {
    let (attempt, from) = (event.count("attempt"), event.count("from_step"));
    let worker = short(event.text("worker"));
    match from {
        0 => format!("attempt {attempt} started on worker {worker}"),
        _ => format!("attempt {attempt} went on from step {} on worker {worker}", grouped(from)),
    }
}

fn ended(event: &JobEvent) -> String {
    let outcome = event.text("outcome");
    match (event.body["class"].as_str(), event.body["digest"].as_str()) {
        (Some(class), _) => format!("{outcome} ({class}): {}", event.text("message")),
        (None, Some(digest)) => format!("{outcome}, digest {}…", digest.get(..12).unwrap_or(digest)),
        (None, None) => outcome.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(kind: &str, body: serde_json::Value) -> Option<String> {
        let story = Story { index: HashMap::from([("r".to_owned(), 4)]), metric: Some("mse".into()) };
        story.line(&JobEvent { kind: kind.into(), body })
    }

    #[test]
    fn events_are_told_with_their_run_and_time_of_day() {
        let at = "2026-01-02T03:04:05.678Z";
        let started =
            json!({"at": at, "run": "r", "attempt": 2, "worker": "0123456789abcdef", "from_step": 1200});
        let line = told("run_started", started).expect("a known kind");
        assert_eq!(line, "03:04:05  run 4  attempt 2 went on from step 1,200 on worker 0123456789abc");
        let ended = json!({"at": at, "run": "r", "outcome": "failed", "class": "diverged", "message": "nan"});
        assert_eq!(told("run_ended", ended).as_deref(), Some("03:04:05  run 4  failed (diverged): nan"));
        let progress =
            json!({"at": at, "run": "r", "step": 50, "steps": 100, "scalars": {"mse": 0.5, "x": 1}});
        let line = told("run_progressed", progress);
        assert_eq!(line.as_deref(), Some("03:04:05  run 4  step 50/100  mse 0.5000"));
        let over = json!({"at": at, "outcome": "failed"});
        assert_eq!(told("job_ended", over).as_deref(), Some("03:04:05  job failed"));
    }

    #[test]
    fn a_kind_of_a_newer_server_is_passed_over() {
        assert_eq!(told("run_danced", json!({})), None);
    }
}

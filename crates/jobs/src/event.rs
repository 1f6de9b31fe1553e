//! The log of a job: numbered from 1 without gaps; what streams carry.

use serde::{Deserialize, Serialize};

use crate::{Class, JobId, JobState, Millis, RunId, WorkerId};

/// One entry of a job's log.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The job.
    pub job: JobId,
    /// 1, 2, … without gaps within a job.
    pub seq: u64,
    /// When, on the server's clock.
    pub at: Millis,
    /// What happened.
    pub kind: EventKind,
}

/// What happened. Arrays never travel here, only their names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the variants and fields say what they are")]
pub enum EventKind {
    JobSubmitted {
        runs: u32,
    },
    RunStarted {
        run: RunId,
        attempt: u32,
        worker: WorkerId,
        from_step: u64,
    },
    RunProgressed {
        run: RunId,
        step: u64,
        steps: u64,
        scalars: serde_json::Map<String, serde_json::Value>,
        /// Scalars that found no room: the last ones by name.
        #[serde(default, skip_serializing_if = "is_none_left_out")]
        left_out: u32,
    },
    CheckpointStored {
        run: RunId,
        attempt: u32,
        step: u64,
        bytes: u64,
    },
    RunRequeued {
        run: RunId,
        attempt: u32,
        class: Class,
        not_before: Option<Millis>,
    },
    RunPaused {
        run: RunId,
    },
    RunResumed {
        run: RunId,
    },
    RunEnded {
        run: RunId,
        outcome: JobState,
        class: Option<Class>,
        message: Option<String>,
        digest: Option<String>,
    },
    CheckpointCorrupt {
        run: RunId,
        step: u64,
    },
    DeterminismViolation {
        run: RunId,
        attempt: u32,
        name: String,
        step: u64,
    },
    JobEnded {
        outcome: JobState,
    },
}

/// What is not said is not missed.
fn is_none_left_out(left_out: &u32) -> bool {
    *left_out == 0
}

/// More than all of an event but its scalars or its message: ids, numbers, names of fields.
const FRAME_BYTES: usize = 384;

impl EventKind {
    /// Cuts what can be long, so that the event as JSON is no longer than `bytes`: the last scalars by name are left out
    /// and counted, a message ends in `…`. Identities and numbers always stay.
    pub(crate) fn fit(&mut self, bytes: usize) {
        let mut room = bytes.saturating_sub(FRAME_BYTES);
        match self {
            Self::RunProgressed { scalars, left_out, .. } => {
                let all = std::mem::take(scalars);
                *left_out = all.len() as u32;
                // Quotes, colon, comma.
                let size =
                    |name: &str, value: &serde_json::Value| json_bytes(name) + value.to_string().len() + 4;
                for (name, value) in all {
                    let Some(rest) = room.checked_sub(size(&name, &value)) else { break };
                    room = rest;
                    *left_out -= 1;
                    scalars.insert(name, value);
                }
            }
            Self::RunEnded { message: Some(message), .. } if json_bytes(message) > room => {
                let mut cut = String::new();
                room = room.saturating_sub('…'.len_utf8());
                for letter in message.chars() {
                    let Some(rest) = room.checked_sub(json_bytes(letter.encode_utf8(&mut [0; 4]))) else {
                        break;
                    };
                    room = rest;
                    cut.push(letter);
                }
                cut.push('…');
                *message = cut;
            }
            _ => {}
        }
    }

    /// As streams name it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::JobSubmitted { .. } => "job_submitted",
            Self::RunStarted { .. } => "run_started",
            Self::RunProgressed { .. } => "run_progressed",
            Self::CheckpointStored { .. } => "checkpoint_stored",
            Self::RunRequeued { .. } => "run_requeued",
            Self::RunPaused { .. } => "run_paused",
            Self::RunResumed { .. } => "run_resumed",
            Self::RunEnded { .. } => "run_ended",
            Self::CheckpointCorrupt { .. } => "checkpoint_corrupt",
            Self::DeterminismViolation { .. } => "determinism_violation",
            Self::JobEnded { .. } => "job_ended",
        }
    }
}

/// Length of a text within JSON, without its quotes.
fn json_bytes(text: &str) -> usize {
    serde_json::Value::from(text).to_string().len() - 2
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;

    const RUN: RunId = RunId(uuid::Uuid::max());

    fn json_len(event: &EventKind) -> usize {
        serde_json::to_string(event).expect("plain data").len()
    }

    fn progressed(names: usize) -> EventKind {
        let name = |n: usize| format!("{n:03}_{}", "m".repeat(60));
        let scalars: Map<_, _> = (0..names).map(|n| (name(n), json!({"nonfinite": "-inf"}))).collect();
        EventKind::RunProgressed { run: RUN, step: u64::MAX, steps: u64::MAX, scalars, left_out: 0 }
    }

    #[test]
    fn scalars_that_find_no_room_are_left_out_and_counted() {
        for (names, bytes) in [(256, 16 << 10), (256, 1 << 10), (100, 4_000), (3, 0)] {
            let mut event = progressed(names);
            event.fit(bytes);
            assert!(json_len(&event) <= bytes.max(FRAME_BYTES), "{} of {bytes}", json_len(&event));
            let EventKind::RunProgressed { scalars, left_out, .. } = &event else { panic!("the kind stays") };
            assert!(*left_out > 0);
            assert_eq!(scalars.len() + *left_out as usize, names);
            let first: Vec<_> = (0..scalars.len()).map(|n| format!("{n:03}")).collect();
            let kept: Vec<_> = scalars.keys().map(|name| name[..3].to_owned()).collect();
            assert_eq!(kept, first, "the first ones by name stay");
            // One more would have been too much.
            assert!(scalars.is_empty() || json_len(&event) + FRAME_BYTES + 100 > bytes);
        }
    }

    #[test]
    fn an_event_at_the_limit_stays_as_it_is() {
        let (whole, mut fitted) = (progressed(100), progressed(100));
        fitted.fit(json_len(&whole) + FRAME_BYTES);
        assert_eq!(fitted, whole);
        assert!(!serde_json::to_string(&whole).expect("plain data").contains("left_out"));
    }

    #[test]
    fn a_message_that_is_too_long_ends_in_dots_and_within_a_letter_never() {
        for letter in ["x", "ü", "\u{1}", "\"", "🧠"] {
            for bytes in [500, 501, 502, 503, 4_000] {
                let message = letter.repeat(4_000);
                let (class, digest) = (Some(Class::CheckpointRefused), None);
                let outcome = JobState::Cancelled;
                let mut event =
                    EventKind::RunEnded { run: RUN, outcome, class, message: Some(message.clone()), digest };
                event.fit(bytes);
                assert!(json_len(&event) <= bytes, "{} of {bytes}", json_len(&event));
                let EventKind::RunEnded { message: Some(cut), .. } = event else {
                    panic!("the message stays")
                };
                assert!(
                    message.starts_with(cut.strip_suffix('…').expect("it shows that it was cut")),
                    "{cut}"
                );
                assert!(cut.len() > (bytes - FRAME_BYTES) / 12, "{cut}");
            }
        }
    }
}

//! What the log says of a change is never too long.

use jobs::{Change, Class, EventKind, Outcome, Policy, Said};
use serde_json::{Map, json};

use crate::fixture::{after, fresh, running, says};

fn longest(log: &[EventKind]) -> usize {
    let length = |event: &EventKind| serde_json::to_string(event).expect("plain data").len();
    log.iter().map(length).max().unwrap_or_default()
}

#[test]
fn a_report_whose_event_would_be_too_long_is_taken_and_the_event_is_cut() {
    let run = running(&fresh(), 0);
    // As many metrics as a run may have, with names as long as they may be: 24 KiB.
    let scalars: Map<_, _> =
        (0..256).map(|n| (format!("m{n:063}"), json!(-0.012_345_678_901_234_5))).collect();
    let said = Said { attempt: 1, seq: 0, step: 1, scalars, ..Said::default() };
    let next = after(&run, &Change::Report(said.clone()), 1_000);
    assert_eq!(next.run.step, 1);
    let limit = Policy::default().event_bytes;
    let length = longest(&next.log);
    assert!(length <= limit && length > limit - 1_000, "{length} bytes");
    let whole = Policy { event_bytes: 1 << 20, ..Policy::default() };
    let uncut = jobs::apply(&run, &Change::Report(said), 1_000, &whole).expect("allowed");
    assert!(longest(&uncut.log) > limit, "without the limit it is longer");
}

#[test]
fn an_end_whose_message_would_be_too_long_is_an_end_all_the_same() {
    let run = running(&fresh(), 0);
    let message = "\u{1b}".repeat(100_000);
    let failed = Outcome::Failed { class: Class::UserError, message };
    let tight = Policy { event_bytes: 1_000, ..Policy::default() };
    for (policy, limit) in [(Policy::default(), 16 << 10), (tight, 1_000)] {
        let change = says(&run, 1, Some(failed.clone()));
        let next = jobs::apply(&run, &change, 1_000, &policy).expect("allowed");
        assert!(next.run.state.is_terminal());
        assert!(longest(&next.log) <= limit, "{} bytes of {limit}", longest(&next.log));
    }
}

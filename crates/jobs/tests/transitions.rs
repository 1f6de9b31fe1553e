//! Single transitions that a table cannot say in full.

use jobs::{
    Change, Class, Directive, EventKind, Fence, Outcome, Policy, Refused, Run, RunState, Said, Stop, Wish,
    apply,
};

use crate::fixture::{STEPS, TTL, WALL, acquire, after, fresh, lease, refused, running, saves, says};

fn fails(class: Class) -> Option<Outcome> {
    Some(Outcome::Failed { class, message: "why".into() })
}

fn succeeds() -> Option<Outcome> {
    Some(Outcome::Succeeded { digest: "d".into() })
}

#[test]
fn a_lease_begins_renews_and_ends() {
    let run = running(&fresh(), 1_000);
    assert_eq!((run.attempt, lease(&run).expires_at, lease(&run).granted_at), (1, 1_000 + TTL, 1_000));
    let run = after(&run, &says(&run, 1, None), 5_000).run;
    assert_eq!((lease(&run).expires_at, run.next_seq), (5_000 + TTL, 1));
    let expire = Change::Expire { wall_ms: WALL };
    assert_eq!(refused(&run, &expire, 4_999 + TTL), Refused::NotYet { until: 5_000 + TTL });
    let lost = after(&run, &expire, 5_000 + TTL);
    assert_eq!(lost.run.state, RunState::Queued { not_before: None }, "a lost worker costs no back-off");
    assert!(matches!(lost.log[..], [EventKind::RunRequeued { class: Class::Lost, not_before: None, .. }]));
    let stale = refused(&lost.run, &says(&run, 2, None), 5_000 + TTL);
    assert_eq!(stale, Refused::Stale { attempt: 1, current: 1, state: "queued" });
    let repeat = Change::Report(Said { attempt: 1, seq: 0, step: 1, ..Said::default() });
    assert!(
        matches!(refused(&lost.run, &repeat, 5_000 + TTL), Refused::Stale { .. }),
        "expired: nothing is answered"
    );
}

#[test]
fn a_report_must_make_sense() {
    let run = running(&fresh(), 0);
    let bad = |run, step, outcome| match refused(run, &says(run, step, outcome), 0) {
        Refused::BadStep { least, most, .. } => (least, most),
        other => panic!("{other}"),
    };
    assert_eq!(bad(&run, STEPS + 1, None), (0, STEPS));
    assert_eq!(bad(&run, STEPS - 1, succeeds()), (STEPS, STEPS), "succeeded means all steps");
    let run = after(&run, &says(&run, 50, None), 0).run;
    assert_eq!(bad(&run, 49, None), (50, STEPS), "a step never goes backwards within an attempt");
    let Change::Report(said) = saves(&run, 60) else { unreachable!("saves makes a report") };
    let ahead = Change::Report(Said { step: 59, ..said });
    assert!(
        matches!(refused(&run, &ahead, 0), Refused::BadStep { most: 59, .. }),
        "a checkpoint of the future"
    );
}

#[test]
fn a_new_attempt_may_begin_behind_the_old_one() {
    let run = running(&fresh(), 0);
    let run = after(&run, &saves(&run, 40), 0).run;
    let run = after(&run, &says(&run, 90, None), 0).run;
    let run = after(&run, &Change::Expire { wall_ms: WALL }, TTL).run;
    let run = running(&run, TTL);
    assert_eq!((run.step, run.attempt_began_at), (40, Some(40)));
    assert_eq!(after(&run, &says(&run, 10, None), TTL).run.step, 10, "from a checkpoint before that");
}

#[test]
fn what_is_never_retried_fails_at_once() {
    for class in [Class::UserError, Class::Diverged, Class::DivergedBits, Class::CrashLoop] {
        let run = running(&fresh(), 0);
        let next = after(&run, &says(&run, 1, fails(class)), 0);
        assert_eq!(next.run.state, RunState::Failed { class, message: "why".into() });
        assert_eq!(next.directive, Some(Directive::Continue { lease_ms: 0 }));
    }
}

#[test]
fn other_bits_fail_the_run_and_its_checkpoint_does_not_count() {
    let run = running(&fresh(), 0);
    let Change::Report(said) = saves(&run, STEPS) else { unreachable!("saves makes a report") };
    let violations = (0..100).map(|step| ("loss".to_owned(), step)).collect();
    let change = Change::Report(Said { violations, outcome: succeeds(), ..said });
    let next = after(&run, &change, 0);
    assert!(matches!(next.run.state, RunState::Failed { class: Class::DivergedBits, .. }));
    assert_eq!((next.run.checkpoint_step, next.directive), (None, Some(Directive::Stop(Stop::LeaseLost))));
    let violations = next.log.iter().filter(|event| event.name() == "determinism_violation").count();
    assert_eq!(violations, 16, "a few of them are logged");
    assert_eq!(after(&next.run, &change, 0).directive, Some(Directive::Stop(Stop::LeaseLost)), "sent again");
}

#[test]
fn five_attempts_without_a_newer_checkpoint_are_a_crash_loop() {
    let mut run = fresh();
    for attempt in 1..=5 {
        run = running(&run, 0);
        run = after(&run, &says(&run, 1, Some(Outcome::Stopped(Stop::Drain))), 0).run;
        assert_eq!(run.state.is_terminal(), attempt == 5);
    }
    assert!(
        matches!(&run.state, RunState::Failed { class: Class::CrashLoop, message } if message.contains("5 attempts"))
    );

    let mut run = fresh();
    for attempt in 1..=19 {
        run = running(&run, 0);
        run = after(&run, &saves(&run, attempt), 0).run;
        run = after(&run, &says(&run, attempt, Some(Outcome::Stopped(Stop::Drain))), 0).run;
        assert_eq!(run.stalled_attempts, 0, "each got further");
    }
    run = running(&run, 0);
    run = after(&run, &saves(&run, 20), 0).run;
    run = after(&run, &says(&run, 20, Some(Outcome::Stopped(Stop::Drain))), 0).run;
    assert!(matches!(run.state, RunState::Failed { class: Class::Drained, .. }), "the 20th ends it");
}

#[test]
fn a_hanging_and_an_endless_attempt_time_out() {
    let mut run = running(&fresh(), 0);
    for seq in 0..60 {
        run = after(&run, &says(&run, 0, None), seq * 10_000).run;
    }
    let expire = Change::Expire { wall_ms: WALL };
    assert!(matches!(refused(&run, &expire, 599_999), Refused::NotYet { .. }));
    let hung = after(&run, &expire, 600_000);
    assert_eq!(hung.run.counted_failures, 1);
    assert!(matches!(
        hung.log[..],
        [EventKind::RunRequeued { class: Class::Timeout, not_before: Some(_), .. }]
    ));
    let run = running(&fresh(), 0);
    let run = after(&run, &says(&run, 1, None), 19_000).run;
    assert_eq!(after(&run, &Change::Expire { wall_ms: 20_000 }, 20_000).run.counted_failures, 1);
}

#[test]
fn a_lease_that_runs_out_after_the_server_was_away_says_so_until_a_report_came() {
    let away = after(&running(&fresh(), 0), &Change::Extend { until: 3 * TTL }, 3 * TTL).run;
    let expire = Change::Expire { wall_ms: WALL };
    let class = |run: &Run| match after(run, &expire, 4 * TTL).log[..] {
        [EventKind::RunRequeued { class, .. }] => class,
        ref other => panic!("{other:?}"),
    };
    assert_eq!(class(&away), Class::ServerRestart);
    assert_eq!(after(&away, &expire, 4 * TTL).run.uncounted_failures, 1);
    let heard = after(&away, &says(&away, 1, None), TTL).run;
    assert_eq!(class(&heard), Class::Lost);
    let again = running(&after(&away, &expire, 4 * TTL).run, 4 * TTL);
    assert!(!lease(&again).server_was_away, "the next attempt has seen no restart");
}

#[test]
fn a_wish_outlives_the_worker() {
    for (wish, state) in [(Change::Cancel, "cancelled"), (Change::Pause, "paused")] {
        let run = after(&running(&fresh(), 0), &wish, 0).run;
        assert_eq!(after(&run, &Change::Expire { wall_ms: WALL }, TTL).run.state.name(), state);
        assert_eq!(after(&run, &says(&run, 1, fails(Class::Crash)), 0).run.state.name(), state);
        let finished = after(&run, &says(&run, STEPS, succeeds()), 0).run;
        assert_eq!((finished.state.name(), finished.wish), ("succeeded", Wish::None), "what is done is done");
    }
}

#[test]
fn a_pause_taken_back_on_the_way_queues_the_run_again() {
    let run = after(&running(&fresh(), 0), &Change::Pause, 0).run;
    let run = after(&run, &Change::Resume, 0).run;
    assert_eq!(run.wish, Wish::None);
    let run = after(&run, &says(&run, 1, Some(Outcome::Stopped(Stop::Paused))), 0).run;
    assert_eq!(run.state, RunState::Queued { not_before: None });
}

#[test]
fn a_cancel_is_never_taken_back() {
    let run = after(&running(&fresh(), 0), &Change::Cancel, 0).run;
    for change in [Change::Pause, Change::Resume, Change::Cancel] {
        let next = after(&run, &change, 1);
        assert!(!next.changed && next.run == run, "{change:?}");
    }
}

#[test]
fn a_message_is_kept_short() {
    let run = running(&fresh(), 0);
    let outcome = Some(Outcome::Failed { class: Class::UserError, message: "ä".repeat(50_000) });
    let next = after(&run, &says(&run, 1, outcome), 0);
    let text = serde_json::to_string(&next.log[0]).expect("events are JSON");
    assert!(text.len() < 16 << 10, "{} bytes", text.len());
}

#[test]
fn the_fence_can_be_taken_away_for_negative_controls_only() {
    assert_eq!(Policy::default().fence, Fence::Checked);
    let first = running(&fresh(), 0);
    let lost = after(&first, &Change::Expire { wall_ms: WALL }, TTL).run;
    let second = running(&lost, TTL);
    let stale = says(&first, 9, None);
    assert!(matches!(refused(&second, &stale, TTL), Refused::Stale { attempt: 1, current: 2, .. }));
    let off = Policy { fence: Fence::OffForTests, ..Policy::default() };
    let next = apply(&second, &stale, TTL, &off).expect("nothing stops it");
    assert_eq!((next.run.next_seq, next.run.step), (0, 0), "the open attempt's numbers stay");
    assert!(apply(&lost, &stale, TTL, &off).is_err(), "nobody runs it");
}

#[test]
fn a_run_that_is_out_of_memory_is_tried_again_once() {
    let out = |run: &Run| after(run, &says(run, 1, fails(Class::Oom)), 0).run;
    let first = out(&running(&fresh(), 0));
    assert_eq!((first.state.name(), first.counted_failures), ("queued", 1));
    let second = out(&running(&first, 1_000_000));
    assert!(matches!(second.state, RunState::Failed { class: Class::Oom, .. }), "{:?}", second.state);
    // Any other failure of the same charge has one attempt more.
    let crash = |run: &Run| after(run, &says(run, 1, fails(Class::Crash)), 0).run;
    assert_eq!(crash(&running(&first, 1_000_000)).state.name(), "queued");
}

#[test]
fn a_back_off_is_kept() {
    let run = running(&fresh(), 0);
    let run = after(&run, &says(&run, 1, fails(Class::Oom)), 0).run;
    let RunState::Queued { not_before: Some(until) } = run.state else { panic!("{:?}", run.state) };
    assert_eq!(refused(&run, &acquire(), until - 1), Refused::NotYet { until });
    assert_eq!(running(&run, until).attempt, 2);
}

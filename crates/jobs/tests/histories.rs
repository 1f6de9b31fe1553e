//! Random histories of a run: whatever happens in whatever order, the invariants hold.

use jobs::{
    Change, CheckpointRef, Class, Directive, EventKind, Millis, Outcome, Policy, Refused, Run, RunState,
    Said, Stop, Wish, WorkerId, apply,
};
use proptest::prelude::*;
use uuid::Uuid;

use crate::fixture::{STEPS, TTL, WALL, fresh};

/// Something that happens, with numbers relative to where the run stands.
#[derive(Debug, Clone)]
enum Happens {
    Acquire(u128),
    Report {
        attempts_ago: u32,
        seq_off: i64,
        steps: u64,
        checkpoint: bool,
        outcome: Option<Outcome>,
        violates: bool,
    },
    Cancel,
    Pause,
    Resume,
    Expire,
    Extend(u64),
    Lose,
    Pass(u64),
}

fn outcomes() -> impl Strategy<Value = Option<Outcome>> {
    let class = prop_oneof![
        4 => Just(Class::Crash),
        2 => Just(Class::Oom),
        4 => Just(Class::Drained),
        1 => Just(Class::Diverged),
    ];
    let stop =
        prop_oneof![Just(Stop::Cancelled), Just(Stop::Paused), Just(Stop::Drain), Just(Stop::LeaseLost)];
    prop_oneof![
        20 => Just(None),
        1 => Just(Some(Outcome::Succeeded { digest: "d".into() })),
        3 => class.prop_map(|class| Some(Outcome::Failed { class, message: "why".into() })),
        3 => stop.prop_map(|stop| Some(Outcome::Stopped(stop))),
    ]
}

fn reports() -> impl Strategy<Value = Happens> {
    let attempts_ago = prop_oneof![8 => Just(0_u32), 1 => 1..3_u32];
    let seq_off = prop_oneof![8 => Just(0_i64), 1 => -3..4_i64];
    (attempts_ago, seq_off, 0..30_u64, any::<bool>(), outcomes(), prop::bool::weighted(0.02)).prop_map(
        |(attempts_ago, seq_off, steps, checkpoint, outcome, violates)| Happens::Report {
            attempts_ago,
            seq_off,
            steps,
            checkpoint,
            outcome,
            violates,
        },
    )
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        6 => (1..4_u128).prop_map(Happens::Acquire),
        16 => reports(),
        1 => Just(Happens::Cancel),
        2 => Just(Happens::Pause),
        3 => Just(Happens::Resume),
        3 => Just(Happens::Expire),
        1 => (0..100_000_u64).prop_map(Happens::Extend),
        1 => Just(Happens::Lose),
        6 => (0..40_000_u64).prop_map(Happens::Pass),
    ]
}

fn change(run: &Run, happens: &Happens, now: Millis) -> Option<Change> {
    Some(match happens {
        Happens::Acquire(who) => Change::Acquire { worker: WorkerId(Uuid::from_u128(*who)), ttl_ms: TTL },
        Happens::Report { attempts_ago, seq_off, steps, checkpoint, outcome, violates } => {
            let finished = matches!(outcome, Some(Outcome::Succeeded { .. }));
            let step = if finished { STEPS } else { (run.step + steps).min(STEPS) };
            Change::Report(Said {
                attempt: run.attempt.saturating_sub(*attempts_ago),
                seq: run.next_seq.saturating_add_signed(*seq_off),
                step,
                checkpoint: checkpoint.then_some(CheckpointRef { step, digest: [0; 32], bytes: 1 }),
                outcome: outcome.clone(),
                violations: if *violates { vec![("loss".into(), step)] } else { Vec::new() },
                ..Said::default()
            })
        }
        Happens::Cancel => Change::Cancel,
        Happens::Pause => Change::Pause,
        Happens::Resume => Change::Resume,
        Happens::Expire => Change::Expire { wall_ms: WALL },
        Happens::Extend(more) => Change::Extend { until: now + more },
        Happens::Lose => Change::LoseCheckpoint { step: run.checkpoint_step?, newest: None },
        Happens::Pass(_) => return None,
    })
}

/// What must hold of any change that is taken.
fn check(before: &Run, change: &Change, after: &Run, log: &[EventKind]) -> Result<(), TestCaseError> {
    let open = |run: &Run| matches!(run.state, RunState::Running(_));
    prop_assert!(!before.state.is_terminal(), "a run that has ended changed");
    let granted = matches!(change, Change::Acquire { .. });
    prop_assert_eq!(
        after.attempt,
        before.attempt + u32::from(granted),
        "only a lease raises the attempt, by one"
    );
    prop_assert!(!granted || !open(before), "two attempts were open");
    prop_assert_eq!(log.iter().any(|event| event.name() == "run_started"), granted);
    prop_assert!(
        after.counted_failures <= 3 && after.uncounted_failures <= 20 && after.stalled_attempts <= 5
    );
    let spent = after.counted_failures == 3 || after.uncounted_failures == 20 || after.stalled_attempts == 5;
    prop_assert!(!spent || after.state.is_terminal(), "a spent budget ends the run");
    prop_assert!(after.wish == Wish::None || open(after), "only a leased run has a wish to obey");
    prop_assert!(after.step <= STEPS && after.checkpoint_step <= Some(STEPS));
    let ended = log.iter().filter(|event| event.name() == "run_ended").count();
    prop_assert_eq!(ended, usize::from(after.state.is_terminal()), "one end, logged once");
    if let Change::Report(said) = change {
        prop_assert_eq!(
            (said.attempt, said.seq),
            (before.attempt, before.next_seq),
            "each report once, in order"
        );
        prop_assert_eq!(after.next_seq, before.next_seq + 1);
        prop_assert!(open(before));
        prop_assert!(after.step >= before.step || before.next_seq == 0, "a step went backwards");
        prop_assert!(after.checkpoint_step >= before.checkpoint_step);
    }
    prop_assert!(
        before.wish != Wish::Cancel || !open(after) || after.wish == Wish::Cancel,
        "a cancel was taken back"
    );
    let left = open(before) && !open(after);
    match before.wish {
        Wish::Cancel if left => prop_assert!(after.state.is_terminal(), "cancel: {}", after.state.name()),
        Wish::Pause if left => {
            prop_assert!(after.state.is_terminal() || after.state == RunState::Paused, "pause was wished");
        }
        _ => {}
    }
    if let RunState::Queued { not_before } = &after.state {
        let requeued = log.iter().find_map(|event| match event {
            EventKind::RunRequeued { class, not_before, .. } => Some((*class, *not_before)),
            _ => None,
        });
        if let Some((class, logged)) = requeued {
            prop_assert_eq!(*not_before, logged);
            prop_assert_eq!(logged.is_some(), matches!(class, Class::Crash | Class::Timeout | Class::Oom));
            prop_assert!(class != Class::Oom || after.counted_failures == 1, "tried again without memory");
        }
    }
    Ok(())
}

/// What must hold when a change is refused or has no effect: there is a good reason.
fn check_untouched(run: &Run, change: &Change, why: Option<&Refused>) -> Result<(), TestCaseError> {
    let open = matches!(run.state, RunState::Running(_));
    match (change, why) {
        (Change::Report(said), Some(Refused::Stale { current, .. })) => {
            prop_assert!(said.attempt != run.attempt || !open);
            prop_assert_eq!(*current, run.attempt);
        }
        (Change::Report(said), Some(Refused::OutOfRange { expected, .. })) => {
            prop_assert!(open && said.seq > *expected && *expected == run.next_seq);
        }
        (Change::Report(said), None) => prop_assert!(said.attempt == run.attempt && said.seq < run.next_seq),
        (_, Some(Refused::Terminal { .. })) => prop_assert!(run.state.is_terminal()),
        _ => {}
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn every_history_keeps_the_invariants(history in prop::collection::vec(happens(), 1..120)) {
        let policy = Policy::default();
        let (mut run, mut now) = (fresh(), 1_000_000);
        for happens in &history {
            if let Happens::Pass(ms) = happens {
                now += ms;
            }
            let Some(change) = change(&run, happens, now) else { continue };
            match apply(&run, &change, now, &policy) {
                Ok(next) if next.changed => {
                    check(&run, &change, &next.run, &next.log)?;
                    let told = matches!(change, Change::Report(_));
                    prop_assert_eq!(next.directive.is_some(), told);
                    if run.wish == Wish::Cancel && told && matches!(next.run.state, RunState::Running(_)) {
                        prop_assert_eq!(next.directive, Some(Directive::Stop(Stop::Cancelled)));
                    }
                    run = next.run;
                }
                Ok(next) => {
                    prop_assert!(next.run == run && next.log.is_empty());
                    check_untouched(&run, &change, None)?;
                }
                Err(why) => check_untouched(&run, &change, Some(&why))?,
            }
        }
    }

    #[test]
    fn the_same_question_has_the_same_answer(history in prop::collection::vec(happens(), 1..40)) {
        let mut run = fresh();
        for happens in &history {
            let Some(change) = change(&run, happens, 7) else { continue };
            let answers = [(); 2].map(|()| apply(&run, &change, 7, &Policy::default()));
            prop_assert_eq!(&answers[0], &answers[1]);
            if let Ok(next) = &answers[0] {
                run = next.run.clone();
            }
        }
    }
}

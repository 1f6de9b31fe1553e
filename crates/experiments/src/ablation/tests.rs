use super::*;
use crate::digits8x8;

/// Short runs on the 8x8 digits.
fn small() -> Params {
    Params {
        hidden_units: 9,
        batch: 25,
        epochs: 1,
        train_images: 310,
        test_images: 40,
        relearn_epochs: 0.5,
        prune_percent: vec![80],
        fit_members: 2,
        likelihood_members: 3,
        draws: 1,
        copies: 1,
        test_copies: 1,
        ..Params::default()
    }
}

/// The run and its state when the first of these steps is due.
fn run_until(params: Params, due: impl Fn(Task, Case) -> bool) -> (Ablation, State, u64) {
    let run = Ablation::new(params, digits8x8(), 3).expect("the digits serve");
    let (mut state, mut scratch) = (run.init(Draws::at(3, 0)), Scratch::default());
    for step in 0..run.schedule.steps() {
        let task = run.schedule.task(step);
        let case = match task {
            Task::Train => None,
            Task::Relearn { case, .. }
            | Task::Fit { case }
            | Task::Likelihood { case, .. }
            | Task::Encode { case, .. }
            | Task::Accuracy { case, .. } => Some(run.schedule.cases[case]),
        };
        if case.is_some_and(|case| due(task, case)) {
            return (run, state, step);
        }
        run.step(&mut state, &mut scratch, Draws::at(3, step));
    }
    panic!("no such step");
}

#[test]
fn what_was_pruned_stays_at_zero_while_the_rest_learns_again() {
    let pruned = Case::Relearned { criterion: edit::Criterion::Weak, percent: 80 };
    let (run, state, _) = run_until(small(), |task, case| case == pruned && matches!(task, Task::Fit { .. }));
    let network = state.relearning.as_ref().expect("it has learned again").parameters();
    let before = state.network.parameters();
    let lacking = edit::Criterion::Weak.order(&before, run.seed);
    let lacking = &lacking[..64 * 9 * 80 / 100];
    let (w, trained) =
        (network.w.as_slice().expect("standard layout"), before.w.as_slice().expect("standard layout"));
    assert!(lacking.iter().all(|&k| w[k as usize] == 0.0));
    assert!(lacking.iter().any(|&k| trained[k as usize] != 0.0), "the network itself keeps them");
    assert_eq!(w.iter().filter(|w| **w == 0.0).count(), lacking.len());
    assert!(w.iter().zip(trained).filter(|(w, _)| **w != 0.0).all(|(w, trained)| w != trained));
}

#[test]
fn a_case_that_learned_again_leaves_nothing_to_the_next() {
    let next = Case::Relearned { criterion: edit::Criterion::Unreliable, percent: 80 };
    let (_, state, _) = run_until(small(), |task, case| case == next && matches!(task, Task::Relearn { .. }));
    assert!(state.relearning.is_none());
    assert_eq!((state.current, &state.likelihood), (Outcome::default(), &MixtureSum::default()));
    assert!(state.accuracies.is_empty());
}

#[test]
fn a_given_network_of_another_size_or_law_is_refused() {
    let run = Ablation::new(small(), digits8x8(), 3).expect("the digits serve");
    let network = run.init(Draws::at(3, 0)).network.parameters().into_owned();
    let given = |params: Params| Ablation::build(params, &digits8x8(), Some(network.clone()), 3).err();
    assert_eq!(given(small()), None);
    let wider = given(Params { hidden_units: 10, ..small() }).expect("9 units are not 10").to_string();
    assert!(wider.contains("64 x 9") && wider.contains("64 x 10"), "{wider}");
    // A given network brings its own kind of synapses, but its law must have probabilities to edit.
    assert_eq!(given(Params { model: Model::A, ..small() }), None);
    let spread = Parameters { law: Law::Gaussian, ..network.clone() };
    let other = Ablation::build(small(), &digits8x8(), Some(spread), 3).err().expect("it is not Bernoulli");
    assert!(other.to_string().contains("Gaussian"), "{other}");
}

#[test]
fn images_without_labels_are_refused_unless_no_accuracy_is_asked_for() {
    let unlabelled =
        DataShape::Images { count: 1797, rows: 8, cols: 8, max: 16, test_count: 0, labelled: false };
    let error = Ablation::plan(&small(), &unlabelled).expect_err("labels are needed").to_string();
    assert!(error.contains("`draws`"), "{error}");
    assert!(Ablation::plan(&Params { draws: 0, ..small() }, &unlabelled).is_ok());
}

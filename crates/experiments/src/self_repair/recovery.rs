//! What a lesion did and what came back.

use super::test::{MEASURES, Test};

/// Tests that are averaged: single ones fluctuate.
const WINDOW: usize = 3;

/// One measure around one lesion.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Recovery {
    /// Mean of the last three tests before it.
    pub(super) before: f64,
    /// The test that followed it directly.
    pub(super) after: f64,
    /// Mean of the last three tests of the phase.
    pub(super) end: f64,
    /// What of the height above chance there is at the end.
    pub(super) regained: f64,
}

/// Place of a measure in [`Test::values`].
///
/// # Panics
/// If there is no such measure.
pub(super) fn place(measure: &str) -> usize {
    MEASURES.iter().position(|name| *name == measure).expect("a measure of a test")
}

/// What a measure is without any information on which of `classes` digits it was.
fn chance(measure: &str, classes: usize) -> f64 {
    match measure {
        _ if measure.ends_with("auc") => 0.5,
        _ if measure.ends_with("accuracy") => 1.0 / classes as f64,
        _ => 0.0,
    }
}

/// Values of a measure in the regular tests of a phase, with their times.
fn course(tests: &[Test], phase: u32, measure: &str) -> Vec<(f64, f64)> {
    let at = place(measure);
    let regular = tests.iter().filter(|test| test.phase == phase && !test.directly);
    regular.map(|test| (test.at_s, test.values[at])).collect()
}

/// Mean of the last three regular tests of a phase; of fewer if there are fewer, none without any.
pub(super) fn end(tests: &[Test], phase: u32, measure: &str) -> Option<f64> {
    let course = course(tests, phase, measure);
    let last = &course[course.len().saturating_sub(WINDOW)..];
    (!last.is_empty()).then(|| last.iter().fold(0.0, |sum, (_, value)| sum + value) / last.len() as f64)
}

/// The test that began a phase.
pub(super) fn first(tests: &[Test], phase: u32) -> Option<&Test> {
    tests.iter().find(|test| test.phase == phase && test.directly)
}

/// A measure around the beginning of a phase; none if the phase has no test yet.
pub(super) fn recovery(tests: &[Test], phase: u32, (measure, classes): (&str, usize)) -> Option<Recovery> {
    let before = end(tests, phase.checked_sub(1)?, measure)?;
    let after = first(tests, phase)?.values[place(measure)];
    let end = end(tests, phase, measure)?;
    let chance = chance(measure, classes);
    // A measure that had not risen above chance by a hundredth has nothing to regain.
    let regained = (end - chance) / (before - chance).max(0.01);
    Some(Recovery { before, after, end, regained })
}

/// Time since the phase began at which three tests in a row have, on average, regained `part` of the height above chance; the time
/// of the last of them. None if that did not happen.
pub(super) fn regained_after_s(
    tests: &[Test],
    phase: u32,
    (measure, classes): (&str, usize),
    part: f64,
) -> Option<f64> {
    let before = end(tests, phase.checked_sub(1)?, measure)?;
    let began = first(tests, phase)?.at_s;
    let chance = chance(measure, classes);
    let least = chance + part * (before - chance);
    let course = course(tests, phase, measure);
    let enough = |window: &&[(f64, f64)]| {
        window.iter().fold(0.0, |sum, (_, value)| sum + value) / WINDOW as f64 >= least
    };
    course.windows(WINDOW).find(enough).map(|window| window[WINDOW - 1].0 - began)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tests() -> Vec<Test> {
        let test = |at_s, phase, directly, auc| {
            let mut values = [0.0; MEASURES.len()];
            values[place("auc")] = auc;
            Test { at_s, phase, directly, values }
        };
        vec![
            test(0.0, 0, false, 0.5),
            test(10.0, 0, false, 0.8),
            test(20.0, 0, false, 0.9),
            test(30.0, 0, false, 1.0),
            test(30.0, 1, true, 0.4),
            test(40.0, 1, false, 0.6),
            test(50.0, 1, false, 0.8),
            test(60.0, 1, false, 0.9),
            test(70.0, 1, false, 0.85),
        ]
    }

    #[test]
    fn recovery_is_that_worked_by_hand() {
        let found = recovery(&tests(), 1, ("auc", 2)).expect("it was tested");
        assert!((found.before - 0.9).abs() < 1e-12 && found.after == 0.4);
        assert!((found.end - 0.85).abs() < 1e-12 && (found.regained - 0.875).abs() < 1e-12);
        // 90 % of 0.4 above 0.5 is 0.86, 80 % is 0.82: means of three are 0.767 and 0.85.
        assert_eq!(regained_after_s(&tests(), 1, ("auc", 2), 0.8), Some(40.0));
        assert_eq!(regained_after_s(&tests(), 1, ("auc", 2), 0.9), None);
    }

    #[test]
    fn what_was_not_tested_has_no_recovery() {
        assert_eq!((recovery(&tests(), 2, ("auc", 2)), recovery(&tests(), 0, ("auc", 2))), (None, None));
        // Nothing is known of ten digits at an accuracy of 0.1.
        assert_eq!(
            [chance("accuracy", 10), chance("image_auc", 10), chance("bits_per_spike", 10)],
            [0.1, 0.5, 0.0]
        );
        assert_eq!(recovery(&tests()[..5], 1, ("auc", 2)), None);
    }
}

//! How much a run may store.

use jobs::{MetricPoint, Policy, Value};

use crate::{Result, StoreError};

/// Bytes of one value.
pub(crate) const VALUE_BYTES: usize = 1 << 20;
/// Bytes of one chunk of a checkpoint or a data set.
pub(crate) const CHUNK_BYTES: usize = 1 << 20;
/// Bytes of arrays in one answer; the row that passes it is the last.
pub(crate) const ANSWER_BYTES: usize = 16 << 20;
/// How long an idempotency key is remembered, in milliseconds: 7 days.
pub(crate) const KEY_MS: u64 = 7 * 24 * 3_600_000;
/// Largest step: the largest integer of the database.
const STEP: u64 = i64::MAX as u64;

/// Checks each metric of a report by itself.
pub(crate) fn check_metrics(metrics: &[MetricPoint]) -> Result<()> {
    for MetricPoint { name, step, value } in metrics {
        let mut letters = name.bytes();
        let starts = letters.next().is_some_and(|b| b.is_ascii_lowercase());
        let goes_on = letters.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if !starts || !goes_on || name.len() > 64 {
            let name: String = name.chars().take(80).collect();
            return limit(format!("metric name `{name}` must match [a-z][a-z0-9_]{{0,63}}"));
        }
        if *step > STEP {
            return limit(format!("step of metric `{name}` is {step}; it must be at most {STEP}"));
        }
        if let Value::Array(array) = value {
            let numbers = array.shape.iter().try_fold(1_usize, |n, side| n.checked_mul(*side as usize));
            if numbers.and_then(|n| n.checked_mul(array.dtype.size())) != Some(array.data.len()) {
                let bytes = array.data.len();
                return limit(format!(
                    "metric `{name}` has {bytes} bytes; its shape {:?} needs others",
                    array.shape
                ));
            }
            if array.data.len() > VALUE_BYTES || array.shape.len() > 8 {
                return limit(format!(
                    "metric `{name}` has {} bytes; it must be at most {VALUE_BYTES}",
                    array.data.len()
                ));
            }
        }
    }
    Ok(())
}

/// Checks how many names and values a run has after a report.
pub(crate) fn check_totals(names: usize, points: u64, policy: &Policy) -> Result<()> {
    let Policy { metric_names, metric_points, .. } = policy;
    if names > *metric_names {
        return limit(format!("the run has {names} metrics; it may have at most {metric_names}"));
    }
    if points > *metric_points {
        return limit(format!("the run has {points} metric values; it may have at most {metric_points}"));
    }
    Ok(())
}

fn limit<T>(message: String) -> Result<T> {
    Err(StoreError::Limit(message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_held_to_its_names_and_values() {
        let policy = Policy { metric_names: 3, metric_points: 10, ..Policy::default() };
        assert!(check_totals(3, 10, &policy).is_ok());
        for (names, points, detail) in [
            (4, 10, "the run has 4 metrics; it may have at most 3"),
            (300, 10, "the run has 300 metrics; it may have at most 3"),
            (3, 11, "the run has 11 metric values; it may have at most 10"),
            (3, 1_000, "the run has 1000 metric values; it may have at most 10"),
        ] {
            let error = check_totals(names, points, &policy).expect_err("too much");
            assert_eq!(error.to_string(), detail);
        }
    }
}

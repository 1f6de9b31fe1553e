//! What the experiments on synaptic sampling share.

pub(crate) mod learner;
pub(crate) mod schedule;

use crate::Metrics;

/// Observes a number that small runs may not have.
pub(crate) fn scalar_if_finite(out: &mut Metrics, name: &'static str, value: f64) {
    if value.is_finite() {
        out.scalar(name, value);
    }
}

/// As metrics are stored.
pub(crate) fn singles(values: impl IntoIterator<Item = f64>) -> Vec<f32> {
    values.into_iter().map(|value| value as f32).collect()
}

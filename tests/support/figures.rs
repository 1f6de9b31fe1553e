//! Times and what they come to.

use std::time::Duration;

/// Sorted.
#[derive(Debug)]
pub(crate) struct Times(Vec<Duration>);

impl Times {
    pub(crate) fn of(mut times: Vec<Duration>) -> Self {
        assert!(!times.is_empty(), "nothing was measured");
        times.sort_unstable();
        Self(times)
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// The least time that so many of a hundred keep within.
    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        self.0[(self.0.len() * percent).div_ceil(100).max(1) - 1]
    }

    pub(crate) fn longest(&self) -> Duration {
        self.percentile(100)
    }
}

#[test]
fn a_percentile_is_a_time_that_was_measured() {
    let times = Times::of((1..=200).rev().map(Duration::from_millis).collect());
    assert_eq!(times.percentile(50), Duration::from_millis(100));
    assert_eq!(times.percentile(99), Duration::from_millis(198));
    assert_eq!(times.longest(), Duration::from_millis(200));
    let one = Times::of(vec![Duration::from_secs(1)]);
    assert_eq!((one.percentile(1), one.percentile(99)), (one.longest(), one.longest()));
}

//! What time it is at the database. Asked once a second; in between our own monotonic clock says how long ago that was.
//!
//! The answer is never ahead of the database: it counts from when the database's word arrived. How far it is behind is
//! how long that word was under way, and a second of its clock's steps.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jobs::Millis;
use tokio::time::Instant;

const FRESH: Duration = Duration::from_secs(1);

/// What the database last said, and when that arrived.
#[derive(Debug, Default)]
pub(super) struct Clock(Mutex<Option<(Millis, Instant)>>);

impl Clock {
    /// The time at the database, if it was asked lately.
    pub(super) fn read(&self, here: Instant) -> Option<Millis> {
        let (said, arrived) = (*self.0.lock().unwrap_or_else(PoisonError::into_inner))?;
        let since = here.saturating_duration_since(arrived);
        (since < FRESH).then(|| said + since.as_millis() as Millis)
    }

    /// The database said this, just now.
    pub(super) fn set(&self, said: Millis, arrived: Instant) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((said, arrived));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_database_said_is_good_for_a_second() {
        let (clock, begin) = (Clock::default(), Instant::now());
        assert_eq!(clock.read(begin), None);
        clock.set(5_000, begin);
        for (ms, told) in [(0, Some(5_000)), (1, Some(5_001)), (999, Some(5_999)), (1_000, None)] {
            assert_eq!(clock.read(begin + Duration::from_millis(ms)), told, "after {ms} ms");
        }
        clock.set(4_000, begin + Duration::from_millis(1_500));
        assert_eq!(clock.read(begin + Duration::from_millis(1_500)), Some(4_000), "it was set back");
    }
}

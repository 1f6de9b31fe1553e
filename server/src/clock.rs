//! The server's clock: the only place that reads one.

use std::{
    sync::Mutex,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use jobs::Millis;
use uuid::{ContextV7, Timestamp, Uuid};

/// Wall time at process start plus monotonic time since: a jump of the wall clock moves no lease.
pub(crate) struct Clock {
    began_at: Millis,
    began: Instant,
    // Counts within a millisecond, so that ids sort by creation.
    ids: Mutex<ContextV7>,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clocks")]
    pub(crate) fn start() -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            began_at: wall.as_millis() as Millis,
            began: Instant::now(),
            ids: Mutex::new(ContextV7::new()),
        }
    }

    /// Milliseconds since 1970.
    pub(crate) fn now(&self) -> Millis {
        self.began_at + self.uptime().as_millis() as Millis
    }

    /// Time since the process started; the difference of two is a duration.
    pub(crate) fn uptime(&self) -> Duration {
        self.began.elapsed()
    }

    /// A new id; ids sort by the time they were made.
    pub(crate) fn id(&self) -> Uuid {
        let now = self.now();
        let (seconds, nanos) = (now / 1000, (now % 1000) as u32 * 1_000_000);
        let context = self.ids.lock().expect("nothing panics while the lock is held");
        Uuid::new_v7(Timestamp::from_unix(&*context, seconds, nanos))
    }
}

/// A time as users see it: RFC 3339 in UTC with milliseconds.
pub(crate) fn rfc3339(at: Millis) -> String {
    let at = i64::try_from(at).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    format!("{:.3}", at.unwrap_or(jiff::Timestamp::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_utc_with_milliseconds() {
        assert_eq!(rfc3339(1_784_116_805_007), "2026-07-15T12:00:05.007Z");
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn ids_made_within_a_millisecond_sort_by_creation() {
        let clock = Clock::start();
        let ids: Vec<_> = (0..1000).map(|_| clock.id()).collect();
        assert!(ids.is_sorted());
    }
}

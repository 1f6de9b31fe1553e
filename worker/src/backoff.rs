//! How long to wait before trying again, and when to say so.

use std::time::Duration;

use tokio::time::Instant;
use tracing::{info, warn};

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(2);
/// A long outage is one line a minute, not thousands.
const LOG_EVERY: Duration = Duration::from_secs(60);

/// Growing waits with jitter, so that workers that lost a server together do not come back together.
#[derive(Debug)]
pub(crate) struct Backoff {
    failures: u32,
    jitter: u64,
    since: Option<Instant>,
    logged: Option<Instant>,
}

impl Backoff {
    pub(crate) fn new() -> Self {
        let (high, low) = uuid::Uuid::now_v7().as_u64_pair();
        Self { failures: 0, jitter: high ^ low, since: None, logged: None }
    }

    /// Notes a failed try of `what` and waits before the next.
    pub(crate) async fn wait(&mut self, what: &str, why: &str) {
        let now = Instant::now();
        self.since.get_or_insert(now);
        if self.logged.is_none_or(|logged| now >= logged + LOG_EVERY) {
            self.logged = Some(now);
            warn!("{what}: {why}; trying again");
        }
        let delay = self.next();
        tokio::time::sleep(delay).await;
    }

    /// Notes that it went well.
    pub(crate) fn reset(&mut self, what: &str) {
        if let Some(since) = self.since.take() {
            info!("{what}: works again after {:.1} s", since.elapsed().as_secs_f64());
        }
        (self.failures, self.logged) = (0, None);
    }

    /// `100 ms · 2^n` up to 2 s, of which a random half to whole is waited.
    fn next(&mut self) -> Duration {
        let longest = FIRST.saturating_mul(1 << self.failures.min(10)).min(LONGEST);
        self.failures += 1;
        // Knuth's MMIX generator: the high bits are random enough to scatter workers.
        self.jitter =
            self.jitter.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let part = 0.5 + (self.jitter >> 40) as f64 / (1_u64 << 25) as f64;
        longest.mul_f64(part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_two_seconds_and_differ() {
        let mut backoff = Backoff::new();
        let waits: Vec<Duration> = (0..40).map(|_| backoff.next()).collect();
        assert!(waits[0] >= FIRST / 2 && waits[0] <= FIRST, "{:?}", waits[0]);
        assert!(waits.iter().skip(5).all(|&wait| wait >= LONGEST / 2 && wait <= LONGEST));
        assert!(waits[10..].windows(2).any(|pair| pair[0] != pair[1]), "the jitter does nothing");
    }
}

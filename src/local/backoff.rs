//! How long to wait before a dead child is started again.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);
/// A child that lived this long was healthy; its death says nothing about the next one.
const HEALTHY: Duration = Duration::from_secs(60);

/// Doubles with each early death.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    early_deaths: u32,
}

impl Backoff {
    /// The pause after a child that lived for `lived`.
    pub(super) fn after(&mut self, lived: Duration) -> Duration {
        self.early_deaths = if lived >= HEALTHY { 0 } else { self.early_deaths };
        let pause = (FIRST * 2_u32.saturating_pow(self.early_deaths.min(10))).min(LONGEST);
        self.early_deaths += 1;
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn early_deaths_double_the_pause_and_a_long_life_forgives_them() {
        let mut backoff = Backoff::default();
        let pauses: Vec<u128> = (0..8).map(|_| backoff.after(Duration::ZERO).as_millis()).collect();
        assert_eq!(pauses, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
        assert_eq!(backoff.after(Duration::from_secs(61)), FIRST);
    }
}

//! The numbers behind the rules: times to live, budgets, back-off.

use crate::{Class, Millis, RunId};

/// The numbers behind [`crate::apply`]. The default is what a service uses; tests make times shorter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Time to live that a server gives a lease unless it is configured otherwise. Each lease carries its own.
    pub lease_ms: u64,
    /// An attempt without a newer step for that long has timed out.
    pub progress_ms: u64,
    /// The run fails with that many attempts ended as `crash`, `timeout` or `oom`.
    pub counted_budget: u32,
    /// An `oom` is the last attempt if that many have ended as `crash`, `timeout` or `oom`: what needs more memory than
    /// there is needs it again.
    pub oom_budget: u32,
    /// The run fails with that many attempts ended as `lost`, `drained`, `server_restart` or
    /// `checkpoint_refused`.
    pub uncounted_budget: u32,
    /// The run fails with that many attempts in a row without a newer checkpoint.
    pub stalled_budget: u32,
    /// Back-off after the first counted failure; doubled with each further one.
    pub backoff_ms: u64,
    /// Longest back-off, before jitter.
    pub backoff_cap_ms: u64,
    /// Least time between two `run_progressed` events of a run.
    pub progress_event_ms: u64,
    /// Largest event, as JSON: what would be more is cut in its scalars or its message.
    pub event_bytes: usize,
    /// Most different metrics of a run.
    pub metric_names: usize,
    /// Most values of a run, over all metrics.
    pub metric_points: u64,
    /// Whether reports of stale attempts are refused.
    pub fence: Fence,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            lease_ms: 30_000,
            progress_ms: 600_000,
            counted_budget: 3,
            oom_budget: 2,
            uncounted_budget: 20,
            stalled_budget: 5,
            backoff_ms: 10_000,
            backoff_cap_ms: 360_000,
            progress_event_ms: 500,
            event_bytes: 16 << 10,
            metric_names: 256,
            metric_points: 10_000_000,
            fence: Fence::Checked,
        }
    }
}

impl Policy {
    /// When a run may be leased again after its `failures`-th counted failure.
    ///
    /// `backoff · 2^(failures − 1)`, at most the cap, then ±20 % derived from run and attempt, so that runs that
    /// failed together do not come back together.
    pub(crate) fn not_before(&self, now: Millis, run: RunId, attempt: u32, failures: u32) -> Millis {
        let doubled = self.backoff_ms.saturating_mul(1 << failures.saturating_sub(1).min(32));
        let delay = doubled.min(self.backoff_cap_ms);
        let (high, low) = run.0.as_u64_pair();
        let permille = 800 + scatter(high ^ low ^ u64::from(attempt)) % 401;
        now.saturating_add(delay.saturating_mul(permille) / 1000)
    }
}

/// Whether the attempt number of a report is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fence {
    /// A report from an attempt that is not the open one is refused.
    #[default]
    Checked,
    /// **Only for tests of the test tools**: a running run takes reports of stale attempts too. With it a checker
    /// of recorded histories must find violations; a checker that finds none is broken.
    OffForTests,
}

/// What a failure of a class does to a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Charge {
    /// Tried again after a back-off, a few times.
    Counted,
    /// Not the run's fault: tried again at once, many times.
    Uncounted,
    /// Trying again would give the same.
    Final,
}

impl Class {
    pub(crate) fn charge(self) -> Charge {
        match self {
            Self::Crash | Self::Timeout | Self::Oom => Charge::Counted,
            Self::Lost | Self::Drained | Self::ServerRestart | Self::CheckpointRefused => Charge::Uncounted,
            Self::UserError | Self::Diverged | Self::DivergedBits | Self::CrashLoop => Charge::Final,
        }
    }
}

/// SplitMix64's finaliser: neighbouring inputs give unrelated outputs.
fn scatter(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn back_off_doubles_up_to_its_cap_within_a_fifth() {
        let policy = Policy::default();
        for bits in 0..200_u128 {
            let run = RunId(uuid::Uuid::from_u128(bits << 64 | 0x1234_5678));
            for (failures, delay) in [(1, 10_000), (2, 20_000), (6, 320_000), (7, 360_000), (40, 360_000)] {
                let waits = policy.not_before(1_000, run, failures, failures) - 1_000;
                assert!(waits * 5 >= delay * 4 && waits * 5 <= delay * 6, "{waits} ms after {failures}");
            }
        }
    }

    #[test]
    fn runs_that_failed_together_come_back_apart() {
        let policy = Policy::default();
        let times: std::collections::BTreeSet<_> =
            (0..100).map(|bits| policy.not_before(0, RunId(uuid::Uuid::from_u128(bits)), 1, 1)).collect();
        // 100 draws from 401 values: fewer than 70 distinct ones would be 10 standard deviations off.
        assert!(times.len() > 70, "{} distinct times", times.len());
    }
}

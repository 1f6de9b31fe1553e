//! Which run a worker gets, and what a queued run waits for.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;

use crate::{JobId, JobSpec, Millis, Run, RunState, WorkerInfo};

/// A queued run that is due, with what its job says.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The job.
    pub job: JobId,
    /// When the job was accepted.
    pub created_at: Millis,
    /// Experiment it needs.
    pub experiment: String,
    /// Version of the experiment.
    pub version: u32,
    /// Labels it needs.
    pub requires: BTreeMap<String, String>,
    /// Higher goes first.
    pub priority: i32,
    /// How many runs of the job are leased now.
    pub running: u32,
    /// Place of the run in its job.
    pub index: u32,
    /// Memory it is planned to need, in bytes.
    pub memory_bytes: u64,
}

/// Picks the run for a worker with `free_memory` bytes to spare: its place in `candidates`, if one fits.
///
/// Order: priority, then the job with the fewest running runs, then the oldest job, then the run's index. So jobs
/// of equal priority share the workers evenly, whatever their sizes.
pub fn choose(candidates: &[Candidate], worker: &WorkerInfo, free_memory: u64) -> Option<usize> {
    let fits = |candidate: &Candidate| {
        candidate.memory_bytes <= largest_plan(free_memory)
            && worker
                .catalogue
                .iter()
                .any(|can| can.experiment == candidate.experiment && can.version == candidate.version)
            && candidate.requires.iter().all(|(key, value)| worker.labels.get(key) == Some(value))
    };
    let rank = |at: &usize| {
        let candidate = &candidates[*at];
        let Candidate { priority, running, created_at, job, index, .. } = candidate;
        (Reverse(*priority), *running, *created_at, *job, *index)
    };
    (0..candidates.len()).filter(|at| fits(&candidates[*at])).min_by_key(rank)
}

/// The largest planned memory that fits into `free_memory` with a tenth of the plan to spare.
pub fn largest_plan(free_memory: u64) -> u64 {
    u64::try_from(u128::from(free_memory) * 10 / 11).expect("less than the u64 it came from")
}

/// What a queued run waits for. Displays as in "waiting for …".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waiting {
    /// A worker that can run it and has a free slot.
    Worker {
        /// The experiment.
        experiment: String,
        /// Its version.
        version: u32,
        /// Free memory it needs, in bytes.
        memory_bytes: u64,
        /// Labels it needs.
        requires: BTreeMap<String, String>,
    },
    /// The end of its back-off.
    BackOff {
        /// Time left, in milliseconds.
        left_ms: u64,
    },
}

impl Waiting {
    /// What `run` of a job with `spec` waits for; `None` unless it is queued.
    pub fn of(run: &Run, spec: &JobSpec, now: Millis) -> Option<Self> {
        match &run.state {
            RunState::Queued { not_before: Some(until) } if now < *until => {
                Some(Self::BackOff { left_ms: until - now })
            }
            RunState::Queued { .. } => Some(Self::Worker {
                experiment: spec.experiment.clone(),
                version: spec.version.unwrap_or(1),
                memory_bytes: run.spec.memory_bytes.saturating_add(run.spec.memory_bytes.div_ceil(10)),
                requires: spec.requires.clone(),
            }),
            _ => None,
        }
    }
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Worker { experiment, version, memory_bytes, requires } => {
                write!(f, "a worker with {experiment} v{version} and {}", size(*memory_bytes))?;
                let labels: Vec<_> = requires.iter().map(|(key, value)| format!("{key}={value}")).collect();
                match labels.len() {
                    0 => Ok(()),
                    1 => write!(f, " and label {}", labels[0]),
                    _ => write!(f, " and labels {}", labels.join(", ")),
                }
            }
            Self::BackOff { left_ms } => write!(f, "the end of its back-off in {} s", left_ms.div_ceil(1000)),
        }
    }
}

/// Bytes for people, rounded up so that the size named suffices.
fn size(bytes: u64) -> String {
    let tenths = |unit: u64| {
        let tenths = (u128::from(bytes) * 10).div_ceil(u128::from(unit));
        format!("{}.{}", tenths / 10, tenths % 10)
    };
    match bytes {
        0..0x10_0000 => format!("{} KiB", tenths(1 << 10)),
        0x10_0000..0x4000_0000 => format!("{} MiB", tenths(1 << 20)),
        _ => format!("{} GiB", tenths(1 << 30)),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{Capability, WorkerId};

    fn candidate(job: u128) -> Candidate {
        Candidate {
            job: JobId(Uuid::from_u128(job)),
            created_at: 1,
            experiment: "rbse".into(),
            version: 1,
            requires: BTreeMap::new(),
            priority: 0,
            running: 0,
            index: 0,
            memory_bytes: 1_000,
        }
    }

    fn worker() -> WorkerInfo {
        WorkerInfo {
            id: WorkerId(Uuid::from_u128(1)),
            name: "here".into(),
            build: "0".into(),
            catalogue: vec![Capability { experiment: "rbse".into(), version: 1 }],
            slots: 1,
            memory_bytes: 1 << 30,
            labels: BTreeMap::from([("gpu".into(), "yes".into())]),
            seen_at: 0,
        }
    }

    #[test]
    fn priority_goes_before_fairness_before_age_before_index() {
        let worst = candidate(9);
        let index = Candidate { job: JobId(Uuid::from_u128(9)), index: 3, ..candidate(9) };
        let younger = Candidate { created_at: 2, ..candidate(1) };
        let busy = Candidate { running: 4, created_at: 0, ..candidate(2) };
        let urgent = Candidate { priority: 1, running: 9, created_at: 9, ..candidate(8) };
        let mut all = vec![index, younger, busy, worst, urgent];
        for expected in [4, 3, 0, 0, 0] {
            let at = choose(&all, &worker(), 1 << 20).expect("all fit");
            assert_eq!(at, expected);
            all.remove(at);
        }
    }

    #[test]
    fn a_run_needs_a_tenth_more_memory_than_planned() {
        assert_eq!(choose(&[candidate(1)], &worker(), 1_100), Some(0));
        assert_eq!(choose(&[candidate(1)], &worker(), 1_099), None);
        assert!(largest_plan(u64::MAX) < u64::MAX);
    }

    #[test]
    fn experiment_version_and_labels_must_match() {
        let other = Candidate { experiment: "wta".into(), ..candidate(1) };
        let newer = Candidate { version: 2, ..candidate(1) };
        let needs = |value: &str| BTreeMap::from([("gpu".to_owned(), value.to_owned())]);
        let wrong_label = Candidate { requires: needs("no"), ..candidate(1) };
        assert_eq!(choose(&[other, newer, wrong_label], &worker(), 1 << 20), None);
        let right_label = Candidate { requires: needs("yes"), ..candidate(1) };
        assert_eq!(choose(&[right_label], &worker(), 1 << 20), Some(0));
    }

    #[test]
    fn waiting_says_what_is_missing() {
        let mut waiting = Waiting::Worker {
            experiment: "rbse".into(),
            version: 1,
            memory_bytes: 3_300_000_000,
            requires: BTreeMap::new(),
        };
        assert_eq!(waiting.to_string(), "a worker with rbse v1 and 3.1 GiB");
        if let Waiting::Worker { requires, .. } = &mut waiting {
            *requires = BTreeMap::from([("gpu".into(), "yes".into())]);
        }
        assert_eq!(waiting.to_string(), "a worker with rbse v1 and 3.1 GiB and label gpu=yes");
        assert_eq!(Waiting::BackOff { left_ms: 11_001 }.to_string(), "the end of its back-off in 12 s");
    }
}

//! What the server remembers of the attempts it granted: enough to ring the right bell and count steps without
//! asking the store. Forgetting is harmless.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard},
};

use jobs::{JobId, Run, RunId};

/// More than this process can have to do with at once.
const MOST: usize = 100_000;

/// The attempts that are open, as far as this process knows.
#[derive(Default)]
pub(crate) struct Attempts(Mutex<HashMap<RunId, Open>>);

#[derive(Clone, Copy)]
struct Open {
    job: JobId,
    attempt: u32,
    step: u64,
}

impl Attempts {
    /// An attempt was granted, or heard of for the first time.
    pub(crate) fn open(&self, run: &Run) {
        let mut open = self.lock();
        if open.len() >= MOST {
            open.clear(); // attempts that ended at other servers are never closed here
        }
        open.insert(run.id, Open { job: run.job, attempt: run.attempt, step: run.step });
    }

    /// The job of a run whose attempt is open.
    pub(crate) fn job(&self, run: RunId) -> Option<JobId> {
        self.lock().get(&run).map(|open| open.job)
    }

    /// Notes the step reached; answers how many steps are new.
    pub(crate) fn advance(&self, run: RunId, attempt: u32, step: u64) -> u64 {
        match self.lock().get_mut(&run) {
            Some(open) if open.attempt == attempt => {
                let new = step.saturating_sub(open.step);
                open.step = step;
                new
            }
            _ => 0,
        }
    }

    /// The attempt ended; answers whether it was open.
    pub(crate) fn close(&self, run: RunId) -> bool {
        self.lock().remove(&run).is_some()
    }

    /// Forgets what is known of a job's runs: those that go on are heard of again.
    pub(crate) fn forget(&self, job: JobId) {
        self.lock().retain(|_, open| open.job != job);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<RunId, Open>> {
        self.0.lock().expect("nothing panics while the lock is held")
    }
}

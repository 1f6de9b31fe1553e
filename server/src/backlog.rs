//! How many jobs wait: counted now and then, for each submission would otherwise count them all.

use std::{
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use crate::{
    app::App,
    fault::{Fault, Kind},
};

/// For so long a count is good; jobs taken meanwhile are added to it, those that began are not taken off.
const FRESH: Duration = Duration::from_secs(1);

/// The last count.
#[derive(Debug, Default)]
pub(crate) struct Backlog(Mutex<Option<Count>>);

#[derive(Debug, Clone, Copy)]
struct Count {
    jobs: u64,
    at: Duration,
}

impl Backlog {
    /// Refuses a job when as many wait as may.
    pub(crate) async fn admit(&self, app: &App) -> Result<(), Fault> {
        let (now, most) = (app.clock.uptime(), app.config.max_queued_jobs);
        let known = *self.lock();
        if known.is_some_and(|count| now < count.at + FRESH && count.jobs < most) {
            return Ok(());
        }
        let jobs = app.store.queued_jobs().await?;
        *self.lock() = Some(Count { jobs, at: now });
        if jobs < most {
            return Ok(());
        }
        let rule = format!(
            "there may be at most {most} before another one is taken; try again when some have begun"
        );
        Err(Fault::new(Kind::Busy, format!("{jobs} jobs wait for a worker; {rule}")))
    }

    /// A job was taken.
    pub(crate) fn grew(&self) {
        if let Some(count) = &mut *self.lock() {
            count.jobs += 1;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Count>> {
        self.0.lock().expect("nothing panics while the lock is held")
    }
}

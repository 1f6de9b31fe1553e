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

/// The last count, and who counts.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    last: Mutex<Option<Count>>,
    counting: tokio::sync::Mutex<()>,
}

#[derive(Debug, Clone, Copy)]
struct Count {
    jobs: u64,
    at: Duration,
}

impl Backlog {
    /// Refuses a job when as many wait as may.
    pub(crate) async fn admit(&self, app: &App) -> Result<(), Fault> {
        let (now, most) = (app.clock.uptime(), app.config.max_queued_jobs);
        let known = *self.last();
        if known.is_some_and(|count| now < count.at + FRESH && count.jobs < most) {
            return Ok(());
        }
        // One counts for all. While there is room by the count before, nobody waits for it.
        let _turn = match self.counting.try_lock() {
            Ok(turn) => turn,
            Err(_) if known.is_some_and(|count| count.jobs < most) => return Ok(()),
            Err(_) => self.counting.lock().await,
        };
        let counted = (*self.last()).filter(|count| count.at > now);
        let jobs = match counted {
            Some(count) => count.jobs,
            None => {
                let at = app.clock.uptime();
                let jobs = app.store.queued_jobs().await?;
                *self.last() = Some(Count { jobs, at });
                jobs
            }
        };
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
        if let Some(count) = &mut *self.last() {
            count.jobs += 1;
        }
    }

    fn last(&self) -> MutexGuard<'_, Option<Count>> {
        self.last.lock().expect("nothing panics while the lock is held")
    }
}

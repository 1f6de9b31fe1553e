//! Ends what nobody ends: leases that ran out, chunks that no checkpoint names.

use jobs::JobId;
use store::{Collect, Collected, StoreError};
use tokio::time::{MissedTickBehavior, interval};

use crate::{app::App, config::millis};

/// Gives running leases time: workers could not report while no server was there, or its store did not answer, and
/// that is not their fault.
pub(crate) async fn extend(app: &App) -> store::Result<()> {
    let grace = app.config.lease_ms + app.config.restart_grace_ms;
    app.store.extend_leases(app.now().await? + grace).await
}

/// Looks for lost leases until the server has gone.
pub(crate) async fn reap(app: App) {
    let mut tick = interval(millis(app.config.reap_ms.max(1)));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut was_away = false;
    loop {
        tick.tick().await;
        match look(&app, was_away).await {
            Ok(jobs) => {
                was_away = false;
                for job in &jobs {
                    app.telemetry.lease_expired();
                    app.attempts.forget(*job);
                    tracing::warn!(job.id = %job, "a lease of job {job} ran out");
                    app.bell.ring_job(*job);
                }
                if !jobs.is_empty() {
                    app.bell.ring_work();
                }
            }
            Err(error) => {
                if !was_away {
                    tracing::error!(%error, "lost leases are not looked for: {error}");
                }
                was_away = true;
            }
        }
    }
}

/// Ends the attempts that are over; answers their jobs.
pub(crate) async fn look(app: &App, was_away: bool) -> store::Result<Vec<JobId>> {
    // Reports are refused too while nothing is written: no lease runs out for that.
    if app.has_room_to_write().is_err() {
        return Err(StoreError::Full);
    }
    if was_away {
        extend(app).await?;
    }
    app.store.expire_leases(app.now().await?).await
}

/// Removes chunks whose report never came.
pub(crate) async fn collect(app: App) {
    let mut tick = interval(millis(app.config.collect_ms.max(1)));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let removed = async {
            let now = app.now().await?;
            let before = now.saturating_sub(app.config.orphan_chunk_ms);
            app.store.collect(Collect { before, final_only: false, dry_run: false, now }).await
        };
        match removed.await {
            Ok(Collected { chunks: 0, .. }) => {}
            Ok(Collected { chunks, chunk_bytes, .. }) => {
                tracing::info!(chunks, chunk_bytes, "{chunks} chunks that nothing names removed");
            }
            Err(error) => tracing::error!(%error, "chunks were not collected: {error}"),
        }
    }
}

//! Ends what nobody ends: leases that ran out, chunks that no checkpoint names.

use tokio::time::{MissedTickBehavior, interval};

use crate::{app::App, config::millis};

/// Looks for lost leases until the server has gone.
pub(crate) async fn reap(app: App) {
    let mut tick = interval(millis(app.config.reap_ms.max(1)));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        match app.store.expire_leases(app.clock.now()).await {
            Ok(jobs) => {
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
            Err(error) => tracing::error!(%error, "lost leases were not looked for: {error}"),
        }
    }
}

/// Removes chunks whose report never came.
pub(crate) async fn collect(app: App) {
    let mut tick = interval(millis(app.config.collect_ms.max(1)));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let before = app.clock.now().saturating_sub(app.config.orphan_chunk_ms);
        match app.store.collect_chunks(before).await {
            Ok(0) => {}
            Ok(removed) => tracing::info!(removed, "{removed} chunks that no checkpoint names removed"),
            Err(error) => tracing::error!(%error, "chunks were not collected: {error}"),
        }
    }
}

//! Other servers on the same store: what moved here is told to them, what moved there rings here.
//!
//! All of it is hints: whoever waits looks now and then without a ring.

use std::collections::BTreeSet;

use store::Hint;
use tokio::{
    sync::broadcast::error::{RecvError, TryRecvError},
    time::sleep,
};

use crate::{app::App, config::millis};

/// Least time between two messages: they are worth a look, not a flood.
const PAUSE_MS: u64 = 100;

/// Rings for what others tell, for ever.
pub(crate) async fn hear(app: App) {
    let Some(mut hints) = app.store.hints() else { return };
    loop {
        match hints.recv().await {
            Ok(hint) => app.bell.hear(hint),
            Err(RecvError::Lagged(_)) => app.bell.hear(Hint::Anything),
            Err(RecvError::Closed) => return,
        }
    }
}

/// Tells others what rang here, for ever.
pub(crate) async fn tell(app: App) {
    if app.store.hints().is_none() {
        return;
    }
    let mut rings = app.bell.rings();
    loop {
        let mut hints = BTreeSet::new();
        match rings.recv().await {
            Ok(hint) => hints.insert(hint),
            Err(RecvError::Lagged(_)) => hints.insert(Hint::Anything),
            Err(RecvError::Closed) => return,
        };
        loop {
            match rings.try_recv() {
                Ok(hint) => hints.insert(hint),
                Err(TryRecvError::Lagged(_)) => hints.insert(Hint::Anything),
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            };
        }
        let hints: Vec<_> = hints.into_iter().collect();
        if let Err(error) = app.store.tell(&hints).await {
            tracing::debug!(%error, "other servers were not told: {error}");
        }
        sleep(millis(PAUSE_MS)).await;
    }
}

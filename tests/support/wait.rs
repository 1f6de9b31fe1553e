//! Patience: waiting for a condition with a deadline, never for a time.

use std::time::{Duration, Instant};

/// Between two looks: short against everything that is waited for.
const LOOK_EVERY: Duration = Duration::from_millis(15);

/// Waits until `look` finds something; answers it.
///
/// # Panics
/// If it is not there `within` that time.
pub(crate) async fn until<T>(what: &str, within: Duration, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(began.elapsed() < within, "{what}: not within {} s", within.as_secs_f64());
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

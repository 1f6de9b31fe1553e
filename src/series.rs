//! All values of a metric: the server thins long answers, so they are read window by window.

use serde_json::Value as Json;

use crate::client::{Client, Rows};

/// Values that one answer holds without being thinned.
const ANSWER: u64 = 5_000;

/// Steps `from..=to` of which at most every `every`-th has a value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    /// First step.
    pub(crate) from: u64,
    /// Last step.
    pub(crate) to: u64,
    /// Steps between two values; the end of a run may come earlier.
    pub(crate) every: u64,
}

/// Every stored value of a metric in a window, by step.
///
/// # Errors
/// If the server does not give them.
pub(crate) async fn all(
    client: &Client,
    run: &str,
    metric: &str,
    window: Window,
) -> anyhow::Result<Vec<(u64, Json)>> {
    let Window { from, to, every } = window;
    // One value less than fit: the last step of a run is observed wherever it falls.
    let steps = every.max(1).saturating_mul(ANSWER - 1);
    let (mut rows, mut first) = (Vec::new(), from);
    while first <= to {
        let last = to.min(first.saturating_add(steps - 1));
        let path = format!("/runs/{run}/metrics/{metric}?points={ANSWER}&from={first}&to={last}");
        rows.extend(client.get::<Rows>(&path).await?.rows);
        first = last + 1;
    }
    Ok(rows)
}

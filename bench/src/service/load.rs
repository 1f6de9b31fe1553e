//! Clients that call again as soon as they are answered.

use std::time::{Duration, Instant};

use super::{Client, Side};

/// What clients got done.
pub(super) struct Load {
    pub(super) calls: usize,
    pub(super) seconds: f64,
    /// Sorted.
    pub(super) latencies_ms: Vec<f64>,
    /// Whether the server has every value that was answered.
    pub(super) is_kept: bool,
}

/// Lets `clients` call for `turn`: posts with `values` values, or jobs if that is 0.
pub(super) async fn drive(
    side: &dyn Side,
    clients: usize,
    values: usize,
    turn: Duration,
) -> anyhow::Result<Load> {
    let mut ready = Vec::with_capacity(clients);
    for _ in 0..clients {
        ready.push(side.client().await?);
    }
    let began = Instant::now();
    let working: Vec<_> =
        ready.into_iter().map(|client| tokio::spawn(call(client, values, began, turn))).collect();
    let (mut latencies_ms, mut is_kept, mut seconds, mut clients) = (Vec::new(), true, 0.0_f64, Vec::new());
    for worker in working {
        let (client, latencies, ended) = worker.await??;
        seconds = seconds.max(ended);
        clients.push((client, latencies.len()));
        latencies_ms.extend(latencies);
    }
    // Looked up when nobody is timed any more.
    for (mut client, calls) in clients {
        if values == 0 {
            continue;
        }
        let (answered, stored) = ((calls * values) as u64, client.leave().await?);
        if stored != answered {
            eprintln!("{}: {answered} values of a run were answered, {stored} are there", side.name());
            is_kept = false;
        }
    }
    latencies_ms.sort_by(f64::total_cmp);
    Ok(Load { calls: latencies_ms.len(), seconds, latencies_ms, is_kept })
}

type Called = (Box<dyn Client>, Vec<f64>, f64);

async fn call(
    mut client: Box<dyn Client>,
    values: usize,
    began: Instant,
    turn: Duration,
) -> anyhow::Result<Called> {
    let mut latencies = Vec::new();
    while began.elapsed() < turn {
        let sent = Instant::now();
        match values {
            0 => client.create().await?,
            values => client.post(values).await?,
        }
        latencies.push(sent.elapsed().as_secs_f64() * 1e3);
    }
    Ok((client, latencies, began.elapsed().as_secs_f64()))
}

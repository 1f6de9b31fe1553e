//! Our own accept loop: HTTP/1.1 and h2c on one port, with the time-outs that `axum::serve` does not set.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use axum::{Router, body::Body};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto::Builder, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout},
};
use tower::ServiceExt;

use crate::{app::App, config::millis, socket::Guarded};

/// A peer that is gone without a word is noticed after twice that.
const PING: Duration = Duration::from_secs(20);
/// Bytes of uploads that are under way on a connection: on a link of 256 kbit/s pings and reports wait 4 s behind them.
const UNDER_WAY: u32 = 128 << 10;
/// Bytes of an answer that wait here for a client to take them; a reader that stalls costs that much. Also the most that the
/// headers of a request may have.
const WAITING: usize = 16 << 10;

/// Serves connections until a drain begins; then lets open requests end, as long as `drain_ms` allows.
pub(crate) async fn listen(app: App, listener: TcpListener, router: Router) {
    let builder = builder(&app);
    let graceful = GracefulShutdown::new();
    let connections = Arc::new(Semaphore::new(app.config.max_connections));
    let addresses = Addresses::default();
    loop {
        let next = async {
            // Connections over the cap wait in the backlog of the system.
            let permit =
                Arc::clone(&connections).acquire_owned().await.expect("the semaphore is never closed");
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            next = next => next,
            () = app.drain.cancelled() => break,
        };
        match accepted {
            Ok((stream, peer)) => match addresses.enter(peer.ip(), app.config.max_connections_per_address) {
                Some(entered) => {
                    app.telemetry.connected();
                    serve(&app, &builder, &graceful, stream, router.clone(), (permit, entered));
                }
                None => tracing::debug!(%peer, "connection refused: its address has as many as it may"),
            },
            Err(error) => {
                // Out of file descriptors, most likely: some of them must close first.
                tracing::error!(%error, "no connection accepted: {error}");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
    drop(listener);
    if timeout(millis(app.config.drain_ms), graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not end within {} ms", app.config.drain_ms);
    }
}

fn builder(app: &App) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .max_buf_size(WAITING)
        .header_read_timeout(millis(app.config.header_timeout_ms));
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(app.config.max_http2_streams)
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING)
        .max_send_buf_size(WAITING)
        .initial_connection_window_size(UNDER_WAY)
        .initial_stream_window_size(UNDER_WAY);
    builder
}

fn serve(
    app: &App,
    builder: &Builder<TokioExecutor>,
    graceful: &GracefulShutdown,
    stream: TcpStream,
    router: Router,
    held: (OwnedSemaphorePermit, Entered),
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no TCP_NODELAY: {error}");
    }
    let config = &app.config;
    let io = Guarded::new(stream, millis(config.header_timeout_ms), millis(config.write_timeout_ms));
    let service = router.map_request(|request: hyper::Request<hyper::body::Incoming>| request.map(Body::new));
    let connection =
        builder.serve_connection(TokioIo::new(io), TowerToHyperService::new(service)).into_owned();
    let connection = graceful.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            // Peers go away all the time; it is no fault of ours.
            tracing::debug!(%error, "connection ended: {error}");
        }
        drop(held);
    });
}

/// How many connections each address has.
#[derive(Debug, Clone, Default)]
struct Addresses(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// One connection of an address, as long as this lives.
struct Entered {
    addresses: Addresses,
    address: IpAddr,
}

impl Addresses {
    /// Counts a connection; `None` when the address has `most` already.
    fn enter(&self, address: IpAddr, most: usize) -> Option<Entered> {
        let mut counts = self.lock();
        let count = counts.entry(address).or_insert(0);
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Entered { addresses: self.clone(), address })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.0.lock().expect("nothing panics while the lock is held")
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        let mut counts = self.addresses.lock();
        if let Some(count) = counts.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}

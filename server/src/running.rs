//! Starts the server and lets it go.

use std::{io, net::SocketAddr, sync::Arc};

use store::{Store, StoreError};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{app::App, builtin, config::Config, fault::Fault, listener, neighbours, reaper, rest};

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There are no tokens and no TLS yet.
    #[error(
        "listen address is {0}; it must be loopback (127.0.0.1 or [::1]), because everybody who reaches another \
         one could use the server; --insecure-listen allows it all the same"
    )]
    NotLoopback(SocketAddr),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The built-in data sets could not be stored.
    #[error("cannot store the built-in data sets: {0}")]
    Builtin(String),
}

/// A server that is running.
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub addr: SocketAddr,
    drain: Drain,
    serving: JoinHandle<()>,
}

/// Asks a running server to go away; cheap to clone.
#[derive(Debug, Clone)]
pub struct Drain(CancellationToken);

impl Drain {
    /// Readiness turns false, new leases and submissions are refused, streams close, open requests end.
    pub fn begin(&self) {
        self.0.cancel();
    }
}

impl Running {
    /// The handle that begins a drain.
    pub fn drain(&self) -> Drain {
        self.drain.clone()
    }

    /// Waits until a drain has ended. The store is the caller's to close.
    pub async fn join(self) {
        if let Err(error) = self.serving.await {
            tracing::error!(%error, "the listener ended badly: {error}");
        }
    }
}

/// Starts the server: built-in data sets, grace for running leases, reaper, listener.
///
/// # Errors
/// If the address is not loopback without `insecure_listen`, is taken, or the store does not answer.
pub async fn start(config: Config, store: Arc<dyn Store>) -> Result<Running, StartError> {
    let address = config.listen;
    if !address.ip().is_loopback() && !config.insecure_listen {
        return Err(StartError::NotLoopback(address));
    }
    store.ping().await?;
    let app = App::new(config, store);
    let builtin = |fault: Fault| StartError::Builtin(fault.detail);
    builtin::put(&app).await.map_err(builtin)?;
    reaper::extend(&app).await?;

    let listen = |source| StartError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(listen)?;
    let addr = listener.local_addr().map_err(listen)?;
    let drain = Drain(app.drain.clone());
    let serving = tokio::spawn(run(app, listener));
    Ok(Running { addr, drain, serving })
}

async fn run(app: App, listener: TcpListener) {
    let reaping = tokio::spawn(reaper::reap(app.clone()));
    let collecting = tokio::spawn(reaper::collect(app.clone()));
    let hearing = tokio::spawn(neighbours::hear(app.clone()));
    let telling = tokio::spawn(neighbours::tell(app.clone()));
    let router = rest::router(app.clone());
    listener::listen(app, listener, router).await;
    [reaping, collecting, hearing, telling].iter().for_each(JoinHandle::abort);
}

//! The server in this process, with its store.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context;
use store::{Place, Postgres, PostgresOptions, Sqlite, SqliteOptions, Store};

use crate::settings::Settings;

const DATABASE: &str = "vesicle.db";
/// On top of the server's own time for a drain, to close the store.
const CLOSING: Duration = Duration::from_secs(5);

/// A server that is running.
pub(crate) struct Service {
    running: server::Running,
    store: Arc<dyn Store>,
    drain: Duration,
}

impl Service {
    /// Opens the store and starts to listen.
    ///
    /// # Errors
    /// If the folder cannot be used or the address cannot be listened on.
    pub(crate) async fn start(settings: Settings) -> anyhow::Result<Self> {
        let store = open(&settings).await?;
        let mut config = settings.config;
        config.disk = settings.database.is_none().then_some(settings.data_dir);
        let drain = Duration::from_millis(config.drain_ms);
        let running = server::start(config, Arc::clone(&store)).await?;
        Ok(Self { running, store, drain })
    }

    /// Where clients of this machine reach it.
    pub(crate) fn url(&self) -> String {
        let mut address: SocketAddr = self.running.addr;
        if address.ip().is_unspecified() {
            address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
        }
        format!("http://{address}")
    }

    /// Lets open requests end, closes the streams and then the store.
    ///
    /// # Errors
    /// If that takes longer than it may.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.running.drain().begin();
        let ended = async {
            self.running.join().await;
            self.store.close().await
        };
        tokio::time::timeout(self.drain + CLOSING, ended)
            .await
            .context("the server did not stop in time")??;
        Ok(())
    }
}

/// The database that the settings name.
pub(crate) fn place(settings: &Settings) -> Place {
    let policy = settings.config.policy;
    match &settings.database {
        Some(address) => Place::Postgres(PostgresOptions { policy, ..PostgresOptions::new(address) }),
        None => Place::Sqlite(settings.data_dir.join(DATABASE)),
    }
}

async fn open(settings: &Settings) -> anyhow::Result<Arc<dyn Store>> {
    match place(settings) {
        Place::Postgres(options) => {
            Ok(Arc::new(Postgres::open(options).await.context("cannot open the Postgres database")?))
        }
        Place::Sqlite(path) => {
            let folder = &settings.data_dir;
            std::fs::create_dir_all(folder)
                .with_context(|| format!("cannot make the folder {}", folder.display()))?;
            let options = SqliteOptions { policy: settings.config.policy, ..SqliteOptions::new(&path) };
            let open = Sqlite::open(options).await;
            Ok(Arc::new(open.with_context(|| format!("cannot open the database {}", path.display()))?))
        }
    }
}

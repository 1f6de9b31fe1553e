//! Where the jobs run: on a private server that is gone afterwards, or on one that is given.

use crate::{
    local::{Crew, Service, Voice},
    settings::{ServerArgs, Settings},
    up::CrewArgs,
};

/// A server with workers.
pub(super) enum Bench {
    /// In a folder that is removed at the end.
    Private(Box<Private>),
    /// Somebody's; it stays as it is.
    Given(String),
}

/// A private service.
pub(super) struct Private {
    url: String,
    service: Service,
    crew: Crew,
    folder: tempfile::TempDir,
}

impl Bench {
    /// The server at `url`, or a private one.
    pub(super) async fn start(url: Option<&String>) -> anyhow::Result<Self> {
        match url {
            Some(url) => Ok(Self::Given(url.clone())),
            None => Ok(Self::Private(Box::new(Private::start().await?))),
        }
    }

    pub(super) fn url(&self) -> &str {
        match self {
            Self::Private(private) => &private.url,
            Self::Given(url) => url,
        }
    }

    /// Whether jobs outlive this command.
    pub(super) fn is_given(&self) -> bool {
        matches!(self, Self::Given(_))
    }

    pub(super) async fn stop(self) -> anyhow::Result<()> {
        let Self::Private(private) = self else { return Ok(()) };
        private.crew.stop().await;
        private.service.stop().await?;
        private.folder.close()?;
        Ok(())
    }
}

impl Private {
    async fn start() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let args = ServerArgs { listen: Some(([127, 0, 0, 1], 0).into()), ..ServerArgs::default() };
        let settings = Settings { data_dir: folder.path().to_owned(), database: None, ..args.settings()? };
        let service = Service::start(settings).await?;
        let url = service.url();
        let crew = CrewArgs::from(2).start(&url, Voice::LastWords);
        Ok(Self { url, service, crew, folder })
    }
}

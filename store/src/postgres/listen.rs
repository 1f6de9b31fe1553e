//! `LISTEN` and `NOTIFY`: hints from one server to the others. They are never the data, and may get lost.

use std::time::Duration;

use jobs::JobId;
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use tokio::sync::broadcast::{self, Receiver, Sender};
use tokio::task::JoinHandle;
use tokio::time::sleep;
use uuid::Uuid;

use crate::{Hint, Result};

const CHANNEL: &str = "vesicle";
/// A payload has less than 8,000 bytes.
const HINTS_AT_ONCE: usize = 200;
/// Between two tries to listen again.
const PAUSE: Duration = Duration::from_secs(1);

/// Hears the other servers on a connection of its own.
#[derive(Debug)]
pub(super) struct Listener {
    /// Who we are: what we tell comes back to us as well.
    me: Uuid,
    heard: Sender<Hint>,
    task: JoinHandle<()>,
}

impl Listener {
    pub(super) fn start(options: PgConnectOptions) -> Self {
        let me = Uuid::now_v7();
        let heard = Sender::new(1_024);
        let task = tokio::spawn(listen(options, me, heard.clone()));
        Self { me, heard, task }
    }

    pub(super) fn hear(&self) -> Receiver<Hint> {
        self.heard.subscribe()
    }

    pub(super) async fn tell(&self, pool: &PgPool, hints: &[Hint]) -> Result<()> {
        for hints in hints.chunks(HINTS_AT_ONCE) {
            let payload = payload(self.me, hints);
            sqlx::query("SELECT pg_notify($1, $2)").bind(CHANNEL).bind(payload).execute(pool).await?;
        }
        Ok(())
    }

    pub(super) fn stop(&self) {
        self.task.abort();
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stop();
    }
}

async fn listen(options: PgConnectOptions, me: Uuid, heard: Sender<Hint>) {
    let pool = PgPoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
    let pool = pool.connect_lazy_with(options);
    loop {
        if let Err(error) = listen_once(&pool, me, &heard).await {
            tracing::warn!(%error, "other servers cannot be heard; looking now and then instead: {error}");
        }
        sleep(PAUSE).await;
    }
}

/// Listens until the connection breaks.
async fn listen_once(pool: &PgPool, me: Uuid, heard: &Sender<Hint>) -> sqlx::Result<()> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    let _nobody = heard.send(Hint::Anything); // what was told before was missed
    while let Some(told) = listener.try_recv().await? {
        for hint in hints(me, told.payload()) {
            let _nobody: std::result::Result<_, broadcast::error::SendError<_>> = heard.send(hint);
        }
    }
    Ok(())
}

/// `sender:hint,hint,…`, a hint being the id of a job or `work`.
fn payload(me: Uuid, hints: &[Hint]) -> String {
    let hints = hints.iter().map(|hint| match hint {
        Hint::Work => "work".to_owned(),
        Hint::Job(job) => job.to_string(),
        Hint::Anything => "anything".to_owned(),
    });
    format!("{me}:{}", hints.collect::<Vec<_>>().join(","))
}

/// What somebody else told; a text that nobody of us wrote says nothing.
fn hints(me: Uuid, payload: &str) -> Vec<Hint> {
    let Some((from, hints)) = payload.split_once(':') else { return Vec::new() };
    if from == me.to_string() {
        return Vec::new();
    }
    let hint = |hint: &str| match hint {
        "work" => Some(Hint::Work),
        "anything" => Some(Hint::Anything),
        id => id.parse::<JobId>().ok().map(Hint::Job),
    };
    hints.split(',').filter_map(hint).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_come_back_as_they_were_told_but_not_to_their_sender() {
        let told = [Hint::Work, Hint::Job(JobId(Uuid::from_u128(7))), Hint::Anything];
        let (me, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        assert_eq!(hints(other, &payload(me, &told)), told);
        assert_eq!(hints(me, &payload(me, &told)), []);
        for odd in ["", "x", "x:y", ":,,"] {
            assert_eq!(hints(me, odd), [], "{odd}");
        }
        let longest = payload(me, &[told[1]; HINTS_AT_ONCE]);
        assert!(longest.len() < 8_000, "{} bytes", longest.len());
    }
}

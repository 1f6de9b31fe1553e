//! A witness outlives a worker and says how it died where the kernel killed it for want of memory.
//!
//! The dead report nothing, and a lease that runs out says nothing about the cause: the run would be tried again and again.
//! So a worker has a small process beside it, and notes in a pipe what it is at. The pipe closes with the worker, however
//! that ends. If the kernel has killed somebody for want of memory since the last note, the witness ends the attempts that
//! are open as `oom`; the fence makes that harmless should the worker have been someone else's victim. Otherwise it says
//! nothing, and the leases run out.

use std::{collections::BTreeMap, fmt, io, str::FromStr, sync::Arc, time::Duration};

use jobs::{Class, Directive, Outcome, Report, RunId};
use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt},
    net::unix::pipe,
};
use tracing::{error, info};

use crate::{
    WorkerError,
    backoff::Backoff,
    cgroup,
    client::Client,
    coordinator::{Coordinator, Refusal},
};

/// Later than that all leases have run out, and nobody listens.
const PATIENCE: Duration = Duration::from_secs(60);

/// The worker's end of the pipe.
#[derive(Debug, Clone, Default)]
pub struct Witness(Option<Arc<pipe::Sender>>);

impl Witness {
    /// One that listens at the other end.
    ///
    /// # Errors
    /// If the pipe cannot be written.
    pub async fn at(pipe: pipe::Sender) -> io::Result<Self> {
        pipe.writable().await?; // before, the first notes would count as too much
        Ok(Self(Some(Arc::new(pipe))))
    }

    /// A report is about to be sent.
    pub(crate) fn note(&self, run: RunId, attempt: u32, seq: u64, step: u64) {
        self.say(&Note::At(At { run, attempt, seq, step, kills: cgroup::oom_kills() }));
    }

    /// An attempt is over, as far as the worker is concerned.
    pub(crate) fn over(&self, run: RunId) {
        self.say(&Note::Over(run));
    }

    /// A line is written whole or not at all. A witness that does not listen must not hold the worker up.
    fn say(&self, note: &Note) {
        if let Some(pipe) = &self.0 {
            let _ = pipe.try_write(format!("{note}\n").as_bytes());
        }
    }
}

/// What the worker is at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Note {
    At(At),
    Over(RunId),
}

/// An attempt, the report of it that may be on its way, and the processes that the kernel had killed before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct At {
    pub(crate) run: RunId,
    pub(crate) attempt: u32,
    pub(crate) seq: u64,
    pub(crate) step: u64,
    pub(crate) kills: u64,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(At { run, attempt, seq, step, kills }) => {
                write!(f, "{run} {attempt} {seq} {step} {kills}")
            }
            Self::Over(run) => write!(f, "{run}"),
        }
    }
}

impl FromStr for Note {
    type Err = ();

    fn from_str(line: &str) -> Result<Self, ()> {
        let (run, numbers) = line.split_once(' ').unwrap_or((line, ""));
        let run = run.parse().map(RunId).map_err(|_| ())?;
        let numbers: Result<Vec<u64>, _> = numbers.split_whitespace().map(str::parse).collect();
        match numbers.map_err(|_| ())?[..] {
            [] => Ok(Self::Over(run)),
            [attempt, seq, step, kills] => {
                let attempt = u32::try_from(attempt).map_err(|_| ())?;
                Ok(Self::At(At { run, attempt, seq, step, kills }))
            }
            _ => Err(()),
        }
    }
}

/// Listens until the worker is gone, and says what must be said.
///
/// # Errors
/// If `server` is no address.
pub async fn testify(server: &str, notes: impl AsyncBufRead + Unpin) -> Result<(), WorkerError> {
    let client =
        Client::new(server).map_err(|source| WorkerError::Address { url: server.to_owned(), source })?;
    let open = listen(notes).await;
    if was_killed(&open, cgroup::oom_kills()) {
        let mut message = "the kernel killed the worker for want of memory".to_owned();
        if let Some(limit) = cgroup::memory_limit() {
            message += &format!("; its cgroup may use {} MiB", limit >> 20);
        }
        let all = open.into_values().map(|at| out_of_memory(&client, at, &message));
        let _late_is_never = tokio::time::timeout(PATIENCE, futures::future::join_all(all)).await;
    }
    Ok(())
}

/// Whether the kernel has killed somebody since the last note of a worker that had something to do.
pub(crate) fn was_killed(open: &BTreeMap<RunId, At>, kills: u64) -> bool {
    open.values().map(|at| at.kills).max().is_some_and(|before| kills > before)
}

/// The attempts that were open when the worker ended.
pub(crate) async fn listen(notes: impl AsyncBufRead + Unpin) -> BTreeMap<RunId, At> {
    let (mut lines, mut open) = (notes.lines(), BTreeMap::new());
    while let Ok(Some(line)) = lines.next_line().await {
        match line.parse() {
            Ok(Note::At(at)) => {
                open.insert(at.run, at);
            }
            Ok(Note::Over(run)) => {
                open.remove(&run);
            }
            Err(()) => error!("a note makes no sense: {line}"),
        }
    }
    open
}

/// Ends an attempt. The report that was on its way may have been taken or not: then the next number is the right one.
pub(crate) async fn out_of_memory(server: &dyn Coordinator, at: At, message: &str) {
    let At { run, attempt, seq, step, .. } = at;
    let outcome = Some(Outcome::Failed { class: Class::Oom, message: message.to_owned() });
    let mut report = Report { run, attempt, seq, step, metrics: Vec::new(), checkpoint: None, outcome };
    let mut backoff = Backoff::new();
    while report.seq <= seq + 1 {
        match server.report(&report).await {
            Ok(Directive::Continue { lease_ms: 0 }) => {
                return info!(run.id = %run, attempt, "run {run} ends: {message}");
            }
            Ok(_) => report.seq += 1,
            Err(Refusal::Unreachable(why)) => backoff.wait("the end of a worker", &why).await,
            Err(refusal) => return info!(run.id = %run, attempt, "run {run}: {refusal}"),
        }
    }
}

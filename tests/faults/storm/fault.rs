//! What can go wrong, and the seeded order in which it does.

use std::fmt;

use crate::support::Random;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fault {
    /// SIGKILL of a worker, its run on the way.
    KillWorker,
    /// SIGKILL of a server while a report is in flight.
    KillServer,
    /// SIGSTOP of a worker until another one has its run, then SIGCONT.
    StopWorker,
    /// The link of a worker: answers vanish until its lease is lost, or nothing gets through.
    CutLink,
    /// The link of a worker becomes slower than what it has to say.
    SlowLink,
    /// No byte is left for the database (SQLite).
    FullDisk,
    /// The database crashes (Postgres).
    CrashDatabase,
    /// A server dies and wakes up three days off.
    ClockOfServer,
    /// The wall clock of a worker jumps by three days.
    ClockOfWorker,
    /// SIGTERM of a worker, its run on the way.
    DrainWorker,
    /// SIGTERM of a server.
    DrainServer,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::KillWorker => "kill a worker",
            Self::KillServer => "kill a server",
            Self::StopWorker => "stop a worker beyond its lease",
            Self::CutLink => "cut a link",
            Self::SlowLink => "slow a link",
            Self::FullDisk => "fill the disk",
            Self::CrashDatabase => "crash the database",
            Self::ClockOfServer => "set the clock of a server",
            Self::ClockOfWorker => "set the clock of a worker",
            Self::DrainWorker => "drain a worker",
            Self::DrainServer => "drain a server",
        };
        f.write_str(name)
    }
}

/// How often each happens in a round: 20 kills, and of everything else enough to be seen.
const ROUND: [(Fault, usize); 11] = [
    (Fault::KillWorker, 10),
    (Fault::KillServer, 10),
    (Fault::StopWorker, 2),
    (Fault::CutLink, 2),
    (Fault::SlowLink, 1),
    (Fault::FullDisk, 1),
    (Fault::CrashDatabase, 1),
    (Fault::ClockOfServer, 1),
    (Fault::ClockOfWorker, 1),
    (Fault::DrainWorker, 1),
    (Fault::DrainServer, 1),
];

/// The faults of a round that are possible here, shuffled.
pub(super) fn plan(is_possible: impl Fn(Fault) -> bool, random: &mut Random) -> Vec<Fault> {
    let possible = ROUND.into_iter().filter(|(fault, _)| is_possible(*fault));
    let mut plan: Vec<_> = possible.flat_map(|(fault, times)| vec![fault; times]).collect();
    random.shuffle(&mut plan);
    plan
}

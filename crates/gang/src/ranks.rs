//! The processes of an MPI world: one is the leader, the others follow.
//!
//! The communicator is asked for by every operation: what MPI hands out may not change threads, and the thread that
//! computes is not the one that has the session. One operation runs at a time.

use std::{thread, time::Duration};

use experiments::{CATALOGUE, Kind, StartError};
use mpi::{
    Threading,
    collective::SystemOperation,
    environment::Universe,
    request::scope,
    topology::{Communicator, SimpleCommunicator},
    traits::{CommunicatorCollectives, Root},
};
use numerics::collective::Collective;
use serde::{Deserialize, Serialize};

use crate::{
    Gang,
    assignment::Assignment,
    order::{self, Order},
};

/// Numbers that are summed at once: what is received stays in the second cache.
const PIECE: usize = 1 << 18;
/// Bytes that are told at once.
const PIECE_BYTES: usize = 1 << 28;

/// The time between the start and the end of MPI in this process.
pub struct Session {
    ranks: Ranks,
    _universe: Universe,
}

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// It was there before.
    #[error("MPI is running already")]
    Twice,
    /// The library is too weak.
    #[error(
        "the MPI library serves one thread of a process alone; it must serve them in turn (MPI_THREAD_SERIALIZED)"
    )]
    OneThread,
}

/// Why a member cannot follow.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// What the leader says makes no sense here.
    #[error("cannot read what the leader assigns: {0}")]
    Unreadable(#[from] postcard::Error),
    /// The processes are not of one program.
    #[error(
        "the leader assigns {experiment} v{version}, which this process does not have; is it of the same build?"
    )]
    Unknown {
        /// Name of the experiment.
        experiment: String,
        /// Its version.
        version: u32,
    },
    /// What the leader could begin, this process cannot.
    #[error("cannot begin what the leader assigns: {0}")]
    Start(#[from] StartError),
    /// The leader gives an order for a run before it has assigned one.
    #[error("the leader says {0}, and there is no run")]
    NoRun(&'static str),
}

/// An assignment with the name of its experiment.
#[derive(Serialize, Deserialize)]
struct Named {
    experiment: String,
    version: u32,
    assignment: Assignment,
}

impl Session {
    /// Joins the world; its first process leads.
    ///
    /// # Errors
    /// If MPI runs already, or serves one thread alone.
    pub fn start() -> Result<Self, SessionError> {
        let (universe, threading) =
            mpi::initialize_with_threading(Threading::Serialized).ok_or(SessionError::Twice)?;
        if threading < Threading::Serialized {
            return Err(SessionError::OneThread);
        }
        Ok(Self { ranks: Ranks::world(), _universe: universe })
    }

    /// Whether the others wait for this process.
    pub fn is_leader(&self) -> bool {
        self.ranks.rank == 0
    }

    /// The processes, for the leader to begin runs with while the session lasts.
    pub fn gang(&self) -> Gang {
        Gang::Ranks(self.ranks.size)
    }

    /// This process as a member of the team.
    pub fn member(&self) -> Box<dyn Collective> {
        Box::new(Ranks::world())
    }

    /// Computes what the leader assigns until it ends its session.
    ///
    /// # Errors
    /// If this process cannot hold the same run. It must end then: the launcher ends the others.
    pub fn follow(&mut self) -> Result<(), FollowError> {
        loop {
            match Order::hear(&mut self.ranks) {
                Order::Begin(bytes) => {
                    let mut named = vec![0; usize::try_from(bytes).unwrap_or(usize::MAX)];
                    self.ranks.broadcast(&mut named);
                    let Named { experiment, version, assignment } = postcard::from_bytes(&named)?;
                    drop(named);
                    let is_it = |kind: &&&dyn Kind| kind.name() == experiment && kind.version() == version;
                    let Some(kind) = CATALOGUE.iter().find(is_it) else {
                        return Err(FollowError::Unknown { experiment, version });
                    };
                    order::obey(assignment.begin(*kind)?, &mut self.ranks);
                }
                Order::Dismiss => return Ok(()),
                Order::Step => return Err(FollowError::NoRun("step")),
                Order::End => return Err(FollowError::NoRun("end")),
            }
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if thread::panicking() {
            self.ranks.abandon();
        } else if self.is_leader() {
            Order::Dismiss.give(&mut self.ranks);
        }
    }
}

/// Lets the other processes take up the run.
pub(crate) fn hire(kind: &dyn Kind, assignment: &Assignment) -> Box<dyn Collective> {
    let (experiment, version) = (kind.name().to_owned(), kind.version());
    let named = Named { experiment, version, assignment: assignment.clone() };
    let mut bytes = postcard::to_stdvec(&named).expect("an assignment is plain data");
    let mut ranks = Ranks::world();
    Order::Begin(bytes.len() as u64).give(&mut ranks);
    ranks.broadcast(&mut bytes);
    Box::new(ranks)
}

/// A process of the world, as a member.
struct Ranks {
    rank: usize,
    size: usize,
    narrow: Vec<i32>,
    wide: Vec<i64>,
}

impl Ranks {
    fn world() -> Self {
        let world = SimpleCommunicator::world();
        let whole = |number: i32| usize::try_from(number).expect("ranks count from 0");
        Self { rank: whole(world.rank()), size: whole(world.size()), narrow: Vec::new(), wide: Vec::new() }
    }
}

/// The sum of each number over the world, piece by piece.
macro_rules! sum {
    ($numbers:expr, $sums:expr) => {{
        let world = SimpleCommunicator::world();
        for piece in $numbers.chunks_mut(PIECE) {
            $sums.resize(piece.len(), 0);
            world.all_reduce_into(&*piece, &mut $sums[..], SystemOperation::sum());
            piece.copy_from_slice(&$sums);
        }
    }};
}

impl Collective for Ranks {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.size
    }

    fn sum_i32(&mut self, numbers: &mut [i32]) {
        sum!(numbers, self.narrow);
    }

    fn sum_i64(&mut self, numbers: &mut [i64]) {
        sum!(numbers, self.wide);
    }

    fn broadcast(&mut self, bytes: &mut [u8]) {
        let world = SimpleCommunicator::world();
        for piece in bytes.chunks_mut(PIECE_BYTES) {
            scope(|scope| {
                let mut request = world.process_at_rank(0).immediate_broadcast_into(scope, piece);
                let mut patience = Patience::default();
                while let Err(pending) = request.test() {
                    request = pending;
                    patience.wait();
                }
            });
        }
    }

    fn barrier(&mut self) {
        SimpleCommunicator::world().barrier();
    }

    fn abandon(&mut self) {
        SimpleCommunicator::world().abort(1);
    }
}

/// Waits as one who expects an answer soon, then as one who does not: a leader may observe for a minute, or have no run.
#[derive(Default)]
struct Patience {
    tries: u32,
}

impl Patience {
    const EAGER: u32 = 20_000;
    const LONGEST: Duration = Duration::from_millis(1);

    fn wait(&mut self) {
        self.tries = self.tries.saturating_add(1);
        match self.tries {
            ..=Self::EAGER => thread::yield_now(),
            _ => thread::sleep(Self::LONGEST),
        }
    }
}

//! One run computed by several threads or processes.
//!
//! ```text
//! leader    simulation ── step ──> orders ──> its shards ┐
//!                                     │                  ├ sums of whole numbers ──> the same state everywhere
//! follower  simulation <──────────────┴─────> its shards ┘
//! ```
//!
//! Every member holds the whole run. The leader alone observes, checkpoints and speaks to the rest of the world; the others
//! take a step when it says so. It says so step by step, so whatever ends its run ends theirs between two steps. A run
//! whose steps have no shards is the leader's own.
#![forbid(unsafe_code)]

mod assignment;
mod leader;
mod order;
#[cfg(feature = "mpi")]
mod ranks;
mod threads;

use experiments::{Kind, Setup, Simulation, StartError};

use assignment::Assignment;
use leader::Leader;
#[cfg(feature = "mpi")]
pub use ranks::{FollowError, Session, SessionError};
pub use threads::{Threads, together};

/// Who computes a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Gang {
    /// One thread.
    #[default]
    Alone,
    /// So many threads of this process.
    Threads(usize),
    /// The processes of this one's MPI world, so many; see [`Session::gang`].
    #[cfg(feature = "mpi")]
    Ranks(usize),
}

impl Gang {
    /// Number of members: each has a run with shards in its memory.
    pub fn size(self) -> usize {
        match self {
            Self::Alone => 1,
            Self::Threads(size) => size,
            #[cfg(feature = "mpi")]
            Self::Ranks(size) => size,
        }
    }

    /// Starts a run, or resumes it from a checkpoint, on all members if its steps have shards.
    ///
    /// # Errors
    /// As [`Kind::start`] and [`Kind::resume`].
    pub fn begin(
        self,
        kind: &'static dyn Kind,
        setup: Setup,
        checkpoint: Option<Vec<u8>>,
    ) -> Result<Box<dyn Simulation>, StartError> {
        let assignment = Assignment { setup, checkpoint };
        if self == Self::Alone {
            return assignment.begin(kind);
        }
        let mut simulation = assignment.clone().begin(kind)?;
        if simulation.shared().is_none() {
            return Ok(simulation);
        }
        let team = match self {
            Self::Alone => return Ok(simulation),
            Self::Threads(size) => threads::hire(size, kind, &assignment),
            #[cfg(feature = "mpi")]
            Self::Ranks(_) => ranks::hire(kind, &assignment),
        };
        Ok(Box::new(Leader::new(simulation, team)))
    }
}

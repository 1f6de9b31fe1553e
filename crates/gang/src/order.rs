//! What a leader tells the others.

use experiments::Simulation;
use numerics::collective::Collective;

/// One order; between two of them the members do not hear of each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Take a step of the run.
    Step,
    /// Drop the run.
    End,
    /// Take up a run; an assignment of so many bytes follows.
    #[cfg(feature = "mpi")]
    Begin(u64),
    /// Go home.
    #[cfg(feature = "mpi")]
    Dismiss,
}

/// A kind and a number.
type Bytes = [u8; 9];

impl Order {
    /// Tells it to the others.
    pub(crate) fn give(self, team: &mut dyn Collective) {
        let (kind, number) = match self {
            Self::Step => (0, 0),
            Self::End => (1, 0),
            #[cfg(feature = "mpi")]
            Self::Begin(bytes) => (2, bytes),
            #[cfg(feature = "mpi")]
            Self::Dismiss => (3, 0),
        };
        let mut bytes: Bytes = [kind; 9];
        bytes[1..].copy_from_slice(&u64::to_le_bytes(number));
        team.broadcast(&mut bytes);
    }

    /// Waits for one.
    pub(crate) fn hear(team: &mut dyn Collective) -> Self {
        let mut bytes: Bytes = [0; 9];
        team.broadcast(&mut bytes);
        match bytes[0] {
            0 => Self::Step,
            1 => Self::End,
            #[cfg(feature = "mpi")]
            2 => Self::Begin(u64::from_le_bytes(std::array::from_fn(|i| bytes[1 + i]))),
            #[cfg(feature = "mpi")]
            3 => Self::Dismiss,
            kind => panic!("there is no order {kind}"),
        }
    }
}

/// Takes steps of a run as its leader says, until that drops it.
pub(crate) fn obey(mut simulation: Box<dyn Simulation>, team: &mut dyn Collective) {
    let shared = simulation.shared().expect("a leader assigns only runs with shards");
    while Order::hear(team) == Order::Step {
        shared.step_with(team);
    }
}

//! What a member needs to hold the same run as its leader.

use experiments::{Kind, Setup, Simulation, StartError};
use serde::{Deserialize, Serialize};

/// A run, from its start or from a checkpoint.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Assignment {
    pub(crate) setup: Setup,
    pub(crate) checkpoint: Option<Vec<u8>>,
}

impl Assignment {
    /// The run in memory.
    pub(crate) fn begin(self, kind: &dyn Kind) -> Result<Box<dyn Simulation>, StartError> {
        match self.checkpoint {
            None => kind.start(self.setup),
            Some(bytes) => kind.resume(self.setup, &bytes),
        }
    }
}

//! What the fast path learns.

use super::super::{Parameters, PersistentChains, Scratch as GeneralScratch, State as GeneralState};
use serde::{Deserialize, Serialize};

/// All that one step needs from the one before; serialises to the same bits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    pub(super) general: GeneralState,
}

/// Memory that steps reuse; it carries nothing from one to the next.
#[derive(Debug, Default)]
pub struct Scratch {
    pub(super) general: GeneralScratch,
}

impl State {
    /// Parameters at rest, without persistent chains.
    pub fn new(parameters: Parameters) -> Self {
        Self { general: GeneralState::new(parameters) }
    }

    /// The same with persistent chains.
    pub fn with_chains(self, chains: PersistentChains) -> Self {
        Self { general: self.general.with_chains(chains) }
    }

    /// What was learned, row by row.
    pub fn parameters(&self) -> Parameters {
        self.general.parameters.clone()
    }

    /// Chains that outlive the step.
    pub fn chains(&self) -> PersistentChains {
        self.general.chains.clone()
    }
}

//! Everything that changes while a machine learns.

use std::borrow::Cow;

use numerics::boltzmann::{Parameters, State};
use serde::{Deserialize, Serialize};

/// State of a machine in training; which of the two is decided by the params alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Network {
    /// The general path: every law, estimator, objective and release rule.
    General(State),
}

impl Network {
    /// What has been learned.
    pub(crate) fn parameters(&self) -> Cow<'_, Parameters> {
        match self {
            Self::General(state) => Cow::Borrowed(&state.parameters),
        }
    }
}

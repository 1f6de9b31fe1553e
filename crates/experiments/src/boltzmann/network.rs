//! Everything that changes while a machine learns.

use std::borrow::Cow;

use numerics::boltzmann::{Parameters, PersistentChains, State, tiled};
use serde::{Deserialize, Serialize};

/// State of a machine in training; which of the two it is follows from the params alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Network {
    /// The fast path: Bernoulli or reliable synapses, conditional means in the statistics.
    Tiled(tiled::State),
    /// The general path: every law, estimator, objective and release rule.
    General(State),
}

impl Network {
    /// A network before its first step, with persistent chains if there are any.
    pub(super) fn new(path: Path, parameters: Parameters, chains: Option<PersistentChains>) -> Self {
        match path {
            Path::Tiled => {
                let state = tiled::State::new(parameters);
                Self::Tiled(match chains {
                    Some(chains) => state.with_chains(chains),
                    None => state,
                })
            }
            Path::General => {
                let state = State::new(parameters);
                Self::General(match chains {
                    Some(chains) => state.with_chains(chains),
                    None => state,
                })
            }
        }
    }

    /// What has been learned.
    pub(crate) fn parameters(&self) -> Cow<'_, Parameters> {
        match self {
            Self::Tiled(state) => Cow::Owned(state.parameters()),
            Self::General(state) => Cow::Borrowed(&state.parameters),
        }
    }
}

/// Which code learns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Path {
    /// [`Network::Tiled`].
    Tiled,
    /// [`Network::General`].
    General,
}

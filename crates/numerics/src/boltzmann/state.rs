//! All that one step needs from the one before.

use super::parameters::Parameters;
use crate::{BinaryRows, Draws, Stream};
use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

/// Velocities of the momentum ascent; shapes as in [`Parameters`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Velocity {
    /// Of w.
    pub w: Array2<f32>,
    /// Of a.
    pub a: Array2<f32>,
    /// Of b.
    pub b: Array1<f32>,
    /// Of c.
    pub c: Array1<f32>,
    /// Of log_sd.
    pub log_sd: Array2<f32>,
}

/// Hidden states that persistent chains go on from; no rows if the chains start at the data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersistentChains {
    /// (chains, H).
    pub hidden: BinaryRows,
}

/// All that one step needs from the one before; serialises to the same bits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// What is learned.
    pub parameters: Parameters,
    /// Its velocities.
    pub velocity: Velocity,
    /// Chains that outlive the step.
    pub chains: PersistentChains,
    /// Running mean inputs of the branches of hidden units, (branches, H); (0, 0) before a local
    /// release rule has made a step.
    pub fields: Array2<f32>,
}

impl Velocity {
    /// At rest.
    pub fn zeros(parameters: &Parameters) -> Self {
        Self {
            w: Array2::zeros(parameters.w.raw_dim()),
            a: Array2::zeros(parameters.a.raw_dim()),
            b: Array1::zeros(parameters.b.raw_dim()),
            c: Array1::zeros(parameters.c.raw_dim()),
            log_sd: Array2::zeros(parameters.log_sd.raw_dim()),
        }
    }
}

impl Velocity {
    /// Comes to rest; keeps the memory.
    pub(super) fn clear(&mut self) {
        for matrix in [&mut self.w, &mut self.a, &mut self.log_sd] {
            matrix.fill(0.0);
        }
        for bias in [&mut self.b, &mut self.c] {
            bias.fill(0.0);
        }
    }
}

impl PersistentChains {
    /// Chains that start from fair coins (stream `Chain`).
    pub fn init(chains: usize, hidden_units: usize, draws: Draws) -> Self {
        let mut hidden = BinaryRows::new(hidden_units);
        let (half, mut words) = (vec![0.5; hidden_units], vec![0; hidden_units]);
        for chain in 0..chains {
            draws.fill_u32(Stream::Chain, super::unit_index(0, chain, 0), &mut words);
            hidden.push_sampled(&words, &half);
        }
        Self { hidden }
    }
}

impl State {
    /// Parameters at rest, without persistent chains.
    pub fn new(parameters: Parameters) -> Self {
        Self {
            velocity: Velocity::zeros(&parameters),
            parameters,
            chains: PersistentChains::default(),
            fields: Array2::zeros((0, 0)),
        }
    }

    /// The same with persistent chains.
    pub fn with_chains(self, chains: PersistentChains) -> Self {
        Self { chains, ..self }
    }
}

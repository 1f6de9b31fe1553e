//! Settings of `exact`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ParamError, boltzmann::Law};

/// Which ensemble learns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Model {
    /// Synapses that always transmit: a Boltzmann machine.
    #[serde(rename = "reliable")]
    Reliable,
    /// Joint-energy ensemble, through its collapse.
    A,
}

/// Settings of `exact`; the defaults are those of the coupling curve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Which ensemble learns the patterns.
    pub model: Model,
    /// What a synapse transmits, in learning and in the checks of the equations.
    pub law: Law,
    /// Release sites of a synapse; 1 unless `law` is quantal.
    #[schemars(range(min = 1, max = 8), extend("unit" = "1", "symbol" = "n_s"))]
    pub sites: u32,
    /// Pixels on a side of the patterns.
    #[schemars(range(min = 2, max = 3), extend("unit" = "pixels", "symbol" = "s"))]
    pub side: u32,
    /// Hidden units.
    #[schemars(range(min = 1, max = 32), extend("unit" = "1", "symbol" = "H"))]
    pub hidden_units: u32,
    /// Steps of gradient ascent.
    #[schemars(range(min = 1, max = 1000000), extend("unit" = "steps", "symbol" = "n"))]
    pub steps: u32,
    /// Learning rate of weights and biases.
    #[schemars(range(min = 0.0, max = 10.0), extend("unit" = "1", "symbol" = "eta_w"))]
    pub eta_w: f64,
    /// Learning rate of the release log-odds, in units of `eta_w`.
    #[schemars(range(min = 0.0, max = 1000.0), extend("unit" = "1", "symbol" = "r"))]
    pub r: f64,
    /// Release probability of every synapse at the start.
    #[schemars(range(min = 0.001, max = 0.999), extend("unit" = "1", "symbol" = "p0"))]
    pub p0: f64,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            model: Model::A,
            law: Law::Bernoulli,
            sites: 1,
            side: 3,
            hidden_units: 8,
            steps: 2000,
            eta_w: 0.4,
            r: 16.0,
            p0: 0.5,
        }
    }
}

impl Params {
    /// Rules across fields.
    ///
    /// # Errors
    /// Field, value and rule.
    pub(super) fn check(&self) -> Result<(), ParamError> {
        if self.law != Law::Quantal && self.sites != 1 {
            return Err(ParamError::new("sites", self.sites, "it must be 1 unless `law` is quantal"));
        }
        Ok(())
    }
}

//! Settings of `stdp-window`.

use numerics::synaptic_sampling::{Epsp, PairRule};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ParamError;

/// Settings of `stdp-window`; the defaults are those of the published code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Weight of the synapse whose window is measured.
    #[schemars(range(min = 0.01, max = 4.0), extend("unit" = "1", "symbol" = "w"))]
    pub weight: f64,
    /// Longest time between the two spikes of a pair.
    #[schemars(range(min = 80, max = 1000), extend("unit" = "ms", "symbol" = "t_max"))]
    pub lag_max_ms: u32,
    /// Rise of the input's time course.
    #[schemars(range(min = 0.1, max = 100.0), extend("unit" = "ms", "symbol" = "tau_r"))]
    pub tau_rise_ms: f64,
    /// Its fall.
    #[schemars(range(min = 0.2, max = 1000.0), extend("unit" = "ms", "symbol" = "tau_f"))]
    pub tau_fall_ms: f64,
    /// Learning rate.
    #[schemars(range(min = 1e-9, max = 0.01), extend("unit" = "1/s", "symbol" = "b"))]
    pub b_per_s: f64,
    /// Assumed number of data points.
    #[schemars(range(min = 1.0, max = 100000.0), extend("unit" = "1", "symbol" = "N"))]
    pub data_points: f64,
    /// −ln α: how much depression.
    #[schemars(range(min = 0.0, max = 10.0), extend("unit" = "1", "symbol" = "w_offs"))]
    pub alpha_offset: f64,
    /// Greatest depression.
    #[schemars(range(min = 0.1, max = 100.0), extend("unit" = "1", "symbol" = "c"))]
    pub depression_cap: f64,
    /// Offset of the weight.
    #[schemars(range(min = 0.0, max = 10.0), extend("unit" = "1", "symbol" = "theta_0"))]
    pub theta_0: f64,
    /// Synapses that are paired at random until they settle.
    #[schemars(range(min = 1, max = 100000), extend("unit" = "1", "symbol" = "M"))]
    pub synapses: u32,
    /// Postsynaptic spikes that each of them sees.
    #[schemars(range(min = 300, max = 10000000), extend("unit" = "1", "symbol" = "n"))]
    pub pairings: u32,
    /// Probability that an input came before such a spike.
    #[schemars(range(min = 0.3, max = 1.0), extend("unit" = "1", "symbol" = "q"))]
    pub pairing_prob: f64,
    /// How long before.
    #[schemars(range(min = 1.0, max = 50.0), extend("unit" = "ms", "symbol" = "delta"))]
    pub pairing_lag_ms: f64,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            weight: 1.0,
            lag_max_ms: 100,
            tau_rise_ms: 2.0,
            tau_fall_ms: 20.0,
            b_per_s: 1e-4,
            data_points: 100.0,
            alpha_offset: 2.0,
            depression_cap: 5.0,
            theta_0: 3.0,
            synapses: 1000,
            pairings: 30_000,
            pairing_prob: 0.4,
            pairing_lag_ms: 10.0,
        }
    }
}

impl Params {
    /// Rules across fields.
    ///
    /// # Errors
    /// Field, value and rule.
    pub(super) fn check(&self) -> Result<(), ParamError> {
        if self.tau_fall_ms <= self.tau_rise_ms {
            return Err(ParamError::new("tau_fall_ms", self.tau_fall_ms, "it must be above `tau_rise_ms`"));
        }
        Ok(())
    }

    pub(super) fn epsp(&self) -> Epsp {
        Epsp { tau_rise_ms: self.tau_rise_ms, tau_fall_ms: self.tau_fall_ms }
    }

    pub(super) fn rule(&self) -> PairRule {
        PairRule {
            step: self.b_per_s * self.data_points,
            alpha: libm::exp(-self.alpha_offset),
            cap: self.depression_cap,
            theta_0: self.theta_0,
        }
    }

    /// Weight at which random pairings leave a synapse on average.
    pub(super) fn equilibrium(&self) -> f64 {
        self.rule().equilibrium(self.pairing_prob * self.epsp().at(self.pairing_lag_ms))
    }
}

//! Settings of `spine-dynamics`.

use numerics::sde::{LinearStep, OrnsteinUhlenbeck};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ParamError;

/// Most snapshots of a run.
const MOST_SNAPSHOTS: f64 = 100_000.0;

/// How θ is advanced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stepper {
    /// The exact transition, however long.
    Exact,
    /// Euler and Maruyama, as a check.
    EulerMaruyama,
}

/// Settings of `spine-dynamics`; the defaults are those of the published code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Synapses of the population, drawn from the prior.
    #[schemars(range(min = 100, max = 1000000), extend("unit" = "1", "symbol" = "M"))]
    pub synapses: u32,
    /// Synapses that appear at the start and whose survival is followed.
    #[schemars(range(min = 10, max = 5000000), extend("unit" = "1", "symbol" = "n"))]
    pub births: u32,
    /// Learning rate; the relaxation time is σ²/b.
    #[schemars(range(min = 1e-9, max = 1.0), extend("unit" = "1/s", "symbol" = "b"))]
    pub b_per_s: f64,
    /// Prior mean.
    #[schemars(range(min = -3.0, max = 3.0), extend("unit" = "1", "symbol" = "mu"))]
    pub mu: f64,
    /// Prior standard deviation.
    #[schemars(range(min = 0.01, max = 10.0), extend("unit" = "1", "symbol" = "sigma"))]
    pub sigma: f64,
    /// Temperature.
    #[schemars(range(min = 0.01, max = 100.0), extend("unit" = "1", "symbol" = "T"))]
    pub temperature: f64,
    /// Offset of the weight.
    #[schemars(range(min = 0.0, max = 10.0), extend("unit" = "1", "symbol" = "theta_0"))]
    pub theta_0: f64,
    /// Time between two snapshots.
    #[schemars(range(min = 0.0005, max = 1.0), extend("unit" = "tau", "symbol" = "Delta"))]
    pub interval: f64,
    /// Length of the run.
    #[schemars(range(min = 0.01, max = 50.0), extend("unit" = "tau", "symbol" = "t"))]
    pub horizon: f64,
    /// How θ is advanced.
    pub stepper: Stepper,
    /// b N of the pair rule, applied once at every look at the population; 0: no activity.
    #[schemars(range(min = 0.0, max = 1.0), extend("unit" = "1", "symbol" = "bN"))]
    pub pair_step: f64,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            synapses: 100_000,
            births: 1_000_000,
            b_per_s: 1e-4,
            mu: 0.5,
            sigma: 1.0,
            temperature: 1.0,
            theta_0: 3.0,
            interval: 0.005,
            horizon: 5.0,
            stepper: Stepper::Exact,
            pair_step: 0.0,
        }
    }
}

impl Params {
    /// Rules across fields.
    ///
    /// # Errors
    /// Field, value and rule.
    pub(super) fn check(&self) -> Result<(), ParamError> {
        if self.horizon < self.interval {
            return Err(ParamError::new("horizon", self.horizon, "it must be at least `interval`"));
        }
        if self.horizon / self.interval > MOST_SNAPSHOTS {
            return Err(ParamError::new(
                "interval",
                self.interval,
                "`horizon` must be at most 100000 of them",
            ));
        }
        Ok(())
    }

    /// Snapshots after the first.
    pub(super) fn snapshots(&self) -> u64 {
        // What rounding adds to a whole number of intervals is no snapshot.
        (self.horizon / self.interval - 1e-9).ceil() as u64
    }

    pub(super) fn process(&self) -> OrnsteinUhlenbeck {
        let &Self { b_per_s: b, mu, sigma, temperature, .. } = self;
        OrnsteinUhlenbeck { b, mu, sigma, temperature }
    }

    /// The step over a time in relaxation times.
    pub(super) fn step(&self, taus: f64) -> LinearStep {
        let process = self.process();
        match self.stepper {
            Stepper::Exact => process.exact(taus * process.tau()),
            Stepper::EulerMaruyama => process.euler_maruyama(taus * process.tau()),
        }
    }
}

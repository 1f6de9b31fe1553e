//! Settings of `spine-fit`.

use numerics::synaptic_sampling::imaging::{Component, ImagingModel};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ParamError;

/// Where the spines come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Spines {
    /// From the model with the settings below, so that the fit can be held against the truth.
    Simulated,
    /// From the table of the job: columns `spine_id`, `day`, `volume`, and `present` if there is one.
    Table,
}

/// What days without a spine say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Absence {
    /// That its volume was below the threshold.
    Censored,
    /// Nothing: they are left out. A mistake that the tests must notice.
    Ignored,
}

/// Settings of `spine-fit`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Where the spines come from.
    pub spines: Spines,
    /// What days without a spine say.
    pub absence: Absence,
    /// Time constants that are fitted.
    #[schemars(range(min = 1, max = 2), extend("unit" = "1", "symbol" = "K"))]
    pub components: u32,
    /// ln of the least volume that is seen.
    #[schemars(range(min = -20.0, max = 20.0), extend("unit" = "1", "symbol" = "ln d"))]
    pub log_threshold: f64,
    /// Moves of the simplex.
    #[schemars(range(min = 1, max = 100000), extend("unit" = "steps", "symbol" = "n"))]
    pub iterations: u32,
    /// Simulated spines.
    #[schemars(range(min = 10, max = 100000), extend("unit" = "1", "symbol" = "M"))]
    pub count: u32,
    /// Days on which they are imaged.
    #[schemars(range(min = 2, max = 100), extend("unit" = "1", "symbol" = "L"))]
    pub imaging_days: u32,
    /// Time between two of them.
    #[schemars(range(min = 0.01, max = 100.0), extend("unit" = "days", "symbol" = "Delta"))]
    pub interval_days: f64,
    /// Their mean ln volume.
    #[schemars(range(min = -10.0, max = 10.0), extend("unit" = "1", "symbol" = "mu"))]
    pub true_mu: f64,
    /// Standard deviation of their ln volume.
    #[schemars(range(min = 0.01, max = 10.0), extend("unit" = "1", "symbol" = "sigma"))]
    pub true_sigma: f64,
    /// Their relaxation time.
    #[schemars(range(min = 0.1, max = 1000.0), extend("unit" = "days", "symbol" = "tau"))]
    pub true_tau_days: f64,
    /// Error of a measured ln volume.
    #[schemars(range(min = 0.0, max = 5.0), extend("unit" = "1", "symbol" = "s"))]
    pub true_noise: f64,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            spines: Spines::Simulated,
            absence: Absence::Censored,
            components: 1,
            log_threshold: 0.0,
            iterations: 150,
            count: 1000,
            imaging_days: 8,
            interval_days: 4.0,
            true_mu: 0.5,
            true_sigma: 1.0,
            true_tau_days: 15.0,
            true_noise: 0.2,
        }
    }
}

impl Params {
    /// Rules across fields.
    ///
    /// # Errors
    /// Field, value and rule.
    pub(super) fn check(&self) -> Result<(), ParamError> {
        let spread = (self.true_sigma * self.true_sigma + self.true_noise * self.true_noise).sqrt();
        if self.log_threshold > self.true_mu + 3.0 * spread {
            let rule = "it must be at most 3 standard deviations above `true_mu`, or hardly a spine is seen";
            return Err(ParamError::new("log_threshold", self.log_threshold, rule));
        }
        Ok(())
    }

    /// The model that simulated spines come from.
    pub(super) fn truth(&self) -> ImagingModel {
        ImagingModel {
            mu: self.true_mu,
            components: vec![Component { sigma: self.true_sigma, tau_days: self.true_tau_days }],
            noise: self.true_noise,
            threshold: self.log_threshold,
        }
    }
}

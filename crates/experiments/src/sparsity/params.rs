//! Settings of `sparsity`.

use numerics::synaptic_sampling::{Gaussian, Laplace, Prior, SpikeAndSlab};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Law of θ before learning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Law {
    /// Normal, standard deviation 1.
    Gaussian,
    /// Double exponential, standard deviation 1.
    Laplace,
    /// A share of retracted synapses, N(−1, ¼), and functional ones around the prior mean, N(μ, 1).
    SpikeAndSlab,
}

/// Settings of `sparsity`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Law of θ before learning.
    pub prior: Law,
    /// Its mean, or that of the slab.
    #[schemars(range(min = -3.0, max = 3.0), extend("unit" = "1", "symbol" = "mu"))]
    pub prior_mean: f64,
    /// Share of the spike.
    #[schemars(range(min = 0.01, max = 0.99), extend("unit" = "1", "symbol" = "pi_0"))]
    pub spike_share: f64,
    /// Temperature.
    #[schemars(range(min = 0.0, max = 10.0), extend("unit" = "1", "symbol" = "T"))]
    pub temperature: f64,
    /// b dt.
    #[schemars(range(min = 0.000001, max = 0.1), extend("unit" = "1", "symbol" = "h"))]
    pub h: f64,
    /// Steps of each network.
    #[schemars(range(min = 30, max = 1000000), extend("unit" = "steps", "symbol" = "n"))]
    pub steps: u32,
    /// Units of the mixture.
    #[schemars(range(min = 1, max = 100), extend("unit" = "1", "symbol" = "K"))]
    pub units: u32,
    /// Examples to learn from.
    #[schemars(range(min = 1, max = 60), extend("unit" = "1", "symbol" = "N"))]
    pub train_images: u32,
    /// Networks of fixed wiring.
    #[schemars(range(min = 1, max = 20), extend("unit" = "1", "symbol" = "F"))]
    pub wirings: u32,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            prior: Law::Gaussian,
            prior_mean: -0.5,
            spike_share: 0.5,
            temperature: 1.0,
            h: 0.0012,
            steps: 6000,
            units: 15,
            train_images: 30,
            wirings: 3,
        }
    }
}

impl Params {
    /// The law as drift and density.
    pub(super) fn law(&self) -> Box<dyn Prior + Send + Sync> {
        let around = Gaussian { mu: self.prior_mean, sigma: 1.0 };
        match self.prior {
            Law::Gaussian => Box::new(around),
            Law::Laplace => Box::new(Laplace { mu: self.prior_mean, scale: std::f64::consts::FRAC_1_SQRT_2 }),
            Law::SpikeAndSlab => Box::new(SpikeAndSlab {
                share: self.spike_share,
                spike: Gaussian { mu: -1.0, sigma: 0.5 },
                slab: around,
            }),
        }
    }
}

//! Settings of `spike-temperature`.

use numerics::{
    sde::OrnsteinUhlenbeck,
    synaptic_sampling::{Epsp, SpikeNoise},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::GRID_S;
use crate::ParamError;

/// How much noise the rule adds to that of spikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Compensation {
    /// That of T, as if kicks had none.
    None,
    /// That of T − T_add, with T_add from the rates.
    Predicted,
    /// That of T − T_add, with T_add as each synapse has seen it.
    Local,
}

/// Which neuron fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Winner {
    /// Any, as a teacher says.
    Taught,
    /// One of those with a high potential.
    Competing,
}

/// Settings of `spike-temperature`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// How much noise the rule adds to that of spikes.
    pub compensation: Compensation,
    /// Which neuron fires.
    pub winner: Winner,
    /// Rates of the inputs, one for each class.
    pub input_hz: Vec<f64>,
    /// Inputs of each class.
    #[schemars(range(min = 1, max = 10000), extend("unit" = "1", "symbol" = "D"))]
    pub inputs: u32,
    /// Neurons of the circuit.
    #[schemars(range(min = 1, max = 100), extend("unit" = "1", "symbol" = "K"))]
    pub neurons: u32,
    /// Mean rate of a neuron.
    #[schemars(range(min = 0.1, max = 100.0), extend("unit" = "Hz", "symbol" = "r"))]
    pub output_hz: f64,
    /// Learning rate.
    #[schemars(range(min = 0.0000001, max = 0.01), extend("unit" = "1/s", "symbol" = "b"))]
    pub b: f64,
    /// How many data points the likelihood stands for.
    #[schemars(range(min = 0.0, max = 1000.0), extend("unit" = "1", "symbol" = "N"))]
    pub data_points: f64,
    /// Temperature.
    #[schemars(range(min = 0.0, max = 10.0), extend("unit" = "1", "symbol" = "T"))]
    pub temperature: f64,
    /// Mean of the prior of θ.
    #[schemars(range(min = -5.0, max = 5.0), extend("unit" = "1", "symbol" = "mu"))]
    pub prior_mean: f64,
    /// Its standard deviation.
    #[schemars(range(min = 0.1, max = 5.0), extend("unit" = "1", "symbol" = "sigma"))]
    pub prior_sd: f64,
    /// Kicks are summed up over this time where a synapse estimates their spread.
    #[schemars(range(min = 0.05, max = 10.0), extend("unit" = "s", "symbol" = "W"))]
    pub window_s: f64,
    /// Memory of that estimate.
    #[schemars(range(min = 1.0, max = 100000.0), extend("unit" = "s", "symbol" = "tau_m"))]
    pub memory_s: f64,
    /// What the winner's excitability loses where neurons compete.
    #[schemars(range(min = 0.0, max = 1.0), extend("unit" = "nat", "symbol" = "eta"))]
    pub homeostasis: f64,
    /// Simulated time before anything is counted.
    #[schemars(range(min = 0.0, max = 1000000.0), extend("unit" = "s", "symbol" = "t_0"))]
    pub burn_in_s: f64,
    /// From one sample of all θ to the next.
    #[schemars(range(min = 10.0, max = 1000000.0), extend("unit" = "s", "symbol" = "t_s"))]
    pub sample_every_s: f64,
    /// Simulated time.
    #[schemars(range(min = 20.0, max = 10000000.0), extend("unit" = "s", "symbol" = "t_end"))]
    pub duration_s: f64,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            compensation: Compensation::None,
            winner: Winner::Taught,
            input_hz: vec![25.0, 35.0, 50.0],
            inputs: 200,
            neurons: 2,
            output_hz: 10.0,
            b: 1e-4,
            data_points: 25.0,
            temperature: 1.0,
            prior_mean: 0.5,
            prior_sd: 1.0,
            window_s: 0.5,
            memory_s: 500.0,
            homeostasis: 0.01,
            burn_in_s: 300.0,
            sample_every_s: 300.0,
            duration_s: 3300.0,
        }
    }
}

impl Params {
    /// Rules across fields.
    ///
    /// # Errors
    /// Field, value and rule.
    pub(super) fn check(&self) -> Result<(), ParamError> {
        let classes = &self.input_hz;
        if classes.is_empty() || classes.len() > 16 || classes.iter().any(|hz| !(1.0..=200.0).contains(hz)) {
            let rule = "it must hold 1 to 16 rates from 1 to 200 Hz";
            return Err(ParamError::new("input_hz", classes, rule));
        }
        let times = [
            ("burn_in_s", self.burn_in_s),
            ("sample_every_s", self.sample_every_s),
            ("duration_s", self.duration_s),
        ];
        for (name, value) in times {
            if value % GRID_S != 0.0 {
                return Err(ParamError::new(name, value, format!("it must be a multiple of {GRID_S} s")));
            }
        }
        if self.burn_in_s >= self.duration_s {
            let rule = format!("it must be below `duration_s`, {}", self.duration_s);
            return Err(ParamError::new("burn_in_s", self.burn_in_s, rule));
        }
        if self.winner == Winner::Competing && self.compensation == Compensation::Predicted {
            let rule =
                "it must be `none` or `local` where neurons compete: rates alone predict nothing there";
            return Err(ParamError::new("compensation", self.compensation, rule));
        }
        Ok(())
    }

    pub(super) fn synapses(&self) -> usize {
        self.neurons as usize * self.all_inputs()
    }

    pub(super) fn all_inputs(&self) -> usize {
        self.input_hz.len() * self.inputs as usize
    }

    pub(super) fn ticks(&self) -> u64 {
        (self.duration_s / GRID_S).round() as u64
    }

    /// The synapses of a class.
    pub(super) fn class(&self, input_hz: f64) -> SpikeNoise {
        let prior = OrnsteinUhlenbeck {
            b: self.b,
            mu: self.prior_mean,
            sigma: self.prior_sd,
            temperature: self.temperature,
        };
        SpikeNoise {
            prior,
            data_points: self.data_points,
            input_hz,
            output_hz: self.output_hz,
            epsp: Epsp { tau_rise_ms: 2.0, tau_fall_ms: 20.0 },
            alpha: libm::exp(-2.0),
            cap: 5.0,
            theta_0: 3.0,
        }
    }
}

//! Settings of `self-repair`.

use numerics::{
    areas::{Code, Rule, Sight, Wiring},
    sde::OrnsteinUhlenbeck,
    synaptic_sampling::Epsp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::schedule::GRID_S;
use crate::{
    ParamError,
    timeline::{self, Entry, Remove},
};

/// Where sounds come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sounds {
    /// Two made-up words.
    Tones,
    /// Recordings of spoken digits: the data set.
    Recordings,
}

/// Which examples, unseen in learning, tests are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unseen {
    /// Those for the choice of settings.
    Tune,
    /// Those for results.
    Final,
}

/// Settings of `self-repair`; the defaults are the robust design.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Where sounds come from.
    pub sounds: Sounds,
    /// Which unseen examples are tested.
    pub unseen: Unseen,
    /// A speaker who is heard in tests only; with an empty name all are heard in both.
    pub test_speaker: String,
    /// The digits, each once; the first lesion takes the neurons that prefer the second of them.
    pub digits: Vec<u8>,
    /// Neurons of each area.
    #[schemars(range(min = 1, max = 1000), extend("unit" = "1", "symbol" = "K"))]
    pub neurons: u32,
    /// Winner-take-all circuits of each area; they divide its neurons.
    #[schemars(range(min = 1, max = 1000), extend("unit" = "1", "symbol" = "C"))]
    pub circuits: u32,
    /// Rate of a circuit.
    #[schemars(range(min = 1.0, max = 500.0), extend("unit" = "Hz", "symbol" = "R"))]
    pub circuit_hz: f64,
    /// Learning rate; the prior relaxes within prior_sd²/b.
    #[schemars(range(min = 0.000001, max = 0.1), extend("unit" = "1/s", "symbol" = "b"))]
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
    /// Greatest θ of synapses from inputs.
    #[schemars(range(min = 0.1, max = 6.0), extend("unit" = "1", "symbol" = "theta_in"))]
    pub most_input: f64,
    /// Greatest θ of synapses between the areas.
    #[schemars(range(min = 0.1, max = 6.0), extend("unit" = "1", "symbol" = "theta_ab"))]
    pub most_between: f64,
    /// Greatest θ of synapses between circuits of one area; 0: there are none.
    #[schemars(range(min = 0.0, max = 6.0), extend("unit" = "1", "symbol" = "theta_aa"))]
    pub most_within: f64,
    /// How much of the likelihood's normaliser enters the potential.
    #[schemars(range(min = 0.0, max = 1.0), extend("unit" = "1", "symbol" = "A"))]
    pub normaliser: f64,
    /// What excitability loses at a spike.
    #[schemars(range(min = 0.0, max = 1.0), extend("unit" = "nat", "symbol" = "eta"))]
    pub homeostasis: f64,
    /// Least rate of an input.
    #[schemars(range(min = 0.0, max = 50.0), extend("unit" = "Hz", "symbol" = "r_0"))]
    pub low_hz: f64,
    /// Greatest rate of an input.
    #[schemars(range(min = 1.0, max = 200.0), extend("unit" = "Hz", "symbol" = "r_1"))]
    pub high_hz: f64,
    /// Frequency bands of the cochlea.
    #[schemars(range(min = 1, max = 128), extend("unit" = "1", "symbol" = "n_f"))]
    pub bands: u32,
    /// Bins of time of a sound.
    #[schemars(range(min = 1, max = 50), extend("unit" = "1", "symbol" = "n_t"))]
    pub bins: u32,
    /// Simulated time.
    #[schemars(range(min = 10.0, max = 1000000.0), extend("unit" = "s", "symbol" = "t_end"))]
    pub duration_s: f64,
    /// From one test to the next.
    #[schemars(range(min = 10.0, max = 100000.0), extend("unit" = "s", "symbol" = "t_test"))]
    pub test_every_s: f64,
    /// Patterns of each part of a test.
    #[schemars(range(min = 4, max = 10000), extend("unit" = "1", "symbol" = "n_test"))]
    pub test_trials: u32,
    /// What happens when: lesions, settings, what is shown, tests.
    pub timeline: Vec<Entry>,
}

impl Default for Params {
    fn default() -> Self {
        let lesion = |at_s, remove| Entry::Lesion { at_s, remove, share: 1.0 };
        Self {
            sounds: Sounds::Tones,
            unseen: Unseen::Final,
            test_speaker: String::new(),
            digits: vec![1, 2],
            neurons: 64,
            circuits: 8,
            circuit_hz: 100.0,
            b: 1e-3,
            data_points: 30.0,
            temperature: 1.0,
            prior_mean: -1.0,
            prior_sd: 1.0,
            most_input: 5.0,
            most_between: 4.2,
            most_within: 2.0,
            normaliser: 1.0,
            homeostasis: 0.01,
            low_hz: 2.0,
            high_hz: 52.0,
            bands: 16,
            bins: 5,
            duration_s: 6600.0,
            test_every_s: 150.0,
            test_trials: 200,
            timeline: vec![
                lesion(2400.0, Remove::VisionNeurons),
                lesion(4200.0, Remove::FunctionalConnections),
            ],
        }
    }
}

impl Params {
    pub(super) fn check(&self) -> Result<(), ParamError> {
        if !self.neurons.is_multiple_of(self.circuits) {
            let rule = format!("it must divide the {} neurons", self.neurons);
            return Err(ParamError::new("circuits", self.circuits, rule));
        }
        if self.low_hz >= self.high_hz {
            let rule = format!("it must be below `high_hz`, {}", self.high_hz);
            return Err(ParamError::new("low_hz", self.low_hz, rule));
        }
        self.check_examples()?;
        for (name, value) in [("duration_s", self.duration_s), ("test_every_s", self.test_every_s)] {
            if value % GRID_S != 0.0 {
                return Err(ParamError::new(name, value, format!("it must be a multiple of {GRID_S} s")));
            }
        }
        timeline::check(&self.timeline, self.duration_s, GRID_S)
    }

    fn check_examples(&self) -> Result<(), ParamError> {
        let digits = &self.digits;
        let refuse = |rule: &str| Err(ParamError::new("digits", digits, rule));
        if digits.len() < 2 || digits.iter().any(|&digit| digit > 9) {
            return refuse("it must be two digits or more, 0 to 9");
        }
        if (1..digits.len()).any(|i| digits[..i].contains(&digits[i])) {
            return refuse("it must have each digit once");
        }
        if self.sounds == Sounds::Tones && digits.len() > 2 {
            return refuse("it must be two digits, as `sounds` is tones and there are two made-up words");
        }
        if self.sounds == Sounds::Tones && !self.test_speaker.is_empty() {
            let rule = "it must be empty, as `sounds` is tones, which nobody speaks";
            return Err(ParamError::new("test_speaker", &self.test_speaker, rule));
        }
        if (self.test_trials as usize) < 2 * digits.len() {
            let rule = format!("it must be at least {}, two of each digit", 2 * digits.len());
            return Err(ParamError::new("test_trials", self.test_trials, rule));
        }
        Ok(())
    }

    /// How many digits.
    pub(super) fn classes(&self) -> usize {
        self.digits.len()
    }

    pub(super) fn wiring(&self, pixels: usize) -> Wiring {
        let features = [pixels, (self.bands * self.bins) as usize];
        Wiring {
            inputs: features.map(|features| 2 * features),
            neurons: self.neurons as usize,
            circuits: self.circuits as usize,
        }
    }

    pub(super) fn rule(&self, temperature: f64, prior_mean: f64) -> Rule {
        let prior = OrnsteinUhlenbeck { b: self.b, mu: prior_mean, sigma: self.prior_sd, temperature };
        Rule {
            prior,
            data_points: self.data_points,
            theta_0: 3.0,
            alpha: libm::exp(-2.0),
            depression_cap: 5.0,
            most_input: self.most_input,
            most_between: self.most_between,
            most_within: self.most_within,
            normaliser: self.normaliser,
            homeostasis: self.homeostasis,
        }
    }

    pub(super) fn sight(&self) -> Sight {
        Sight {
            ms: PATTERN_MS,
            circuit_hz: self.circuit_hz,
            epsp: Epsp { tau_rise_ms: 2.0, tau_fall_ms: 20.0 },
            delay_ms: 5,
            code: self.code(),
        }
    }

    pub(super) fn code(&self) -> Code {
        Code { low_hz: self.low_hz, high_hz: self.high_hz }
    }
}

/// Duration of a pattern.
pub(super) const PATTERN_MS: usize = 200;

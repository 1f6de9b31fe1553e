//! Settings of `posterior`.

use numerics::synaptic_sampling::Gaussian;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::target::Known;
use crate::ParamError;

/// What is sampled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// One synapse: a normal prior and 20 Poisson counts.
    Poisson,
    /// One synapse, two modes of unlike weight.
    Bimodal,
    /// One synapse whose learning rate depends on θ.
    StateRate,
    /// Two synapses along a bent ridge.
    Banana,
    /// Two synapses that explain the same datum: strongly anticorrelated.
    ExplainingAway,
    /// What `log_density` says.
    Expression,
    /// Two actions, one rewarded more often: p_S V is sampled from single rewards.
    Bandit,
    /// A mixture of Poisson units learns from data drawn from its own prior.
    Matched,
    /// The same model learns handwritten digits.
    Digits,
}

/// How θ moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sampler {
    /// First order: Euler and Maruyama.
    Overdamped,
    /// Half an exact step of prior and noise, a kick of the likelihood, the other half.
    Split,
    /// Second order: BAOAB.
    Underdamped,
    /// First order with the covariance of the target as its learning rate.
    Preconditioned,
    /// Replicas at higher temperatures exchange their points.
    ParallelTempering,
}

/// A mistake that the tests must notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Flaw {
    /// None.
    None,
    /// T scales the standard deviation of the noise instead of its variance.
    NoiseSd,
    /// dw/dθ is left out of the likelihood term.
    NoChainRule,
    /// T b'(θ) is left out.
    UncorrectedRate,
}

/// What a reward is divided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Baseline {
    /// No reward is drawn: the exact gradient of ln V.
    Exact,
    /// The value V(θ), which no synapse knows.
    Value,
    /// A running average of rewards.
    Running,
    /// One half.
    Constant,
}

/// Settings of `posterior`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// What is sampled.
    pub task: Task,
    /// log p* of x, or of x and y; read for the task `expression`.
    pub log_density: String,
    /// Temperature.
    #[schemars(range(min = 0.01, max = 10.0), extend("unit" = "1", "symbol" = "T"))]
    pub temperature: f64,
    /// b dt.
    #[schemars(range(min = 0.000001, max = 2.0), extend("unit" = "1", "symbol" = "h"))]
    pub h: f64,
    /// Steps.
    #[schemars(range(min = 1, max = 10000000), extend("unit" = "steps", "symbol" = "n"))]
    pub steps: u32,
    /// Chains.
    #[schemars(range(min = 10, max = 1000000), extend("unit" = "1", "symbol" = "M"))]
    pub chains: u32,
    /// How θ moves.
    pub sampler: Sampler,
    /// A mistake that the tests must notice.
    pub flaw: Flaw,
    /// Whether all chains start at one point and their law is followed in time.
    pub transient: bool,
    /// Where they start then.
    #[schemars(range(min = -3.0, max = 3.0), extend("unit" = "1", "symbol" = "x_0"))]
    pub start: f64,
    /// Friction of the second order; without any it does not sample.
    #[schemars(range(min = 0.0, max = 100.0), extend("unit" = "1", "symbol" = "gamma"))]
    pub friction: f64,
    /// Replicas that exchange their points.
    #[schemars(range(min = 2, max = 32), extend("unit" = "1", "symbol" = "K_r"))]
    pub replicas: u32,
    /// Highest of their temperatures, in units of T.
    #[schemars(range(min = 1.1, max = 1000.0), extend("unit" = "1", "symbol" = "T_hot/T"))]
    pub hot: f64,
    /// What a reward is divided by.
    pub baseline: Baseline,
    /// Memory of the running average of rewards.
    #[schemars(range(min = 1.0, max = 100000.0), extend("unit" = "steps", "symbol" = "tau_r"))]
    pub tau_reward: f64,
    /// Units of the mixture.
    #[schemars(range(min = 1, max = 100), extend("unit" = "1", "symbol" = "K"))]
    pub units: u32,
    /// Examples to learn from.
    #[schemars(range(min = 1, max = 300), extend("unit" = "1", "symbol" = "N"))]
    pub train_images: u32,
    /// Prior mean of every synapse of the mixture.
    #[schemars(range(min = -5.0, max = 5.0), extend("unit" = "1", "symbol" = "mu"))]
    pub prior_mean: f64,
    /// Prior standard deviation of every synapse of the mixture.
    #[schemars(range(min = 0.1, max = 10.0), extend("unit" = "1", "symbol" = "sigma"))]
    pub prior_sd: f64,
    /// Starts of maximum likelihood and of the most probable parameters, of which the best in training counts; chains of the posterior,
    /// all of which do.
    #[schemars(range(min = 1, max = 20), extend("unit" = "1", "symbol" = "R"))]
    pub restarts: u32,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            task: Task::Poisson,
            log_density: "-x^2/2".to_owned(),
            temperature: 1.0,
            h: 0.0007,
            steps: 1000,
            chains: 20_000,
            sampler: Sampler::Overdamped,
            flaw: Flaw::None,
            transient: false,
            start: 0.3,
            friction: 2.0,
            replicas: 4,
            hot: 8.0,
            baseline: Baseline::Running,
            tau_reward: 10.0,
            units: 4,
            train_images: 10,
            prior_mean: 2.5,
            prior_sd: 1.0,
            restarts: 5,
        }
    }
}

impl Params {
    /// Rules across fields.
    ///
    /// # Errors
    /// Field, value and rule.
    pub(super) fn check(&self) -> Result<(), ParamError> {
        let known = match self.task {
            Task::Expression => Some(
                Known::new(self.task, &self.log_density)
                    .map_err(|error| ParamError::new("log_density", &self.log_density, error))?,
            ),
            task if self.is_known() => Some(Known::new(task, "").expect("this needs no expression")),
            _ => None,
        };
        if self.sampler == Sampler::Split && self.task != Task::Poisson {
            return Err(ParamError::new("sampler", self.sampler, "it is for the task `poisson`"));
        }
        if self.sampler != Sampler::Overdamped && (known.is_none() || self.task == Task::StateRate) {
            return Err(ParamError::new("sampler", self.sampler, "it must be `overdamped` for this task"));
        }
        let fits = match self.flaw {
            Flaw::None => true,
            Flaw::NoiseSd => known.is_some(),
            Flaw::NoChainRule => self.task == Task::Poisson,
            Flaw::UncorrectedRate => self.task == Task::StateRate,
        };
        if !fits || (self.flaw != Flaw::None && self.sampler != Sampler::Overdamped) {
            return Err(ParamError::new("flaw", self.flaw, "this task or sampler cannot have it"));
        }
        let line = known.as_ref().is_some_and(|known| known.is_line());
        if self.transient && !line {
            return Err(ParamError::new("transient", self.transient, "it is for one synapse"));
        }
        Ok(())
    }

    /// Prior of every synapse of the mixture.
    pub(super) fn prior(&self) -> Gaussian {
        Gaussian { mu: self.prior_mean, sigma: self.prior_sd }
    }

    /// Whether the target is a density of one or two numbers.
    pub(super) fn is_known(&self) -> bool {
        !matches!(self.task, Task::Bandit | Task::Matched | Task::Digits)
    }

    /// Points that a chain has.
    pub(super) fn points(&self) -> usize {
        if self.sampler == Sampler::ParallelTempering { self.replicas as usize } else { 1 }
    }
}

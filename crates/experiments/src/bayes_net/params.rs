//! Settings of `bayes-net`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ParamError;

/// Which network is learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// Explaining away in vision, 4 binary variables.
    KnillKersten,
    /// Lung diseases, 8 binary variables.
    Asia,
    /// Lung cancer, 5 binary variables.
    Cancer,
    /// Burglar alarm, 5 binary variables.
    Earthquake,
    /// Who travels how, 6 variables.
    Survey,
    /// Signals between proteins, 11 variables of three values.
    Sachs,
    /// A law over all states of `joint_variables`, drawn with `joint_alpha`.
    RandomJoint,
    /// 3x3 spins with `ising_beta`.
    Ising,
    /// Four binary variables with an even sum, but for `parity_noise`.
    Parity,
    /// `joint_variables` binary ones, the last of which follows a table over the others that the seed draws, but for
    /// `parity_noise`.
    RandomTable,
    /// Four variables of three values.
    ThreeValued,
    /// The data set of the job, a network that was uploaded.
    Dataset,
}

/// What the modules see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The Markov blanket of their variable.
    Exact,
    /// All other variables.
    Mixture,
}

/// Where the modules come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Training {
    /// They learn in the run.
    Here,
    /// They are joined from finished runs, named by the job as `part_1`, `part_2`, ….
    Given,
}

/// A question to the running network.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Query {
    /// Values that are given, by variable.
    #[serde(default)]
    pub evidence: BTreeMap<String, String>,
    /// Variables that are asked for; all others when empty.
    #[serde(default)]
    pub of: Vec<String>,
}

/// Settings of `bayes-net`; the defaults are those of the network of Knill and Kersten.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Which network is learned.
    pub network: Source,
    /// A variable that is summed out before; none when empty.
    pub sum_out: String,
    /// Variables of `random-joint` and `random-table`.
    #[schemars(range(min = 2, max = 6), extend("unit" = "1", "symbol" = "n"))]
    pub joint_variables: u32,
    /// Concentration of `random-joint`: the smaller, the fewer states have most of the mass.
    #[schemars(range(min = 0.01, max = 100.0), extend("unit" = "1", "symbol" = "alpha"))]
    pub joint_alpha: f64,
    /// Inverse temperature of `ising`.
    #[schemars(range(min = -2.0, max = 2.0), extend("unit" = "1", "symbol" = "beta"))]
    pub ising_beta: f64,
    /// How often the sum of `parity` is odd, and how often the last variable of `random-table` is not what its table says.
    #[schemars(range(min = 0.0, max = 1.0), extend("unit" = "1", "symbol" = "epsilon"))]
    pub parity_noise: f64,
    /// What the modules see.
    pub mode: Mode,
    /// Most hidden neurons for each value; never more than the table of the module has rows.
    #[schemars(range(min = 1, max = 1_048_576), extend("unit" = "1", "symbol" = "H"))]
    pub hidden: u32,
    /// Where the modules come from.
    pub training: Training,
    /// Variables whose modules learn in this run; all when empty. A run of some modules only learns.
    pub modules: Vec<String>,
    /// Simulated time of learning; ten states a second.
    #[schemars(range(min = 0, max = 1_000_000), extend("unit" = "s", "symbol" = "T"))]
    pub learning_s: u32,
    /// A: the rate of a neuron after n spikes is A/n, so that the n-th counts as n^(A − 1).
    #[schemars(range(min = 1.0, max = 100.0), extend("unit" = "1", "symbol" = "A"))]
    pub anneal: f64,
    /// The greatest rate.
    #[schemars(range(min = 1e-5, max = 0.5), extend("unit" = "1", "symbol" = "eta_max"))]
    pub eta_max: f64,
    /// ln of the smallest probability that a synapse holds.
    #[schemars(range(min = -40.0, max = -0.1), extend("unit" = "1", "symbol" = "w_min"))]
    pub weight_floor: f64,
    /// With this probability a uniformly random state is presented instead of a sample.
    #[schemars(range(min = 0.0, max = 1.0), extend("unit" = "1", "symbol" = "rho"))]
    pub presentation_noise: f64,
    /// Bits of a weight, rounded stochastically at every step; 0: double precision.
    #[schemars(range(min = 0, max = 16), extend("unit" = "bits", "symbol" = "B"))]
    pub weight_bits: u32,
    /// Standard deviation of what a synapse passes on of its weight, around 1.
    #[schemars(range(min = 0.0, max = 1.0), extend("unit" = "1", "symbol" = "sd_m"))]
    pub mismatch_sd: f64,
    /// Inputs that tell less are cut off after learning, and the modules learn anew for as long; 0 cuts none.
    #[schemars(range(min = 0.0, max = 10.0), extend("unit" = "nats", "symbol" = "I_min"))]
    pub prune_nats: f64,
    /// Simulated time of the running network, for every chain and query.
    #[schemars(range(min = 0, max = 1_000_000), extend("unit" = "s", "symbol" = "T_s"))]
    pub sample_s: u32,
    /// Simulated time at the start of each chain that is not read.
    #[schemars(range(min = 0, max = 1_000_000), extend("unit" = "s", "symbol" = "T_b"))]
    pub burn_in_s: u32,
    /// Chains for every query, each from a random state.
    #[schemars(range(min = 1, max = 100), extend("unit" = "chains", "symbol" = "C"))]
    pub chains: u32,
    /// Output spikes of each module of the running network.
    #[schemars(range(min = 1.0, max = 10000.0), extend("unit" = "Hz", "symbol" = "R"))]
    pub rate_hz: f64,
    /// How long a postsynaptic potential lasts, in the read-outs by potentials.
    #[schemars(range(min = 1.0, max = 1000.0), extend("unit" = "ms", "symbol" = "tau"))]
    pub tau_ms: f64,
    /// Questions to the running network.
    pub queries: Vec<Query>,
    /// States that modules are judged on which they did not learn from.
    #[schemars(range(min = 1, max = 100000), extend("unit" = "states", "symbol" = "n_h"))]
    pub held_out: u32,
    /// Starts of batch EM, the control, at the end of the run; 0 for none.
    #[schemars(range(min = 0, max = 100), extend("unit" = "starts", "symbol" = "n_EM"))]
    pub em_starts: u32,
    /// Energy of one synaptic event, for the estimate.
    #[schemars(range(min = 0.0, max = 1_000_000.0), extend("unit" = "pJ", "symbol" = "E_s"))]
    pub event_pj: f64,
}

/// ln 0.001.
const LN_0_001: f64 = -6.907_755_278_982_137;

impl Default for Params {
    fn default() -> Self {
        Self {
            network: Source::KnillKersten,
            sum_out: String::new(),
            joint_variables: 4,
            joint_alpha: 1.0,
            ising_beta: 0.2,
            parity_noise: 0.1,
            mode: Mode::Exact,
            hidden: 16,
            training: Training::Here,
            modules: Vec::new(),
            learning_s: 300,
            anneal: 4.0,
            eta_max: 0.02,
            weight_floor: LN_0_001,
            presentation_noise: 0.0,
            weight_bits: 0,
            mismatch_sd: 0.0,
            prune_nats: 0.0,
            sample_s: 20,
            burn_in_s: 1,
            chains: 5,
            rate_hz: 100.0,
            tau_ms: 15.0,
            queries: Vec::new(),
            held_out: 10_000,
            em_starts: 0,
            event_pj: 20.0,
        }
    }
}

impl Params {
    /// Rules across fields that need no network.
    ///
    /// # Errors
    /// Field, value and rule.
    pub(super) fn check(&self) -> Result<(), ParamError> {
        if self.network == Source::Dataset && !self.sum_out.is_empty() {
            return Err(ParamError::new("sum_out", &self.sum_out, "it must be empty with a data set"));
        }
        if self.prune_nats > 0.0 && self.mode == Mode::Exact {
            let rule = "it must be 0 unless `mode` is mixture: what a module sees is known";
            return Err(ParamError::new("prune_nats", self.prune_nats, rule));
        }
        if self.training == Training::Given && !self.modules.is_empty() {
            let rule = "it must be empty unless `training` is here: all modules are joined";
            return Err(ParamError::new("modules", &self.modules, rule));
        }
        if self.training == Training::Given && self.prune_nats > 0.0 {
            let rule = "it must be 0 unless `training` is here: nothing learns anew";
            return Err(ParamError::new("prune_nats", self.prune_nats, rule));
        }
        if self.queries.len() > 100 {
            return Err(ParamError::new("queries", self.queries.len(), "there must be at most 100"));
        }
        Ok(())
    }

    /// Steps of one stretch of learning: a second each.
    pub(super) fn learning_steps(&self) -> u64 {
        match self.training {
            Training::Here => u64::from(self.learning_s),
            Training::Given => 0,
        }
    }

    /// Steps of all learning.
    pub(super) fn all_learning_steps(&self) -> u64 {
        self.learning_steps() * if self.prune_nats > 0.0 { 2 } else { 1 }
    }

    /// Steps of the running network: a second each.
    pub(super) fn sampling_steps(&self) -> u64 {
        if self.modules.is_empty() {
            u64::from(self.burn_in_s) * u64::from(self.sample_s > 0) + u64::from(self.sample_s)
        } else {
            0
        }
    }
}

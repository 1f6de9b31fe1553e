//! Settings of `reward`.

use numerics::policy::{Layer, Network, Rule};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{GRID_S, task::MOST_ASSEMBLIES};
use crate::{
    ParamError,
    sampling::schedule::Schedule,
    timeline::{self, Entry, Pairs, Remove},
};

/// What a network is rewarded for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Each of two patterns has an assembly that must lead.
    Patterns,
    /// A lever must be pushed up and then pulled down.
    Lever,
    /// A cursor must be moved to one of four targets.
    Reach,
    /// Two groups of assemblies must answer alike: 1 if both are right, less if neither is.
    Deceptive,
}

/// Settings of `reward`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// What is rewarded.
    pub task: Task,
    /// Inputs.
    #[schemars(range(min = 1, max = 1000), extend("unit" = "1", "symbol" = "D"))]
    pub inputs: u32,
    /// Output neurons; the assemblies of the task divide them.
    #[schemars(range(min = 2, max = 1000), extend("unit" = "1", "symbol" = "K"))]
    pub neurons: u32,
    /// Temperature, at the start if it falls.
    #[schemars(range(min = 0.0, max = 10.0), extend("unit" = "1", "symbol" = "T"))]
    pub temperature: f64,
    /// How it falls.
    pub schedule: Schedule,
    /// When it begins to fall; before, it is that of the end.
    #[schemars(range(min = 0.0, max = 1000000.0), extend("unit" = "s", "symbol" = "t_cool"))]
    pub cool_from_s: f64,
    /// Temperature at the end if it falls.
    #[schemars(range(min = 0.0001, max = 10.0), extend("unit" = "1", "symbol" = "T_1"))]
    pub t_end: f64,
    /// Learning rate; the prior relaxes within prior_sd²/b.
    #[schemars(range(min = 0.0, max = 0.1), extend("unit" = "1/s", "symbol" = "b"))]
    pub b: f64,
    /// Weight of rewards against the prior: the mean reward enters p* to this power.
    #[schemars(range(min = 0.0, max = 1000000.0), extend("unit" = "1", "symbol" = "c"))]
    pub gain: f64,
    /// Greatest drift by rewards, before b.
    #[schemars(range(min = 0.0, max = 100000.0), extend("unit" = "1", "symbol" = "g_max"))]
    pub limit: f64,
    /// Mean of the prior of θ.
    #[schemars(range(min = -5.0, max = 5.0), extend("unit" = "1", "symbol" = "mu"))]
    pub prior_mean: f64,
    /// Its standard deviation.
    #[schemars(range(min = 0.1, max = 10.0), extend("unit" = "1", "symbol" = "sigma"))]
    pub prior_sd: f64,
    /// Mean of θ at the start.
    #[schemars(range(min = -5.0, max = 5.0), extend("unit" = "1", "symbol" = "mu_start"))]
    pub start_mean: f64,
    /// Its standard deviation.
    #[schemars(range(min = 0.0, max = 5.0), extend("unit" = "1", "symbol" = "sigma_start"))]
    pub start_sd: f64,
    /// Least θ.
    #[schemars(range(min = -20.0, max = 0.0), extend("unit" = "1", "symbol" = "theta_min"))]
    pub theta_min: f64,
    /// Greatest θ.
    #[schemars(range(min = 0.1, max = 6.0), extend("unit" = "1", "symbol" = "theta_max"))]
    pub theta_max: f64,
    /// Memory of what a synapse did.
    #[schemars(range(min = 0.01, max = 100.0), extend("unit" = "s", "symbol" = "tau_e"))]
    pub tau_eligibility_s: f64,
    /// Memory of the gradient.
    #[schemars(range(min = 0.1, max = 10000.0), extend("unit" = "s", "symbol" = "tau_g"))]
    pub tau_gradient_s: f64,
    /// Memory of the mean reward.
    #[schemars(range(min = 0.1, max = 10000.0), extend("unit" = "s", "symbol" = "tau_r"))]
    pub tau_reward_s: f64,
    /// What counts as a reward at all times, and the least mean reward.
    #[schemars(range(min = 0.0001, max = 1.0), extend("unit" = "1", "symbol" = "r_0"))]
    pub offset: f64,
    /// What a potential loses for a spike in other assemblies.
    #[schemars(range(min = 0.0, max = 10.0), extend("unit" = "1", "symbol" = "J"))]
    pub inhibition: f64,
    /// What excitability loses at a spike.
    #[schemars(range(min = 0.0, max = 1.0), extend("unit" = "nat", "symbol" = "eta"))]
    pub homeostasis: f64,
    /// Rate at which it stays.
    #[schemars(range(min = 0.1, max = 100.0), extend("unit" = "Hz", "symbol" = "r_goal"))]
    pub goal_hz: f64,
    /// Lead of an assembly that earns half a reward.
    #[schemars(range(min = 0.0, max = 100.0), extend("unit" = "Hz", "symbol" = "m_half"))]
    pub threshold_hz: f64,
    /// Reward of two groups that are both wrong.
    #[schemars(range(min = 0.0, max = 0.99), extend("unit" = "1", "symbol" = "r_local"))]
    pub local_reward: f64,
    /// Simulated time.
    #[schemars(range(min = 100.0, max = 1000000.0), extend("unit" = "s", "symbol" = "t_end"))]
    pub duration_s: f64,
    /// What happens when: settings, which answer is rewarded, lesions.
    pub timeline: Vec<Entry>,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            task: Task::Patterns,
            inputs: 50,
            neurons: 20,
            temperature: 0.1,
            schedule: Schedule::Constant,
            cool_from_s: 0.0,
            t_end: 0.05,
            b: 4e-4,
            gain: 2000.0,
            limit: 40.0,
            prior_mean: 0.0,
            prior_sd: 2.0,
            start_mean: -0.5,
            start_sd: 0.5,
            theta_min: -2.0,
            theta_max: 5.0,
            tau_eligibility_s: 1.0,
            tau_gradient_s: 50.0,
            tau_reward_s: 50.0,
            offset: 0.02,
            inhibition: 0.5,
            homeostasis: 0.02,
            goal_hz: 5.0,
            threshold_hz: 10.0,
            local_reward: 0.6,
            duration_s: 5000.0,
            timeline: vec![Entry::Dataset { at_s: 2500.0, pairs: Pairs::Swapped }],
        }
    }
}

impl Params {
    /// Rules across fields.
    ///
    /// # Errors
    /// Field, value and rule.
    pub(super) fn check(&self) -> Result<(), ParamError> {
        let assemblies = (self.groups() * self.assemblies()) as u32;
        if !self.neurons.is_multiple_of(assemblies) {
            let rule = format!("it must be a multiple of the {assemblies} assemblies of this task");
            return Err(ParamError::new("neurons", self.neurons, rule));
        }
        let falls = self.schedule != Schedule::Constant && self.temperature > 0.0;
        if falls && self.t_end >= self.temperature {
            let rule = "it must be below `temperature` unless the schedule is constant";
            return Err(ParamError::new("t_end", self.t_end, rule));
        }
        if self.duration_s % GRID_S != 0.0 {
            let rule = format!("it must be a multiple of {GRID_S} s");
            return Err(ParamError::new("duration_s", self.duration_s, rule));
        }
        if self.cool_from_s >= self.duration_s {
            let rule = format!("it must be below `duration_s`, {}", self.duration_s);
            return Err(ParamError::new("cool_from_s", self.cool_from_s, rule));
        }
        for (i, entry) in self.timeline.iter().enumerate() {
            let fits = match entry {
                Entry::Set { .. } | Entry::Dataset { .. } | Entry::Record { .. } => true,
                Entry::Lesion { remove, .. } => *remove != Remove::VisionNeurons,
                Entry::Clamp { .. } => false,
            };
            if !fits {
                let rule = "there are no areas to act on: `set`, `dataset`, `record`, and lesions of connections are known";
                return Err(ParamError::new(&format!("timeline/{i}"), entry, rule));
            }
        }
        timeline::check(&self.timeline, self.duration_s, GRID_S)
    }

    /// Groups of assemblies that answer apart.
    pub(super) fn groups(&self) -> usize {
        if self.task == Task::Deceptive { 2 } else { 1 }
    }

    /// Assemblies of a group.
    pub(super) fn assemblies(&self) -> usize {
        let n = match self.task {
            Task::Patterns | Task::Lever | Task::Deceptive => 2,
            Task::Reach => 4,
        };
        assert!(n * self.groups() <= MOST_ASSEMBLIES, "there is room for the assemblies of every task");
        n
    }

    /// Patterns of inputs.
    pub(super) fn patterns(&self) -> usize {
        self.assemblies()
    }

    /// Steps of the run.
    pub(super) fn ticks(&self) -> u64 {
        (self.duration_s / GRID_S).round() as u64
    }

    /// T at a step of the run.
    pub(super) fn temperature(&self, tick: u64) -> f64 {
        let from = self.cool_from_s / GRID_S;
        let part = (tick as f64 - from) / (self.ticks() as f64 - from);
        match self.schedule {
            Schedule::Constant => self.temperature,
            _ if part < 0.0 => self.t_end,
            schedule => schedule.at(self.temperature, self.t_end, part),
        }
    }

    pub(super) fn network(&self, prior_mean: f64) -> Network {
        let assemblies = self.groups() * self.assemblies();
        let layer = Layer {
            inputs: self.inputs as usize,
            groups: self.groups(),
            assemblies: self.assemblies(),
            size: self.neurons as usize / assemblies,
            inhibition: self.inhibition,
            homeostasis: self.homeostasis,
            goal_hz: self.goal_hz,
        };
        let rule = Rule {
            b: self.b,
            gain: self.gain,
            limit: self.limit,
            mu: prior_mean,
            sigma: self.prior_sd,
            theta_0: 3.0,
            least: self.theta_min,
            most: self.theta_max,
            tau_eligibility_s: self.tau_eligibility_s,
            tau_gradient_s: self.tau_gradient_s,
            tau_reward_s: self.tau_reward_s,
            offset: self.offset,
        };
        Network::new(layer, rule)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cooling_begins_when_it_is_told_and_ends_with_the_run() {
        let params = Params {
            temperature: 3.0,
            t_end: 0.1,
            schedule: Schedule::Geometric,
            cool_from_s: 2500.0,
            ..Params::default()
        };
        assert_eq!(params.temperature(249), 0.1);
        assert!((params.temperature(250) - 3.0).abs() < 1e-12);
        assert!((params.temperature(375) - 0.3_f64.sqrt()).abs() < 1e-12);
        assert!((params.temperature(500) - 0.1).abs() < 1e-12);
        assert_eq!(Params::default().temperature(0), 0.1);
    }

    #[test]
    fn what_a_task_cannot_have_is_refused_with_field_and_rule() {
        let refused = |params: Params| params.check().expect_err("it is refused").to_string();
        let error = refused(Params { task: Task::Reach, neurons: 18, ..Params::default() });
        assert!(error.contains("neurons") && error.contains("4 assemblies"), "{error}");
        let lesion = Entry::Lesion { at_s: 10.0, remove: Remove::VisionNeurons, share: 1.0 };
        let error = refused(Params { timeline: vec![lesion], ..Params::default() });
        assert!(error.contains("timeline") && error.contains("no areas"), "{error}");
        let falls = Params { schedule: Schedule::Geometric, temperature: 0.05, ..Params::default() };
        assert!(refused(falls).contains("below `temperature`"));
        assert!(refused(Params { duration_s: 105.0, ..Params::default() }).contains("multiple of 10"));
        assert!(refused(Params { cool_from_s: 5000.0, ..Params::default() }).contains("cool_from_s"));
    }
}

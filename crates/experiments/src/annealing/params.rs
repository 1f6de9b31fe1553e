//! Settings of `annealing`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::landscape::Kind;
use crate::{ParamError, sampling::schedule::Schedule};

/// How θ moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sampler {
    /// First order: Euler and Maruyama.
    Overdamped,
    /// Second order: BAOAB.
    Underdamped,
    /// Replicas between both temperatures exchange their points; the coldest is observed.
    ParallelTempering,
}

/// Settings of `annealing`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// What is climbed.
    pub landscape: Kind,
    /// Parameters θ.
    #[schemars(range(min = 1, max = 100), extend("unit" = "1", "symbol" = "d"))]
    pub dimensions: u32,
    /// How the temperature falls.
    pub schedule: Schedule,
    /// Temperature at the start; 0 climbs the gradient, whatever the schedule.
    #[schemars(range(min = 0.0, max = 100.0), extend("unit" = "1", "symbol" = "T_0"))]
    pub t_start: f64,
    /// Temperature at the end.
    #[schemars(range(min = 0.000001, max = 100.0), extend("unit" = "1", "symbol" = "T_1"))]
    pub t_end: f64,
    /// Steps of every chain.
    #[schemars(range(min = 1, max = 10000000), extend("unit" = "steps", "symbol" = "n"))]
    pub steps: u32,
    /// Chains.
    #[schemars(range(min = 2, max = 100000), extend("unit" = "1", "symbol" = "M"))]
    pub chains: u32,
    /// b dt.
    #[schemars(range(min = 0.00001, max = 1.0), extend("unit" = "1", "symbol" = "h"))]
    pub h: f64,
    /// Each chain starts anew after so many steps and keeps its best end; 0: never.
    #[schemars(range(min = 0, max = 10000000), extend("unit" = "steps", "symbol" = "k"))]
    pub restart_every: u32,
    /// How θ moves.
    pub sampler: Sampler,
    /// Friction of the second order.
    #[schemars(range(min = 0.01, max = 100.0), extend("unit" = "1", "symbol" = "gamma"))]
    pub friction: f64,
    /// Replicas of each chain that exchange their points.
    #[schemars(range(min = 2, max = 64), extend("unit" = "1", "symbol" = "K"))]
    pub replicas: u32,
    /// Steps between two exchanges.
    #[schemars(range(min = 1, max = 100000), extend("unit" = "steps", "symbol" = "e"))]
    pub exchange_every: u32,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            landscape: Kind::LowBarrier,
            dimensions: 2,
            schedule: Schedule::Geometric,
            t_start: 0.22,
            t_end: 0.08,
            steps: 60_000,
            chains: 400,
            h: 0.02,
            restart_every: 0,
            sampler: Sampler::Overdamped,
            friction: 1.0,
            replicas: 6,
            exchange_every: 10,
        }
    }
}

impl Params {
    /// Rules across fields.
    ///
    /// # Errors
    /// Field, value and rule.
    pub(super) fn check(&self) -> Result<(), ParamError> {
        let plane = !matches!(self.landscape, Kind::Funnel | Kind::Deceptive);
        if plane && self.dimensions != 2 {
            return Err(ParamError::new("dimensions", self.dimensions, "it must be 2 on this landscape"));
        }
        let falls = self.schedule != Schedule::Constant && self.t_start > 0.0;
        let tempers = self.sampler == Sampler::ParallelTempering;
        if (falls || tempers) && self.t_end >= self.t_start {
            let rule = "it must be below `t_start` unless the schedule is constant";
            return Err(ParamError::new("t_end", self.t_end, rule));
        }
        if self.restart_every > self.steps {
            return Err(ParamError::new("restart_every", self.restart_every, "it must be at most `steps`"));
        }
        if tempers && (falls || self.restart_every > 0) {
            let rule = "it must be constant, without restarts, where replicas exchange their points";
            return Err(ParamError::new("schedule", self.schedule, rule));
        }
        Ok(())
    }

    /// Points that a chain has.
    pub(super) fn points(&self) -> usize {
        if self.sampler == Sampler::ParallelTempering { self.replicas as usize } else { 1 }
    }

    /// T at a step.
    pub(super) fn temperature(&self, step: u64) -> f64 {
        self.schedule.at(self.t_start, self.t_end, step as f64 / f64::from(self.steps))
    }

    /// T of what is observed at the end.
    pub(super) fn last_temperature(&self) -> f64 {
        if self.sampler == Sampler::ParallelTempering {
            self.t_end
        } else {
            self.temperature(self.steps.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schedule_goes_from_its_start_to_its_end() {
        for schedule in [Schedule::Geometric, Schedule::Logarithmic] {
            let params = Params { schedule, ..Params::default() };
            assert!((params.temperature(0) - 0.22).abs() < 1e-12);
            assert!((params.temperature(60_000) - 0.08).abs() < 1e-12);
            assert!(params.temperature(20_000) > params.temperature(20_001));
        }
        let constant = Params { schedule: Schedule::Constant, ..Params::default() };
        assert_eq!(constant.temperature(60_000), 0.22);
        assert_eq!(Params { t_start: 0.0, ..Params::default() }.temperature(60_000), 0.0);
    }
}

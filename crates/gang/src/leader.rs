//! The member that drives the run, as the rest of the program sees it: a simulation like any other.

use experiments::{Advance, Metric, Simulation};
use numerics::collective::Collective;
use serde_json::Value as Json;

use crate::order::Order;

/// A simulation whose steps are computed by a team.
pub(crate) struct Leader {
    simulation: Box<dyn Simulation>,
    team: Box<dyn Collective>,
}

impl Leader {
    /// The others hold the same run and wait for orders.
    pub(crate) fn new(simulation: Box<dyn Simulation>, team: Box<dyn Collective>) -> Self {
        Self { simulation, team }
    }
}

impl Simulation for Leader {
    fn step(&self) -> u64 {
        self.simulation.step()
    }

    fn steps(&self) -> u64 {
        self.simulation.steps()
    }

    fn advance(&mut self) -> Advance {
        if let Some(shared) = self.simulation.shared().filter(|shared| shared.is_step_next()) {
            Order::Step.give(&mut *self.team);
            shared.step_with(&mut *self.team);
            return Advance::Stepped;
        }
        self.simulation.advance()
    }

    fn checkpoint(&self) -> Vec<u8> {
        self.simulation.checkpoint()
    }

    fn look(&self) -> Vec<Metric> {
        self.simulation.look()
    }

    fn state(&self) -> Json {
        self.simulation.state()
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // The others are somewhere in a step, where they hear no orders.
            self.team.abandon();
        } else {
            Order::End.give(&mut *self.team);
        }
    }
}

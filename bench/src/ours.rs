//! Our side: the product's own step, through the catalogue, as a worker drives it.

use anyhow::{Context, anyhow, bail};
use experiments::{Advance, Setup, Simulation};
use numerics::boltzmann::Parameters;

use crate::{
    case::{Rule, Variant},
    cpu,
    mnist::Mnist,
    weights,
};

/// A run in memory.
pub(crate) struct Ours {
    simulation: Box<dyn Simulation>,
    batch: usize,
}

impl Ours {
    /// A run before its first step.
    ///
    /// # Errors
    /// If the experiment refuses the setting.
    pub(crate) fn start(
        variant: Variant,
        hidden_units: u32,
        batch: usize,
        rule: Rule,
        mnist: &Mnist,
    ) -> anyhow::Result<Self> {
        let kind = experiments::find(variant.experiment()).context("it is not in the catalogue")?;
        let params = kind.resolve(None, &variant.params(hidden_units, batch, rule)).map_err(|errors| {
            let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
            anyhow!("{} refuses: {}", variant.experiment(), errors.join("; "))
        })?;
        let setup = Setup { params, seed: 1, data: mnist.data(), sources: Vec::new(), every: Some(u64::MAX) };
        let mut simulation = kind.start(setup)?;
        match simulation.advance() {
            Advance::Observed(_) => Ok(Self { simulation, batch }),
            Advance::Stepped | Advance::Done(_) => bail!("a run begins with an observation"),
        }
    }

    /// Trains on `images` images; processor seconds.
    pub(crate) fn train(&mut self, images: usize) -> f64 {
        let (seconds, ()) = cpu::timed(|| {
            for _ in 0..images / self.batch {
                let advance = self.simulation.advance();
                assert!(matches!(advance, Advance::Stepped), "the run is long and observed at its ends only");
            }
        });
        seconds
    }

    /// What it has learned.
    ///
    /// # Errors
    /// If the checkpoint cannot be read.
    pub(crate) fn parameters(&self) -> anyhow::Result<Parameters> {
        weights::of_checkpoint(&self.simulation.checkpoint())
    }
}

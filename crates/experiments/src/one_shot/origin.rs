//! Where the networks come from: trained in the run, or taken from finished runs.

use numerics::{Draws, boltzmann::Parameters};

use super::{Machine, Params, params::Networks};
use crate::{
    Data, DataError, DataShape, Experiment, ParamError, Source, SourceNeed,
    boltzmann::{Network, Trainer, TrainerScratch},
    rbm::Rbm,
    rbse::Rbse,
};

const fn need(name: &'static str) -> SourceNeed {
    SourceNeed { name, experiments: &["rbm", "rbse"], required: true }
}

/// One run for every network, in the order of [`Machine::ALL`].
pub(super) const NEEDS: [SourceNeed; Machine::ALL.len()] =
    [need("rbm_low"), need("rbm_high"), need("frozen"), need("rbse_b"), need("rbse_a"), need("s2m")];

/// Steps of training of every network.
pub(super) fn training_steps(
    params: &Params,
    data: &DataShape,
) -> Result<[u64; Machine::ALL.len()], ParamError> {
    let mut steps = [0; Machine::ALL.len()];
    for (steps, machine) in steps.iter_mut().zip(Machine::ALL) {
        let plan = machine.protocol(params).plan(data)?;
        *steps = if params.networks == Networks::Given { 0 } else { plan.steps };
    }
    Ok(steps)
}

/// What trains the networks, or the networks.
pub(super) struct Origin {
    seed: u64,
    /// In the order of [`Machine::ALL`]; none if the networks are given.
    trainers: Vec<Trainer>,
    /// In the same order; none if they are trained.
    given: Vec<Parameters>,
}

impl Origin {
    /// # Errors
    /// If the data does not fit, or a given network is missing or for images of another size.
    pub(super) fn new(
        params: &Params,
        data: &Data,
        sources: &[Source],
        seed: u64,
    ) -> Result<Self, DataError> {
        let (mut trainers, mut given) = (Vec::new(), Vec::new());
        for (machine, need) in Machine::ALL.into_iter().zip(NEEDS) {
            match params.networks {
                Networks::Trained => trainers.push(Trainer::new(machine.protocol(params), data, seed)?),
                Networks::Given => given.push(parameters(need.name, data, sources)?),
            }
        }
        Ok(Self { seed, trainers, given })
    }

    /// The networks that are there before the first step.
    pub(super) fn given(&self) -> Vec<Parameters> {
        self.given.clone()
    }

    /// One mini-batch for a machine that is trained; `training` holds it between its first and its last step, and the
    /// last returns what it has learned.
    ///
    /// The draws are those of a run of `rbm` or `rbse` with this seed, so that the same network comes out.
    pub(super) fn step(
        &self,
        machine: usize,
        (step, last): (u64, bool),
        training: &mut Option<Network>,
        scratch: &mut TrainerScratch,
    ) -> Option<Parameters> {
        let trainer = &self.trainers[machine];
        if step == 0 {
            *scratch = TrainerScratch::default();
        }
        let network = training.get_or_insert_with(|| trainer.init(Draws::at(self.seed, 0)));
        trainer.step(network, scratch, Draws::at(self.seed, step));
        if last { training.take().map(|network| network.parameters().into_owned()) } else { None }
    }
}

/// What the source of this name has learned.
fn parameters(name: &str, data: &Data, sources: &[Source]) -> Result<Parameters, DataError> {
    let missing = || DataError(format!("source `{name}` is missing; the job must name a run for it"));
    let source = sources.iter().find(|source| source.name == name).ok_or_else(missing)?;
    let network =
        if source.experiment == Rbm::NAME { source.state_of::<Rbm>()? } else { source.state_of::<Rbse>()? };
    let parameters = network.parameters().into_owned();
    let pixels = match data {
        Data::Images(images) => images.pixels_per_image(),
        Data::None | Data::BayesNet(_) | Data::Table(_) | Data::Audio(_) => 0,
    };
    if parameters.visible_units() != pixels {
        let found = parameters.visible_units();
        return Err(DataError(format!(
            "source `{name}` has learned images of {found} pixels; those of this run have {pixels}"
        )));
    }
    Ok(parameters)
}

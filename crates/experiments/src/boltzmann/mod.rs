//! What `rbm` and `rbse` share: protocol, data, training and observation of a Boltzmann machine.

mod digits;
mod observe;
mod protocol;

use ndarray::Array1;
use numerics::{
    BinaryRows, Draws, Stream,
    boltzmann::{Chain, Init, Learning, Parameters, PersistentChains, Scratch, State, step},
};

use crate::{Data, DataError};
use digits::Digits;

pub(crate) use digits::{Split, binary};
pub(crate) use observe::{FIT_METRICS, observe_fit, observe_release, spec};
pub(crate) use protocol::Protocol;
pub use protocol::Rule;

/// Standard deviation of weights before training (Hinton 2010).
const W_SD: f64 = 0.01;
/// Largest |a|: release probabilities between 0.0003 and 0.9997.
const A_LIMIT: f64 = 8.0;
/// Synapses whose release probability is followed over time.
const TRACED: u64 = 200;

/// A machine in training: immutable side.
pub(crate) struct Trainer {
    protocol: Protocol,
    digits: Digits,
    seed: u64,
    /// Mean of every pixel over the training images.
    visible_mean: Array1<f32>,
    /// Whether a pixel is on in more than 1 % of the training images.
    active: Vec<bool>,
    /// Synapses whose release probability is followed, as places in row-by-row order.
    traced: Vec<usize>,
}

/// Buffers of a step, and the order of the epoch it belongs to.
#[derive(Default)]
pub struct TrainerScratch {
    step: Scratch,
    batch: BinaryRows,
    order: Option<(u64, Vec<u32>)>,
}

impl Trainer {
    pub(crate) fn new(protocol: Protocol, data: &Data, seed: u64) -> Result<Self, DataError> {
        let digits = Digits::new(&protocol, data, seed)?;
        let visible_mean = digits.train.column_means();
        let active = visible_mean.iter().map(|&mean| mean > 0.01).collect();
        let synapses = digits.train.columns() as u32 * protocol.hidden_units;
        let draws = Draws::at(seed, 0);
        let traced = (0..TRACED).map(|i| draws.below(Stream::ObservePick, i, synapses) as usize).collect();
        Ok(Self { protocol, digits, seed, visible_mean, active, traced })
    }

    pub(crate) fn init(&self, draws: Draws) -> State {
        let Protocol { synapses, hidden_units, p0, rule, batch, .. } = self.protocol;
        let init = Init { hidden_units: hidden_units as usize, p0, w_sd: W_SD };
        let state = State::new(Parameters::init(synapses, init, self.visible_mean.view(), draws));
        match rule {
            Rule::Cd => state,
            Rule::Pcd => {
                state.with_chains(PersistentChains::init(batch as usize, hidden_units as usize, draws))
            }
        }
    }

    pub(crate) fn step(&self, state: &mut State, scratch: &mut TrainerScratch, draws: Draws) {
        let at = draws.step();
        let (epoch, n) = (self.protocol.epoch(at), self.protocol.batch as usize);
        let first = (at % self.protocol.batches_per_epoch()) as usize * n;
        if scratch.order.as_ref().is_none_or(|(cached, _)| *cached != epoch) {
            scratch.order = Some((epoch, self.order(epoch)));
        }
        let (_, order) = scratch.order.as_ref().expect("it was just made");
        self.digits.train.select_into(&order[first..first + n], &mut scratch.batch);
        step(state, &scratch.batch, &self.learning(at), &mut scratch.step, draws);
    }

    /// The order of the training images in an epoch: a fresh shuffle by the stream `Order` at its first step.
    fn order(&self, epoch: u64) -> Vec<u32> {
        let draws = Draws::at(self.seed, epoch * self.protocol.batches_per_epoch());
        draws.permutation(Stream::Order, self.protocol.train_images)
    }

    fn learning(&self, at: u64) -> Learning {
        let k = self.protocol.cd_k as usize;
        Learning {
            eta_w: self.protocol.rate(at),
            release_rate_ratio: self.protocol.r,
            momentum: self.protocol.momentum(at),
            weight_decay: self.protocol.weight_decay,
            a_limit: A_LIMIT,
            chain: match self.protocol.rule {
                Rule::Cd => Chain::Cd { k },
                Rule::Pcd => Chain::Pcd { k },
            },
        }
    }
}

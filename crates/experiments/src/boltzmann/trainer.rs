//! A machine in training: its start and its steps.

use ndarray::Array1;
use numerics::{
    BinaryRows, Draws, Stream,
    boltzmann::{Init, Parameters, PersistentChains, Scratch, step_by, tiled},
    logistic::logit,
};

use super::{Network, Protocol, Rule, digits::Digits, network::Path, release_law::ReleaseLaw};
use crate::{Data, DataError};

/// Standard deviation of weights before training (Hinton 2010).
const W_SD: f64 = 0.01;
/// Synapses whose release probability is followed over time.
const TRACED: u64 = 200;

/// The immutable side of a machine in training.
pub(crate) struct Trainer {
    pub(super) protocol: Protocol,
    pub(crate) digits: Digits,
    /// The training images once more, as bits, for the fast path.
    images: tiled::Images,
    pub(super) seed: u64,
    /// Mean of every pixel over the training images.
    visible_mean: Array1<f32>,
    /// Whether a pixel is on in more than 1 % of the training images.
    pub(super) active: Vec<bool>,
    /// Synapses whose release probability is followed, as places in row-by-row order.
    pub(super) traced: Vec<usize>,
    /// Release probabilities at the start, if they are not all p0.
    pub(super) release_at_start: Option<Vec<f32>>,
}

/// Buffers of a step, and the order of the epoch it belongs to.
#[derive(Default)]
pub struct TrainerScratch {
    tiled: tiled::Scratch,
    general: Scratch,
    batch: BinaryRows,
    order: Option<(u64, Vec<u32>)>,
}

impl Trainer {
    /// Splits and binarises the data.
    ///
    /// # Errors
    /// If the data does not fit the protocol.
    pub(crate) fn new(protocol: Protocol, data: &Data, seed: u64) -> Result<Self, DataError> {
        let digits = Digits::new(&protocol, data, seed)?;
        let visible_mean = digits.train.column_means();
        let active = visible_mean.iter().map(|&mean| mean > 0.01).collect();
        let synapses = digits.train.columns() as u32 * protocol.hidden_units;
        let draws = Draws::at(seed, 0);
        let traced = (0..TRACED).map(|i| draws.below(Stream::ObservePick, i, synapses) as usize).collect();
        let images = match protocol.path() {
            Path::Tiled => tiled::Images::from(&digits.train),
            Path::General => tiled::Images::default(),
        };
        let release_at_start = (protocol.p0_sd > 0.0 && protocol.law != super::Law::Gaussian).then(|| {
            let release = ReleaseLaw::new(protocol.p0, protocol.p0_sd).draw(synapses as usize, draws);
            release.into_iter().map(|p| p as f32).collect()
        });
        Ok(Self { protocol, digits, images, seed, visible_mean, active, traced, release_at_start })
    }

    /// The network before its first step.
    pub(crate) fn init(&self, draws: Draws) -> Network {
        let Protocol { hidden_units, rule, batch, .. } = self.protocol;
        let chains = match rule {
            Rule::Cd => None,
            Rule::Pcd => Some(PersistentChains::init(batch as usize, hidden_units as usize, draws)),
        };
        Network::new(self.protocol.path(), self.initial_parameters(draws), chains)
    }

    fn initial_parameters(&self, draws: Draws) -> Parameters {
        let Protocol { synapses, hidden_units, p0, sd0, .. } = self.protocol;
        let init = Init {
            hidden_units: hidden_units as usize,
            p0,
            w_sd: W_SD,
            law: self.protocol.law.with_sites(self.protocol.sites),
            sd0: sd0.max(0.01),
        };
        let mut parameters = Parameters::init(synapses, init, self.visible_mean.view(), draws);
        if let Some(release) = &self.release_at_start {
            parameters.a.iter_mut().zip(release).for_each(|(a, &p)| *a = logit(f64::from(p)) as f32);
        }
        parameters
    }

    /// Learns from the mini-batch that belongs to the step of `draws`.
    pub(crate) fn step(&self, network: &mut Network, scratch: &mut TrainerScratch, draws: Draws) {
        let at = draws.step();
        let (epoch, n) = (self.protocol.epoch(at), self.protocol.batch as usize);
        let first = (at % self.protocol.batches_per_epoch()) as usize * n;
        if scratch.order.as_ref().is_none_or(|(cached, _)| *cached != epoch) {
            scratch.order = Some((epoch, self.order(epoch)));
        }
        let (_, order) = scratch.order.as_ref().expect("it was just made");
        let (picks, learning) = (&order[first..first + n], self.protocol.learning(at));
        match network {
            Network::Tiled(state) => {
                tiled::step(state, self.images.batch(picks), &learning, &mut scratch.tiled, draws);
            }
            Network::General(state) => {
                self.digits.train.select_into(picks, &mut scratch.batch);
                let method = self.protocol.method(self.digits.cols as usize);
                step_by(state, &scratch.batch, (&learning, &method), &mut scratch.general, draws);
            }
        }
    }

    /// The order of the training images in an epoch: a fresh shuffle by the stream `Order` at its first step.
    fn order(&self, epoch: u64) -> Vec<u32> {
        let draws = Draws::at(self.seed, epoch * self.protocol.batches_per_epoch());
        draws.permutation(Stream::Order, self.protocol.train_images)
    }
}

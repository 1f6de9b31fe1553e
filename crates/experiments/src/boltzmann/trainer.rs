//! A machine in training: its start and its steps.

use ndarray::Array1;
use numerics::{
    BinaryRows, Draws, Stream,
    boltzmann::{Init, Parameters, PersistentChains, Scratch, step_by, tiled},
    collective::{Alone, Collective},
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
    picks: Vec<u32>,
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

    /// Fixed parts of each mini-batch.
    pub(crate) fn shards(&self) -> u32 {
        self.protocol.shards
    }

    /// Learns from the mini-batches that belong to the step of `draws`.
    pub(crate) fn step(&self, network: &mut Network, scratch: &mut TrainerScratch, draws: Draws) {
        self.step_with(network, scratch, draws, &mut Alone);
    }

    /// [`Trainer::step`] together with a team.
    pub(crate) fn step_with(
        &self,
        network: &mut Network,
        scratch: &mut TrainerScratch,
        draws: Draws,
        team: &mut dyn Collective,
    ) {
        let turns = self.protocol.turns(draws.step());
        let TrainerScratch { tiled, general, batch, order, picks } = scratch;
        picks.clear();
        turns.clone().for_each(|at| self.pick(at, order, picks));
        let n = self.protocol.batch as usize;
        let learning = |at| self.protocol.learning(at);
        let shards = self.protocol.shards as usize;
        match network {
            Network::Tiled(state) if self.protocol.sync_every > 1 => {
                let turn = |(at, picks)| {
                    let (batch, draws) = (self.images.batch(picks), draws.at_step(at));
                    tiled::Turn { batch, learning: learning(at), draws }
                };
                let turns: Vec<tiled::Turn<'_>> = turns.zip(picks.chunks_exact(n)).map(turn).collect();
                tiled::step_apart(state, (&turns, shards), tiled, team);
            }
            Network::Tiled(state) if shards > 1 => {
                let how = (&learning(draws.step()), shards);
                tiled::step_in_shards(state, self.images.batch(picks), how, tiled, draws, team);
            }
            Network::Tiled(state) => {
                tiled::step(state, self.images.batch(picks), &learning(draws.step()), tiled, draws);
            }
            Network::General(state) => {
                self.digits.train.select_into(picks, batch);
                let method = self.protocol.method(self.digits.cols as usize);
                step_by(state, batch, (&learning(draws.step()), &method), general, draws);
            }
        }
    }

    /// Adds the images of one mini-batch.
    fn pick(&self, at: u64, order: &mut Option<(u64, Vec<u32>)>, picks: &mut Vec<u32>) {
        let (epoch, n) = (self.protocol.epoch(at), self.protocol.batch as usize);
        let first = (at % self.protocol.batches_per_epoch()) as usize * n;
        if order.as_ref().is_none_or(|(cached, _)| *cached != epoch) {
            *order = Some((epoch, self.order(epoch)));
        }
        let (_, order) = order.as_ref().expect("it was just made");
        picks.extend_from_slice(&order[first..first + n]);
    }

    /// The order of the training images in an epoch: a fresh shuffle by the stream `Order` at its first step.
    fn order(&self, epoch: u64) -> Vec<u32> {
        let draws = Draws::at(self.seed, epoch * self.protocol.batches_per_epoch());
        draws.permutation(Stream::Order, self.protocol.train_images)
    }
}

//! What synapses do in the half sweeps of a step.

use super::law::{Law, Outcome, Slope};
use super::learning::Masks;
use super::parameters::{Parameters, Synapses, slice};
use super::unit_index::synapse_index;
use crate::{BinaryRows, Draws, Stream};
use kernels::sample::uniform;
use kernels::{rows, synapses};

/// The weights of the present half sweep and, where they were drawn for a whole step, their paths.
#[derive(Debug, Default)]
pub(super) struct Weights {
    /// W, (V, H); unused for reliable synapses, whose W is w, and for weights of one example each.
    w: Vec<f32>,
    /// Wᵀ, (H, V).
    transposed: Vec<f32>,
    /// ∂W/∂w of Bernoulli synapses: ξ, or 1 where dw = D; (V, H).
    pub(super) mask: Vec<f32>,
    /// ∂W/∂θ of synapses of another law, (V, H).
    pub(super) paths: Vec<Slope>,
    words: Vec<u32>,
    normal: Vec<f64>,
}

/// Which way a half sweep goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Half {
    /// From visible to hidden units.
    Up,
    /// From hidden to visible units.
    Down,
}

impl Weights {
    /// Finds the weights that all half sweeps share, if they do, and the slopes of fresh ones.
    pub(super) fn begin(&mut self, parameters: &Parameters, masks: Masks, draws: Draws) {
        let n = parameters.w.len();
        match (parameters.synapses, masks) {
            (Synapses::Reliable, _) => self.w.clear(),
            (Synapses::JointEnergy, _) => {
                self.w.resize(n, 0.0);
                if parameters.law == Law::Bernoulli {
                    synapses::collapse(slice(&parameters.w), slice(&parameters.a), &mut self.w);
                } else {
                    self.w.copy_from_slice(slice(&parameters.effective_weights()));
                }
            }
            (Synapses::PriorMixture, Masks::Batch) => self.draw(parameters, 0, draws),
            (Synapses::PriorMixture, Masks::HalfStep | Masks::Example) => self.mean_paths(parameters),
        }
        if parameters.synapses != Synapses::PriorMixture || masks == Masks::Batch {
            self.transpose(parameters);
        }
    }

    /// Draws the weights of one half sweep, if it has its own and all examples share them.
    pub(super) fn renew(&mut self, parameters: &Parameters, masks: Masks, half_sweep: usize, draws: Draws) {
        if parameters.synapses == Synapses::PriorMixture && masks == Masks::HalfStep {
            self.draw(parameters, half_sweep, draws);
            self.transpose(parameters);
            self.mean_paths(parameters);
        }
    }

    /// `bias + Σ W` over the active units of each example, (examples, width).
    ///
    /// # Shapes
    /// `active`: (examples, V) on the way up, (examples, H) on the way down.
    pub(super) fn inputs(
        &mut self,
        parameters: &Parameters,
        (masks, half_sweep): (Masks, usize),
        half: Half,
        active: &BinaryRows,
        out: &mut Vec<f32>,
        draws: Draws,
    ) {
        let bias = slice(if half == Half::Up { &parameters.c } else { &parameters.b });
        out.resize(active.len() * bias.len(), 0.0);
        for row in out.chunks_exact_mut(bias.len()) {
            row.copy_from_slice(bias);
        }
        if parameters.synapses == Synapses::PriorMixture && masks == Masks::Example {
            for (example, sums) in out.chunks_exact_mut(bias.len()).enumerate() {
                for &unit in active.row(example) {
                    self.add_drawn(parameters, (half_sweep, example), half, unit as usize, sums, draws);
                }
            }
            return;
        }
        let table = match half {
            Half::Up if parameters.synapses == Synapses::Reliable => slice(&parameters.w),
            Half::Up => &self.w,
            Half::Down => &self.transposed,
        };
        rows::add_rows(table, bias.len(), active.lists(), out);
    }

    fn transpose(&mut self, parameters: &Parameters) {
        let (v, h) = parameters.w.dim();
        self.transposed.resize(v * h, 0.0);
        let w = if parameters.synapses == Synapses::Reliable { slice(&parameters.w) } else { &self.w };
        rows::transpose(w, v, h, &mut self.transposed);
    }

    /// Draws W for all examples: synapse i·H + j takes that draw of streams `Mask` and `SynapseNoise`.
    fn draw(&mut self, parameters: &Parameters, half_sweep: usize, draws: Draws) {
        let n = parameters.w.len();
        self.w.resize(n, 0.0);
        self.fill(parameters, synapse_index(half_sweep, 0, 0), n, draws);
        if parameters.law == Law::Bernoulli {
            self.mask.resize(n, 0.0);
            let (w, a) = (slice(&parameters.w), slice(&parameters.a));
            synapses::release(w, a, &self.words, &mut self.mask, &mut self.w);
            return;
        }
        self.paths.clear();
        parameters.law.with(|law| {
            for number in 0..n {
                let synapse = parameters.synapse(number);
                let z = self.normal.get(number).copied().unwrap_or(0.0);
                let outcome = law.draw(synapse, f64::from(uniform(self.words[number])), z);
                self.w[number] = outcome.weight as f32;
                self.paths.push(law.path(synapse, outcome));
            }
        });
    }

    /// Slopes where W does not last: plain contrastive divergence, `dw = D` and `da = ∂E[W]/∂a D`.
    ///
    /// The mean of ∂W/∂ln s is 0: fresh weights give the spread no gradient of first order.
    fn mean_paths(&mut self, parameters: &Parameters) {
        let n = parameters.w.len();
        if parameters.law == Law::Bernoulli {
            self.mask.clear();
            self.mask.resize(n, 1.0);
            return;
        }
        self.paths.clear();
        parameters.law.with(|law| {
            let nothing = Outcome { releases: 0, weight: 0.0 };
            let slope =
                |number| Slope { w: 1.0, a: law.path(parameters.synapse(number), nothing).a, log_sd: 0.0 };
            self.paths.extend((0..n).map(slope));
        });
    }

    /// Adds weights drawn for one example from an active unit to all units of the other side.
    ///
    /// Draws: that of the synapse, counted along the active side: i·H + j on the way up, j·V + i down.
    fn add_drawn(
        &mut self,
        parameters: &Parameters,
        (half_sweep, example): (usize, usize),
        half: Half,
        unit: usize,
        sums: &mut [f32],
        draws: Draws,
    ) {
        let (v, h) = parameters.w.dim();
        debug_assert_eq!(sums.len(), if half == Half::Up { h } else { v }, "one sum per unit");
        self.fill(parameters, synapse_index(half_sweep, example, unit * sums.len()), sums.len(), draws);
        parameters.law.with(|law| {
            for (other, sum) in sums.iter_mut().enumerate() {
                let number = if half == Half::Up { unit * h + other } else { other * h + unit };
                let u = uniform(self.words[other]);
                if parameters.law == Law::Bernoulli {
                    let (w, a) = (slice(&parameters.w)[number], slice(&parameters.a)[number]);
                    if u < kernels::math::sigmoid(a) {
                        *sum += w;
                    }
                } else {
                    let z = self.normal.get(other).copied().unwrap_or(0.0);
                    *sum += law.draw(parameters.synapse(number), f64::from(u), z).weight as f32;
                }
            }
        });
    }

    fn fill(&mut self, parameters: &Parameters, first: u64, n: usize, draws: Draws) {
        self.words.resize(n, 0);
        draws.fill_u32(Stream::Mask, first, &mut self.words);
        self.normal.resize(if parameters.law.spreads() { n } else { 0 }, 0.0);
        draws.fill_normal(Stream::SynapseNoise, first, &mut self.normal);
    }
}

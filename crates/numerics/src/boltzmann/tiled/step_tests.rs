use super::super::super::{Masks, Parameters, Synapses};
use super::law_tests::{modes, random_case};
use super::mask_draws;
use super::*;
use crate::logistic::sigmoid;
use kernels::ars;
use ndarray::{Array1, Array2};

/// 64 bytes of a stream, from the definition of the generator.
fn draw_line(draws: kernels::tiled::MaskDraws, line: u64) -> [u8; 64] {
    let mut bytes = [0; 64];
    for block in 0..4 {
        let counter = 4 * line + block as u64;
        let words = [counter as u32, (counter >> 32) as u32, draws.step as u32, (draws.step >> 32) as u32];
        for (i, word) in ars::block(words, draws.key).into_iter().enumerate() {
            bytes[16 * block + 4 * i..][..4].copy_from_slice(&word.to_le_bytes());
        }
    }
    bytes
}

fn threshold(p: f64) -> u32 {
    (65_536.0 * p + 0.5).floor().min(65_535.0) as u32
}

/// A factor as the gates keep it: times 2¹⁴, eleven significant bits.
fn half(x: f64) -> f64 {
    let scaled = x * 16_384.0;
    let exponent = libm::floor(libm::log2(scaled.abs())).max(-14.0);
    let unit = libm::exp2(exponent - 10.0);
    (scaled / unit).round_ties_even() * unit / 16_384.0
}

/// One step in f64 on dense matrices, straight from the equations; draws from the same addresses.
struct Naive {
    synapses: Synapses,
    learning: Learning,
    /// w, a, b, c and their velocities; vectors are matrices of one row.
    x: [Array2<f64>; 4],
    velocity: [Array2<f64>; 4],
    chains: Array2<f64>,
}

fn product(a: &Array2<f64>, b: &Array2<f64>) -> Array2<f64> {
    Array2::from_shape_fn((a.nrows(), b.ncols()), |(i, j)| {
        (0..b.nrows()).map(|k| a[[i, k]] * b[[k, j]]).sum()
    })
}

fn fires(p: &Array2<f64>, stream: Stream, sweep: usize, draws: Draws) -> Array2<f64> {
    Array2::from_shape_fn(p.dim(), |(example, unit)| {
        let mut u = [0.0];
        draws.fill_uniform(stream, unit_index(sweep, example, unit), &mut u);
        f64::from(u8::from(f64::from(u[0]) < p[[example, unit]]))
    })
}

impl Naive {
    fn of(state: &State, learning: Learning) -> Self {
        let Parameters { synapses, w, a, b, c, .. } = state.parameters();
        let row = |x: &Array1<f32>| x.mapv(f64::from).insert_axis(ndarray::Axis(0));
        let a = if a.is_empty() { Array2::zeros(w.raw_dim()) } else { a.mapv(f64::from) };
        let x = [w.mapv(f64::from), a, row(&b), row(&c)];
        let velocity = x.each_ref().map(|x| Array2::zeros(x.raw_dim()));
        let chains = state.chains().hidden.to_dense().mapv(f64::from);
        Self { synapses, learning, x, velocity, chains }
    }

    /// ξ of a half sweep that all examples share.
    fn shared_mask(&self, draws: Draws, phase: u32) -> Array2<f64> {
        let p = self.x[1].mapv(sigmoid);
        let masks = mask_draws(draws, 0);
        Array2::from_shape_fn(p.dim(), |(i, j)| {
            let line = u64::from(phase) << 39 | (i as u64) << 16 | (j / 32) as u64;
            let bytes = draw_line(masks, line);
            let number = u16::from_le_bytes([bytes[2 * (j % 32)], bytes[2 * (j % 32) + 1]]);
            f64::from(u8::from(u32::from(number) < threshold(p[[i, j]])))
        })
    }

    /// Whether the synapse from `row` to `column` (up: visible to hidden) of one example releases.
    fn releases(p: f64, draws: Draws, phase: u32, (example, row, column): (usize, usize, usize)) -> bool {
        let masks = mask_draws(draws, 0);
        let tile = u64::from(phase) << 39 | (column as u64 / 64) << 29 | (example as u64) << 17;
        let first = draw_line(masks, tile | row as u64)[column % 64];
        let second = draw_line(masks, (tile | 1 << 16) + row as u64 / 128)[column % 64];
        u32::from(first) << 8 | u32::from(second) < threshold(p) || u32::from(first) < threshold(p) >> 8
    }

    /// Inputs of a half sweep without biases: up (even phases) or down.
    fn inputs(&self, units: &Array2<f64>, draws: Draws, phase: u32) -> Array2<f64> {
        let [w, a, ..] = &self.x;
        let p = a.mapv(sigmoid);
        let up = phase.is_multiple_of(2);
        let weights = match (self.synapses, self.learning.masks) {
            (Synapses::Reliable, _) => w.clone(),
            (Synapses::JointEnergy, _) => (1.0 - &p + &p * w.mapv(libm::exp)).mapv(libm::log),
            (Synapses::PriorMixture, Masks::Batch) => w * &self.shared_mask(draws, 0),
            (Synapses::PriorMixture, Masks::HalfStep) => w * &self.shared_mask(draws, phase),
            (Synapses::PriorMixture, Masks::Example) => {
                let (rows, columns) = if up { w.dim() } else { (w.ncols(), w.nrows()) };
                return Array2::from_shape_fn((units.nrows(), columns), |(example, column)| {
                    (0..rows)
                        .filter(|&row| units[[example, row]] > 0.0)
                        .map(|row| (row, if up { [row, column] } else { [column, row] }))
                        .filter(|&(row, ij)| Self::releases(p[ij], draws, phase, (example, row, column)))
                        .map(|(_, ij)| w[ij])
                        .sum()
                });
            }
        };
        product(units, &if up { weights } else { weights.reversed_axes() })
    }

    fn step(&mut self, v0: &Array2<f64>, draws: Draws) {
        let learning = self.learning;
        let [w, a, b, c] = &self.x;
        let samples = learning.statistics == Statistics::Samples;
        let persistent = matches!(learning.chain, Chain::Pcd { .. });
        let ph0 = (self.inputs(v0, draws, 0) + c).mapv(sigmoid);
        let h0 = fires(&ph0, Stream::Hidden, 0, draws);
        let mut h = if persistent { self.chains.clone() } else { h0.clone() };
        let (mut vk, mut phk) = (v0.clone(), ph0.clone());
        for sweep in 1..=learning.chain.sweeps() {
            let phase = 2 * sweep as u32;
            vk = fires(&(self.inputs(&h, draws, phase - 1) + b).mapv(sigmoid), Stream::Visible, sweep, draws);
            phk = (self.inputs(&vk, draws, phase) + c).mapv(sigmoid);
            h = fires(&phk, Stream::Hidden, sweep, draws);
        }
        let (data, model) = if samples { (&h0, &h) } else { (&ph0, &phk) };
        let n = v0.nrows() as f64;
        let d = (product(&v0.t().to_owned(), data) - product(&vk.t().to_owned(), model)) / n;
        let mean = |x: Array2<f64>| (x.sum_axis(ndarray::Axis(0)) / n).insert_axis(ndarray::Axis(0));
        let (p, q) = (a.mapv(sigmoid), (a + w).mapv(sigmoid));
        let slope = (&p * (1.0 - &p)).mapv(half);
        let (gw, ga) = match (self.synapses, learning.masks) {
            (Synapses::Reliable, _) => (d.clone(), &d * 0.0),
            (Synapses::JointEnergy, _) => (q.mapv(half) * &d, (&q - &p).mapv(half) * &d),
            (Synapses::PriorMixture, Masks::Batch) => (&d * &self.shared_mask(draws, 0), slope * w * &d),
            (Synapses::PriorMixture, _) => (d.clone(), slope * w * &d),
        };
        let gradients = [gw - learning.weight_decay * w, ga, mean(v0 - &vk), mean(data - model)];
        self.chains = if persistent { h } else { std::mem::take(&mut self.chains) };
        let eta = learning.eta_w;
        let rates = [eta, eta * learning.release_rate_ratio, eta, eta];
        for (k, gradient) in gradients.iter().enumerate() {
            self.velocity[k] = learning.momentum * &self.velocity[k] + rates[k] * gradient;
            self.x[k] = &self.x[k] + &self.velocity[k];
        }
        self.x[1].mapv_inplace(|a| a.clamp(-learning.a_limit, learning.a_limit));
    }

    /// The greatest difference of each of w, a, b and c.
    fn differences(&self, state: &State) -> [f64; 4] {
        let Parameters { w, a, b, c, .. } = state.parameters();
        let a = if a.is_empty() { Array2::zeros(w.raw_dim()) } else { a };
        let row = |x: Array1<f32>| x.insert_axis(ndarray::Axis(0));
        let ours = [w, a, row(b), row(c)];
        std::array::from_fn(|k| {
            let difference = &self.x[k] - &ours[k].mapv(f64::from);
            difference.iter().fold(0.0, |worst: f64, x| worst.max(x.abs()))
        })
    }
}

#[test]
fn steps_of_every_mode_agree_with_naive_ones_in_double_precision() {
    for (synapses, masks, statistics) in modes() {
        for chain in [Chain::Cd { k: 1 }, Chain::Cd { k: 3 }, Chain::Pcd { k: 2 }] {
            for (n, v, h) in [(11, 37, 21), (5, 150, 130)] {
                let (mut state, batch) = random_case(synapses, n, v, h);
                let learning = Learning {
                    chain,
                    masks,
                    statistics,
                    a_limit: 2.1,
                    weight_decay: 0.01,
                    ..Learning::default()
                };
                let mut naive = Naive::of(&state, learning);
                let v0 = batch.to_dense().mapv(f64::from);
                let mut scratch = Scratch::default();
                for t in 0..3 {
                    let draws = Draws::at(5, t);
                    step_rows(&mut state, &batch, &learning, &mut scratch, draws);
                    naive.step(&v0, draws);
                }
                let worst = naive.differences(&state);
                // Rounding of f32, and of the few factors that round to another half: 2⁻¹¹ of a change of less
                // than 1. A unit or release sampled otherwise would show as η/n ≥ 0.009.
                let bounds = [1e-4, 1e-3, 1e-5, 1e-5];
                println!("{synapses:?} {masks:?} {statistics:?} {chain:?}: {worst:?}");
                for k in 0..4 {
                    assert!(
                        worst[k] < bounds[k],
                        "{synapses:?} {masks:?} {statistics:?} {chain:?}: {worst:?}"
                    );
                }
                assert_eq!(state.chains().hidden.to_dense().mapv(f64::from), naive.chains);
            }
        }
    }
}

//! Annealed importance sampling of log Z, forwards and backwards.
//!
//! Between a base model of independent visible units with biases b₀ and the RBM lie
//!
//! ```text
//! f_β(v) = exp(((1 − β) b₀ + β b)ᵀv) Π_j (1 + e^{β x_j}),   x_j = c_j + Σ_i v_i W_ij
//! ```
//!
//! with `Σ_v f_0 = 2^H Π_i (1 + e^{b₀_i}) = Z₀` known and `f_1 = e^−F`. A chain starts at the base
//! model, and one Gibbs sweep at each β leads it to the RBM. Its weight
//! `w = Π_k f_{β_k}(v_{k−1})/f_{β_{k−1}}(v_{k−1})` has mean Z/Z₀, whatever the number of steps.
//!
//! **Bounds.** log of a mean of weights is below the log of their expectation on average (Jensen):
//! forwards, `E[log Z] ≤ log Z`, and log-likelihoods look too good. Backwards, from *exact* samples of the RBM to
//! the base model, 1/Z is estimated, and `E[log Z] ≥ log Z`. Here the samples are ends of forward
//! chains after more Gibbs sweeps, so the upper bound holds as far as these are fair: samples that miss modes make
//! it too low. A wide bracket, an upper end below the lower one, or a spread of the log-weights far
//! above 1 all say that more temperatures are needed.
//!
//! # Source
//! Neal 2001, Stat. Comput. 11:125 · Salakhutdinov & Murray 2008, ICML 25:872 (RBMs; base rates of the data) ·
//! Grosse, Ghahramani & Adams 2015, arXiv:1511.02543 (bounds from both sides).

use super::super::Rbm;
use super::super::rbm::sampled;
use crate::logistic::{logit, softplus};
use crate::{BinaryRows, Draws, Stream, stats};
use kernels::math;
use ndarray::{Array1, Array2};

/// How much work is put in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Annealing {
    /// Steps from β = 0 to β = 1; at least 1.
    pub temperatures: usize,
    /// Independent chains, at least 2.
    pub chains: usize,
    /// Gibbs sweeps of the RBM before a chain goes back.
    pub burn_in: usize,
}

impl Default for Annealing {
    /// 2,000 temperatures, 100 chains, 500 sweeps.
    fn default() -> Self {
        Self { temperatures: 2_000, chains: 100, burn_in: 500 }
    }
}

/// An estimate of log Z.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogPartition {
    /// log Z, in nats.
    pub log_z: f64,
    /// Its standard error from the spread of the chains' weights: sd(w)/(mean(w) √chains).
    ///
    /// Too small where the weights spread by more than about a nat: then few chains carry the mean.
    pub standard_error: f64,
    /// Standard deviation of the log-weights; below 1 the estimate can be trusted.
    pub log_weight_sd: f64,
}

/// log Z from below and from above.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bracket {
    /// From the base model to the RBM: low on average.
    pub forward: LogPartition,
    /// From samples of the RBM to the base model: high on average, if the samples are good.
    pub reverse: LogPartition,
}

/// The biases of the base model: `logit((ones + 1)/(images + 2))` of each pixel, (V).
pub fn base_biases(images: &BinaryRows) -> Array1<f32> {
    let n = images.len() as f64;
    images.column_means().mapv(|mean| {
        let ones = if images.is_empty() { 0.0 } else { f64::from(mean) * n };
        logit((ones + 1.0) / (n + 2.0)) as f32
    })
}

/// log Z by chains from the base model to the RBM; low on average.
///
/// Draws: of chain e at β_k (0: the base model) h from stream `Ais`, v from `AisVisible`, at
/// `unit_index(k, e, unit)`.
///
/// # Panics
/// If `base` has not V numbers, or there are fewer than 2 chains or no temperature.
pub fn forward(rbm: &Rbm, base: &Array1<f32>, annealing: Annealing, draws: Draws) -> LogPartition {
    run_forward(rbm, base, annealing, draws).0
}

/// log Z by chains from samples of the RBM to the base model; high on average for exact samples.
///
/// Chain e begins at `samples` e (modulo their number) after `burn_in` sweeps of the RBM.
/// Draws: stream `AisReverse`, h of sweep k at `unit_index(2k, e, unit)`, v at 2k + 1; the sweeps of
/// the burn-in follow those of the temperatures.
///
/// # Panics
/// As for [`forward`], or if there are no samples.
pub fn reverse(
    rbm: &Rbm,
    base: &Array1<f32>,
    annealing: Annealing,
    samples: &BinaryRows,
    draws: Draws,
) -> LogPartition {
    assert!(!samples.is_empty(), "chains start from samples");
    let path = Path::new(rbm, base, annealing, Direction::Reverse, draws);
    let starts: Vec<u32> = (0..annealing.chains).map(|chain| (chain % samples.len()) as u32).collect();
    let mut v = samples.select(&starts);
    for sweep in 0..annealing.burn_in {
        let inputs = rbm.hidden_inputs(&v);
        v = path.transition(&inputs, 1.0, annealing.temperatures + sweep);
    }
    estimate(path.log_z_of_base(), &path.log_weights(&mut v), -1.0)
}

/// Both ways. The samples to go back from are the ends of the forward chains, resampled by their
/// weights: an RBM that was trained on images need not stay near them, so chains that begin at
/// images can miss most of its mass.
///
/// # Panics
/// As for [`forward`].
pub fn bracket(rbm: &Rbm, base: &Array1<f32>, annealing: Annealing, draws: Draws) -> Bracket {
    let (forward, log_weights, ends) = run_forward(rbm, base, annealing, draws);
    let samples = ends.select(&resampled(&log_weights));
    Bracket { forward, reverse: reverse(rbm, base, annealing, &samples, draws) }
}

/// The estimate, the log-weights of the chains and where they end.
fn run_forward(
    rbm: &Rbm,
    base: &Array1<f32>,
    annealing: Annealing,
    draws: Draws,
) -> (LogPartition, Vec<f64>, BinaryRows) {
    let path = Path::new(rbm, base, annealing, Direction::Forward, draws);
    let start = Array2::from_shape_fn((annealing.chains, base.len()), |(_, i)| math::sigmoid(base[i]));
    let (stream, sweep) = Direction::Forward.visible(0);
    let mut v = sampled(&start, stream, sweep, draws);
    let log_weights = path.log_weights(&mut v);
    (estimate(path.log_z_of_base(), &log_weights, 1.0), log_weights, v)
}

/// Chains in proportion to their weights, as many as there are: systematic resampling, at the
/// middle of each n-th of the total.
fn resampled(log_weights: &[f64]) -> Vec<u32> {
    let (n, total) = (log_weights.len(), stats::log_sum_exp(log_weights));
    let (mut chain, mut below) = (0, libm::exp(log_weights[0] - total));
    (0..n)
        .map(|k| {
            let place = (k as f64 + 0.5) / n as f64;
            while below < place && chain + 1 < n {
                chain += 1;
                below += libm::exp(log_weights[chain] - total);
            }
            chain as u32
        })
        .collect()
}

/// β_0 = 0 … β_K = 1 with `β_k = √(k/K)`: closer near the RBM, where most of the way is still to go. On RBMs
/// trained on digits the weights spread less than at equal steps.
fn schedule(temperatures: usize) -> Vec<f64> {
    (0..=temperatures).map(|k| (k as f64 / temperatures as f64).sqrt()).collect()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Forward,
    Reverse,
}

impl Direction {
    /// Where the draws of the hidden units of a sweep live.
    fn hidden(self, sweep: usize) -> (Stream, usize) {
        match self {
            Self::Forward => (Stream::Ais, sweep),
            Self::Reverse => (Stream::AisReverse, 2 * sweep),
        }
    }

    /// Where the draws of the visible units of a sweep live.
    fn visible(self, sweep: usize) -> (Stream, usize) {
        match self {
            Self::Forward => (Stream::AisVisible, sweep),
            Self::Reverse => (Stream::AisReverse, 2 * sweep + 1),
        }
    }
}

/// The way between base model and RBM, in one direction.
struct Path<'a> {
    rbm: &'a Rbm,
    base: &'a Array1<f32>,
    betas: Vec<f64>,
    direction: Direction,
    draws: Draws,
}

impl<'a> Path<'a> {
    fn new(
        rbm: &'a Rbm,
        base: &'a Array1<f32>,
        annealing: Annealing,
        direction: Direction,
        draws: Draws,
    ) -> Self {
        assert_eq!(base.len(), rbm.visible_biases().len(), "one base bias per visible unit");
        assert!(annealing.chains >= 2, "a spread needs at least two chains");
        assert!(annealing.temperatures >= 1, "there is at least one temperature");
        let mut betas = schedule(annealing.temperatures);
        if direction == Direction::Reverse {
            betas.reverse();
        }
        Self { rbm, base, betas, direction, draws }
    }

    /// `log Z₀ = H log 2 + Σ_i log(1 + e^{b₀_i})`.
    fn log_z_of_base(&self) -> f64 {
        let visible: Vec<f64> = self.base.iter().map(|&b| softplus(f64::from(b))).collect();
        self.rbm.hidden_biases().len() as f64 * std::f64::consts::LN_2 + stats::sum(&visible)
    }

    /// The log-weight of each chain along the path, from its first v to its last.
    fn log_weights(&self, v: &mut BinaryRows) -> Vec<f64> {
        let chains = v.len();
        let mut weights = vec![0.0; chains];
        for k in 1..self.betas.len() {
            let inputs = self.rbm.hidden_inputs(v);
            let (from, to) = (self.log_f(v, &inputs, k - 1), self.log_f(v, &inputs, k));
            for ((weight, from), to) in weights.iter_mut().zip(from).zip(to) {
                *weight += to - from;
            }
            if k + 1 < self.betas.len() {
                *v = self.transition(&inputs, self.betas[k], k);
            }
        }
        weights
    }

    /// log f at β_k for each chain, from its `x = c + vW`.
    fn log_f(&self, v: &BinaryRows, inputs: &Array2<f32>, k: usize) -> Vec<f64> {
        let beta = self.betas[k];
        let mut softened = inputs.mapv(|x| beta as f32 * x);
        math::softpluses(softened.as_slice_mut().expect("a new array is in standard layout"));
        let bias = |i: usize| {
            (1.0 - beta) * f64::from(self.base[i]) + beta * f64::from(self.rbm.visible_biases()[i])
        };
        softened
            .rows()
            .into_iter()
            .enumerate()
            .map(|(chain, row)| {
                let biases = v.row(chain).iter().fold(0.0, |sum, &i| sum + bias(i as usize));
                biases + stats::sum_f32(row.as_slice().expect("a row of a standard layout"))
            })
            .collect()
    }

    /// One Gibbs sweep at β: h ~ s(β x), v ~ s((1 − β) b₀ + β (b + hWᵀ)).
    fn transition(&self, inputs: &Array2<f32>, beta: f64, sweep: usize) -> BinaryRows {
        let mut p = inputs.mapv(|x| beta as f32 * x);
        math::sigmoids(p.as_slice_mut().expect("a new array is in standard layout"));
        let (stream, at) = self.direction.hidden(sweep);
        let h = sampled(&p, stream, at, self.draws);
        let mut p = self.rbm.visible_inputs(&h);
        let base = self.base.mapv(|b| (1.0 - beta) as f32 * b);
        for mut row in p.rows_mut() {
            row.zip_mut_with(&base, |x, base| *x = base + beta as f32 * *x);
        }
        math::sigmoids(p.as_slice_mut().expect("a new array is in standard layout"));
        let (stream, at) = self.direction.visible(sweep);
        sampled(&p, stream, at, self.draws)
    }
}

/// log Z = log Z₀ + `sign` · log mean e^weight, with its error by the delta method.
fn estimate(log_z_of_base: f64, log_weights: &[f64], sign: f64) -> LogPartition {
    let n = log_weights.len() as f64;
    let log_mean = stats::log_sum_exp(log_weights) - libm::log(n);
    let relative: Vec<f64> = log_weights.iter().map(|w| libm::exp(w - log_mean)).collect();
    LogPartition {
        log_z: log_z_of_base + sign * log_mean,
        standard_error: stats::sd(&relative) / n.sqrt(),
        log_weight_sd: stats::sd(log_weights),
    }
}

#[cfg(test)]
#[path = "ais_tests.rs"]
mod tests;

//! What is done to a trained network.

use ndarray::Array2;
use numerics::{
    Draws, Stream,
    boltzmann::{Law, Parameters, Synapses},
    logistic::logit,
    stats,
};

/// A change of all release probabilities; strengths and biases stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edit {
    /// Nothing.
    Intact,
    /// `p → 1[p > ½]`: every synapse always transmits or never.
    Hardened,
    /// Reliable synapses of strength `w p`.
    MeanWeight,
    /// `p →` its mean over synapses.
    MeanRelease,
    /// p permuted among all synapses.
    Permuted,
    /// p permuted among synapses of the same tenth of |w|.
    PermutedWithin,
}

/// Which synapses go first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Criterion {
    /// Those of the lowest release probability.
    Unreliable,
    /// Those of the lowest strength |w|.
    Weak,
    /// Any.
    Random,
}

/// Steps of the draws of stream `Edit`.
const ORDER: u64 = 0;
const ALL: u64 = 1;
const TENTHS: u64 = 2;

impl Edit {
    pub(super) const ALL: [Self; 6] = [
        Self::Intact,
        Self::Hardened,
        Self::MeanWeight,
        Self::MeanRelease,
        Self::Permuted,
        Self::PermutedWithin,
    ];

    /// The edited network. Where releases never fail there is nothing to edit.
    pub(super) fn apply(self, parameters: &Parameters, seed: u64) -> Parameters {
        if parameters.a.is_empty() {
            return parameters.clone();
        }
        let p = parameters.release_prob();
        match self {
            Self::Intact => parameters.clone(),
            Self::Hardened => {
                let kept = p.mapv(|p| if p > 0.5 { 1.0 } else { 0.0 });
                reliable(parameters, &parameters.w * &kept)
            }
            Self::MeanWeight => reliable(parameters, &parameters.w * &p),
            Self::MeanRelease => {
                let mean =
                    stats::sum_f32(p.as_slice().expect("a new array is in standard layout")) / p.len() as f64;
                let a = Array2::from_elem(p.raw_dim(), logit(mean) as f32);
                Parameters { a, ..parameters.clone() }
            }
            Self::Permuted => {
                let places: Vec<u32> = (0..p.len() as u32).collect();
                permuted(parameters, &[&places], |_| Draws::at(seed, ALL))
            }
            Self::PermutedWithin => {
                let order =
                    by_key(parameters.w.iter().map(|w| w.abs()), &(0..p.len() as u32).collect::<Vec<_>>());
                let n = order.len();
                let tenths: Vec<&[u32]> = (0..10).map(|k| &order[k * n / 10..(k + 1) * n / 10]).collect();
                permuted(parameters, &tenths, |tenth| Draws::at(seed, TENTHS + tenth))
            }
        }
    }
}

impl Criterion {
    pub(super) const ALL: [Self; 3] = [Self::Unreliable, Self::Weak, Self::Random];

    /// All synapses (places i·H + j), the first to go first; equals in random order.
    pub(super) fn order(self, parameters: &Parameters, seed: u64) -> Vec<u32> {
        let random = Draws::at(seed, ORDER).permutation(Stream::Edit, parameters.w.len() as u32);
        match self {
            Self::Unreliable => by_key(parameters.release_prob().iter().copied(), &random),
            Self::Weak => by_key(parameters.w.iter().map(|w| w.abs()), &random),
            Self::Random => random,
        }
    }
}

/// Holds synapses at strength 0.
///
/// # Panics
/// If there is no such synapse.
pub(super) fn silence(w: &mut Array2<f32>, synapses: &[u32]) {
    let w = w.as_slice_mut().expect("strengths are in standard layout");
    synapses.iter().for_each(|&synapse| w[synapse as usize] = 0.0);
}

/// `order` sorted by key; equal keys stay as they are.
fn by_key(keys: impl Iterator<Item = f32>, order: &[u32]) -> Vec<u32> {
    let keys: Vec<f32> = keys.collect();
    let mut order = order.to_vec();
    order.sort_by(|&i, &j| keys[i as usize].total_cmp(&keys[j as usize]));
    order
}

/// The same units with reliable synapses.
fn reliable(parameters: &Parameters, w: Array2<f32>) -> Parameters {
    Parameters {
        synapses: Synapses::Reliable,
        w,
        a: Array2::zeros((0, 0)),
        law: Law::Bernoulli,
        log_sd: Array2::zeros((0, 0)),
        b: parameters.b.clone(),
        c: parameters.c.clone(),
    }
}

/// Release log-odds permuted within each group of synapses.
fn permuted(parameters: &Parameters, groups: &[&[u32]], draws: impl Fn(u64) -> Draws) -> Parameters {
    let before = parameters.a.as_slice().expect("log-odds are in standard layout");
    let mut after = before.to_vec();
    for (number, group) in (0..).zip(groups) {
        let from = draws(number).permutation(Stream::Edit, group.len() as u32);
        for (&to, from) in group.iter().zip(from) {
            after[to as usize] = before[group[from as usize] as usize];
        }
    }
    let a = Array2::from_shape_vec(parameters.a.raw_dim(), after).expect("as many as before");
    Parameters { a, ..parameters.clone() }
}

#[cfg(test)]
#[path = "edit_tests.rs"]
mod tests;

//! Stochastic representations of images: hidden probabilities under sampled members of an ensemble.

use super::law::{Law, Synapse, SynapseLaw};
use super::parameters::{Parameters, Synapses, slice};
use super::rbm;
use super::unit_index::{synapse_index, unit_index};
use crate::{BinaryRows, Draws, Stream};
use kernels::{math, rows::add_rows, sample::uniform};
use ndarray::Array2;

/// Sweeps that each copy has addresses for; 2²² in all.
const SWEEPS: usize = 1 << 10;
const COPIES: u32 = 1 << 12;

/// `P(h = 1 | v, W)`, (examples, H), with a sampled W and v moved by Gibbs sweeps inside that machine.
///
/// - Model B: one `W ~ P0` for each copy, shared by all images ([`Parameters::sampled`]).
/// - Model A: `h ~ P(h | v)`, then a W of each image from its law given (v, h): tilted between
///   active units, else P0.
/// - Reliable synapses: W = w.
///
/// Then `sweeps` times `h ~ P(h | v, W)`, `v ~ P(v | h, W)`, at the same W. Without sweeps v stays the image.
///
/// Draws of copy c: units at sweeps 1024 c … of streams `ObserveSample` and `ObserveVisible`; W of model A
/// at `synapse_index(c, example, i·H + j)` of streams `ObservePosterior` and `ObserveNoise`.
///
/// # Panics
/// If `visible` has not V columns, `copy` is not below 4,096 or `sweeps` not below 1,024.
///
/// # Source
/// Al-Shedivat, Neftci & Cauwenberghs 2014, arXiv:1412.7272, samples models conditionally on an
/// example; the chain inside the sampled model is our reading of it.
pub fn sampled(
    parameters: &Parameters,
    visible: &BinaryRows,
    sweeps: usize,
    copy: u32,
    draws: Draws,
) -> Array2<f32> {
    let first = first_sweep(copy);
    assert!(sweeps < SWEEPS, "{sweeps} sweeps are too many: a copy has addresses for 1,023");
    if parameters.synapses != Synapses::JointEnergy {
        let rbm = parameters.sampled(copy, draws);
        return rbm.hidden_prob(&rbm.gibbs(visible, first..first + sweeps, draws));
    }
    let hidden = hidden_given(parameters, visible, first, draws);
    let mut own = OwnWeights::new(parameters);
    own.each(visible, |own, example, features| {
        let given = hidden.row(example);
        own.draw(visible.row(example), given, sweeps > 0, (copy, example), draws);
        let mut v = visible.row(example).to_vec();
        own.hidden_prob(&v, features);
        for sweep in 1..=sweeps {
            let h = fires(features, Stream::ObserveSample, (first + sweep, example), draws);
            v = fires(&own.visible_prob(&h), Stream::ObserveVisible, (first + sweep, example), draws);
            own.hidden_prob(&v, features);
        }
    })
}

/// `P(h = 1 | v, W)`, (examples, H), with an explicit W for each example.
///
/// Model A: from the law given (v, h), h ~ P(h | v); so the same as [`sampled`] without sweeps. Model B:
/// from P0, but not shared by the images. Reliable synapses: W = w.
///
/// # Panics
/// As for [`sampled`].
pub fn per_example_masks(
    parameters: &Parameters,
    visible: &BinaryRows,
    copy: u32,
    draws: Draws,
) -> Array2<f32> {
    if parameters.synapses != Synapses::PriorMixture {
        return sampled(parameters, visible, 0, copy, draws);
    }
    first_sweep(copy);
    let mut own = OwnWeights::new(parameters);
    own.each(visible, |own, example, features| {
        own.draw(visible.row(example), &[], false, (copy, example), draws);
        own.hidden_prob(visible.row(example), features);
    })
}

/// [`per_example_masks`] without drawing V × H releases: hidden inputs as normal numbers of the same moments.
///
/// `x_j ~ N(c_j + Σ_i v_i E[W_ij], Σ_i v_i Var[W_ij])`, and s(x_j). In model A the moments are those of
/// the tilted law into units with h_j = 1 and of P0 into the others; in model B those of P0 throughout.
/// The sum over many active inputs makes x_j nearly normal.
///
/// Draws: x of copy c, example e, unit j is normal draw `unit_index(1024 c, e, j)` of stream `ObserveNoise`.
///
/// # Panics
/// As for [`sampled`].
///
/// # Source
/// Wan et al. 2013, "Regularization of neural networks using DropConnect", ICML, for the Gaussian sum.
pub fn moment_matched(parameters: &Parameters, visible: &BinaryRows, copy: u32, draws: Draws) -> Array2<f32> {
    let first = first_sweep(copy);
    if parameters.synapses == Synapses::Reliable {
        return sampled(parameters, visible, 0, copy, draws);
    }
    let (n, h) = (visible.len(), parameters.hidden_units());
    let sums = |f: &dyn Fn(&dyn SynapseLaw, Synapse) -> f64| {
        let mut sums = vec![0.0; n * h];
        add_rows(slice(&parameters.each(f)), h, visible.lists(), &mut sums);
        sums
    };
    let idle = [sums(&|law, s| law.mean(s)), sums(&|law, s| law.variance(s))];
    let (active, hidden) = match parameters.synapses {
        Synapses::JointEnergy => (
            [sums(&|law, s| law.mean(law.tilted(s))), sums(&|law, s| law.variance(law.tilted(s)))],
            hidden_given(parameters, visible, first, draws),
        ),
        _ => ([vec![], vec![]], rows_of_zeros(n, h)),
    };
    let mut z = vec![0.0; h];
    let mut features = Array2::zeros((n, h));
    for (example, mut row) in features.rows_mut().into_iter().enumerate() {
        draws.fill_normal(Stream::ObserveNoise, unit_index(first, example, 0), &mut z);
        for (j, feature) in row.iter_mut().enumerate() {
            let on = hidden.row(example).binary_search(&(j as u32)).is_ok();
            let [mean, variance] = (if on { &active } else { &idle }).each_ref().map(|x| x[example * h + j]);
            *feature = math::sigmoid(parameters.c[j] + mean + variance.sqrt() * z[j] as f32);
        }
    }
    features
}

fn first_sweep(copy: u32) -> usize {
    assert!(copy < COPIES, "copy {copy} has no address: at most 4,096 copies");
    copy as usize * SWEEPS
}

fn rows_of_zeros(n: usize, columns: usize) -> BinaryRows {
    let mut rows = BinaryRows::new(columns);
    (0..n).for_each(|_| rows.push([]));
    rows
}

/// h ~ P(h | v) of model A, weights summed out.
fn hidden_given(parameters: &Parameters, visible: &BinaryRows, sweep: usize, draws: Draws) -> BinaryRows {
    let rbm = parameters.marginal().expect("model A has a marginal");
    rbm::sampled(&rbm.hidden_prob(visible), Stream::ObserveSample, sweep, draws)
}

/// Units of one example that fire, ascending.
fn fires(p: &[f32], stream: Stream, (sweep, example): (usize, usize), draws: Draws) -> Vec<u32> {
    crate::distributions::bernoulli(draws, stream, unit_index(sweep, example, 0), p)
}

/// The weights of one example.
struct OwnWeights<'a> {
    parameters: &'a Parameters,
    idle: Side,
    active: Side,
    w: Vec<f32>,
    words: Vec<u32>,
    normal: Vec<f64>,
}

/// What every synapse draws from, idle or between active units.
enum Side {
    /// Release probabilities of Bernoulli synapses.
    Bernoulli(Vec<f32>),
    /// Parameters of another law.
    Other(Vec<Synapse>),
}

impl<'a> OwnWeights<'a> {
    fn new(parameters: &'a Parameters) -> Self {
        let (idle, active) = if parameters.law == Law::Bernoulli {
            let flat = |p: Array2<f32>| Side::Bernoulli(p.into_iter().collect());
            (flat(parameters.release_prob()), flat(parameters.posterior_release()))
        } else {
            let idle: Vec<Synapse> = (0..parameters.w.len()).map(|i| parameters.synapse(i)).collect();
            let active = parameters.law.with(|law| idle.iter().map(|s| law.tilted(*s)).collect());
            (Side::Other(idle), Side::Other(active))
        };
        let h = parameters.hidden_units();
        let normal = vec![0.0; if parameters.law.spreads() { h } else { 0 }];
        Self { parameters, idle, active, w: vec![0.0; parameters.w.len()], words: vec![0; h], normal }
    }

    /// Fills the features of each example.
    fn each(&mut self, visible: &BinaryRows, mut f: impl FnMut(&mut Self, usize, &mut [f32])) -> Array2<f32> {
        assert_eq!(visible.columns(), self.parameters.visible_units(), "one column per visible unit");
        let h = self.parameters.hidden_units();
        let mut features = vec![0.0; visible.len() * h];
        for (example, row) in features.chunks_exact_mut(h).enumerate() {
            f(self, example, row);
        }
        Array2::from_shape_vec((visible.len(), h), features).expect("one row per example")
    }

    /// Draws W given the units that are on; into silent visible units only if they are asked for.
    fn draw(
        &mut self,
        visible: &[u32],
        hidden: &[u32],
        all: bool,
        (copy, example): (u32, usize),
        draws: Draws,
    ) {
        let (v, h) = self.parameters.w.dim();
        for i in 0..v {
            let on = visible.binary_search(&(i as u32)).is_ok();
            if !on && !all {
                continue;
            }
            let first = synapse_index(copy as usize, example, i * h);
            draws.fill_u32(Stream::ObservePosterior, first, &mut self.words);
            draws.fill_normal(Stream::ObserveNoise, first, &mut self.normal);
            (0..h).for_each(|j| self.w[i * h + j] = self.one(&self.idle, i, j));
            if on {
                hidden.iter().for_each(|&j| {
                    let j = j as usize;
                    self.w[i * h + j] = self.one(&self.active, i, j);
                });
            }
        }
    }

    /// W_ij from the draws of row i.
    fn one(&self, side: &Side, i: usize, j: usize) -> f32 {
        let (number, u) = (i * self.words.len() + j, uniform(self.words[j]));
        match side {
            Side::Bernoulli(p) if u < p[number] => slice(&self.parameters.w)[number],
            Side::Bernoulli(_) => 0.0,
            Side::Other(synapses) => self.parameters.law.with(|law| {
                let z = self.normal.get(j).copied().unwrap_or(0.0);
                law.draw(synapses[number], f64::from(u), z).weight as f32
            }),
        }
    }

    fn hidden_prob(&self, visible: &[u32], p: &mut [f32]) {
        p.copy_from_slice(slice(&self.parameters.c));
        let h = p.len();
        for row in visible.iter().map(|&i| &self.w[i as usize * h..]) {
            p.iter_mut().zip(row).for_each(|(x, w)| *x += w);
        }
        math::sigmoids(p);
    }

    fn visible_prob(&self, hidden: &[u32]) -> Vec<f32> {
        let rows = self.w.chunks_exact(self.parameters.hidden_units());
        let input = |(b, row): (&f32, &[f32])| hidden.iter().fold(*b, |sum, &j| sum + row[j as usize]);
        let mut p: Vec<f32> = self.parameters.b.iter().zip(rows).map(input).collect();
        math::sigmoids(&mut p);
        p
    }
}

#[cfg(test)]
#[path = "features_tests.rs"]
mod tests;

//! Everything from the table of P(ξ, v, h): slow, and nothing taken for granted.

use super::{Gradient, TinyEnsemble, log_sum_exp, on};
use crate::boltzmann::Synapses;
use crate::logistic::{sigmoid, softplus};
use ndarray::{Array1, Array2};

/// P(ξ, v, h), indexed by ξ, then v, then h.
struct Table {
    p: Vec<f64>,
    releases: Vec<usize>,
    visible_states: usize,
    hidden_states: usize,
}

/// Σ data(v) log P(v), by summing over releases and hidden states.
///
/// # Panics
/// If `data` has not 2^V entries or there are more than 2²⁶ states in all.
pub fn log_likelihood(model: &TinyEnsemble, data: &[f64]) -> f64 {
    let visible = Table::new(model).visible();
    assert_eq!(data.len(), visible.len(), "one weight per visible state");
    let terms = data.iter().zip(&visible).filter(|(weight, _)| **weight > 0.0);
    terms.fold(0.0, |sum, (weight, p)| sum + weight * libm::log(*p))
}

/// P(v, h) with releases summed out, (2^V, 2^H).
pub fn unit_distribution(model: &TinyEnsemble) -> Array2<f64> {
    let table = Table::new(model);
    let mut units = Array2::zeros((table.visible_states, table.hidden_states));
    table.each(|_, v, h, p| units[[v, h]] += p);
    units
}

/// The gradient of [`log_likelihood`] as ⟨·⟩_data − ⟨·⟩_model, with the true posterior of the releases.
///
/// For all ensembles `dw = ⟨ξ v h⟩_Q − ⟨ξ v h⟩_M` (b and c alike), where Q = P(ξ, h | v) data(v).
/// Where units and releases share one energy, M = P and `da = ⟨ξ⟩_Q − ⟨ξ⟩_M`. In the prior mixture
/// each RBM has its own Z: M = Q(ξ) P(v, h | ξ), and `da = ⟨ξ⟩_Q − p`.
///
/// # Panics
/// As for [`log_likelihood`].
pub fn gradient(model: &TinyEnsemble, data: &[f64]) -> Gradient {
    let table = Table::new(model);
    let visible = table.visible();
    assert_eq!(data.len(), visible.len(), "one weight per visible state");
    let posterior = |v: usize, p: f64| if data[v] > 0.0 { data[v] * p / visible[v] } else { 0.0 };

    let mut prior_of_release = vec![0.0; table.releases.len()];
    let mut posterior_of_release = prior_of_release.clone();
    table.each(|m, v, _, p| {
        prior_of_release[m] += p;
        posterior_of_release[m] += posterior(v, p);
    });
    let in_model = |m: usize, p: f64| match model.synapses {
        Synapses::Reliable | Synapses::JointEnergy => p,
        Synapses::PriorMixture => posterior_of_release[m] * p / prior_of_release[m],
    };

    let (nv, nh) = model.w.dim();
    let mut g = Gradient {
        w: Array2::zeros((nv, nh)),
        a: Array2::zeros((nv, nh)),
        b: Array1::zeros(nv),
        c: Array1::zeros(nh),
    };
    table.each(|m, v, h, p| {
        let q = posterior(v, p);
        let excess = q - in_model(m, p);
        (0..nv).filter(|&i| on(v, i)).for_each(|i| g.b[i] += excess);
        (0..nh).filter(|&j| on(h, j)).for_each(|j| g.c[j] += excess);
        for (bit, (i, j)) in ndarray::indices((nv, nh)).into_iter().enumerate() {
            let released = on(table.releases[m], bit);
            if released && on(v, i) && on(h, j) {
                g.w[[i, j]] += excess;
            }
            g.a[[i, j]] += match model.synapses {
                Synapses::Reliable => 0.0,
                Synapses::JointEnergy => f64::from(u8::from(released)) * excess,
                Synapses::PriorMixture => (f64::from(u8::from(released)) - sigmoid(model.a[[i, j]])) * q,
            };
        }
    });
    g
}

impl Table {
    fn new(model: &TinyEnsemble) -> Self {
        let (nv, nh) = model.w.dim();
        let releases: Vec<usize> = match model.synapses {
            Synapses::Reliable => vec![(1 << (nv * nh)) - 1],
            Synapses::JointEnergy | Synapses::PriorMixture => (0..1 << (nv * nh)).collect(),
        };
        let (visible_states, hidden_states) = (1_usize << nv, 1_usize << nh);
        assert!(releases.len() * visible_states * hidden_states <= 1 << 26, "too many states to enumerate");
        let mut log_p = Vec::with_capacity(releases.len() * visible_states * hidden_states);
        for &release in &releases {
            let first = log_p.len();
            for v in 0..visible_states {
                log_p.extend((0..hidden_states).map(|h| negative_energy(model, release, v, h)));
            }
            let weight = match model.synapses {
                Synapses::Reliable => 0.0,
                Synapses::JointEnergy => over_releases(model, release, |a, on| if on { a } else { 0.0 }),
                Synapses::PriorMixture => {
                    let log_prior = |a: f64, on: bool| if on { -softplus(-a) } else { -softplus(a) };
                    over_releases(model, release, log_prior) - log_sum_exp(&log_p[first..])
                }
            };
            log_p[first..].iter_mut().for_each(|x| *x += weight);
        }
        let log_z = log_sum_exp(&log_p);
        let p = log_p.into_iter().map(|x| libm::exp(x - log_z)).collect();
        Self { p, releases, visible_states, hidden_states }
    }

    /// Calls `f(index of ξ, v, h, P)` for every entry.
    fn each(&self, mut f: impl FnMut(usize, usize, usize, f64)) {
        for (index, &p) in self.p.iter().enumerate() {
            let (rest, h) = (index / self.hidden_states, index % self.hidden_states);
            f(rest / self.visible_states, rest % self.visible_states, h, p);
        }
    }

    /// P(v).
    fn visible(&self) -> Vec<f64> {
        let mut visible = vec![0.0; self.visible_states];
        self.each(|_, v, _, p| visible[v] += p);
        visible
    }
}

/// `vᵀ(w ξ)h + bᵀv + cᵀh`.
fn negative_energy(model: &TinyEnsemble, release: usize, v: usize, h: usize) -> f64 {
    let (nv, nh) = model.w.dim();
    let mut sum = 0.0;
    for i in (0..nv).filter(|&i| on(v, i)) {
        sum += model.b[i];
        for j in (0..nh).filter(|&j| on(h, j) && on(release, i * nh + j)) {
            sum += model.w[[i, j]];
        }
    }
    (0..nh).filter(|&j| on(h, j)).fold(sum, |sum, j| sum + model.c[j])
}

/// Σ over synapses of `f(a, released)`.
fn over_releases(model: &TinyEnsemble, release: usize, f: impl Fn(f64, bool) -> f64) -> f64 {
    model.a.iter().enumerate().fold(0.0, |sum, (bit, &a)| sum + f(a, on(release, bit)))
}

//! Everything from the table of P(W, v, h): slow, and nothing taken for granted.

use super::quadrature::normal_nodes;
use super::{Gradient, TinyEnsemble, log_sum_exp, on};
use crate::boltzmann::Synapses;
use crate::boltzmann::law::{Atom, Outcome};
use ndarray::Array2;

/// Points that stand for a normal distribution: `E[e^z]` comes out right to 1e-12.
const NODES: usize = 12;

/// P(W, v, h), indexed by the value of W, then v, then h.
struct Table {
    p: Vec<f64>,
    /// The values of each synapse.
    atoms: Vec<Vec<Atom>>,
    configurations: usize,
    visible_states: usize,
    hidden_states: usize,
}

/// Σ data(v) log P(v), by summing over weights and hidden states.
///
/// # Panics
/// If `data` has not 2^V entries or there are more than 2²⁶ states in all.
pub fn log_likelihood(model: &TinyEnsemble, data: &[f64]) -> f64 {
    let visible = Table::new(model).visible();
    assert_eq!(data.len(), visible.len(), "one weight per visible state");
    let terms = data.iter().zip(&visible).filter(|(weight, _)| **weight > 0.0);
    terms.fold(0.0, |sum, (weight, p)| sum + weight * libm::log(*p))
}

/// `J = E_W[Σ data(v) log P(v | W)]` of the prior mixture: what one sampled machine at a time climbs.
///
/// By Jensen's inequality at most [`log_likelihood`]. It is linear in every release probability on
/// its own, because the prior is; so its greatest value for given w, b and c lies where all p are 0 or 1.
///
/// # Panics
/// If the ensemble is no prior mixture, or as for [`log_likelihood`].
pub fn jensen_bound(model: &TinyEnsemble, data: &[f64]) -> f64 {
    assert_eq!(model.synapses, Synapses::PriorMixture, "only a mixture has machines of their own");
    let table = Table::new(model);
    assert_eq!(data.len(), table.visible_states, "one weight per visible state");
    let mut visible = vec![0.0; table.configurations * table.visible_states];
    table.each(|m, v, _, p| visible[m * table.visible_states + v] += p);
    visible.chunks_exact(table.visible_states).fold(0.0, |sum, visible| {
        let prior: f64 = visible.iter().fold(0.0, |sum, p| sum + p);
        let terms = data.iter().zip(visible).filter(|(weight, _)| **weight > 0.0 && prior > 0.0);
        sum + prior * terms.fold(0.0, |sum, (weight, p)| sum + weight * libm::log(p / prior))
    })
}

/// P(v, h) with weights summed out, (2^V, 2^H).
pub fn unit_distribution(model: &TinyEnsemble) -> Array2<f64> {
    let table = Table::new(model);
    let mut units = Array2::zeros((table.visible_states, table.hidden_states));
    table.each(|_, v, h, p| units[[v, h]] += p);
    units
}

/// The gradient of [`log_likelihood`] as ⟨·⟩_data − ⟨·⟩_model, with the true posterior of the weights.
///
/// For all ensembles `dw = ⟨∂W/∂w v h⟩_Q − ⟨∂W/∂w v h⟩_M` (ln s, b and c alike), where
/// Q = P(W, h | v) data(v). Where units and weights share one energy, M = P and
/// `da = ⟨∂ ln P0/∂a⟩_Q − ⟨∂ ln P0/∂a⟩_M`. In the prior mixture each RBM has its own Z:
/// M = Q(W) P(v, h | W), and `da = ⟨∂ ln P0/∂a⟩_Q`.
///
/// # Panics
/// As for [`log_likelihood`].
pub fn gradient(model: &TinyEnsemble, data: &[f64]) -> Gradient {
    let table = Table::new(model);
    let visible = table.visible();
    assert_eq!(data.len(), visible.len(), "one weight per visible state");
    let posterior = |v: usize, p: f64| if data[v] > 0.0 { data[v] * p / visible[v] } else { 0.0 };

    let mut prior_of_weights = vec![0.0; table.configurations];
    let mut posterior_of_weights = prior_of_weights.clone();
    table.each(|m, v, _, p| {
        prior_of_weights[m] += p;
        posterior_of_weights[m] += posterior(v, p);
    });
    let in_model = |m: usize, p: f64| match model.synapses {
        Synapses::Reliable | Synapses::JointEnergy => p,
        Synapses::PriorMixture => posterior_of_weights[m] * p / prior_of_weights[m],
    };

    let (nv, nh) = model.w.dim();
    let mut g = Gradient::zeros(nv, nh);
    let (mut chosen, mut slopes) = (usize::MAX, vec![]);
    table.each(|m, v, h, p| {
        if m != chosen {
            chosen = m;
            slopes = table.slopes(model, m);
        }
        let q = posterior(v, p);
        let excess = q - in_model(m, p);
        (0..nv).filter(|&i| on(v, i)).for_each(|i| g.b[i] += excess);
        (0..nh).filter(|&j| on(h, j)).for_each(|j| g.c[j] += excess);
        for (&(score, w, log_sd), (i, j)) in slopes.iter().zip(ndarray::indices((nv, nh))) {
            if on(v, i) && on(h, j) {
                g.w[[i, j]] += w * excess;
                g.log_sd[[i, j]] += log_sd * excess;
            }
            g.a[[i, j]] += score * if model.synapses == Synapses::PriorMixture { q } else { excess };
        }
    });
    g
}

impl Table {
    fn new(model: &TinyEnsemble) -> Self {
        let (nv, nh) = model.w.dim();
        let atoms = atoms(model);
        let configurations = atoms.iter().fold(1, |n, atoms| n * atoms.len());
        let (visible_states, hidden_states) = (1_usize << nv, 1_usize << nh);
        let units = visible_states * hidden_states;
        assert!(configurations.saturating_mul(units) <= 1 << 26, "too many states to enumerate");
        let mut table = Self { p: vec![], atoms, configurations, visible_states, hidden_states };
        let mut log_p = Vec::with_capacity(configurations * units);
        for m in 0..configurations {
            let first = log_p.len();
            let chosen = table.chosen(m);
            let weights: Vec<f64> = chosen.iter().map(|atom| atom.outcome.weight).collect();
            for v in 0..visible_states {
                log_p.extend((0..hidden_states).map(|h| negative_energy(model, &weights, v, h)));
            }
            let prior = chosen.iter().fold(0.0, |sum, atom| sum + libm::log(atom.probability));
            let weight = match model.synapses {
                Synapses::Reliable | Synapses::JointEnergy => prior,
                Synapses::PriorMixture => prior - log_sum_exp(&log_p[first..]),
            };
            log_p[first..].iter_mut().for_each(|x| *x += weight);
        }
        let log_z = log_sum_exp(&log_p);
        table.p = log_p.into_iter().map(|x| libm::exp(x - log_z)).collect();
        table
    }

    /// The value of each synapse in configuration `m`, whose digits they are.
    fn chosen(&self, mut m: usize) -> Vec<Atom> {
        let mut digit = |atoms: &Vec<Atom>| {
            let atom = atoms[m % atoms.len()];
            m /= atoms.len();
            atom
        };
        self.atoms.iter().map(&mut digit).collect()
    }

    /// (∂ ln P0/∂a, ∂W/∂w, ∂W/∂ln s) of each synapse in configuration `m`.
    fn slopes(&self, model: &TinyEnsemble, m: usize) -> Vec<(f64, f64, f64)> {
        let slope = |(number, atom): (usize, Atom)| {
            if model.synapses == Synapses::Reliable {
                return (0.0, 1.0, 0.0);
            }
            let path = model.law.with(|law| law.path(model.synapse(number), atom.outcome));
            (atom.score, path.w, path.log_sd)
        };
        self.chosen(m).into_iter().enumerate().map(slope).collect()
    }

    /// Calls `f(configuration, v, h, P)` for every entry.
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

/// The values that every synapse can take.
fn atoms(model: &TinyEnsemble) -> Vec<Vec<Atom>> {
    let normal = normal_nodes(NODES);
    let of = |number: usize| match model.synapses {
        Synapses::Reliable => {
            let outcome = Outcome { releases: 1, weight: model.synapse(number).w };
            vec![Atom { probability: 1.0, score: 0.0, outcome }]
        }
        Synapses::JointEnergy | Synapses::PriorMixture => {
            model.law.with(|law| law.atoms(model.synapse(number), &normal))
        }
    };
    (0..model.w.len()).map(of).collect()
}

/// `vᵀWh + bᵀv + cᵀh`.
fn negative_energy(model: &TinyEnsemble, weights: &[f64], v: usize, h: usize) -> f64 {
    let (nv, nh) = model.w.dim();
    let mut sum = 0.0;
    for i in (0..nv).filter(|&i| on(v, i)) {
        sum += model.b[i];
        for j in (0..nh).filter(|&j| on(h, j)) {
            sum += weights[i * nh + j];
        }
    }
    (0..nh).filter(|&j| on(h, j)).fold(sum, |sum, j| sum + model.c[j])
}

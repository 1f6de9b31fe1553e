//! The equations of both models held against enumeration, on small machines of the run's own seed.

use ndarray::{Array1, Array2};
use numerics::{
    Draws, Stream,
    boltzmann::{
        Law, Synapses,
        exact::{
            Gradient, TinyEnsemble, gradient, jensen_bound, log_likelihood, normal_nodes, unit_distribution,
        },
    },
    logistic::logit,
};

/// Half the distance of the central differences: their error is ε²/6 · f‴ + 1e-16/ε ≈ 3e-11.
const EPSILON: f64 = 1e-5;
/// Spread of the strengths: as strong as learned ones, so that no order in w is hidden.
const W_SD: f64 = 1.2;
/// Points inside the cube of release probabilities that are tried against its corners.
const INTERIOR: u64 = 200;
/// Nodes for the expectation of e^W under a normal law.
const NODES: usize = 20;

/// A machine of 3 x 2 units (2 x 2 for a law that takes a quadrature) and weights of all its images.
struct Small {
    model: TinyEnsemble,
    data: Vec<f64>,
}

impl Small {
    fn new(synapses: Synapses, law: Law, draws: Draws) -> Self {
        let (visible, hidden) = if law.spreads() { (2, 2) } else { (3, 2) };
        let n = visible * hidden;
        let mut z = vec![0.0; 3 * n + visible + hidden + (1 << visible)];
        draws.fill_normal(Stream::Init, 1 << 20, &mut z);
        let mut left = z.into_iter();
        let mut next = |n: usize, sd: f64| -> Vec<f64> { left.by_ref().take(n).map(|z| sd * z).collect() };
        let mut array =
            |sd| Array2::from_shape_vec((visible, hidden), next(n, sd)).expect("one number per synapse");
        let (w, a) = (array(W_SD), array(1.0));
        // Spreads between 0.3 and 0.9.
        let log_sd = array(0.3).mapv(|x| x.clamp(-0.5, 0.5) - 0.6);
        let (b, c) = (Array1::from_vec(next(visible, 0.5)), Array1::from_vec(next(hidden, 0.5)));
        let weights: Vec<f64> = next(1 << visible, 1.0).into_iter().map(libm::exp).collect();
        let total = weights.iter().fold(0.0, |sum, weight| sum + weight);
        let data = weights.into_iter().map(|weight| weight / total).collect();
        Self { model: TinyEnsemble { synapses, law, w, a, log_sd, b, c }, data }
    }
}

/// The greatest difference between a derivative of the log-likelihood and central differences, over models A and B.
pub(super) fn gradient_error(law: Law, draws: Draws) -> f64 {
    [Synapses::JointEnergy, Synapses::PriorMixture].into_iter().fold(0.0, |worst, synapses| {
        let Small { model, data } = Small::new(synapses, law, draws);
        let exact = flat(&gradient(&model, &data));
        exact.iter().enumerate().fold(worst, |worst: f64, (k, derivative)| {
            let shifted = |by: f64| {
                let mut model = model.clone();
                *parameter(&mut model, k) += by;
                log_likelihood(&model, &data)
            };
            worst.max((derivative - (shifted(EPSILON) - shifted(-EPSILON)) / (2.0 * EPSILON)).abs())
        })
    })
}

/// The greatest difference in P(v, h) between model A and the Boltzmann machine with weights `ln E[e^W]`, the
/// expectation taken over the values of W.
pub(super) fn collapse_error(law: Law, draws: Draws) -> f64 {
    let Small { model, .. } = Small::new(Synapses::JointEnergy, law, draws);
    let normal = normal_nodes(NODES);
    let weff = Array2::from_shape_fn(model.w.raw_dim(), |at| {
        let synapse =
            numerics::boltzmann::law::Synapse { w: model.w[at], a: model.a[at], log_sd: model.log_sd[at] };
        let atoms = law.with(|law| law.atoms(synapse, &normal));
        libm::log(atoms.iter().fold(0.0, |sum, atom| sum + atom.probability * libm::exp(atom.outcome.weight)))
    });
    let rbm = TinyEnsemble::rbm(weff, model.b.clone(), model.c.clone());
    let difference = unit_distribution(&model) - unit_distribution(&rbm);
    difference.iter().fold(0.0, |worst: f64, x| worst.max(x.abs()))
}

/// Whether randomness pays in what model B climbs: the Jensen bound at the best of 200 points inside the cube of
/// release probabilities, minus that at its best corner, where every p is 0.001 or 0.999. Bernoulli synapses.
pub(super) fn interior_gain(draws: Draws) -> f64 {
    let Small { mut model, data } = Small::new(Synapses::PriorMixture, Law::Bernoulli, draws);
    let synapses = model.a.len();
    let mut bound = |p: &dyn Fn(usize) -> f64| {
        model.a.iter_mut().enumerate().for_each(|(i, a)| *a = logit(p(i)));
        jensen_bound(&model, &data)
    };
    let corner = |corner: usize| move |i: usize| if corner >> i & 1 == 1 { 0.999 } else { 0.001 };
    let best = (0..1 << synapses).map(|k| bound(&corner(k))).fold(f64::NEG_INFINITY, f64::max);
    let mut uniform = vec![0.0; synapses];
    let inside = (0..INTERIOR).map(|point| {
        draws.fill_uniform_f64(Stream::Release, point * synapses as u64, &mut uniform);
        bound(&|i| 0.001 + 0.998 * uniform[i])
    });
    inside.fold(f64::NEG_INFINITY, f64::max) - best
}

/// All derivatives in a fixed order.
fn flat(g: &Gradient) -> Vec<f64> {
    g.w.iter().chain(&g.a).chain(&g.log_sd).chain(&g.b).chain(&g.c).copied().collect()
}

/// The parameter of the same number.
fn parameter(model: &mut TinyEnsemble, k: usize) -> &mut f64 {
    let TinyEnsemble { w, a, log_sd, b, c, .. } = model;
    w.iter_mut().chain(a).chain(log_sd).chain(b).chain(c).nth(k).expect("there are so many parameters")
}

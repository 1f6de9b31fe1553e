//! What the Jensen bound asks of release probabilities, and what the likelihood of the mixture does.

use super::*;
use crate::boltzmann::law::suite_tests::LAWS;
use crate::logistic::logit;
use crate::{Draws, Stream};

/// A random mixture of 2 × 2 units, or 3 × 1, and a distribution of data over all its images.
fn model(seed: u64, law: Law, (nv, nh): (usize, usize)) -> (TinyEnsemble, Vec<f64>) {
    let mut z = [0.0; 40];
    Draws::at(seed, 0).fill_normal(Stream::Init, 0, &mut z);
    let mut numbers = z.into_iter();
    let mut array =
        |sd: f64| Array2::from_shape_simple_fn((nv, nh), || sd * numbers.next().expect("40 are enough"));
    let (w, a, log_sd) = (array(2.0), array(1.5), array(0.1) - 0.5);
    let model = TinyEnsemble {
        synapses: Synapses::PriorMixture,
        law,
        w,
        a,
        log_sd,
        b: numbers.by_ref().take(nv).collect(),
        c: numbers.by_ref().take(nh).collect(),
    };
    let weights: Vec<f64> = numbers.by_ref().take(1 << nv).map(libm::exp).collect();
    let total: f64 = weights.iter().sum();
    (model, weights.iter().map(|x| x / total).collect())
}

/// The bound with other release probabilities.
fn bound_at(model: &TinyEnsemble, data: &[f64], p: &[f64]) -> f64 {
    let a = p.iter().map(|p| logit(p.clamp(1e-14, 1.0 - 1e-14))).collect();
    let a = Array2::from_shape_vec(model.w.dim(), a).expect("one probability per synapse");
    jensen_bound(&TinyEnsemble { a, ..model.clone() }, data)
}

fn best_vertex(model: &TinyEnsemble, data: &[f64]) -> f64 {
    let n = model.w.len();
    (0..1_usize << n).fold(f64::NEG_INFINITY, |best, vertex| {
        let p: Vec<f64> = (0..n).map(|i| f64::from(u8::from(on(vertex, i)))).collect();
        best.max(bound_at(model, data, &p))
    })
}

#[test]
fn the_bound_of_jensen_is_below_the_likelihood_under_every_law() {
    for &law in LAWS {
        for seed in 0..5 {
            let (model, data) = model(seed, law, (2, 2));
            let (bound, exact) = (jensen_bound(&model, &data), log_likelihood(&model, &data));
            assert!(bound < exact - 1e-4, "{law:?}, seed {seed}: {bound} against {exact}");
        }
    }
}

#[test]
fn the_bound_is_linear_in_every_release_probability_so_that_a_vertex_is_best() {
    for seed in 0..10 {
        let (model, data) = model(seed, Law::Bernoulli, (2, 2));
        let best = best_vertex(&model, &data);
        let mut p = [0.0; 4 * 50];
        Draws::at(seed, 1).fill_uniform_f64(Stream::Mask, 0, &mut p);
        for p in p.chunks_exact(4) {
            assert!(bound_at(&model, &data, p) <= best + 1e-9, "seed {seed}: {p:?} beats every vertex");
            for synapse in 0..4 {
                let at = |x: f64| {
                    let mut p = p.to_vec();
                    p[synapse] = x;
                    bound_at(&model, &data, &p)
                };
                // The ends are off by 1e-14, the logits by an ulp or so.
                assert!((at(0.25) - (0.75 * at(0.0) + 0.25 * at(1.0))).abs() < 1e-10, "seed {seed}");
            }
        }
    }
}

#[test]
fn data_that_unreliable_synapses_made_are_likeliest_inside_but_jensens_bound_prefers_a_vertex() {
    for seed in 0..5 {
        let (model, _) = model(seed, Law::Bernoulli, (3, 1));
        let data: Vec<f64> = unit_distribution(&model).rows().into_iter().map(|row| row.sum()).collect();
        // No distribution has a higher likelihood of these data than the one that made them.
        let g = gradient(&model, &data);
        assert!(g.w.iter().chain(&g.a).chain(&g.b).chain(&g.c).all(|x| x.abs() < 1e-12), "{g:?}");
        let entropy = data.iter().fold(0.0, |sum, p| sum - p * libm::log(*p));
        assert!((log_likelihood(&model, &data) + entropy).abs() < 1e-12);
        let (here, best) = (jensen_bound(&model, &data), best_vertex(&model, &data));
        // Linear in every p: strictly higher at some vertex unless the bound were flat; 1e-9 for rounding.
        assert!(best > here + 1e-9, "seed {seed}: {here} here, {best} at a vertex");
    }
}

//! The equations of both ensembles against central differences of the enumerated likelihood.

use super::*;
use crate::boltzmann::law::suite_tests::LAWS;
use crate::{Draws, Stream};

/// Central differences of step 1e-5 are off by ε²/6·f‴ + 1e-16/ε ≈ 3e-11 here; the target is 1e-6.
const STEP: f64 = 1e-5;
const TOLERANCE: f64 = 1e-6;

/// A small machine with strong weights, and a distribution of data over all its images.
///
/// 3 × 2 units; 2 × 2 for laws whose spread takes a quadrature.
fn model(synapses: Synapses, law: Law, w_sd: f64) -> (TinyEnsemble, Vec<f64>) {
    let (nv, nh) = if law.spreads() { (2, 2) } else { (3, 2) };
    let mut z = [0.0; 32];
    Draws::at(5, 0).fill_normal(Stream::Init, 0, &mut z);
    let part = |from: usize, n: usize, sd: f64| z[from..from + n].iter().map(move |z| sd * z);
    let array = |from, sd| {
        Array2::from_shape_vec((nv, nh), part(from, nv * nh, sd).collect()).expect("one number per synapse")
    };
    let model = TinyEnsemble {
        synapses,
        law,
        w: array(0, w_sd),
        a: array(6, 1.0),
        // s between 0.3 and 0.9.
        log_sd: array(18, 0.3).mapv(|x| x.clamp(-0.5, 0.5) - 0.6),
        b: part(12, nv, 0.5).collect(),
        c: part(15, nh, 0.5).collect(),
    };
    let weights: Vec<f64> = part(20, 1 << nv, 1.0).map(libm::exp).collect();
    let total: f64 = weights.iter().sum();
    (model, weights.iter().map(|w| w / total).collect())
}

/// All partial derivatives in a fixed order: w, a, ln s, b, c.
fn flat(g: &Gradient) -> Vec<f64> {
    g.w.iter().chain(&g.a).chain(&g.log_sd).chain(&g.b).chain(&g.c).copied().collect()
}

fn parameter(model: &mut TinyEnsemble, k: usize) -> &mut f64 {
    let TinyEnsemble { w, a, log_sd, b, c, .. } = model;
    w.iter_mut().chain(a).chain(log_sd).chain(b).chain(c).nth(k).expect("there are so many parameters")
}

fn central_differences(model: &TinyEnsemble, data: &[f64]) -> Vec<f64> {
    let shifted = |k: usize, by: f64| {
        let mut model = model.clone();
        *parameter(&mut model, k) += by;
        log_likelihood(&model, data)
    };
    let parameters = 3 * model.w.len() + model.b.len() + model.c.len();
    (0..parameters).map(|k| (shifted(k, STEP) - shifted(k, -STEP)) / (2.0 * STEP)).collect()
}

fn worst(xs: &[f64], ys: &[f64]) -> f64 {
    assert_eq!(xs.len(), ys.len());
    xs.iter().zip(ys).fold(0.0, |worst, (x, y)| worst.max((x - y).abs()))
}

fn cosine(x: &Array2<f64>, y: &Array2<f64>) -> f64 {
    (x * y).sum() / ((x * x).sum() * (y * y).sum()).sqrt()
}

#[test]
fn the_gradients_of_every_law_in_both_models_agree_with_central_differences() {
    for &law in LAWS {
        for synapses in [Synapses::Reliable, Synapses::JointEnergy, Synapses::PriorMixture] {
            let (model, data) = model(synapses, law, 1.2);
            let error = worst(&flat(&gradient(&model, &data)), &central_differences(&model, &data));
            println!("{law:?}, {synapses:?}: {error:.1e}");
            assert!(error < TOLERANCE, "{law:?}, {synapses:?}: {error}");
        }
    }
}

#[test]
fn the_slope_of_the_effective_weight_times_d_is_the_enumerated_gradient_of_model_a() {
    // 1e-10 is the target; rounding leaves about 1e-16, and the quadrature 1e-12.
    for &law in LAWS {
        let (model, data) = model(Synapses::JointEnergy, law, 1.2);
        let error = worst(&flat(&gradient(&model, &data)), &flat(&collapsed_gradient(&model, &data)));
        println!("{law:?}: {error:.1e}");
        assert!(error < 1e-10, "{law:?}: {error}");
    }
}

#[test]
fn model_a_is_the_rbm_with_effective_weights_under_every_law() {
    for &law in LAWS {
        let (model, data) = model(Synapses::JointEnergy, law, 1.2);
        // weff = ln E[e^W], straight from the values that the law can take.
        let normal = normal_nodes(20);
        let weff = |number: usize| {
            let atoms = law.with(|law| law.atoms(model.synapse(number), &normal));
            let mean = atoms.iter().fold(0.0, |sum, x| sum + x.probability * libm::exp(x.outcome.weight));
            libm::log(mean)
        };
        let weff = Array2::from_shape_fn(model.w.dim(), |(i, j)| weff(i * model.w.ncols() + j));
        let rbm = TinyEnsemble::rbm(weff, model.b.clone(), model.c.clone());
        let difference = (unit_distribution(&model) - unit_distribution(&rbm)).mapv(f64::abs);
        let error = difference.iter().fold(0.0_f64, |m, x| m.max(*x));
        println!("{law:?}: {error:.1e}");
        assert!(error < 1e-10, "{law:?}: {error}");
        let likelihoods = [
            log_likelihood(&model, &data),
            collapsed_log_likelihood(&model, &data),
            collapsed_log_likelihood(&rbm, &data),
        ];
        assert!(likelihoods.iter().all(|x| (x - likelihoods[0]).abs() < 1e-10), "{likelihoods:?}");
    }
}

#[test]
fn the_first_order_rule_for_release_points_along_the_true_gradient_of_the_mixture() {
    // da = p (1 − p) w D averaged over masks is exact to first order in w: the angle closes as w shrinks.
    for (w_sd, least) in [(1.2, 0.98), (0.4, 0.998), (0.1, 0.9998)] {
        let (model, data) = model(Synapses::PriorMixture, Law::Bernoulli, w_sd);
        let p = model.a.mapv(crate::logistic::sigmoid);
        let mut expected_d = Array2::zeros((3, 2));
        for mask in 0..64 {
            let mut prior = 1.0;
            let mut rbm = TinyEnsemble { synapses: Synapses::Reliable, ..model.clone() };
            for (bit, (w, p)) in rbm.w.iter_mut().zip(&p).enumerate() {
                prior *= if on(mask, bit) { *p } else { 1.0 - p };
                *w *= f64::from(u8::from(on(mask, bit)));
            }
            expected_d.scaled_add(prior, &collapsed_gradient(&rbm, &data).w);
        }
        let rule = p.mapv(|p| p * (1.0 - p)) * &model.w * expected_d;
        let cosine = cosine(&rule, &gradient(&model, &data).a);
        println!("|w| ~ {w_sd}: cosine {cosine:.5}");
        assert!(cosine > least, "|w| ~ {w_sd}: {cosine}");
    }
}

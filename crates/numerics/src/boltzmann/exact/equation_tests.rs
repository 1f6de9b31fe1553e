//! The equations of both ensembles against central differences of the enumerated likelihood.

use super::*;
use crate::{Draws, Stream};

/// Central differences of step 1e-5 are off by ε²/6·f‴ + 1e-16/ε ≈ 3e-11 here; the target is 1e-6.
const STEP: f64 = 1e-5;
const TOLERANCE: f64 = 1e-6;

/// 3 × 2 units with strong weights, and a distribution of data over all 8 images.
fn model(synapses: Synapses, w_sd: f64) -> (TinyEnsemble, Vec<f64>) {
    let mut z = [0.0; 32];
    Draws::at(5, 0).fill_normal(Stream::Init, 0, &mut z);
    let part = |from: usize, n: usize, sd: f64| z[from..from + n].iter().map(move |z| sd * z);
    let array = |from, sd| Array2::from_shape_vec((3, 2), part(from, 6, sd).collect()).expect("6 numbers");
    let model = TinyEnsemble {
        synapses,
        w: array(0, w_sd),
        a: array(6, 1.0),
        b: part(12, 3, 0.5).collect(),
        c: part(15, 2, 0.5).collect(),
    };
    let weights: Vec<f64> = part(20, 8, 1.0).map(libm::exp).collect();
    let total: f64 = weights.iter().sum();
    (model, weights.iter().map(|w| w / total).collect())
}

/// All partial derivatives in a fixed order: w, a, b, c.
fn flat(g: &Gradient) -> Vec<f64> {
    g.w.iter().chain(&g.a).chain(&g.b).chain(&g.c).copied().collect()
}

fn parameter(model: &mut TinyEnsemble, k: usize) -> &mut f64 {
    let TinyEnsemble { w, a, b, c, .. } = model;
    w.iter_mut().chain(a).chain(b).chain(c).nth(k).expect("17 parameters")
}

fn central_differences(model: &TinyEnsemble, data: &[f64]) -> Vec<f64> {
    let shifted = |k: usize, by: f64| {
        let mut model = model.clone();
        *parameter(&mut model, k) += by;
        log_likelihood(&model, data)
    };
    (0..17).map(|k| (shifted(k, STEP) - shifted(k, -STEP)) / (2.0 * STEP)).collect()
}

fn worst(xs: &[f64], ys: &[f64]) -> f64 {
    assert_eq!(xs.len(), ys.len());
    xs.iter().zip(ys).fold(0.0, |worst, (x, y)| worst.max((x - y).abs()))
}

fn cosine(x: &Array2<f64>, y: &Array2<f64>) -> f64 {
    (x * y).sum() / ((x * x).sum() * (y * y).sum()).sqrt()
}

#[test]
fn the_gradients_of_all_ensembles_agree_with_central_differences() {
    for synapses in [Synapses::Reliable, Synapses::JointEnergy, Synapses::PriorMixture] {
        let (model, data) = model(synapses, 1.2);
        let error = worst(&flat(&gradient(&model, &data)), &central_differences(&model, &data));
        println!("{synapses:?}: {error:.1e}");
        assert!(error < TOLERANCE, "{synapses:?}: {error}");
    }
}

#[test]
fn the_conditional_means_of_model_a_are_the_enumerated_gradient() {
    // dw = q D and da = (q − p) D exactly; 1e-10 is the target, rounding leaves about 1e-16.
    let (model, data) = model(Synapses::JointEnergy, 1.2);
    let error = worst(&flat(&gradient(&model, &data)), &flat(&collapsed_gradient(&model, &data)));
    println!("conditional means: {error:.1e}");
    assert!(error < 1e-10, "{error}");
}

#[test]
fn model_a_is_the_rbm_with_effective_weights() {
    let (model, data) = model(Synapses::JointEnergy, 1.2);
    let mut weff = model.w.clone();
    weff.zip_mut_with(&model.a, |w, &a| {
        let p = crate::logistic::sigmoid(a);
        *w = libm::log(1.0 - p + p * libm::exp(*w));
    });
    let rbm = TinyEnsemble { synapses: Synapses::Reliable, w: weff, ..model.clone() };
    let difference = (unit_distribution(&model) - unit_distribution(&rbm)).mapv(f64::abs);
    let error = difference.iter().fold(0.0_f64, |m, x| m.max(*x));
    println!("collapse: {error:.1e}");
    assert!(error < 1e-10, "{error}");
    let likelihoods = [
        log_likelihood(&model, &data),
        collapsed_log_likelihood(&model, &data),
        collapsed_log_likelihood(&rbm, &data),
    ];
    assert!(likelihoods.iter().all(|x| (x - likelihoods[0]).abs() < 1e-10), "{likelihoods:?}");
}

#[test]
fn the_first_order_rule_for_release_points_along_the_true_gradient_of_the_mixture() {
    // da = p (1 − p) w D averaged over masks is exact to first order in w: the angle closes as w shrinks.
    for (w_sd, least) in [(1.2, 0.98), (0.4, 0.998), (0.1, 0.9998)] {
        let (model, data) = model(Synapses::PriorMixture, w_sd);
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

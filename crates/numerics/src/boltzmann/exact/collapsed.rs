//! Reliable synapses and model A through the collapse: weights and hidden units summed out.

use super::{Gradient, TinyEnsemble, log_sum_exp, on};
use crate::boltzmann::Synapses;
use crate::logistic::{sigmoid, softplus};
use ndarray::Array2;

/// Σ data(v) log P(v) of the RBM with `weff = ln E[e^W]`; reliable synapses: with w.
///
/// # Panics
/// If the ensemble is a prior mixture, which does not collapse, or `data` has not 2^V entries.
pub fn collapsed_log_likelihood(model: &TinyEnsemble, data: &[f64]) -> f64 {
    let log_p = log_visible(model, &weff(model));
    assert_eq!(data.len(), log_p.len(), "one weight per visible state");
    data.iter().zip(log_p).fold(0.0, |sum, (weight, log_p)| sum + weight * log_p)
}

/// The gradient of [`collapsed_log_likelihood`]: `∂weff/∂θ · D` for each parameter of a synapse.
///
/// # Panics
/// As for [`collapsed_log_likelihood`].
pub fn collapsed_gradient(model: &TinyEnsemble, data: &[f64]) -> Gradient {
    let weff = weff(model);
    let log_p = log_visible(model, &weff);
    assert_eq!(data.len(), log_p.len(), "one weight per visible state");
    let (nv, nh) = model.w.dim();
    let mut g = Gradient::zeros(nv, nh);
    for (v, (weight, log_p)) in data.iter().zip(log_p).enumerate() {
        let excess = weight - libm::exp(log_p);
        for j in 0..nh {
            let p_hidden = sigmoid(hidden_input(model, &weff, v, j));
            g.c[j] += excess * p_hidden;
            (0..nv).filter(|&i| on(v, i)).for_each(|i| g.w[[i, j]] += excess * p_hidden);
        }
        (0..nv).filter(|&i| on(v, i)).for_each(|i| g.b[i] += excess);
    }
    if model.synapses != Synapses::Reliable {
        // So far `g.w` is D.
        for (number, at) in ndarray::indices((nv, nh)).into_iter().enumerate() {
            let slope = model.law.with(|law| law.log_mgf_slope(model.synapse(number)));
            let d = g.w[at];
            (g.w[at], g.a[at], g.log_sd[at]) = (slope.w * d, slope.a * d, slope.log_sd * d);
        }
    }
    g
}

/// One step of plain gradient ascent: a at rate `r · eta` within ± `a_limit`, all others at `eta`.
///
/// # Panics
/// As for [`collapsed_log_likelihood`].
pub fn ascend(model: &mut TinyEnsemble, data: &[f64], eta: f64, r: f64, a_limit: f64) {
    let g = collapsed_gradient(model, data);
    model.w.scaled_add(eta, &g.w);
    model.a.scaled_add(eta * r, &g.a);
    model.a.mapv_inplace(|a| a.clamp(-a_limit, a_limit));
    model.log_sd.scaled_add(eta, &g.log_sd);
    model.b.scaled_add(eta, &g.b);
    model.c.scaled_add(eta, &g.c);
}

fn weff(model: &TinyEnsemble) -> Array2<f64> {
    match model.synapses {
        Synapses::Reliable => model.w.clone(),
        Synapses::JointEnergy => {
            let weff = (0..model.w.len()).map(|i| model.law.with(|law| law.log_mgf(model.synapse(i))));
            Array2::from_shape_vec(model.w.raw_dim(), weff.collect()).expect("one weight per synapse")
        }
        Synapses::PriorMixture => panic!("the prior mixture does not collapse into one RBM"),
    }
}

fn hidden_input(model: &TinyEnsemble, weff: &Array2<f64>, v: usize, j: usize) -> f64 {
    (0..weff.nrows()).filter(|&i| on(v, i)).fold(model.c[j], |sum, i| sum + weff[[i, j]])
}

/// log P(v) for every v.
fn log_visible(model: &TinyEnsemble, weff: &Array2<f64>) -> Vec<f64> {
    let (nv, nh) = weff.dim();
    let mut log_p: Vec<f64> = (0..1 << nv)
        .map(|v| {
            let biases = (0..nv).filter(|&i| on(v, i)).fold(0.0, |sum, i| sum + model.b[i]);
            (0..nh).fold(biases, |sum, j| sum + softplus(hidden_input(model, weff, v, j)))
        })
        .collect();
    let log_z = log_sum_exp(&log_p);
    log_p.iter_mut().for_each(|x| *x -= log_z);
    log_p
}

//! Reliable synapses and model A through the collapse: releases and hidden units summed out.

use super::{Gradient, TinyEnsemble, log_sum_exp, on};
use crate::boltzmann::Synapses;
use crate::logistic::{sigmoid, softplus};
use ndarray::{Array1, Array2};

/// Σ data(v) log P(v) of the RBM with `weff = log(1 − p + p e^w)`; reliable synapses: with w.
///
/// # Panics
/// If the ensemble is a prior mixture, which does not collapse, or `data` has not 2^V entries.
pub fn collapsed_log_likelihood(model: &TinyEnsemble, data: &[f64]) -> f64 {
    let log_p = log_visible(model, &weff(model));
    assert_eq!(data.len(), log_p.len(), "one weight per visible state");
    data.iter().zip(log_p).fold(0.0, |sum, (weight, log_p)| sum + weight * log_p)
}

/// The gradient of [`collapsed_log_likelihood`]: `dw = q D`, `da = (q − p) D`.
///
/// # Panics
/// As for [`collapsed_log_likelihood`].
pub fn collapsed_gradient(model: &TinyEnsemble, data: &[f64]) -> Gradient {
    let weff = weff(model);
    let log_p = log_visible(model, &weff);
    assert_eq!(data.len(), log_p.len(), "one weight per visible state");
    let (nv, nh) = model.w.dim();
    let mut d = Array2::zeros((nv, nh));
    let (mut b, mut c) = (Array1::zeros(nv), Array1::zeros(nh));
    for (v, (weight, log_p)) in data.iter().zip(log_p).enumerate() {
        let excess = weight - libm::exp(log_p);
        for j in 0..nh {
            let p_hidden = sigmoid(hidden_input(model, &weff, v, j));
            c[j] += excess * p_hidden;
            (0..nv).filter(|&i| on(v, i)).for_each(|i| d[[i, j]] += excess * p_hidden);
        }
        (0..nv).filter(|&i| on(v, i)).for_each(|i| b[i] += excess);
    }
    match model.synapses {
        Synapses::Reliable => Gradient { a: Array2::zeros(d.raw_dim()), w: d, b, c },
        Synapses::JointEnergy | Synapses::PriorMixture => {
            let q = (&model.a + &model.w).mapv(sigmoid);
            let p = model.a.mapv(sigmoid);
            Gradient { w: &q * &d, a: (&q - &p) * &d, b, c }
        }
    }
}

/// One step of plain gradient ascent: w, b and c at rate `eta`, a at `r · eta` within ± `a_limit`.
///
/// # Panics
/// As for [`collapsed_log_likelihood`].
pub fn ascend(model: &mut TinyEnsemble, data: &[f64], eta: f64, r: f64, a_limit: f64) {
    let g = collapsed_gradient(model, data);
    model.w.scaled_add(eta, &g.w);
    model.a.scaled_add(eta * r, &g.a);
    model.a.mapv_inplace(|a| a.clamp(-a_limit, a_limit));
    model.b.scaled_add(eta, &g.b);
    model.c.scaled_add(eta, &g.c);
}

fn weff(model: &TinyEnsemble) -> Array2<f64> {
    match model.synapses {
        Synapses::Reliable => model.w.clone(),
        Synapses::JointEnergy => {
            let mut weff = (&model.a + &model.w).mapv(softplus);
            weff.zip_mut_with(&model.a, |x, &a| *x -= softplus(a));
            weff
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

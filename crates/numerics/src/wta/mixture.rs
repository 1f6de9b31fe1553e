//! Mixtures of binary pixels: what a circuit's weights mean, and expectation maximisation as its control.

use serde::{Deserialize, Serialize};

use super::Circuit;
use crate::{BinaryRows, Draws, Stream};

/// Probabilities of pixels stay this far from 0 and 1.
const LEAST: f64 = 1e-3;

/// `p(x) = Σ_k π_k Π_i p_ki^x_i (1 − p_ki)^(1 − x_i)`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mixture {
    /// π, (components).
    prior: Vec<f64>,
    /// p, (components, pixels).
    on: Vec<f64>,
    pixels: usize,
}

/// What expectation maximisation found.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// The mixture.
    pub mixture: Mixture,
    /// Its mean log-likelihood, in nats a pattern.
    pub log_likelihood: f64,
    /// Steps it took.
    pub steps: u32,
}

/// A mixture in the form in which it is evaluated: `ln p(x, k) = base_k + Σ_(i on) logit_ik`.
struct Table {
    /// (components).
    base: Vec<f64>,
    /// (pixels, components).
    logit: Vec<f64>,
}

impl Mixture {
    /// A mixture of given priors, (components), and on-probabilities, (components, pixels). Priors are divided by their
    /// sum, probabilities cut to 0.001 … 0.999.
    ///
    /// # Panics
    /// If lengths do not fit, a number is not finite, or the priors are not positive.
    pub fn new(prior: &[f64], on: &[f64]) -> Self {
        assert!(!prior.is_empty() && on.len().is_multiple_of(prior.len()), "one row of pixels per component");
        let total = prior.iter().fold(0.0, |sum, p| sum + p);
        assert!(prior.iter().all(|p| *p > 0.0) && total.is_finite(), "priors are positive");
        assert!(on.iter().all(|p| p.is_finite()), "probabilities are numbers");
        Self {
            prior: prior.iter().map(|p| p / total).collect(),
            on: on.iter().map(|p| p.clamp(LEAST, 1.0 - LEAST)).collect(),
            pixels: on.len() / prior.len(),
        }
    }

    /// What the weights of a circuit over binary pixels (off and on inputs in turn) say: `p_ki = s(w_on − w_off)`; π from
    /// the biases, or, where these are no logarithms of probabilities, from the part of the spikes that each neuron has.
    ///
    /// # Panics
    /// If the circuit has an odd number of inputs.
    pub fn of_circuit(circuit: &Circuit, biases_are_priors: bool) -> Self {
        assert!(circuit.inputs().is_multiple_of(2), "two inputs per pixel");
        let neurons = 0..circuit.neurons();
        let on: Vec<f64> = neurons
            .flat_map(|k| circuit.weights(k).as_chunks::<2>().0)
            .map(|[off, on]| 1.0 / (1.0 + libm::exp(f64::from(*off) - f64::from(*on))))
            .collect();
        let prior: Vec<f64> = if biases_are_priors {
            let greatest = circuit.bias().iter().fold(f32::NEG_INFINITY, |greatest, &b| greatest.max(b));
            circuit.bias().iter().map(|&b| libm::exp(f64::from(b - greatest))).collect()
        } else {
            circuit.spikes().iter().map(|&n| n.max(1) as f64).collect()
        };
        Self::new(&prior, &on)
    }

    /// One component: independent pixels.
    pub fn independent(rows: &BinaryRows, weights: Option<&[f64]>) -> Self {
        Self::new(&[1.0], &means(rows, weights))
    }

    /// K.
    pub fn components(&self) -> usize {
        self.prior.len()
    }

    /// Pixels.
    pub fn pixels(&self) -> usize {
        self.pixels
    }

    /// π, (components).
    pub fn prior(&self) -> &[f64] {
        &self.prior
    }

    /// On-probabilities of a component, (pixels).
    pub fn on(&self, component: usize) -> &[f64] {
        &self.on[component * self.pixels..][..self.pixels]
    }

    /// ln p(x) of every row.
    pub fn log_likelihoods(&self, rows: &BinaryRows) -> Vec<f64> {
        let (table, mut joint) = (self.table(), Vec::new());
        (0..rows.len()).map(|row| table.posterior(rows.row(row), &mut joint)).collect()
    }

    /// Mean of ln p(x); weighted if there are weights, which sum to 1.
    pub fn log_likelihood(&self, rows: &BinaryRows, weights: Option<&[f64]>) -> f64 {
        let all = self.log_likelihoods(rows);
        all.iter().enumerate().fold(0.0, |sum, (row, ln_p)| sum + weight(weights, row, rows.len()) * ln_p)
    }

    /// The component of the greatest posterior for every row, the first of equals.
    pub fn assign(&self, rows: &BinaryRows) -> Vec<u32> {
        let (table, mut joint) = (self.table(), Vec::new());
        let best = |q: &[f64]| (1..q.len()).fold(0, |best, k| if q[k] > q[best] { k } else { best });
        (0..rows.len())
            .map(|row| {
                table.posterior(rows.row(row), &mut joint);
                best(&joint) as u32
            })
            .collect()
    }

    /// One step of expectation maximisation, and the mean log-likelihood before it. `pseudo` is added to the expected
    /// counts of on and off, in units of the whole data.
    pub fn em_step(&self, rows: &BinaryRows, weights: Option<&[f64]>, pseudo: f64) -> (Self, f64) {
        let (table, components) = (self.table(), self.components());
        let (mut counts, mut on) = (vec![0.0; components], vec![0.0; self.pixels * components]);
        let (mut q, mut log_likelihood) = (Vec::new(), 0.0);
        for row in 0..rows.len() {
            let weight = weight(weights, row, rows.len());
            log_likelihood += weight * table.posterior(rows.row(row), &mut q);
            q.iter_mut().for_each(|q| *q *= weight);
            counts.iter_mut().zip(&q).for_each(|(count, q)| *count += q);
            for &pixel in rows.row(row) {
                let line = &mut on[pixel as usize * components..][..components];
                line.iter_mut().zip(&q).for_each(|(on, q)| *on += q);
            }
        }
        let prior: Vec<f64> = counts.iter().map(|count| count.max(1e-9)).collect();
        let mean =
            |k: usize, i: usize| (on[i * components + k] + pseudo) / (counts[k].max(1e-300) + 2.0 * pseudo);
        let on: Vec<f64> = (0..components)
            .flat_map(|k| (0..self.pixels).map(move |i| (k, i)))
            .map(|(k, i)| mean(k, i))
            .collect();
        (Self::new(&prior, &on), log_likelihood)
    }

    /// Expectation maximisation from here, until a step gains less than `tolerance` nats or `most` steps are taken.
    pub fn climb(
        &self,
        rows: &BinaryRows,
        weights: Option<&[f64]>,
        pseudo: f64,
        (most, tolerance): (u32, f64),
    ) -> Fit {
        let (mut mixture, mut before) = (self.clone(), f64::NEG_INFINITY);
        for step in 0..most {
            let (next, log_likelihood) = mixture.em_step(rows, weights, pseudo);
            if log_likelihood - before < tolerance {
                return Fit { mixture, log_likelihood, steps: step };
            }
            (mixture, before) = (next, log_likelihood);
        }
        let log_likelihood = mixture.log_likelihood(rows, weights);
        Fit { mixture, log_likelihood, steps: most }
    }

    /// A start for expectation maximisation: equal priors, `p = mean + 0.1 z` cut to 0.05 … 0.95; `start` has its own
    /// normal draws of stream `MixtureStart`.
    pub fn start(
        components: usize,
        rows: &BinaryRows,
        weights: Option<&[f64]>,
        (draws, start): (Draws, u64),
    ) -> Self {
        let means = means(rows, weights);
        let mut z = vec![0.0; components * means.len()];
        draws.fill_normal(Stream::MixtureStart, start * z.len() as u64, &mut z);
        let on: Vec<f64> = z
            .iter()
            .enumerate()
            .map(|(at, z)| (means[at % means.len()] + 0.1 * z).clamp(0.05, 0.95))
            .collect();
        Self::new(&vec![1.0; components], &on)
    }

    fn table(&self) -> Table {
        let components = self.components();
        let mut logit = vec![0.0; self.pixels * components];
        let base = (0..components)
            .map(|k| {
                let mut base = libm::log(self.prior[k]);
                for (i, &p) in self.on(k).iter().enumerate() {
                    let off = libm::log1p(-p);
                    base += off;
                    logit[i * components + k] = libm::log(p) - off;
                }
                base
            })
            .collect();
        Table { base, logit }
    }
}

impl Table {
    /// ln p(x); leaves the posterior in `q`.
    fn posterior(&self, ones: &[u32], q: &mut Vec<f64>) -> f64 {
        q.clear();
        q.extend_from_slice(&self.base);
        let components = self.base.len();
        for &pixel in ones {
            let line = &self.logit[pixel as usize * components..][..components];
            q.iter_mut().zip(line).for_each(|(q, logit)| *q += logit);
        }
        let greatest = q.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut sum = 0.0;
        for q in q.iter_mut() {
            *q = libm::exp(*q - greatest);
            sum += *q;
        }
        q.iter_mut().for_each(|q| *q /= sum);
        greatest + libm::log(sum)
    }
}

fn weight(weights: Option<&[f64]>, row: usize, rows: usize) -> f64 {
    weights.map_or(1.0 / rows as f64, |weights| weights[row])
}

fn means(rows: &BinaryRows, weights: Option<&[f64]>) -> Vec<f64> {
    let mut means = vec![0.0; rows.columns()];
    for row in 0..rows.len() {
        let weight = weight(weights, row, rows.len());
        rows.row(row).iter().for_each(|&pixel| means[pixel as usize] += weight);
    }
    means
}

#[cfg(test)]
#[path = "mixture_tests.rs"]
mod tests;

//! The bound of several machines at a time, on machines small enough to be enumerated.
//!
//! With m masks drawn from the prior, `L_m = E[ln (1/m) Σ_k P(v | W_k)]` rises from the Jensen bound
//! (m = 1) to the likelihood of the mixture (m → ∞). Its gradients, per example, are
//!
//! ```text
//! ω_k  = P(v | W_k) / Σ_l P(v | W_l),  ln P(v | W) = −F(v; W) − ln Z(W)
//! G_k  = ω_k (v ph_k − ⟨v h⟩_k),  ⟨·⟩_k under the machine W_k
//! dw   = Σ_k ξ_k G_k
//! da   = Σ_k w (ξ_k (1 − p) + (1 − ξ_k) p)/2 · G_k
//! db   = Σ_k ω_k (v − ⟨v⟩_k),  dc alike
//! ```
//! dw, db and dc are exact. The exact da is `p (1 − p) Σ_k E[f(ξ_k = 1) − f(ξ_k = 0)]` for the
//! objective f as a function of one release; the trapezoid rule puts `w (f′(1) + f′(0))/2` for the
//! difference, and weighting the drawn end by one over its probability makes that an expectation. Its
//! error is of third order in w. (`p (1 − p) w G`, which the Jensen objective takes, is right to
//! first order.)
//!
//! Everything of the machines is exact: ln Z, and the model's side of the statistics.
//!
//! # Source
//! Burda, Grosse & Salakhutdinov 2016, "Importance weighted autoencoders", arXiv:1509.00519 (the bound
//! and its weights); Liu et al. 2023, "Bridging discrete and backpropagation: straight-through and
//! beyond", arXiv:2304.08612 (the trapezoid rule).

use super::parameters::{Parameters, slice};
use super::scratch::Scratch;
use super::unit_index::synapse_index;
use crate::logistic::sigmoid;
use crate::{BinaryRows, Draws, Stream, stats};
use kernels::rows::{add_rows, transpose};
use kernels::{math, sample::uniform};

/// n times the gradients of w, a, b and c.
///
/// Draws: ξ_ij of machine k is draw `synapse_index(k, 0, i·H + j)` of stream `Mask`.
pub(super) fn collect(
    parameters: &Parameters,
    batch: &BinaryRows,
    masks: usize,
    scratch: &mut Scratch,
    draws: Draws,
) {
    let n = parameters.w.len();
    let release: Vec<f64> = parameters.a.iter().map(|a| sigmoid(f64::from(*a))).collect();
    let mut words = vec![0; n];
    let drawn: Vec<Vec<bool>> = (0..masks)
        .map(|k| {
            draws.fill_u32(Stream::Mask, synapse_index(k, 0, 0), &mut words);
            words.iter().zip(&release).map(|(word, p)| f64::from(uniform(*word)) < *p).collect()
        })
        .collect();
    batch.transpose_into(&mut scratch.on_in_data);
    let gradient = gradient(parameters, batch, &scratch.on_in_data, &drawn, &release);
    let narrow = |from: Vec<f64>, to: &mut Vec<f32>| {
        to.clear();
        to.extend(from.into_iter().map(|x| x as f32));
    };
    narrow(gradient.w, &mut scratch.g_w);
    narrow(gradient.a, &mut scratch.g_a);
    narrow(gradient.b, &mut scratch.d_visible);
    narrow(gradient.c, &mut scratch.d_hidden);
}

/// n times the gradients.
struct Gradients {
    w: Vec<f64>,
    a: Vec<f64>,
    b: Vec<f64>,
    c: Vec<f64>,
}

/// One machine of the ensemble, at the data and on its own.
struct Machine {
    /// ln P(v | W) of each example.
    log_p: Vec<f64>,
    /// P(h = 1 | v, W), (examples, H).
    ph: Vec<f32>,
    model: Moments,
}

/// ln Z and means of an RBM; `rows` are the units that were enumerated, `columns` the others.
#[derive(Debug)]
struct Moments {
    log_z: f64,
    rows: Vec<f64>,
    columns: Vec<f64>,
    /// ⟨row · column⟩, row by row.
    pairs: Vec<f64>,
}

fn gradient(
    parameters: &Parameters,
    batch: &BinaryRows,
    on_in_data: &BinaryRows,
    drawn: &[Vec<bool>],
    release: &[f64],
) -> Gradients {
    let (n, (v, h)) = (batch.len(), parameters.w.dim());
    let machines: Vec<Machine> = drawn.iter().map(|mask| machine(parameters, batch, mask)).collect();
    let weights = importance(&machines, n);
    let mut g = Gradients { w: vec![0.0; v * h], a: vec![0.0; v * h], b: vec![0.0; v], c: vec![0.0; h] };
    for ((mut machine, mask), weights) in machines.into_iter().zip(drawn).zip(weights) {
        let total = stats::sum(&weights);
        for (ph, weight) in machine.ph.chunks_exact_mut(h).zip(&weights) {
            ph.iter_mut().for_each(|ph| *ph *= *weight as f32);
        }
        let mut at_data = vec![0.0_f32; v * h];
        add_rows(&machine.ph, h, on_in_data.lists(), &mut at_data);
        let enumerated_visible = machine.model.rows.len() == v && v < h;
        for (number, &w) in slice(&parameters.w).iter().enumerate() {
            let (i, j) = (number / h, number % h);
            let place = if enumerated_visible { i * h + j } else { j * v + i };
            let climb = f64::from(at_data[number]) - total * machine.model.pairs[place];
            let p = release[number];
            g.w[number] += if mask[number] { climb } else { 0.0 };
            g.a[number] += 0.5 * f64::from(w) * if mask[number] { 1.0 - p } else { p } * climb;
        }
        let (visible, hidden) = if enumerated_visible {
            (&machine.model.rows, &machine.model.columns)
        } else {
            (&machine.model.columns, &machine.model.rows)
        };
        for (i, b) in g.b.iter_mut().enumerate() {
            let on = on_in_data.row(i).iter().fold(0.0, |sum, &example| sum + weights[example as usize]);
            *b += on - total * visible[i];
        }
        for (j, c) in g.c.iter_mut().enumerate() {
            let on = machine.ph.iter().skip(j).step_by(h).fold(0.0, |sum, ph| sum + f64::from(*ph));
            *c += on - total * hidden[j];
        }
    }
    g
}

/// ω_k of each machine and example.
fn importance(machines: &[Machine], n: usize) -> Vec<Vec<f64>> {
    let mut weights = vec![vec![0.0; n]; machines.len()];
    for example in 0..n {
        let log_p: Vec<f64> = machines.iter().map(|machine| machine.log_p[example]).collect();
        let greatest = log_p.iter().fold(f64::NEG_INFINITY, |m, x| m.max(*x));
        let total = log_p.iter().fold(0.0, |sum, x| sum + libm::exp(x - greatest));
        for (weights, log_p) in weights.iter_mut().zip(log_p) {
            weights[example] = libm::exp(log_p - greatest) / total;
        }
    }
    weights
}

fn machine(parameters: &Parameters, batch: &BinaryRows, mask: &[bool]) -> Machine {
    let (v, h) = parameters.w.dim();
    let w: Vec<f32> =
        slice(&parameters.w).iter().zip(mask).map(|(w, released)| if *released { *w } else { 0.0 }).collect();
    let (b, c) = (slice(&parameters.b), slice(&parameters.c));
    let model = if v < h {
        moments(&w, b, c)
    } else {
        let mut transposed = vec![0.0; v * h];
        transpose(&w, v, h, &mut transposed);
        moments(&transposed, c, b)
    };
    let mut ph = c.repeat(batch.len());
    add_rows(&w, h, batch.lists(), &mut ph);
    let mut softened = ph.clone();
    math::softpluses(&mut softened);
    math::sigmoids(&mut ph);
    let log_p = softened.chunks_exact(h).enumerate().map(|(example, softened)| {
        let biases = batch.row(example).iter().fold(0.0, |sum, &i| sum + f64::from(b[i as usize]));
        biases + stats::sum_f32(softened) - model.log_z
    });
    Machine { log_p: log_p.collect(), ph, model }
}

/// Sums over all states of the row units of an RBM with weights `table`, (rows, columns).
fn moments(table: &[f32], row_bias: &[f32], column_bias: &[f32]) -> Moments {
    let (rows, columns) = (row_bias.len(), column_bias.len());
    let inputs = |state: usize, inputs: &mut Vec<f32>| {
        inputs.clear();
        inputs.extend_from_slice(column_bias);
        for row in (0..rows).filter(|row| state >> row & 1 == 1) {
            inputs.iter_mut().zip(&table[row * columns..]).for_each(|(x, w)| *x += w);
        }
    };
    let mut x = Vec::with_capacity(columns);
    let log_weights: Vec<f64> = (0..1_usize << rows)
        .map(|state| {
            inputs(state, &mut x);
            math::softpluses(&mut x);
            let on = (0..rows).filter(|row| state >> row & 1 == 1);
            on.fold(stats::sum_f32(&x), |sum, row| sum + f64::from(row_bias[row]))
        })
        .collect();
    let greatest = log_weights.iter().fold(f64::NEG_INFINITY, |m, x| m.max(*x));
    let total = log_weights.iter().fold(0.0, |sum, x| sum + libm::exp(x - greatest));
    let mut moments = Moments {
        log_z: greatest + libm::log(total),
        rows: vec![0.0; rows],
        columns: vec![0.0; columns],
        pairs: vec![0.0; rows * columns],
    };
    for (state, log_weight) in log_weights.into_iter().enumerate() {
        let p = libm::exp(log_weight - greatest) / total;
        inputs(state, &mut x);
        math::sigmoids(&mut x);
        moments.columns.iter_mut().zip(&x).for_each(|(sum, x)| *sum += p * f64::from(*x));
        for row in (0..rows).filter(|row| state >> row & 1 == 1) {
            moments.rows[row] += p;
            let pairs = &mut moments.pairs[row * columns..][..columns];
            pairs.iter_mut().zip(&x).for_each(|(sum, x)| *sum += p * f64::from(*x));
        }
    }
    moments
}

#[cfg(test)]
#[path = "multi_sample_tests.rs"]
mod tests;

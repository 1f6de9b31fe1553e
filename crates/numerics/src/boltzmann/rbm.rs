//! An RBM with given weights: what an ensemble is measured on.

use super::parameters::slice;
use super::unit_index;
use crate::{BinaryRows, Draws, Stream};
use kernels::{math, rows};
use ndarray::{Array1, Array2};

/// `−E(v, h) = vᵀWh + bᵀv + cᵀh` with fixed weights.
#[derive(Clone, Debug, PartialEq)]
pub struct Rbm {
    w: Array2<f32>,
    w_transposed: Vec<f32>,
    b: Array1<f32>,
    c: Array1<f32>,
}

impl Rbm {
    /// An RBM with weights (V, H) and biases (V) and (H).
    ///
    /// # Panics
    /// If the shapes do not fit.
    pub fn new(w: Array2<f32>, b: Array1<f32>, c: Array1<f32>) -> Self {
        assert_eq!(w.dim(), (b.len(), c.len()), "one weight per visible and hidden unit");
        let w = w.as_standard_layout().into_owned();
        let mut w_transposed = vec![0.0; w.len()];
        rows::transpose(slice(&w), w.nrows(), w.ncols(), &mut w_transposed);
        Self { w, w_transposed, b, c }
    }

    /// W, (V, H).
    pub fn weights(&self) -> &Array2<f32> {
        &self.w
    }

    /// b, (V).
    pub fn visible_biases(&self) -> &Array1<f32> {
        &self.b
    }

    /// c, (H).
    pub fn hidden_biases(&self) -> &Array1<f32> {
        &self.c
    }

    /// The same RBM with visible and hidden side exchanged.
    pub fn turned_over(&self) -> Self {
        Self::new(self.w.t().as_standard_layout().into_owned(), self.c.clone(), self.b.clone())
    }

    /// `c_j + Σ_i v_i W_ij`, (examples, H).
    ///
    /// # Panics
    /// If `visible` has not V columns.
    pub fn hidden_inputs(&self, visible: &BinaryRows) -> Array2<f32> {
        assert_eq!(visible.columns(), self.b.len(), "one column per visible unit");
        inputs(visible, slice(&self.w), slice(&self.c))
    }

    /// `P(h_j = 1 | v) = s(c_j + Σ_i v_i W_ij)`, (examples, H).
    ///
    /// # Panics
    /// If `visible` has not V columns.
    pub fn hidden_prob(&self, visible: &BinaryRows) -> Array2<f32> {
        squashed(self.hidden_inputs(visible))
    }

    /// `b_i + Σ_j W_ij h_j`, (examples, V).
    ///
    /// # Panics
    /// If `hidden` has not H columns.
    pub fn visible_inputs(&self, hidden: &BinaryRows) -> Array2<f32> {
        assert_eq!(hidden.columns(), self.c.len(), "one column per hidden unit");
        inputs(hidden, &self.w_transposed, slice(&self.b))
    }

    /// `P(v_i = 1 | h) = s(b_i + Σ_j W_ij h_j)`, (examples, V).
    ///
    /// # Panics
    /// If `hidden` has not H columns.
    pub fn visible_prob(&self, hidden: &BinaryRows) -> Array2<f32> {
        squashed(self.visible_inputs(hidden))
    }

    /// Gibbs sampling: for each sweep h ~ P(h | v), then v ~ P(v | h); returns the last v.
    ///
    /// Draws: streams `ObserveSample` for h and `ObserveVisible` for v, at the numbers of the
    /// sweeps. Going on (or another copy) takes other numbers: `0..5` then `5..10` is `0..10`.
    ///
    /// # Panics
    /// If `visible` has not V columns.
    pub fn gibbs(&self, visible: &BinaryRows, sweeps: std::ops::Range<usize>, draws: Draws) -> BinaryRows {
        let mut v = visible.clone();
        for sweep in sweeps {
            let h = sampled(&self.hidden_prob(&v), Stream::ObserveSample, sweep, draws);
            v = sampled(&self.visible_prob(&h), Stream::ObserveVisible, sweep, draws);
        }
        v
    }
}

/// Samples every unit of every example with its own probability.
pub(super) fn sampled(p: &Array2<f32>, stream: Stream, sweep: usize, draws: Draws) -> BinaryRows {
    let mut units = BinaryRows::new(p.ncols());
    let mut words = vec![0; p.ncols()];
    for (example, p) in slice(p).chunks_exact(p.ncols()).enumerate() {
        draws.fill_u32(stream, unit_index(sweep, example, 0), &mut words);
        units.push_sampled(&words, p);
    }
    units
}

fn inputs(active: &BinaryRows, table: &[f32], bias: &[f32]) -> Array2<f32> {
    let mut sums = bias.repeat(active.len());
    rows::add_rows(table, bias.len(), active.lists(), &mut sums);
    Array2::from_shape_vec((active.len(), bias.len()), sums).expect("the bias was repeated once per example")
}

fn squashed(mut inputs: Array2<f32>) -> Array2<f32> {
    math::sigmoids(inputs.as_slice_mut().expect("a new array is in standard layout"));
    inputs
}

//! D and the gradients of the biases, from both ends of the chain.

use super::parameters::Parameters;
use super::scratch::Scratch;
use crate::BinaryRows;
use kernels::rows::{Lists, add_rows, subtract_rows};

/// n·D and n times the gradients of the biases.
pub(super) fn collect(parameters: &Parameters, batch: &BinaryRows, scratch: &mut Scratch) {
    let n = batch.len();
    let (v, h) = parameters.w.dim();
    batch.transpose_into(&mut scratch.on_in_data);
    scratch.visible.transpose_into(&mut scratch.on_in_model);
    let Scratch { d, d_visible, d_hidden, on_in_data, on_in_model, ph_data, ph_model, everyone, .. } =
        scratch;

    d.clear();
    d.resize(v * h, 0.0);
    add_rows(ph_data, h, on_in_data.lists(), d);
    subtract_rows(ph_model, h, on_in_model.lists(), d);

    d_visible.clear();
    // Counts below 2²⁴ are exact in f32.
    d_visible.extend((0..v).map(|i| on_in_data.row(i).len() as f32 - on_in_model.row(i).len() as f32));

    everyone.clear();
    everyone.extend(0..n as u32);
    let starts = [0, n as u32];
    let everyone = Lists::new(&starts, everyone);
    d_hidden.clear();
    d_hidden.resize(h, 0.0);
    add_rows(ph_data, h, everyone, d_hidden);
    subtract_rows(ph_model, h, everyone, d_hidden);
}

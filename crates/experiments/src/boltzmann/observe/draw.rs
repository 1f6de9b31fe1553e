//! Pictures of the synapses.

use ndarray::{ArrayView2, Axis};
use numerics::stats;

use super::View;
use crate::Metrics;

/// Units whose fields are shown.
const SHOWN_UNITS: usize = 100;
const BINS: usize = 40;

/// Counts in equal bins; values beyond the ends count in the outermost.
pub(super) fn histogram<'a>(
    out: &mut Metrics,
    name: &'static str,
    (low, high): (f64, f64),
    values: impl Iterator<Item = &'a f32>,
) {
    let width = (high - low) / BINS as f64;
    let edges: Vec<f64> = (0..=BINS).map(|i| low + width * i as f64).collect();
    let values = values.map(|&value| f64::from(value).clamp(low, high));
    out.histogram(name, &edges, &stats::histogram(values, &edges));
}

/// Columns of a (V, H) array as images of its pixels, one per hidden unit.
pub(super) fn fields(view: &View<'_>, out: &mut Metrics, name: &'static str, array: ArrayView2<'_, f32>) {
    let shown = array.ncols().min(SHOWN_UNITS);
    let pixels = array.slice_axis_move(Axis(0), (..view.trainer.digits.pixels()).into());
    let images = pixels.slice_axis(Axis(1), (..shown).into()).reversed_axes();
    let values: Vec<f32> = images.iter().copied().collect();
    out.tiles(name, view.trainer.digits.rows, view.trainer.digits.cols, &values);
}

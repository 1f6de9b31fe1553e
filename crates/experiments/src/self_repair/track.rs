//! The way of θ through its space: first three principal components of a subset of synapses.

use ndarray::Array2;
use numerics::{
    Draws, Stream,
    areas::{Area, Synapses},
    stats::{self, symmetric_eigen},
};

use super::schedule::GRID_S;

/// Most points of a way.
const POINTS: f64 = 220.0;
/// Synapses that are followed: as many from inputs as from neurons.
const FOLLOWED: usize = 300;
/// All runs follow the same synapses.
const SEED: u64 = 1;

/// A synapse: its area, and its place among those of the area.
pub(super) type Place = (Area, usize);

/// Training steps from one point to the next.
pub(super) fn every(duration_s: f64) -> u64 {
    (duration_s / (GRID_S * POINTS)).ceil().max(1.0) as u64
}

/// The synapses to follow, of all that may be in a network without lesions.
pub(super) fn followed(synapses: &Synapses, inputs: [usize; 2], neurons: usize) -> Vec<Place> {
    let mut kinds = [Vec::new(), Vec::new()];
    for area in Area::ALL {
        let width = inputs[area as usize] + 2 * neurons;
        for (i, _) in synapses.may_be(area).iter().enumerate().filter(|(_, may_be)| **may_be) {
            kinds[usize::from(i % width >= inputs[area as usize])].push((area, i));
        }
    }
    let choose = |(kind, places): (u64, &Vec<Place>)| {
        let order = Draws::at(SEED, kind).permutation(Stream::Watch, places.len() as u32);
        let mut chosen: Vec<usize> = order.into_iter().take(FOLLOWED).map(|i| i as usize).collect();
        chosen.sort_unstable();
        chosen.into_iter().map(|i| places[i]).collect::<Vec<_>>()
    };
    (0..).zip(&kinds).flat_map(choose).collect()
}

/// The way through the space of the first three components.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Way {
    /// (points, 3).
    pub(super) points: Vec<[f64; 3]>,
    /// Part of the variance that each component explains.
    pub(super) explained: [f64; 3],
    /// From phase to phase: distance of the centroids of their last quarters, over the mean spread within such a quarter.
    pub(super) shifts: Vec<f64>,
    /// The same in θ itself: root mean square over the synapses.
    pub(super) shifts_theta: Vec<f64>,
}

/// The way of `thetas`, (points, synapses), with phases that end before the points `ends`.
///
/// None with fewer than eight points a phase or fewer than three synapses.
pub(super) fn way(thetas: &Array2<f64>, ends: &[usize]) -> Option<Way> {
    let (n, synapses) = thetas.dim();
    let starts = std::iter::once(0).chain(ends.iter().copied());
    let quarters: Vec<std::ops::Range<usize>> =
        starts.zip(ends).map(|(start, &end)| end - end.saturating_sub(start) / 4..end).collect();
    if synapses < 3 || n < 4 || ends.last() != Some(&n) || quarters.iter().any(|quarter| quarter.len() < 2) {
        return None;
    }
    let means: Vec<f64> = thetas.columns().into_iter().map(|column| stats::mean(&column.to_vec())).collect();
    let centred = Array2::from_shape_fn((n, synapses), |(i, j)| thetas[[i, j]] - means[j]);
    // The components of the points are eigenvectors of their products, times the root of the eigenvalue.
    let rows: Vec<Vec<f64>> = centred.rows().into_iter().map(|row| row.to_vec()).collect();
    let dot = |a: &[f64], b: &[f64]| stats::sum(&a.iter().zip(b).map(|(a, b)| a * b).collect::<Vec<_>>());
    let products = Array2::from_shape_fn((n, n), |(i, j)| dot(&rows[i.min(j)], &rows[i.max(j)]));
    let (values, vectors) = symmetric_eigen(products.view());
    let total = stats::sum(&values.to_vec());
    let points: Vec<[f64; 3]> =
        (0..n).map(|i| [0, 1, 2].map(|c| vectors[[c, i]] * values[c].max(0.0).sqrt())).collect();
    let centre = |quarter: &std::ops::Range<usize>, c: usize| {
        stats::mean(&points[quarter.clone()].iter().map(|point| point[c]).collect::<Vec<_>>())
    };
    let centres: Vec<[f64; 3]> =
        quarters.iter().map(|quarter| [0, 1, 2].map(|c| centre(quarter, c))).collect();
    let spread = |(quarter, centre): (&std::ops::Range<usize>, &[f64; 3])| {
        let square = |point: &[f64; 3]| {
            (0..3).fold(0.0, |sum, c| sum + (point[c] - centre[c]) * (point[c] - centre[c]))
        };
        stats::mean(&points[quarter.clone()].iter().map(square).collect::<Vec<_>>()).sqrt()
    };
    let spread = stats::mean(&quarters.iter().zip(&centres).map(spread).collect::<Vec<_>>());
    let distance = |pair: &[[f64; 3]]| {
        (0..3).fold(0.0, |sum, c| sum + (pair[1][c] - pair[0][c]) * (pair[1][c] - pair[0][c])).sqrt() / spread
    };
    let mean_theta = |quarter: &std::ops::Range<usize>| -> Vec<f64> {
        let column = |j: usize| stats::mean(&quarter.clone().map(|i| thetas[[i, j]]).collect::<Vec<_>>());
        (0..synapses).map(column).collect()
    };
    let places: Vec<Vec<f64>> = quarters.iter().map(mean_theta).collect();
    let rms = |pair: &[Vec<f64>]| {
        let squares: Vec<f64> = pair[0].iter().zip(&pair[1]).map(|(a, b)| (a - b) * (a - b)).collect();
        stats::mean(&squares).sqrt()
    };
    Some(Way {
        explained: [0, 1, 2].map(|c| values[c] / total),
        shifts: centres.windows(2).map(distance).collect(),
        shifts_theta: places.windows(2).map(rms).collect(),
        points,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_along_two_directions_has_two_components() {
        // Eight points along a, then eight along b, which is orthogonal and half as long.
        let (a, b) = ([3.0, 0.0, 4.0, 0.0, 0.0], [0.0, 1.5, 0.0, 2.0, 0.0]);
        let thetas = Array2::from_shape_fn((16, 5), |(i, j)| {
            a[j] * i.min(7) as f64 + b[j] * i.saturating_sub(7) as f64
        });
        let way = way(&thetas, &[8, 16]).expect("16 points");
        assert!((way.explained[0] + way.explained[1] - 1.0).abs() < 1e-12 && way.explained[1] > 0.01);
        // Distances between points are those in the full space: the centroids of points 6, 7 and 14, 15.
        let expected = (0.25 * 25.0 + 7.5 * 7.5 * 6.25_f64).sqrt();
        // Spreads: half a step of length 5 and of length 2.5.
        assert!((way.shifts[0] - expected / 1.875).abs() < 1e-9, "{} {}", way.shifts[0], expected / 1.875);
        assert!((way.shifts_theta[0] - expected / 5.0_f64.sqrt()).abs() < 1e-9);
    }

    #[test]
    fn too_few_points_are_no_way() {
        assert_eq!(way(&Array2::zeros((6, 5)), &[3, 6]), None);
    }
}

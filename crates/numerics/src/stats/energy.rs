//! How far two samples of points in any dimension are apart.

use super::sum;

/// Energy distance `2 E|X − Y| − E|X − X'| − E|Y − Y'|` of two samples of points: 0 exactly for equal laws.
///
/// Pairs of a point with itself count as 0, so that the estimate is never negative; its mean for equal laws and n points
/// each is `2 E|X − Y| / n`.
///
/// # Shapes
/// `xs`, `ys`: points one after the other, `dimensions` numbers each.
///
/// # Panics
/// If a sample is empty or holds part of a point.
///
/// # Source
/// Székely & Rizzo 2013, J. Stat. Plan. Inference 143:1249.
pub fn energy_distance(xs: &[f64], ys: &[f64], dimensions: usize) -> f64 {
    assert!(!xs.is_empty() && !ys.is_empty(), "a distance needs points");
    assert!(xs.len() % dimensions + ys.len() % dimensions == 0, "points are whole");
    let mean = |a: &[f64], b: &[f64]| {
        let rows: Vec<f64> = a.chunks_exact(dimensions).map(|point| distances(point, b)).collect();
        sum(&rows) / ((a.len() / dimensions) as f64 * (b.len() / dimensions) as f64)
    };
    2.0 * mean(xs, ys) - mean(xs, xs) - mean(ys, ys)
}

/// Σ |point − b| over the points of `b`.
fn distances(point: &[f64], b: &[f64]) -> f64 {
    b.chunks_exact(point.len()).fold(0.0, |total, other| {
        let square = point.iter().zip(other).fold(0.0, |square, (x, y)| square + (x - y) * (x - y));
        total + square.sqrt()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_is_that_worked_by_hand() {
        // E|X − Y| = 5, both samples without spread.
        assert_eq!(energy_distance(&[0.0, 0.0], &[3.0, 4.0], 2), 10.0);
        // X in {0, 1}, Y = 0: 2 · ½ − ½ − 0.
        assert!((energy_distance(&[0.0, 1.0], &[0.0], 1) - 0.5).abs() < 1e-15);
        assert_eq!(energy_distance(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0], 1), 0.0);
    }
}

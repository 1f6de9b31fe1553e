//! From interleaved pairs to one figure.

/// Rates of both sides, in the order they were measured.
#[derive(Debug, Default)]
pub(crate) struct Rates {
    pub(crate) ours: Vec<f64>,
    pub(crate) peer: Vec<f64>,
}

/// What is reported of [`Rates`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Summary {
    /// Median rate of ours.
    pub(crate) ours: f64,
    /// Median rate of the peer.
    pub(crate) peer: f64,
    /// Median of the ratios of the pairs; above 1 ours is faster.
    pub(crate) ratio: f64,
    /// The least of them.
    pub(crate) least: f64,
    /// The greatest of them.
    pub(crate) greatest: f64,
}

impl Rates {
    /// Ratios are taken within a pair, since both halves of it saw the same minute of a shared machine.
    ///
    /// # Panics
    /// Without pairs, or if a side has more measurements than the other.
    pub(crate) fn summary(&self) -> Summary {
        assert_eq!(self.ours.len(), self.peer.len(), "measurements come in pairs");
        let ratios: Vec<f64> = self.ours.iter().zip(&self.peer).map(|(ours, peer)| ours / peer).collect();
        Summary {
            ours: median(&self.ours),
            peer: median(&self.peer),
            ratio: median(&ratios),
            least: ratios.iter().copied().fold(f64::INFINITY, f64::min),
            greatest: ratios.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        }
    }
}

/// The middle value, or the mean of the two in the middle.
///
/// # Panics
/// Without values.
pub(crate) fn median(values: &[f64]) -> f64 {
    assert!(!values.is_empty(), "a median needs values");
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { (sorted[middle - 1] + sorted[middle]) / 2.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_the_middle_value_or_the_mean_of_two() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
    }

    #[test]
    fn the_ratio_is_the_median_of_pairs_and_not_the_ratio_of_medians() {
        // The machine is ten times slower in the second pair: ratios 2, 2, 3; medians 20 and 9.
        let rates = Rates { ours: vec![20.0, 2.0, 27.0], peer: vec![10.0, 1.0, 9.0] };
        let summary = rates.summary();
        assert_eq!((summary.ours, summary.peer), (20.0, 9.0));
        assert_eq!((summary.least, summary.ratio, summary.greatest), (2.0, 2.0, 3.0));
    }

    #[test]
    fn above_one_means_that_ours_is_faster() {
        let rates = Rates { ours: vec![200.0], peer: vec![100.0] };
        assert_eq!(rates.summary().ratio, 2.0);
    }
}

//! Many recordings made comparable, without looking at their labels.

use crate::stats;

/// What is added to every standard deviation, so that a feature that never varies stays small.
const LEAST_SD: f64 = 0.05;

/// Each recording to mean 0 and variance 1; then each feature to mean 0 and deviation 1 over the recordings learned from; then
/// `1/(1 + e^(−slope z))`.
#[derive(Debug, Clone, PartialEq)]
pub struct Standard {
    mean: Vec<f64>,
    sd: Vec<f64>,
    slope: f64,
}

impl Standard {
    /// From the recordings that are learned from, each a list of the same features.
    ///
    /// # Panics
    /// If there is no recording, or they differ in length.
    pub fn of(recordings: &[Vec<f64>], slope: f64) -> Self {
        assert!(!recordings.is_empty(), "features have a mean over recordings");
        let whitened: Vec<Vec<f64>> = recordings.iter().map(|recording| whitened(recording)).collect();
        let column = |i: usize| whitened.iter().map(|recording| recording[i]).collect::<Vec<f64>>();
        let columns: Vec<Vec<f64>> = (0..recordings[0].len()).map(column).collect();
        let mean = columns.iter().map(|column| stats::mean(column)).collect();
        let sd = columns.iter().map(|column| spread(column) + LEAST_SD).collect();
        Self { mean, sd, slope }
    }

    /// The features of a recording, each in 0 … 1.
    ///
    /// # Panics
    /// If it has another number of features.
    pub fn apply(&self, recording: &[f64]) -> Vec<f64> {
        assert_eq!(recording.len(), self.mean.len(), "as many features as learned from");
        let features = whitened(recording).into_iter().zip(self.mean.iter().zip(&self.sd));
        features.map(|(x, (mean, sd))| 1.0 / (1.0 + libm::exp(-self.slope * (x - mean) / sd))).collect()
    }
}

/// Mean 0 and variance 1; zeros if it does not vary.
fn whitened(xs: &[f64]) -> Vec<f64> {
    let (mean, spread) = (stats::mean(xs), spread(xs));
    xs.iter().map(|x| if spread > 0.0 { (x - mean) / spread } else { 0.0 }).collect()
}

/// The standard deviation with divisor n.
fn spread(xs: &[f64]) -> f64 {
    let mean = stats::mean(xs);
    let squares: Vec<f64> = xs.iter().map(|x| (x - mean) * (x - mean)).collect();
    (stats::sum(&squares) / xs.len() as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_those_worked_by_hand() {
        // Both recordings become (−1, 1) and (1, −1) times 1: mean 0, sd 1 (+ 0.05).
        let recordings = [vec![1.0, 3.0], vec![9.0, 5.0]];
        let standard = Standard::of(&recordings, 1.5);
        let high = 1.0 / (1.0 + libm::exp(-1.5 / 1.05));
        for (recording, expected) in recordings.iter().zip([[1.0 - high, high], [high, 1.0 - high]]) {
            for (found, expected) in standard.apply(recording).into_iter().zip(expected) {
                assert!((found - expected).abs() < 1e-12, "{found} {expected}");
            }
        }
    }

    #[test]
    fn a_recording_without_variation_is_in_the_middle_of_those_that_vary_evenly() {
        let standard = Standard::of(&[vec![1.0, 3.0], vec![9.0, 5.0]], 1.5);
        assert_eq!(standard.apply(&[0.4, 0.4]), [0.5, 0.5]);
    }
}

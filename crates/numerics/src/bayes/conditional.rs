//! The law of one variable given all others, as an ideal Gibbs sampler draws it.

use super::Network;

impl Network {
    /// Writes `p(value of variable at | all others)`, normalised; the value of `at` in the state does not matter.
    ///
    /// In a state that cannot happen whatever the value, all values are equally likely.
    ///
    /// # Panics
    /// If `out` has not one place for each value.
    pub fn conditional(&self, at: usize, state: &mut [u8], out: &mut [f64]) {
        assert_eq!(out.len(), self.values(at), "one probability for each value");
        let kept = state[at];
        for (value, p) in out.iter_mut().enumerate() {
            state[at] = value as u8;
            let families = self.children(at).iter().map(|&child| self.probability(child, state));
            *p = families.fold(self.probability(at, state), |product, p| product * p);
        }
        state[at] = kept;
        let total = out.iter().fold(0.0, |sum, p| sum + p);
        let uniform = 1.0 / out.len() as f64;
        out.iter_mut().for_each(|p| *p = if total > 0.0 { *p / total } else { uniform });
    }
}

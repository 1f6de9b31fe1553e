//! Are both sides equally good after equal updates? One figure, computed by the same function from the weights of both.

use numerics::{
    BinaryRows, Draws,
    boltzmann::{Parameters, evaluate::reconstruction},
};

use crate::case::Quality;

/// Relative difference of the errors that chance can make: each side draws its own units, masks and order of images.
/// The greatest difference seen was 3 % (README, "Equal work").
const SAME: f64 = 0.05;
/// How much greater our error may be where the peer trains a model without masks.
const WORSE: f64 = 0.25;

/// Mean squared error of held-out pixels after one pass up and down: of the RBM that the ensemble is, or, for model B,
/// of its mean weights.
pub(crate) fn error(parameters: &Parameters, test: &BinaryRows) -> f64 {
    let rbm = parameters.marginal().unwrap_or_else(|| parameters.mean_weights());
    reconstruction(&rbm, test, Draws::at(1, 0)).mse
}

impl Quality {
    /// Whether the errors of ours and of the peer allow the comparison.
    pub(crate) fn is_met(self, ours: f64, peer: f64) -> bool {
        let excess = ours / peer - 1.0;
        match self {
            Quality::SameModel => excess.abs() <= SAME,
            Quality::OtherModel => excess <= WORSE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_same_model_must_be_equal_up_to_chance() {
        assert!(Quality::SameModel.is_met(0.0300, 0.0310));
        assert!(!Quality::SameModel.is_met(0.0300, 0.0330));
        assert!(!Quality::SameModel.is_met(0.0330, 0.0300));
        assert!(!Quality::SameModel.is_met(f64::NAN, 0.0300));
    }

    #[test]
    fn against_another_model_ours_may_be_better_or_a_little_worse() {
        assert!(Quality::OtherModel.is_met(0.0200, 0.0300));
        assert!(!Quality::OtherModel.is_met(0.0400, 0.0300));
    }
}

//! From the parameter of a synapse to its weight.

/// `w = e^(θ − θ₀)` for θ > 0, else 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weight {
    /// θ₀.
    pub theta_0: f64,
    /// What happens where a synapse is retracted.
    pub at_zero: AtZero,
}

/// What the weight does at θ = 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtZero {
    /// It jumps by e^(−θ₀).
    Jump,
    /// e^(−θ₀) is subtracted, so that it is continuous.
    Continuous,
}

impl Weight {
    /// The weight of a synapse with parameter θ.
    pub fn of(&self, theta: f64) -> f64 {
        if theta <= 0.0 {
            return 0.0;
        }
        match self.at_zero {
            AtZero::Jump => libm::exp(theta - self.theta_0),
            AtZero::Continuous => libm::exp(theta - self.theta_0) - libm::exp(-self.theta_0),
        }
    }

    /// dw/dθ, 0 for a retracted synapse.
    pub fn derivative(&self, theta: f64) -> f64 {
        if theta <= 0.0 { 0.0 } else { libm::exp(theta - self.theta_0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retracted_synapse_has_no_weight_and_no_slope() {
        for at_zero in [AtZero::Jump, AtZero::Continuous] {
            let weight = Weight { theta_0: 3.0, at_zero };
            assert_eq!((weight.of(0.0), weight.of(-2.0), weight.derivative(-2.0)), (0.0, 0.0, 0.0));
        }
    }

    #[test]
    fn the_weight_jumps_at_zero_or_not_and_has_the_same_slope() {
        let [jump, smooth] =
            [AtZero::Jump, AtZero::Continuous].map(|at_zero| Weight { theta_0: 3.0, at_zero });
        assert!((jump.of(1e-12) - libm::exp(-3.0)).abs() < 1e-12 && smooth.of(1e-12).abs() < 1e-12);
        let slope = (smooth.of(1.0 + 1e-6) - smooth.of(1.0 - 1e-6)) / 2e-6;
        assert!(
            (slope - smooth.derivative(1.0)).abs() < 1e-9 && jump.derivative(1.0) == smooth.derivative(1.0)
        );
    }
}

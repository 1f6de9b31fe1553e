//! The likelihood of spines that were imaged on some days, with errors and a threshold below which they are not seen.

use crate::bootstrap::normal_cdf;

/// ln √(2π).
const LN_ROOT_TAU: f64 = 0.918_938_533_204_672_8;

/// One imaged day of one spine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// Day.
    pub day: f64,
    /// ln volume; none if the spine was not seen.
    pub log_volume: Option<f64>,
}

/// A component of ln volume: an Ornstein–Uhlenbeck process of mean 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Component {
    /// Stationary standard deviation.
    pub sigma: f64,
    /// Relaxation time, days.
    pub tau_days: f64,
}

/// `ln v(t) = μ + Σ x_k(t)`, seen with a normal error if the measurement exceeds a threshold.
#[derive(Debug, Clone, PartialEq)]
pub struct ImagingModel {
    /// Mean of ln volume, that of retracted spines included.
    pub mu: f64,
    /// One or two components.
    pub components: Vec<Component>,
    /// Standard deviation of the error of a measured ln volume.
    pub noise: f64,
    /// ln of the least volume that is seen; −∞ if all are.
    pub threshold: f64,
}

/// The law of the components after the looks so far: mean and covariance, row by row.
struct Belief {
    mean: Vec<f64>,
    covariance: Vec<f64>,
}

impl ImagingModel {
    /// ln of the probability of the looks at one spine, in order of their days; a density in those that were seen.
    ///
    /// A Kalman filter; a day without the spine is a measurement below the threshold, after which the law of the
    /// components is taken as the normal one with the right mean and covariance.
    pub fn log_likelihood(&self, looks: &[Look]) -> f64 {
        let n = self.components.len();
        let mut belief = Belief { mean: vec![0.0; n], covariance: vec![0.0; n * n] };
        for (k, component) in self.components.iter().enumerate() {
            belief.covariance[k * n + k] = component.sigma * component.sigma;
        }
        let (mut log, mut day) = (0.0, None);
        for look in looks {
            if let Some(before) = day {
                self.wait(&mut belief, look.day - before);
            }
            day = Some(look.day);
            log += self.see(&mut belief, look.log_volume);
        }
        log
    }

    /// ln of the probability that a spine is seen on one of these days at least.
    pub fn log_seen_once(&self, days: &[f64]) -> f64 {
        let looks: Vec<Look> = days.iter().map(|&day| Look { day, log_volume: None }).collect();
        libm::log(-libm::expm1(self.log_likelihood(&looks)))
    }

    /// Advances the law of the components.
    fn wait(&self, belief: &mut Belief, days: f64) {
        let n = self.components.len();
        let keep: Vec<f64> = self.components.iter().map(|c| libm::exp(-days / c.tau_days)).collect();
        for (k, component) in self.components.iter().enumerate() {
            belief.mean[k] *= keep[k];
            for l in 0..n {
                belief.covariance[k * n + l] *= keep[k] * keep[l];
            }
            belief.covariance[k * n + k] += component.sigma * component.sigma * (1.0 - keep[k] * keep[k]);
        }
    }

    /// Takes in one look; ln of its probability.
    fn see(&self, belief: &mut Belief, log_volume: Option<f64>) -> f64 {
        let n = self.components.len();
        let shared: Vec<f64> =
            belief.covariance.chunks_exact(n).map(|row| row.iter().fold(0.0, |sum, c| sum + c)).collect();
        let variance = shared.iter().fold(self.noise * self.noise, |sum, c| sum + c);
        let sd = variance.sqrt();
        let expected = belief.mean.iter().fold(self.mu, |sum, x| sum + x);
        // Mean and variance of the measurement, given what is known of it now.
        let (mean, left, log) = match log_volume {
            Some(seen) => {
                let z = (seen - expected) / sd;
                (seen, 0.0, -0.5 * z * z - libm::log(sd) - LN_ROOT_TAU)
            }
            None => {
                let z = (self.threshold - expected) / sd;
                let (log, hazard) = below(z);
                let left = (1.0 - hazard * (z + hazard)).max(0.0);
                (expected - sd * hazard, variance * left, log)
            }
        };
        for k in 0..n {
            belief.mean[k] += shared[k] / variance * (mean - expected);
            for l in 0..n {
                belief.covariance[k * n + l] -= shared[k] * shared[l] / variance * (1.0 - left / variance);
            }
        }
        log
    }
}

/// ln Φ(z) and φ(z)/Φ(z).
fn below(z: f64) -> (f64, f64) {
    if z < -30.0 {
        // Mills' ratio to second order: the next term is below 1e-5.
        let correction = 1.0 - 1.0 / (z * z);
        let log = -0.5 * z * z - libm::log(-z) - LN_ROOT_TAU + libm::log(correction);
        return (log, -z / correction);
    }
    let share = normal_cdf(z);
    (libm::log(share), libm::exp(-0.5 * z * z - LN_ROOT_TAU) / share)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model() -> ImagingModel {
        let slow = Component { sigma: 0.8, tau_days: 20.0 };
        ImagingModel { mu: 0.3, components: vec![slow], noise: 0.2, threshold: -0.5 }
    }

    #[test]
    fn two_days_that_were_seen_have_their_bivariate_normal_density() {
        let looks = [Look { day: 0.0, log_volume: Some(0.9) }, Look { day: 5.0, log_volume: Some(0.1) }];
        let (variance, shared) = (0.64 + 0.04, 0.64 * libm::exp(-0.25));
        let determinant = variance * variance - shared * shared;
        let (x, y) = (0.6, -0.2);
        let square = (variance * (x * x + y * y) - 2.0 * shared * x * y) / determinant;
        let expected = -0.5 * square - 0.5 * libm::log(determinant) - 2.0 * LN_ROOT_TAU;
        assert!((model().log_likelihood(&looks) - expected).abs() < 1e-12);
    }

    #[test]
    fn two_components_add_up() {
        let half = Component { sigma: 0.8 / 2.0_f64.sqrt(), tau_days: 20.0 };
        let split = ImagingModel { components: vec![half; 2], ..model() };
        let looks = [
            Look { day: 0.0, log_volume: Some(0.9) },
            Look { day: 5.0, log_volume: None },
            Look { day: 9.0, log_volume: Some(0.2) },
        ];
        assert!((split.log_likelihood(&looks) - model().log_likelihood(&looks)).abs() < 1e-12);
    }

    #[test]
    fn a_spine_is_unseen_as_often_as_its_law_says() {
        let unseen = [Look { day: 0.0, log_volume: None }];
        let share = normal_cdf(-0.8 / 0.68_f64.sqrt());
        assert!((model().log_likelihood(&unseen) - libm::log(share)).abs() < 1e-12);
        assert!((model().log_seen_once(&[0.0]) - libm::log(1.0 - share)).abs() < 1e-12);
        // A long time later it is as at first, whatever was seen.
        let late = [unseen[0], Look { day: 1e4, log_volume: None }];
        assert!((model().log_likelihood(&late) - 2.0 * libm::log(share)).abs() < 1e-9);
    }

    #[test]
    fn far_tails_join_smoothly() {
        let (near, far) = (below(-30.0 + 1e-9), below(-30.0 - 1e-9));
        assert!((near.0 - far.0).abs() < 1e-4 && (near.1 / far.1 - 1.0).abs() < 1e-5);
    }
}

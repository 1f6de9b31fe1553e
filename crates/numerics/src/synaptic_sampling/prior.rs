//! What is known of θ before anything is learned.

/// A law p_S(θ) of one parameter.
pub trait Prior {
    /// log p_S(θ), normalised.
    fn log_density(&self, theta: f64) -> f64;

    /// ∂log p_S(θ)/∂θ, the pull of the prior.
    fn drift(&self, theta: f64) -> f64;
}

/// ln √(2π).
const LN_ROOT_TAU: f64 = 0.918_938_533_204_672_8;

/// Normal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gaussian {
    /// Mean.
    pub mu: f64,
    /// Standard deviation.
    pub sigma: f64,
}

/// Double exponential: a pull of constant strength to μ, which favours few synapses away from it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Laplace {
    /// Mean.
    pub mu: f64,
    /// Mean distance from it; the standard deviation is √2 times that.
    pub scale: f64,
}

/// θ + shift is log-normal: a heavy tail of strong synapses, none below −shift.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogNormal {
    /// Distance of the lower end below 0.
    pub shift: f64,
    /// Mean of ln(θ + shift).
    pub mu: f64,
    /// Standard deviation of ln(θ + shift).
    pub sigma: f64,
}

/// A share of retracted synapses (the spike) and one of functional ones (the slab), both normal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpikeAndSlab {
    /// Share of the spike.
    pub share: f64,
    /// Retracted synapses.
    pub spike: Gaussian,
    /// Functional synapses.
    pub slab: Gaussian,
}

impl Prior for Gaussian {
    fn log_density(&self, theta: f64) -> f64 {
        let z = (theta - self.mu) / self.sigma;
        -0.5 * z * z - libm::log(self.sigma) - LN_ROOT_TAU
    }

    fn drift(&self, theta: f64) -> f64 {
        (self.mu - theta) / (self.sigma * self.sigma)
    }
}

impl Prior for Laplace {
    fn log_density(&self, theta: f64) -> f64 {
        -(theta - self.mu).abs() / self.scale - libm::log(2.0 * self.scale)
    }

    /// 0 at μ itself.
    fn drift(&self, theta: f64) -> f64 {
        match theta.partial_cmp(&self.mu) {
            Some(std::cmp::Ordering::Less) => 1.0 / self.scale,
            Some(std::cmp::Ordering::Greater) => -1.0 / self.scale,
            _ => 0.0,
        }
    }
}

impl Prior for LogNormal {
    /// −∞ at and below −shift.
    fn log_density(&self, theta: f64) -> f64 {
        let x = theta + self.shift;
        if x <= 0.0 {
            return f64::NEG_INFINITY;
        }
        let z = (libm::log(x) - self.mu) / self.sigma;
        -0.5 * z * z - libm::log(self.sigma * x) - LN_ROOT_TAU
    }

    /// 0 below −shift, where the law has no density: a step that jumps over the end must be reflected.
    fn drift(&self, theta: f64) -> f64 {
        let x = theta + self.shift;
        if x <= 0.0 {
            return 0.0;
        }
        -(1.0 + (libm::log(x) - self.mu) / (self.sigma * self.sigma)) / x
    }
}

impl Prior for SpikeAndSlab {
    fn log_density(&self, theta: f64) -> f64 {
        let [spike, slab] = self.logs(theta);
        let greatest = spike.max(slab);
        greatest + libm::log(libm::exp(spike - greatest) + libm::exp(slab - greatest))
    }

    fn drift(&self, theta: f64) -> f64 {
        let [spike, slab] = self.logs(theta);
        let share = crate::logistic::sigmoid(spike - slab);
        share * self.spike.drift(theta) + (1.0 - share) * self.slab.drift(theta)
    }
}

impl SpikeAndSlab {
    fn logs(&self, theta: f64) -> [f64; 2] {
        let spike = libm::log(self.share) + self.spike.log_density(theta);
        [spike, libm::log1p(-self.share) + self.slab.log_density(theta)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> [(&'static str, Box<dyn Prior>); 4] {
        let spike = Gaussian { mu: -1.0, sigma: 0.4 };
        [
            ("gaussian", Box::new(Gaussian { mu: 0.5, sigma: 1.3 })),
            ("laplace", Box::new(Laplace { mu: 0.5, scale: 0.8 })),
            ("log-normal", Box::new(LogNormal { shift: 1.5, mu: 0.4, sigma: 0.5 })),
            (
                "spike-and-slab",
                Box::new(SpikeAndSlab { share: 0.6, spike, slab: Gaussian { mu: 1.5, sigma: 0.7 } }),
            ),
        ]
    }

    #[test]
    fn every_prior_is_normalised_and_its_drift_is_the_slope_of_its_log() {
        for (name, prior) in all() {
            let (cells, width) = (400_000, 1e-4);
            let mass = (0..cells).fold(0.0, |mass, i| {
                mass + width * libm::exp(prior.log_density(-15.0 + (f64::from(i) + 0.5) * width))
            });
            assert!((mass - 1.0).abs() < 1e-5, "{name}: {mass}");
            for theta in [-1.4, -0.7, 0.2, 1.1, 4.0] {
                let slope = (prior.log_density(theta + 1e-6) - prior.log_density(theta - 1e-6)) / 2e-6;
                assert!(
                    (slope - prior.drift(theta)).abs() < 1e-6 * slope.abs().max(1.0),
                    "{name} at {theta}"
                );
            }
        }
    }

    #[test]
    fn there_is_no_log_normal_synapse_below_its_end() {
        let prior = LogNormal { shift: 1.0, mu: 0.0, sigma: 1.0 };
        assert_eq!((prior.log_density(-1.0), prior.drift(-1.5)), (f64::NEG_INFINITY, 0.0));
    }
}

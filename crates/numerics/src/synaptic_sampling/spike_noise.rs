//! What single spikes add to the temperature of a synapse.
//!
//! A synapse whose neuron fires at rate r moves by `b N w' δ` at each spike, `δ = x − min(cap, α e^w)`, `w' = e^(θ − θ₀)`. The mean of
//! these kicks is the likelihood's drift; their spread is noise beside that of the rule, as at a temperature
//!
//! `T_add(θ) = b N² w'²/2 · (r E δ² + r² ∫ cov x(0) x(s) ds)`.
//!
//! The first term is that of kicks that are independent; the second is there because two spikes of the neuron within
//! the time course of the input see the same input spikes. For an input that fires at rate λ, independent of the neuron,
//! `E x = λ A`, `var x = λ Q` and the integral is λ A², A and Q being the areas under the time course and its square.

use super::{AtZero, Epsp, Weight};
use crate::sde::{GridLaw, OrnsteinUhlenbeck};

/// A synapse between an input and a neuron that fire independently of each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpikeNoise {
    /// Prior, b and T.
    pub prior: OrnsteinUhlenbeck,
    /// N.
    pub data_points: f64,
    /// Rate of the input, Hz.
    pub input_hz: f64,
    /// Rate of the neuron, Hz.
    pub output_hz: f64,
    /// Time course of the input.
    pub epsp: Epsp,
    /// α.
    pub alpha: f64,
    /// Greatest depression.
    pub cap: f64,
    /// θ₀.
    pub theta_0: f64,
}

/// Ends and cells of the grid of laws: θ is far within.
const ENDS: (f64, f64) = (-7.0, 6.0);
const CELLS: usize = 52_000;

impl SpikeNoise {
    /// dw/dθ = e^(θ − θ₀), 0 for a retracted synapse.
    pub fn slope(&self, theta: f64) -> f64 {
        self.map().derivative(theta)
    }

    /// `min(cap, α e^w)`.
    pub fn depression(&self, theta: f64) -> f64 {
        (self.alpha * libm::exp(self.weight(theta))).min(self.cap)
    }

    /// w, continuous at θ = 0.
    pub fn weight(&self, theta: f64) -> f64 {
        self.map().of(theta)
    }

    fn map(&self) -> Weight {
        Weight { theta_0: self.theta_0, at_zero: AtZero::Continuous }
    }

    /// Mean of the input's trace.
    pub fn mean_trace(&self) -> f64 {
        self.input_hz * self.areas().0
    }

    /// Areas under the time course and its square, s.
    fn areas(&self) -> (f64, f64) {
        let (rise, fall) = (self.epsp.tau_rise_ms * 1e-3, self.epsp.tau_fall_ms * 1e-3);
        (fall - rise, 0.5 * (fall + rise) - 2.0 * fall * rise / (fall + rise))
    }

    /// Mean drift over b: pull of the prior and mean of the kicks.
    pub fn drift(&self, theta: f64) -> f64 {
        let prior = (self.prior.mu - theta) / (self.prior.sigma * self.prior.sigma);
        let likelihood = self.mean_trace() - self.depression(theta);
        prior + self.data_points * self.output_hz * self.slope(theta) * likelihood
    }

    /// T_add of kicks as if they were independent.
    pub fn added_apart(&self, theta: f64) -> f64 {
        let mean = self.mean_trace() - self.depression(theta);
        let square = self.input_hz * self.areas().1 + mean * mean;
        self.scale(theta) * self.output_hz * square
    }

    /// T_add.
    pub fn added(&self, theta: f64) -> f64 {
        let area = self.areas().0;
        let shared = self.output_hz * self.output_hz * self.input_hz * area * area;
        self.added_apart(theta) + self.scale(theta) * shared
    }

    /// b N² w'²/2.
    pub fn scale(&self, theta: f64) -> f64 {
        let step = self.data_points * self.slope(theta);
        0.5 * self.prior.b * step * step
    }

    /// The law that the rule is to sample: p*^(1/T).
    pub fn posterior(&self) -> GridLaw {
        self.law(|_| self.prior.temperature)
    }

    /// The law that it samples with the noise of spikes on top of its own: drift and temperature `T + T_add(θ)` depend on θ, and noise
    /// is drawn before θ moves (Itô).
    pub fn plain_law(&self) -> GridLaw {
        self.law(|theta| self.prior.temperature + self.added(theta))
    }

    /// Density `∝ 1/T(θ) exp ∫ drift/T`.
    fn law(&self, temperature: impl Fn(f64) -> f64) -> GridLaw {
        let width = (ENDS.1 - ENDS.0) / CELLS as f64;
        let middle = |i: usize| ENDS.0 + (i as f64 + 0.5) * width;
        let mut slope_before = 0.0;
        let mut exponent = 0.0;
        let logs: Vec<f64> = (0..CELLS)
            .map(|i| {
                let t = temperature(middle(i));
                let slope = self.drift(middle(i)) / t;
                if i > 0 {
                    exponent += 0.5 * (slope + slope_before) * width;
                }
                slope_before = slope;
                exponent - libm::log(t)
            })
            .collect();
        let log_density = |theta: f64| logs[(((theta - ENDS.0) / width) as usize).min(CELLS - 1)];
        GridLaw::new(log_density, ENDS.0, ENDS.1, CELLS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn synapse() -> SpikeNoise {
        SpikeNoise {
            prior: OrnsteinUhlenbeck { b: 1e-4, mu: 0.5, sigma: 1.0, temperature: 1.0 },
            data_points: 25.0,
            input_hz: 50.0,
            output_hz: 10.0,
            epsp: Epsp { tau_rise_ms: 2.0, tau_fall_ms: 20.0 },
            alpha: libm::exp(-2.0),
            cap: 5.0,
            theta_0: 3.0,
        }
    }

    #[test]
    fn areas_are_those_under_the_time_course() {
        let (area, square) = synapse().areas();
        let (cells, width) = (400_000, 1e-6);
        let values = |i: u32| synapse().epsp.at((f64::from(i) + 0.5) * width * 1e3);
        let sums = (0..cells)
            .fold((0.0, 0.0), |sums, i| (sums.0 + width * values(i), sums.1 + width * values(i) * values(i)));
        assert!((area - sums.0).abs() < 1e-8 && (square - sums.1).abs() < 1e-8, "{sums:?}");
    }

    #[test]
    fn the_posterior_has_the_log_density_whose_slope_is_the_drift() {
        // log p* = −(θ − μ)²/2σ² + N r (E x · w − α e^w); the density of the law by differences of its distribution function.
        let synapse = synapse();
        let log = |theta: f64| {
            let w = synapse.weight(theta);
            -0.5 * (theta - 0.5) * (theta - 0.5)
                + 250.0 * (synapse.mean_trace() * w - synapse.alpha * libm::exp(w))
        };
        let law = synapse.posterior();
        let density = |theta: f64| (law.cdf(theta + 1e-3) - law.cdf(theta - 1e-3)) / 2e-3;
        for theta in [3.5, 3.55, 3.6, 3.65, 3.7] {
            let by_law = libm::log(density(theta) / density(3.6));
            assert!((by_law - (log(theta) - log(3.6))).abs() < 2e-3, "{theta}: {by_law}");
        }
    }

    #[test]
    fn the_mean_drift_vanishes_at_the_peak_and_the_spread_of_the_plain_law_is_wider() {
        let synapse = synapse();
        let sd = |law: &GridLaw| {
            let mean = law.mean(|x| x);
            law.mean(|x| (x - mean) * (x - mean)).sqrt()
        };
        let (posterior, plain) = (synapse.posterior(), synapse.plain_law());
        let peak = posterior.mean(|x| x);
        assert!(synapse.drift(peak).abs() < 20.0, "of hundreds one standard deviation away");
        // Nearly normal, so that the variance goes as the temperature.
        let ratio = sd(&plain) / sd(&posterior);
        assert!((ratio * ratio / (1.0 + synapse.added(peak)) - 1.0).abs() < 0.02, "{ratio}");
    }

    #[test]
    fn a_retracted_synapse_has_no_kicks() {
        assert_eq!((synapse().added(-0.5), synapse().added_apart(0.0)), (0.0, 0.0));
        assert_eq!(synapse().drift(-0.5), 1.0);
    }
}

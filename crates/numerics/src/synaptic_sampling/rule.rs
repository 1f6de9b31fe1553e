//! What a spike of the postsynaptic neuron does to its synapses.

/// Time course of an input: `x(t) = e^(−t/τ_fall) − e^(−t/τ_rise)` after a presynaptic spike, not normalised.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Epsp {
    /// Time constant of the rise, ms.
    pub tau_rise_ms: f64,
    /// Time constant of the fall, ms, longer than that of the rise.
    pub tau_fall_ms: f64,
}

impl Epsp {
    /// The trace `lag_ms` after a spike; 0 before it.
    pub fn at(&self, lag_ms: f64) -> f64 {
        if lag_ms <= 0.0 {
            return 0.0;
        }
        libm::exp(-lag_ms / self.tau_fall_ms) - libm::exp(-lag_ms / self.tau_rise_ms)
    }

    /// When it is greatest, in ms.
    pub fn peak_ms(&self) -> f64 {
        let (rise, fall) = (self.tau_rise_ms, self.tau_fall_ms);
        rise * fall / (fall - rise) * libm::log(fall / rise)
    }
}

/// The likelihood term: at each spike of neuron k, `Δθ_ki = b N e^(θ_ki − θ₀) (x_i − min(cap, α e^(w_ki)))` for
/// functional synapses.
///
/// # Source
/// Kappel et al. 2015, equation 13 (recalled); the cap is that of the authors' published code.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairRule {
    /// b times the number N of assumed data points.
    pub step: f64,
    /// α.
    pub alpha: f64,
    /// Greatest depression.
    pub cap: f64,
    /// θ₀.
    pub theta_0: f64,
}

impl PairRule {
    /// Change of θ at a postsynaptic spike that finds the trace x; 0 for a retracted synapse.
    pub fn kick(&self, theta: f64, x: f64) -> f64 {
        if theta <= 0.0 {
            return 0.0;
        }
        let w = libm::exp(theta - self.theta_0);
        self.step * w * (x - (self.alpha * libm::exp(w)).min(self.cap))
    }

    /// The weight at which a synapse stays on average if spikes find the mean trace `mean_x`: `ln(mean_x/α)`; below 0
    /// for inputs too weak to hold a synapse.
    pub fn equilibrium(&self, mean_x: f64) -> f64 {
        libm::log(mean_x / self.alpha)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EPSP: Epsp = Epsp { tau_rise_ms: 2.0, tau_fall_ms: 20.0 };

    fn rule() -> PairRule {
        PairRule { step: 0.01, alpha: libm::exp(-2.0), cap: 5.0, theta_0: 3.0 }
    }

    #[test]
    fn the_trace_peaks_where_its_slope_vanishes() {
        // 20/9 · ln 10 = 5.117 ms, height 0.697.
        assert!((EPSP.peak_ms() - 5.117).abs() < 1e-3 && (EPSP.at(EPSP.peak_ms()) - 0.697).abs() < 5e-4);
        assert_eq!((EPSP.at(0.0), EPSP.at(-5.0)), (0.0, 0.0));
    }

    #[test]
    fn kicks_are_those_of_the_equation() {
        // w = 1: potentiation 3.29e-3 at +5 ms and depression −3.68e-3 without an input.
        assert!((rule().kick(3.0, EPSP.at(5.0)) - 3.29e-3).abs() < 5e-6);
        assert!((rule().kick(3.0, 0.0) + 3.68e-3).abs() < 5e-6);
        assert_eq!((rule().kick(0.0, 1.0), rule().kick(-1.0, 1.0)), (0.0, 0.0));
        assert!((rule().kick(7.0, 0.0) + 0.01 * libm::exp(4.0) * 5.0).abs() < 1e-12, "depression is capped");
    }

    #[test]
    fn at_equilibrium_the_kicks_vanish_on_average() {
        let w = rule().equilibrium(0.24);
        assert!(rule().kick(libm::log(w) + 3.0, 0.24).abs() < 1e-12);
        assert!(rule().equilibrium(0.1) < 0.0);
    }
}

//! Postsynaptic potentials: what is left of a presynaptic spike after a time.

use serde::{Deserialize, Serialize};

/// Shape of a postsynaptic potential; times in ms, greatest value 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Epsp {
    /// 1 for `width_ms` after a spike, and no more than 1 after several: y says whether the input fired lately.
    Rectangular {
        /// σ.
        width_ms: f64,
    },
    /// `(e^(−s/fall) − e^(−s/rise)) / peak`, of all spikes together; a rise of 0 is a jump to 1.
    DoubleExponential {
        /// τ_r, below τ_f.
        rise_ms: f64,
        /// τ_f.
        fall_ms: f64,
    },
}

impl Epsp {
    /// The potential that a spike leaves after `age_ms`; 0 before it.
    pub fn after(self, age_ms: f64) -> f64 {
        if age_ms < 0.0 {
            return 0.0;
        }
        match self {
            Self::Rectangular { width_ms } => f64::from(age_ms < width_ms),
            Self::DoubleExponential { rise_ms, fall_ms } => {
                self.scale() * (libm::exp(-age_ms / fall_ms) - decay(age_ms, rise_ms))
            }
        }
    }

    /// What makes the greatest value 1: `1/(e^(−s/fall) − e^(−s/rise))` at its peak `s = ln(fall/rise) rise fall /
    /// (fall − rise)`; 1.4351 for 2 and 20 ms.
    pub fn scale(self) -> f64 {
        let Self::DoubleExponential { rise_ms, fall_ms } = self else { return 1.0 };
        if rise_ms == 0.0 {
            return 1.0;
        }
        let peak = libm::log(fall_ms / rise_ms) * rise_ms * fall_ms / (fall_ms - rise_ms);
        1.0 / (libm::exp(-peak / fall_ms) - libm::exp(-peak / rise_ms))
    }
}

/// e^(−t/τ), 0 for τ = 0 whatever t.
pub(crate) fn decay(t: f64, tau: f64) -> f64 {
    if tau == 0.0 { 0.0 } else { libm::exp(-t / tau) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_double_exponential_peaks_at_one() {
        let epsp = Epsp::DoubleExponential { rise_ms: 2.0, fall_ms: 20.0 };
        assert!((epsp.scale() - 1.4351).abs() < 1e-4);
        let values: Vec<f64> = (0..6000).map(|i| epsp.after(f64::from(i) * 0.01)).collect();
        let greatest = values.iter().copied().fold(0.0, f64::max);
        // The peak is at 5.117 ms, 3e-3 ms from the grid: flat to 1e-7.
        assert!((greatest - 1.0).abs() < 1e-6);
        assert_eq!((values[0], epsp.after(-1.0)), (0.0, 0.0));
    }

    #[test]
    fn without_a_rise_it_begins_at_one() {
        let epsp = Epsp::DoubleExponential { rise_ms: 0.0, fall_ms: 10.0 };
        assert_eq!(epsp.after(0.0), 1.0);
        assert!((epsp.after(10.0) - libm::exp(-1.0)).abs() < 1e-15);
    }

    #[test]
    fn a_rectangle_is_over_after_its_width() {
        let epsp = Epsp::Rectangular { width_ms: 10.0 };
        assert_eq!([-0.1, 0.0, 9.9, 10.0].map(|age| epsp.after(age)), [0.0, 1.0, 1.0, 0.0]);
    }
}

//! How a temperature falls.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the temperature falls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// T stays at its start.
    Constant,
    /// T falls by the same factor at every step.
    Geometric,
    /// T falls as 1/ln(e + n/n₀), which is the schedule that carries a guarantee; n₀ follows from both ends.
    Logarithmic,
}

impl Schedule {
    /// T after a `part` of the way from `start` to `end`; 0 if it starts there.
    pub(crate) fn at(self, start: f64, end: f64, part: f64) -> f64 {
        if start == 0.0 {
            return 0.0;
        }
        let ratio = start / end;
        match self {
            Self::Constant => start,
            Self::Geometric => start * libm::exp(-part * libm::log(ratio)),
            Self::Logarithmic => {
                // ln(e + c) = ratio at the last step.
                let reach = libm::exp(ratio.min(700.0)) - std::f64::consts::E;
                start / libm::log(std::f64::consts::E + part * reach)
            }
        }
    }
}

//! What a value is held against.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What must hold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// At least this.
    AtLeast(f64),
    /// At most this.
    AtMost(f64),
    /// `[centre, half width]`: no further than that from the centre.
    Within(f64, f64),
}

impl Bound {
    /// How far a value is on the right side; negative on the wrong side, NaN for NaN.
    pub fn slack(self, value: f64) -> f64 {
        match self {
            Self::AtLeast(bound) => value - bound,
            Self::AtMost(bound) => bound - value,
            Self::Within(centre, half_width) => half_width - (value - centre).abs(),
        }
    }

    /// Whether a value meets it; NaN never does.
    pub fn holds(self, value: f64) -> bool {
        match self {
            Self::AtLeast(bound) => value >= bound,
            Self::AtMost(bound) => value <= bound,
            Self::Within(centre, half_width) => (value - centre).abs() <= half_width,
        }
    }

    /// Whether everything that meets this meets `other` too.
    pub fn is_as_strict_as(self, other: Self) -> bool {
        match (self, other) {
            (Self::AtLeast(x), Self::AtLeast(least)) => x >= least,
            (Self::AtMost(x), Self::AtMost(most)) => x <= most,
            (Self::Within(centre, half), Self::AtLeast(least)) => centre - half >= least,
            (Self::Within(centre, half), Self::AtMost(most)) => centre + half <= most,
            (Self::Within(a, half), Self::Within(b, most)) => (a - b).abs() + half <= most * (1.0 + 1e-12),
            _ => false,
        }
    }

    /// The value that is furthest on the wrong side, or least far on the right one; NaN if there is one.
    pub fn worst(self, values: impl IntoIterator<Item = f64>) -> f64 {
        let worse = |a: f64, b: f64| if a.is_nan() || self.slack(a) <= self.slack(b) { a } else { b };
        values.into_iter().reduce(worse).unwrap_or(f64::NAN)
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(least) => write!(f, "≥ {}", short(*least)),
            Self::AtMost(most) => write!(f, "≤ {}", short(*most)),
            Self::Within(centre, half_width) => write!(f, "{} ± {}", short(*centre), short(*half_width)),
        }
    }
}

/// All digits of a number, small ones with an exponent.
fn short(x: f64) -> String {
    if x != 0.0 && x.abs() < 1e-3 { format!("{x:e}") } else { x.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bound_is_met_at_its_edge_and_not_beyond() {
        for (bound, good, bad) in [
            (Bound::AtLeast(1.0), 1.0, 0.999),
            (Bound::AtMost(1.0), 1.0, 1.001),
            (Bound::Within(1.0, 0.5), 0.5, 0.499),
            (Bound::Within(1.0, 0.5), 1.5, 1.501),
        ] {
            assert!(bound.holds(good) && bound.slack(good) >= 0.0, "{bound} {good}");
            assert!(!bound.holds(bad) && bound.slack(bad) < 0.0, "{bound} {bad}");
            assert!(!bound.holds(f64::NAN), "{bound}");
        }
    }

    #[test]
    fn the_worst_value_is_that_with_the_least_slack_and_a_missing_one_is_worse() {
        assert_eq!(Bound::AtLeast(0.0).worst([2.0, -1.0, 1.0]), -1.0);
        assert_eq!(Bound::AtMost(0.0).worst([2.0, -1.0, 1.0]), 2.0);
        assert_eq!(Bound::Within(1.0, 0.1).worst([1.2, 0.5, 1.0]), 0.5);
        assert!(Bound::AtMost(0.0).worst([2.0, f64::NAN, 1.0]).is_nan());
        assert!(Bound::AtMost(0.0).worst([f64::NAN, 1.0]).is_nan());
        assert!(Bound::AtMost(0.0).worst([]).is_nan());
    }

    #[test]
    fn bounds_are_read_with_all_their_digits() {
        let all = [Bound::AtLeast(-62.0), Bound::AtMost(1e-9), Bound::Within(0.5, 0.05)];
        assert_eq!(all.map(|bound| bound.to_string()), ["≥ -62", "≤ 1e-9", "0.5 ± 0.05"]);
    }

    #[test]
    fn strictness_is_an_order() {
        use Bound::{AtLeast, AtMost, Within};
        assert!(AtLeast(0.8).is_as_strict_as(AtLeast(0.8)) && !AtLeast(0.7).is_as_strict_as(AtLeast(0.8)));
        assert!(AtMost(0.02).is_as_strict_as(AtMost(0.03)) && !AtMost(0.04).is_as_strict_as(AtMost(0.03)));
        assert!(Within(0.5, 0.05).is_as_strict_as(Within(0.5, 0.05)));
        assert!(Within(0.52, 0.03).is_as_strict_as(Within(0.5, 0.05)));
        assert!(!Within(0.52, 0.04).is_as_strict_as(Within(0.5, 0.05)));
        assert!(Within(0.0, 1.0).is_as_strict_as(AtLeast(-1.0)));
        assert!(!AtLeast(1.0).is_as_strict_as(AtMost(1.0)));
    }
}

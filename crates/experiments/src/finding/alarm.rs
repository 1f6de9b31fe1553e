//! How often a verdict would come out otherwise by chance, on fresh seeds.

use numerics::bootstrap::normal_cdf;
use serde::{Deserialize, Serialize};

use super::{Bound, Expected, Finding, SEEDS, Statistic};

/// A quantity on the seeds that settings were chosen with: one number for each seed, at the point that decides.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tuned {
    /// Mean over seeds.
    pub mean: f64,
    /// Standard deviation over seeds.
    pub sd: f64,
    /// How many seeds.
    pub seeds: u32,
}

/// A false-alarm rate that was derived by hand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FalseAlarm {
    /// The rate.
    pub rate: f64,
    /// How it was derived.
    pub why: String,
}

impl Tuned {
    /// The standard deviation that the true one exceeds with probability 0.05: s √(k / χ²), χ² the 5 % quantile with
    /// k = n − 1 degrees of freedom.
    ///
    /// # Source
    /// Wilson and Hilferty 1931, PNAS 17:684, for the quantile; below 5 degrees it is up to 3 % too small, so that the
    /// result errs to the safe side.
    fn upper_sd(self) -> f64 {
        let k = f64::from(self.seeds) - 1.0;
        let part = 2.0 / (9.0 * k);
        let root = 1.0 - part - 1.644_85 * part.sqrt();
        self.sd / (root * root * root).sqrt()
    }

    /// P(one fresh value with `noise` times the standard deviation breaks the bound).
    fn breach(self, bound: Bound, noise: f64) -> f64 {
        // The tuned mean is itself uncertain by sd/√n.
        let sd = self.upper_sd() * (noise * noise + 1.0 / f64::from(self.seeds)).sqrt();
        let beyond =
            |distance: f64| if sd > 0.0 { normal_cdf(-distance / sd) } else { f64::from(distance < 0.0) };
        match bound {
            Bound::AtLeast(least) => beyond(self.mean - least),
            Bound::AtMost(most) => beyond(most - self.mean),
            Bound::Within(centre, half) => {
                (beyond(self.mean - (centre - half)) + beyond(centre + half - self.mean)).min(1.0)
            }
        }
    }
}

impl Finding {
    /// P(verdict is not the expected one) on fresh seeds; none if the finding does not say.
    ///
    /// From what came out on tuning seeds, taken as normal with the 95 % limit of its standard deviation: each of n
    /// seeds may break the bound, or two of them; a mean has its noise divided by √n; a median breaks if more than half of them do. For
    /// an interval the rate must be stated.
    pub fn false_alarm_rate(&self) -> Option<f64> {
        if let Some(stated) = &self.false_alarm {
            return Some(stated.rate);
        }
        let (tuned, n) = (self.tuned?, self.seeds.as_ref().map_or(SEEDS.len(), Vec::len));
        let one = tuned.breach(self.bound(), 1.0);
        let fails = match self.over_seeds {
            Statistic::Each => at_least_of(1, n, one),
            Statistic::AllButOne => at_least_of(2.min(n), n, one),
            Statistic::Mean => tuned.breach(self.bound(), 1.0 / (n as f64).sqrt()),
            Statistic::Median => at_least_of(n / 2 + 1, n, one),
            Statistic::Interval => return None,
        };
        Some(if self.expected == Expected::Holds { fails } else { 1.0 - fails })
    }
}

/// P(at least `k` of `n`), each with probability `p`.
fn at_least_of(k: usize, n: usize, p: f64) -> f64 {
    let (mut choose, mut sum) = (1.0, 0.0);
    for i in 0..=n {
        if i >= k {
            sum += choose * power(p, i) * power(1.0 - p, n - i);
        }
        choose *= (n - i) as f64 / (i + 1) as f64;
    }
    sum
}

fn power(x: f64, n: usize) -> f64 {
    (0..n).fold(1.0, |product, _| product * x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_of_the_standard_deviation_is_that_of_the_tables() {
        // √(k / χ²) with the 5 % quantiles 0.711 (k = 4) and 3.325 (k = 9); Abramowitz and Stegun 1964, table 26.8.
        for (seeds, factor) in [(5, 2.372), (10, 1.645)] {
            let found = Tuned { mean: 0.0, sd: 1.0, seeds }.upper_sd();
            assert!(found >= factor && found < factor * 1.03, "{seeds} seeds: {found} against {factor}");
        }
    }

    #[test]
    fn a_rate_is_the_tail_of_what_tuning_seeds_gave() {
        let tuned = Tuned { mean: 1.0, sd: 0.1, seeds: 10 };
        let sd = tuned.upper_sd() * 1.1_f64.sqrt();
        let expected = normal_cdf(-0.5 / sd);
        assert!((tuned.breach(Bound::AtLeast(0.5), 1.0) - expected).abs() < 1e-15);
        assert!((tuned.breach(Bound::AtMost(1.5), 1.0) - expected).abs() < 1e-15);
        assert!((tuned.breach(Bound::Within(1.0, 0.5), 1.0) - 2.0 * expected).abs() < 1e-15);
        assert!(tuned.breach(Bound::AtLeast(1.5), 1.0) > 0.99, "a mean on the wrong side breaks the bound");
        let exact = Tuned { mean: 0.0, sd: 0.0, seeds: 5 };
        assert_eq!(
            (exact.breach(Bound::AtMost(1e-6), 1.0), exact.breach(Bound::AtLeast(1.0), 1.0)),
            (0.0, 1.0)
        );
    }

    #[test]
    fn some_of_several_is_the_binomial_law() {
        assert!((at_least_of(1, 5, 0.1) - (1.0 - 0.9_f64 * 0.9 * 0.9 * 0.9 * 0.9)).abs() < 1e-15);
        assert!((at_least_of(2, 3, 0.5) - 0.5).abs() < 1e-15);
        assert!((at_least_of(0, 4, 0.3) - 1.0).abs() < 1e-15);
    }
}

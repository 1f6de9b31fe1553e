//! How many steps of a chain are worth one independent draw.

use super::mean;

/// The window is the first lag that exceeds this many times the sum up to it.
const WINDOW: f64 = 5.0;

/// Integrated autocorrelation time `1 + 2 Σ ρ(t)` of a series, in steps of the series; 1 for independent numbers.
///
/// The sum ends at the first lag t ≥ 5 τ(t), which keeps the noise of far lags out. NaN for a series without spread.
///
/// # Panics
/// If there are fewer than two numbers.
///
/// # Source
/// Sokal 1997, "Monte Carlo methods in statistical mechanics", section 3.
pub fn autocorrelation_time(series: &[f64]) -> f64 {
    assert!(series.len() >= 2, "a correlation needs two numbers");
    let centre = mean(series);
    let at = |lag: usize| {
        series.iter().zip(&series[lag..]).fold(0.0, |sum, (x, y)| sum + (x - centre) * (y - centre))
            / series.len() as f64
    };
    let variance = at(0);
    let mut time = 1.0;
    for lag in 1..series.len() {
        time += 2.0 * at(lag) / variance;
        if lag as f64 >= WINDOW * time {
            break;
        }
    }
    time
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Draws, Stream};

    #[test]
    fn the_time_of_an_autoregressive_series_is_the_known_one() {
        let n = 200_000;
        let mut z = vec![0.0; n];
        Draws::at(3, 0).fill_normal(Stream::Init, 0, &mut z);
        for a in [0.0, 0.5, 0.9] {
            let mut x = 0.0;
            let series: Vec<f64> = z
                .iter()
                .map(|z| {
                    x = a * x + z;
                    x
                })
                .collect();
            // Standard error τ √(2 (2W + 1)/n) with W = 5τ: 4 % at τ = 19.
            let expected = (1.0 + a) / (1.0 - a);
            let found = autocorrelation_time(&series);
            assert!((found / expected - 1.0).abs() < 0.15, "{a}: {found} against {expected}");
        }
    }
}

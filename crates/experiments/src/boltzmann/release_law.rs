//! Release probabilities at the start that are not all alike.

use numerics::{Draws, Stream};

/// The law is cut here: beyond, a synapse would be stuck (Beta laws as broad as those measured reach 0 and 1).
const LOWEST: f64 = 0.01;
const HIGHEST: f64 = 0.99;
/// Cells of the table of quantiles; one is 0.0005 wide.
const CELLS: usize = 2048;

/// A Beta law of a release probability, given by its mean and standard deviation and cut to 0.01 … 0.99.
///
/// `x^(α−1) (1−x)^(β−1)` with `α + β = m(1−m)/s² − 1`, `α = m (α + β)`. Cutting moves the mean towards ½ by up to
/// 0.01 and narrows the broadest laws by up to 3 %.
pub(crate) struct ReleaseLaw {
    /// Distribution function at the upper end of each cell.
    below: Vec<f64>,
}

impl ReleaseLaw {
    /// The law with mean `mean` and standard deviation `sd` before it is cut.
    ///
    /// # Panics
    /// If `mean` is not between 0 and 1, or `sd` not between 0 and `√(mean (1 − mean))`.
    pub(crate) fn new(mean: f64, sd: f64) -> Self {
        assert!(0.0 < mean && mean < 1.0, "a mean probability is between 0 and 1");
        let total = mean * (1.0 - mean) / (sd * sd) - 1.0;
        assert!(sd > 0.0 && total > 0.0, "the spread of a probability is below that of a coin");
        let (alpha, beta) = (mean * total, (1.0 - mean) * total);
        let log_density = |x: f64| (alpha - 1.0) * libm::log(x) + (beta - 1.0) * libm::log(1.0 - x);
        let middles = (0..CELLS).map(|cell| place(cell as f64 + 0.5));
        let logs: Vec<f64> = middles.map(log_density).collect();
        let greatest = logs.iter().fold(f64::NEG_INFINITY, |m: f64, x| m.max(*x));
        let mut sum = 0.0;
        let mut below: Vec<f64> = Vec::with_capacity(CELLS);
        for log in logs {
            sum += libm::exp(log - greatest);
            below.push(sum);
        }
        below.iter_mut().for_each(|x| *x /= sum);
        Self { below }
    }

    /// The value below which a share `u` of the law lies; linear within a cell.
    pub(crate) fn quantile(&self, u: f64) -> f64 {
        let cell = self.below.partition_point(|below| *below <= u).min(CELLS - 1);
        let from = if cell == 0 { 0.0 } else { self.below[cell - 1] };
        let share = (self.below[cell] - from).max(f64::MIN_POSITIVE);
        place(cell as f64 + ((u - from) / share).clamp(0.0, 1.0))
    }

    /// `n` independent draws; number i is that of the 64-bit draw i of stream `Release`.
    pub(crate) fn draw(&self, n: usize, draws: Draws) -> Vec<f64> {
        let mut uniforms = vec![0.0; n];
        draws.fill_uniform_f64(Stream::Release, 0, &mut uniforms);
        uniforms.into_iter().map(|u| self.quantile(u)).collect()
    }
}

/// The probability at a place measured in cells.
fn place(cells: f64) -> f64 {
    LOWEST + (HIGHEST - LOWEST) * cells / CELLS as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use numerics::stats::{ks_statistic, mean, sd};

    /// Means and spreads measured in cortex, and a narrow law.
    const LAWS: [(f64, f64); 5] = [(0.5, 0.05), (0.46, 0.26), (0.65, 0.18), (0.53, 0.22), (0.1, 0.02)];

    #[test]
    fn draws_have_the_mean_and_spread_asked_for_up_to_the_cut() {
        for (m, s) in LAWS {
            let law = ReleaseLaw::new(m, s);
            let even: Vec<f64> = (0..10_000).map(|i| law.quantile((f64::from(i) + 0.5) / 1e4)).collect();
            assert!((mean(&even) - m).abs() < 0.01, "{m}: {}", mean(&even));
            assert!((sd(&even) / s - 1.0).abs() < 0.03, "{m} ± {s}: {}", sd(&even));
            assert!(even.iter().all(|p| (LOWEST..=HIGHEST).contains(p)));
        }
    }

    #[test]
    fn a_law_with_whole_exponents_has_the_distribution_worked_by_hand() {
        // α = 2, β = 1 (mean 2/3, variance 1/18): F(x) = (x² − lo²)/(hi² − lo²).
        let law = ReleaseLaw::new(2.0 / 3.0, (1.0_f64 / 18.0).sqrt());
        let share = |x: f64| (x * x - LOWEST * LOWEST) / (HIGHEST * HIGHEST - LOWEST * LOWEST);
        for i in 1..100 {
            let u = f64::from(i) / 100.0;
            // The middle rule is exact for a linear density up to the width of a cell squared.
            assert!((share(law.quantile(u)) - u).abs() < 1e-6, "{u}");
        }
        let sample = law.draw(20_000, Draws::at(5, 0));
        // √n D > 2.23 once in 10,000 seeds; the seed is fixed.
        assert!(ks_statistic(&sample, share) < 2.23 / 20_000_f64.sqrt());
    }
}

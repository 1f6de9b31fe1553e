//! A mixture that is known, over so few pixels that all patterns can be counted.

use super::Mixture;
use crate::{BinaryRows, Draws, Stream};

/// Patterns of a few binary pixels with their exact probabilities.
#[derive(Debug, Clone, PartialEq)]
pub struct Synthetic {
    /// What the patterns come from.
    pub truth: Mixture,
    /// All 2^pixels patterns; pattern i has pixel j on if bit j of i is 1.
    pub patterns: BinaryRows,
    /// Their probabilities p*.
    pub probability: Vec<f64>,
    cumulative: Vec<f64>,
}

impl Synthetic {
    /// Most pixels: 65,536 patterns.
    pub const MOST_PIXELS: usize = 16;

    /// Draws a mixture: every on-probability is `lo` or `1 − lo` alike, priors are Dirichlet(5).
    ///
    /// Signs take the 32-bit draws of stream `Split`, the Gamma(5) numbers of the priors five exponentials each of stream
    /// `Pattern`.
    ///
    /// # Panics
    /// If there are more than 16 pixels, or no pixel or component.
    pub fn new(pixels: usize, components: usize, lo: f64, draws: Draws) -> Self {
        let mut words = vec![0; pixels * components];
        draws.fill_u32(Stream::Split, 0, &mut words);
        let on: Vec<f64> = words.iter().map(|word| if word >> 31 == 0 { lo } else { 1.0 - lo }).collect();
        let mut uniform = vec![0.0; 5 * components];
        draws.fill_uniform_f64(Stream::Pattern, 0, &mut uniform);
        let gamma = |uniform: &[f64; 5]| uniform.iter().fold(0.0, |sum, u| sum - libm::log1p(-u));
        let prior: Vec<f64> = uniform.as_chunks::<5>().0.iter().map(gamma).collect();
        Self::of(Mixture::new(&prior, &on))
    }

    /// The patterns of a mixture.
    ///
    /// # Panics
    /// If it has more than 16 pixels.
    pub fn of(truth: Mixture) -> Self {
        let pixels = truth.pixels();
        assert!(pixels > 0 && pixels <= Self::MOST_PIXELS, "1 to 16 pixels can be counted, not {pixels}");
        let mut patterns = BinaryRows::new(pixels);
        for pattern in 0_u32..1 << pixels {
            patterns.push((0..pixels as u32).filter(|pixel| pattern >> pixel & 1 == 1));
        }
        let mut probability: Vec<f64> = truth.log_likelihoods(&patterns).into_iter().map(libm::exp).collect();
        let total = probability.iter().fold(0.0, |sum, p| sum + p);
        probability.iter_mut().for_each(|p| *p /= total);
        let mut sum = 0.0;
        let cumulative = probability
            .iter()
            .map(|p| {
                sum += p;
                sum
            })
            .collect();
        Self { truth, patterns, probability, cumulative }
    }

    /// The number of a pattern drawn from p*, from the 64-bit draw `index` of stream `Pattern`.
    pub fn draw(&self, draws: Draws, index: u64) -> usize {
        let mut uniform = [0.0];
        draws.fill_uniform_f64(Stream::Pattern, index, &mut uniform);
        let place = self.cumulative.partition_point(|&sum| sum <= uniform[0]);
        place.min(self.patterns.len() - 1)
    }

    /// KL(p* ‖ model), exact, in nats.
    pub fn divergence(&self, model: &Mixture) -> f64 {
        let all = model.log_likelihoods(&self.patterns);
        self.probability.iter().zip(all).fold(0.0, |sum, (p, ln_model)| sum + p * (libm::log(*p) - ln_model))
    }

    /// KL of the best model of independent pixels.
    pub fn independent_divergence(&self) -> f64 {
        self.divergence(&Mixture::independent(&self.patterns, Some(&self.probability)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_divergence_from_the_truth_is_zero_and_from_others_is_not() {
        let synthetic = Synthetic::new(6, 3, 0.1, Draws::at(4, 0));
        assert!(synthetic.divergence(&synthetic.truth).abs() < 1e-12);
        assert!(synthetic.independent_divergence() > 0.05);
        let sum: f64 = synthetic.probability.iter().sum();
        assert!((sum - 1.0).abs() < 1e-12);
    }

    #[test]
    fn patterns_are_drawn_as_often_as_their_probability_says() {
        let synthetic = Synthetic::new(3, 2, 0.2, Draws::at(9, 0));
        let n = 40_000;
        let mut counts = [0.0; 8];
        (0..n).for_each(|i| counts[synthetic.draw(Draws::at(1, 1), i)] += 1.0);
        for (count, p) in counts.into_iter().zip(&synthetic.probability) {
            // 4.5σ of a binomial count.
            assert!((count - n as f64 * p).abs() < 4.5 * (n as f64 * p * (1.0 - p)).sqrt(), "{count} {p}");
        }
    }

    #[test]
    fn every_category_of_a_mixture_of_one_is_its_product() {
        let synthetic = Synthetic::of(Mixture::new(&[1.0], &[0.3, 0.9]));
        let expected = [0.7 * 0.1, 0.3 * 0.1, 0.7 * 0.9, 0.3 * 0.9];
        for (found, expected) in synthetic.probability.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-12);
        }
    }
}

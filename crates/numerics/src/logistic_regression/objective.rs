//! Loss and gradient.

use super::Coordinates;
use kernels::dense::multiply;

/// `mean of −log P(label | x) + λ/2 Σ W²`, a function of W (classes, depth) followed by b (classes).
pub(super) struct Objective<'a> {
    coordinates: &'a Coordinates,
    labels: &'a [u8],
    classes: usize,
    penalty: f64,
    /// Scores, then probabilities, then residuals; (classes, examples).
    work: Vec<f64>,
}

impl<'a> Objective<'a> {
    pub(super) fn new(coordinates: &'a Coordinates, labels: &'a [u8], classes: usize, penalty: f64) -> Self {
        let work = vec![0.0; classes * coordinates.examples];
        Self { coordinates, labels, classes, penalty, work }
    }

    /// How many numbers it is a function of.
    pub(super) fn parameters(&self) -> usize {
        self.classes * (self.coordinates.depth + 1)
    }

    /// The value at `x`; the gradient goes to `gradient`.
    pub(super) fn evaluate(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let Coordinates { examples: n, depth, ref by_example, ref by_coordinate, .. } = *self.coordinates;
        let (weights, biases) = x.split_at(self.classes * depth);
        multiply(weights, depth, by_coordinate, n, &mut self.work);
        let label_places = || self.labels.iter().enumerate().map(|(i, &label)| usize::from(label) * n + i);
        let scores: Vec<f64> = label_places().map(|at| self.work[at] + biases[at / n]).collect();
        let log_sums = soften(&mut self.work, biases);
        let losses: Vec<f64> = log_sums.iter().zip(&scores).map(|(log_sum, score)| log_sum - score).collect();
        let squares: Vec<f64> = weights.iter().map(|w| w * w).collect();

        label_places().for_each(|at| self.work[at] -= 1.0);
        self.work.iter_mut().for_each(|residual| *residual /= n as f64);
        let (to_weights, to_biases) = gradient.split_at_mut(self.classes * depth);
        multiply(&self.work, n, by_example, depth, to_weights);
        to_weights.iter_mut().zip(weights).for_each(|(g, w)| *g += self.penalty * w);
        for (g, residuals) in to_biases.iter_mut().zip(self.work.chunks_exact(n)) {
            *g = crate::stats::sum(residuals);
        }
        crate::stats::mean(&losses) + 0.5 * self.penalty * crate::stats::sum(&squares)
    }
}

/// Scores without biases (classes, examples) become probabilities; returns `log Σ_k exp(score + bias)` of each example.
pub(super) fn soften(scores: &mut [f64], biases: &[f64]) -> Vec<f64> {
    let n = scores.len() / biases.len();
    let mut greatest = vec![f64::NEG_INFINITY; n];
    for (scores, bias) in scores.chunks_exact_mut(n).zip(biases) {
        for (score, greatest) in scores.iter_mut().zip(&mut greatest) {
            *score += bias;
            *greatest = greatest.max(*score);
        }
    }
    let mut total = vec![0.0; n];
    for scores in scores.chunks_exact_mut(n) {
        for ((score, greatest), total) in scores.iter_mut().zip(&greatest).zip(&mut total) {
            *score = libm::exp(*score - greatest);
            *total += *score;
        }
    }
    for scores in scores.chunks_exact_mut(n) {
        scores.iter_mut().zip(&total).for_each(|(score, total)| *score /= total);
    }
    total.iter().zip(&greatest).map(|(total, greatest)| greatest + libm::log(*total)).collect()
}

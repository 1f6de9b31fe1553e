//! A mixture of Poisson units, the generative model that a winner-take-all circuit learns.
//!
//! `log p(x|k) = Σ_i x_i (w_ki + ln α) − α e^(w_ki) − ln x_i!`, k equally likely. The mean kick of a winner-take-all circuit
//! with the rule of [`super::PairRule`] is the gradient of its likelihood, so here the rule can be held against exact
//! likelihoods.

use crate::stats;

use super::Weight;

/// Model of counts with fixed α; weights are functions of θ.
#[derive(Debug, Clone, PartialEq)]
pub struct PoissonMixture {
    /// Units K.
    pub units: usize,
    /// Inputs D.
    pub inputs: usize,
    /// α.
    pub alpha: f64,
    /// From θ to w.
    pub weight: Weight,
}

/// Counts with what does not depend on weights.
#[derive(Debug, Clone, PartialEq)]
pub struct Counts {
    /// Examples, (n, D).
    rows: Vec<f64>,
    inputs: usize,
    /// −Σ ln x! of each example.
    constants: Vec<f64>,
}

/// Reusable buffers.
#[derive(Debug, Clone, Default)]
pub struct Buffers {
    weights: Vec<f64>,
    slopes: Vec<f64>,
    rates: Vec<f64>,
    totals: Vec<f64>,
    logs: Vec<f64>,
    taken: Vec<f64>,
}

impl Counts {
    /// From examples one after the other, `inputs` counts each.
    ///
    /// # Panics
    /// If an example is not whole.
    pub fn new(rows: Vec<f64>, inputs: usize) -> Self {
        assert!(rows.len().is_multiple_of(inputs), "examples are whole");
        let log_factorials = |row: &[f64]| -row.iter().fold(0.0, |sum, x| sum + libm::lgamma(x + 1.0));
        let constants = rows.chunks_exact(inputs).map(log_factorials).collect();
        Self { rows, inputs, constants }
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.constants.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.constants.is_empty()
    }
}

impl PoissonMixture {
    /// Fills weights, slopes and rates from θ.
    fn prepare(&self, theta: &[f64], buffers: &mut Buffers) {
        assert_eq!(theta.len(), self.units * self.inputs, "a parameter for each unit and input");
        let Buffers { weights, slopes, rates, totals, .. } = buffers;
        weights.clear();
        weights.extend(theta.iter().map(|&theta| self.weight.of(theta)));
        slopes.clear();
        slopes.extend(theta.iter().map(|&theta| self.weight.derivative(theta)));
        rates.clear();
        // Most synapses of a sparse network are retracted: e^0 needs no function.
        rates.extend(weights.iter().map(|&w| if w == 0.0 { self.alpha } else { self.alpha * libm::exp(w) }));
        totals.clear();
        totals.extend(rates.chunks_exact(self.inputs).map(stats::sum));
    }

    /// log p(x|k) − ln K without the constant of the example, for every k, into `logs`.
    fn joint(&self, row: &[f64], weights: &[f64], totals: &[f64], logs: &mut Vec<f64>) {
        let (ln_alpha, ln_units) = (libm::log(self.alpha), libm::log(self.units as f64));
        logs.clear();
        let count = stats::sum(row);
        logs.extend(weights.chunks_exact(self.inputs).zip(totals).map(|(weights, total)| {
            let product = weights.iter().zip(row).fold(0.0, |sum, (w, x)| sum + w * x);
            product + count * ln_alpha - total - ln_units
        }));
    }

    /// ln p(x|θ) of every example, in nats.
    ///
    /// # Panics
    /// If θ or the examples have other sizes.
    pub fn log_likelihood(&self, theta: &[f64], data: &Counts, buffers: &mut Buffers) -> Vec<f64> {
        assert_eq!(data.inputs, self.inputs, "examples have the inputs of the model");
        self.prepare(theta, buffers);
        let Buffers { weights, totals, logs, .. } = buffers;
        let rows = data.rows.chunks_exact(self.inputs).zip(&data.constants);
        rows.map(|(row, constant)| {
            self.joint(row, weights, totals, logs);
            stats::log_sum_exp(logs) + constant
        })
        .collect()
    }

    /// ∂/∂θ of Σ ln p(x|θ) over the examples, into `out`; returns the mean ln p(x|θ).
    ///
    /// # Panics
    /// As [`PoissonMixture::log_likelihood`].
    pub fn gradient(&self, theta: &[f64], data: &Counts, buffers: &mut Buffers, out: &mut [f64]) -> f64 {
        assert_eq!(data.inputs, self.inputs, "examples have the inputs of the model");
        self.prepare(theta, buffers);
        let Buffers { weights, slopes, rates, totals, logs, taken } = buffers;
        out.fill(0.0);
        taken.clear();
        taken.resize(self.units, 0.0);
        let mut likelihood = 0.0;
        for (row, constant) in data.rows.chunks_exact(self.inputs).zip(&data.constants) {
            self.joint(row, weights, totals, logs);
            let total = stats::log_sum_exp(logs);
            likelihood += total + constant;
            for ((k, log), taken) in logs.iter().enumerate().zip(taken.iter_mut()) {
                let share = libm::exp(log - total);
                // What a unit does not explain does not move it: most shares are 0.
                if share < 1e-12 {
                    continue;
                }
                *taken += share;
                let out = &mut out[k * self.inputs..(k + 1) * self.inputs];
                out.iter_mut().zip(row).for_each(|(out, x)| *out += share * x);
            }
        }
        for (i, out) in out.iter_mut().enumerate() {
            *out = slopes[i] * (*out - taken[i / self.inputs] * rates[i]);
        }
        likelihood / data.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synaptic_sampling::AtZero;

    fn model() -> PoissonMixture {
        let weight = Weight { theta_0: 3.0, at_zero: AtZero::Jump };
        PoissonMixture { units: 2, inputs: 3, alpha: 0.2, weight }
    }

    #[test]
    fn the_gradient_is_that_of_central_differences() {
        let data = Counts::new(vec![1.0, 0.0, 3.0, 2.0, 2.0, 0.0, 0.0, 5.0, 1.0], 3);
        let theta = [2.0, 3.5, -1.0, 4.0, 0.5, 3.0];
        let (mut buffers, mut gradient) = (Buffers::default(), [0.0; 6]);
        let mean = model().gradient(&theta, &data, &mut buffers, &mut gradient);
        let total =
            |theta: &[f64]| stats::sum(&model().log_likelihood(theta, &data, &mut Buffers::default()));
        assert!((3.0 * mean - total(&theta)).abs() < 1e-12);
        for i in 0..6 {
            let shifted = |by: f64| {
                let mut theta = theta;
                theta[i] += by;
                total(&theta)
            };
            let slope = (shifted(1e-6) - shifted(-1e-6)) / 2e-6;
            assert!(
                (slope - gradient[i]).abs() < 1e-7 * slope.abs().max(1.0),
                "{i}: {slope}, {}",
                gradient[i]
            );
        }
        assert_eq!(gradient[2], 0.0, "a retracted synapse feels no data");
    }

    #[test]
    fn likelihoods_sum_to_one_over_all_counts() {
        // Rates below 1: counts above 12 are rarer than 1e-9.
        let one = PoissonMixture { inputs: 1, ..model() };
        let all = Counts::new((0..13).map(f64::from).collect(), 1);
        let logs = one.log_likelihood(&[3.0, -1.0], &all, &mut Buffers::default());
        assert!((logs.iter().fold(0.0, |sum, log| sum + libm::exp(*log)) - 1.0).abs() < 1e-9);
    }
}

//! Synapses that nobody looks at need not move.

use crate::{Draws, Stream, sde::OrnsteinUhlenbeck};

/// Synapses under prior and noise, a row for each input. A row is advanced exactly when its input reads it, over all the
/// time since it was read before: long silences cost nothing, and every row that was read has the law of one that moved in
/// each millisecond.
#[derive(Debug, Clone, PartialEq)]
pub struct LazyRows {
    process: OrnsteinUhlenbeck,
    width: usize,
    theta: Vec<f32>,
    /// When each row was read last.
    read_at: Vec<f64>,
}

impl LazyRows {
    /// Rows of `width` synapses at time 0, drawn from the stationary law with the draws of `Stream::SynapseInit`.
    ///
    /// # Panics
    /// If there are no synapses.
    pub fn stationary(process: OrnsteinUhlenbeck, inputs: usize, width: usize, draws: Draws) -> Self {
        assert!(inputs > 0 && width > 0, "there are synapses");
        let mut theta = vec![0.0; inputs * width];
        process.exact(f64::INFINITY).advance_singles(&mut theta, draws, Stream::SynapseInit);
        Self { process, width, theta, read_at: vec![0.0; inputs] }
    }

    /// θ of an input's synapses at `time`, with the draws of `Stream::SynapseDiffusion`: each reading needs a step of its own.
    ///
    /// # Panics
    /// If there is no such input, or it was read later than `time`.
    pub fn read(&mut self, input: usize, time: f64, draws: Draws) -> &mut [f32] {
        let passed = time - self.read_at[input];
        assert!(passed >= 0.0, "time does not run backwards");
        let row = &mut self.theta[input * self.width..(input + 1) * self.width];
        self.process.exact(passed).advance_singles(row, draws, Stream::SynapseDiffusion);
        self.read_at[input] = time;
        row
    }

    /// All θ, (inputs, width), each as it was read last.
    pub fn theta(&self) -> &[f32] {
        &self.theta
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{bootstrap::normal_cdf, stats};

    const PROCESS: OrnsteinUhlenbeck = OrnsteinUhlenbeck { b: 2.0, mu: 0.5, sigma: 1.0, temperature: 0.5 };
    const INPUTS: usize = 300;
    const WIDTH: usize = 100;
    /// Time between both looks, in s.
    const LAG: f64 = 0.3;

    fn doubles(theta: &[f32]) -> Vec<f64> {
        theta.iter().map(|x| f64::from(*x)).collect()
    }

    /// θ before and after the lag, rows being read at times of their own in between.
    fn read_lazily() -> [Vec<f64>; 2] {
        let mut rows = LazyRows::stationary(PROCESS, INPUTS, WIDTH, Draws::at(3, 0));
        let mut step = 0;
        let mut read = |rows: &mut LazyRows, input: usize, time: f64| {
            step += 1;
            rows.read(input, time, Draws::at(3, step));
        };
        (0..INPUTS).for_each(|input| read(&mut rows, input, 1.0));
        let before = doubles(rows.theta());
        for k in 0..4 * INPUTS {
            let time = 1.0 + LAG * k as f64 / (4 * INPUTS) as f64;
            read(&mut rows, k * 7 % INPUTS, time);
        }
        (0..INPUTS).for_each(|input| read(&mut rows, input, 1.0 + LAG));
        [before, doubles(rows.theta())]
    }

    /// The same with a step in every millisecond.
    fn step_each_ms() -> [Vec<f64>; 2] {
        let mut theta = vec![0.0; INPUTS * WIDTH];
        PROCESS.exact(f64::INFINITY).advance_singles(&mut theta, Draws::at(4, 0), Stream::SynapseInit);
        let mut advance = |from: u64, to: u64| {
            let step = PROCESS.euler_maruyama(1e-3);
            (from..to)
                .for_each(|n| step.advance_singles(&mut theta, Draws::at(4, n), Stream::SynapseDiffusion));
            doubles(&theta)
        };
        [advance(0, 1000), advance(1000, 1300)]
    }

    #[test]
    fn rows_that_are_read_have_the_law_of_rows_that_move_each_millisecond() {
        let n = (INPUTS * WIDTH) as f64;
        let (variance, kept) = (0.5, libm::exp(-2.0 * LAG));
        for [before, after] in [read_lazily(), step_each_ms()] {
            for theta in [&before, &after] {
                let sd = stats::sd(theta);
                // 4.5 standard errors, and the 0.1 % by which steps of a millisecond widen the law.
                assert!((stats::mean(theta) - 0.5).abs() < 4.5 * (variance / n).sqrt());
                assert!((sd * sd / variance - 1.0).abs() < 4.5 * (2.0 / n).sqrt() + 1e-3);
                // √n D exceeds 2.23 once in 10,000 samples; the seeds are fixed.
                let distance = stats::ks_statistic(theta, |x| normal_cdf((x - 0.5) / variance.sqrt()));
                assert!(distance * n.sqrt() < 2.23, "{distance}");
            }
            let products: Vec<f64> = before.iter().zip(&after).map(|(a, b)| (a - 0.5) * (b - 0.5)).collect();
            let error = 4.5 * variance * ((1.0 + kept * kept) / n).sqrt();
            assert!((stats::mean(&products) - variance * kept).abs() < error + 1e-3);
        }
        let ([_, lazy], [_, stepped]) = (read_lazily(), step_each_ms());
        assert!(stats::ks_two_samples(&lazy, &stepped) * (n / 2.0).sqrt() < 2.23);
    }
}

//! θ under prior and noise alone: the Ornstein–Uhlenbeck process.

use crate::{Draws, Stream};

/// Normal numbers drawn at a time.
const CHUNK: usize = 256;

/// `dθ = b (μ − θ)/σ² dt + √(2 T b) dW`: a Gaussian prior of mean μ and standard deviation σ, no activity.
///
/// Its stationary law is normal with mean μ and standard deviation σ √T; its correlation falls as `e^(−t/τ)`, τ = σ²/b.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OrnsteinUhlenbeck {
    /// Learning rate b, 1/s (or per whatever unit of time the steps have).
    pub b: f64,
    /// Prior mean μ.
    pub mu: f64,
    /// Prior standard deviation σ.
    pub sigma: f64,
    /// Temperature T.
    pub temperature: f64,
}

/// One step `θ ← μ + (θ − μ) a + s z` with a standard normal z.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LinearStep {
    /// μ.
    pub mu: f64,
    /// a.
    pub decay: f64,
    /// s.
    pub sd: f64,
}

impl OrnsteinUhlenbeck {
    /// Relaxation time τ = σ²/b.
    pub fn tau(&self) -> f64 {
        self.sigma * self.sigma / self.b
    }

    /// Standard deviation σ √T of the stationary law.
    pub fn stationary_sd(&self) -> f64 {
        self.sigma * self.temperature.sqrt()
    }

    /// The exact transition over `dt`, however long: a = e^(−dt/τ), s = σ √(T (1 − a²)).
    ///
    /// # Source
    /// Uhlenbeck & Ornstein 1930, Phys. Rev. 36:823; Gillespie 1996, Phys. Rev. E 54:2084.
    pub fn exact(&self, dt: f64) -> LinearStep {
        let h = dt / self.tau();
        let sd = self.stationary_sd() * (-libm::expm1(-2.0 * h)).sqrt();
        LinearStep { mu: self.mu, decay: libm::exp(-h), sd }
    }

    /// The Euler–Maruyama step over `dt`: a = 1 − h, s = σ √(2 h T), h = dt/τ. Its stationary variance is too great by
    /// 1/(1 − h/2).
    pub fn euler_maruyama(&self, dt: f64) -> LinearStep {
        let h = dt / self.tau();
        LinearStep { mu: self.mu, decay: 1.0 - h, sd: self.stationary_sd() * (2.0 * h).sqrt() }
    }
}

impl LinearStep {
    /// Advances every θ by the step; θ i takes the normal draw `first + i` of the stream.
    pub fn advance(&self, theta: &mut [f64], draws: Draws, stream: Stream, first: u64) {
        let mut z = [0.0; CHUNK];
        for (chunk, theta) in theta.chunks_mut(CHUNK).enumerate() {
            let z = &mut z[..theta.len()];
            draws.fill_normal(stream, first + (chunk * CHUNK) as u64, z);
            for (theta, z) in theta.iter_mut().zip(z) {
                *theta = self.of(*theta, *z);
            }
        }
    }

    /// Advances many θ in single precision by the step, as fast as memory and the generator allow: draws of its own kind, those
    /// of [`kernels::diffusion`], from the first block of the stream.
    ///
    /// With a step of 1 ms and τ = 2.8 h the drift of a step is below the grid of single precision: what is added is rounded at random,
    /// with the noise, so that the drift is there in the mean.
    pub fn advance_singles(&self, theta: &mut [f32], draws: Draws, stream: Stream) {
        let pull = 1.0 - self.decay;
        let step = kernels::diffusion::Step {
            shift: (self.mu * pull) as f32,
            pull: pull as f32,
            sd: self.sd as f32,
        };
        let at = draws.step();
        kernels::diffusion::advance(theta, step, [0, 0, at as u32, (at >> 32) as u32], draws.key(stream));
    }

    /// θ after the step, from a standard normal z.
    pub fn of(&self, theta: f64, z: f64) -> f64 {
        self.mu + (theta - self.mu) * self.decay + self.sd * z
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{bootstrap::normal_cdf, stats};

    const PROCESS: OrnsteinUhlenbeck = OrnsteinUhlenbeck { b: 1e-4, mu: 0.5, sigma: 1.0, temperature: 1.0 };

    fn after(step: LinearStep, steps: u64, start: f64) -> Vec<f64> {
        let mut theta = vec![start; 20_000];
        (0..steps).for_each(|n| step.advance(&mut theta, Draws::at(1, n), Stream::SynapseDiffusion, 0));
        theta
    }

    #[test]
    fn two_steps_are_one_of_both_lengths() {
        let (short, long) = (PROCESS.exact(3e3), PROCESS.exact(6e3));
        assert!((short.decay * short.decay - long.decay).abs() < 1e-15);
        let variance = short.sd * short.sd * (1.0 + short.decay * short.decay);
        assert!((variance - long.sd * long.sd).abs() < 1e-15);
    }

    #[test]
    fn one_step_of_a_hundred_relaxation_times_is_a_draw_of_the_stationary_law() {
        let theta = after(PROCESS.exact(1e6), 1, 5.0);
        // √n D exceeds 2.23 once in 10,000 samples; the seed is fixed.
        let distance = stats::ks_statistic(&theta, |x| normal_cdf(x - 0.5));
        assert!(distance * (theta.len() as f64).sqrt() < 2.23, "{distance}");
    }

    #[test]
    fn euler_maruyama_agrees_for_short_steps_and_inflates_the_variance_of_long_ones() {
        let (exact, euler) = (PROCESS.exact(1.0), PROCESS.euler_maruyama(1.0));
        // h = 1e-4: both agree to h²/2.
        assert!((exact.decay - euler.decay).abs() < 6e-9 && (exact.sd / euler.sd - 1.0).abs() < 6e-5);
        // h = 0.5: 1/(1 − 1/4) = 1.333; the standard error of a variance of 20,000 is 1 %, this is 4.5 of them.
        let theta = after(PROCESS.euler_maruyama(5e3), 100, 0.5);
        let variance = stats::sd(&theta) * stats::sd(&theta);
        assert!((variance / (4.0 / 3.0) - 1.0).abs() < 0.045, "{variance}");
    }

    #[test]
    fn singles_settle_in_the_same_law() {
        let step = PROCESS.exact(2e3);
        let mut theta = vec![0.5_f32; 20_000];
        (0..60).for_each(|n| step.advance_singles(&mut theta, Draws::at(1, n), Stream::SynapseDiffusion));
        let theta: Vec<f64> = theta.into_iter().map(f64::from).collect();
        // √n D exceeds 2.23 once in 10,000 samples; the seed is fixed.
        let distance = stats::ks_statistic(&theta, |x| normal_cdf(x - 0.5));
        assert!(distance * (theta.len() as f64).sqrt() < 2.23, "{distance}");
    }

    #[test]
    fn a_drift_below_the_grid_of_singles_is_there_in_the_mean() {
        // h = 1e-7: 2,000 steps from 3 pull by 2.5 h each, 5e-4 in all; the grid there is 2.4e-7.
        let step = PROCESS.euler_maruyama(1e-3);
        let mut theta = vec![3.0_f32; 200_000];
        (0..2000).for_each(|n| step.advance_singles(&mut theta, Draws::at(1, n), Stream::SynapseDiffusion));
        let moved = theta.iter().fold(0.0, |sum, x| sum + (f64::from(*x) - 3.0)) / 200_000.0;
        // The noise of all steps is 0.02; 4.5 standard errors are 2e-4 of 5e-4.
        assert!((moved + 5e-4).abs() < 4.5 * 0.02 / 200_000_f64.sqrt(), "{moved}");
    }

    #[test]
    fn temperature_scales_the_variance() {
        let hot = OrnsteinUhlenbeck { temperature: 4.0, ..PROCESS };
        assert_eq!(hot.exact(1e9).sd, 2.0 * PROCESS.exact(1e9).sd);
        assert_eq!(OrnsteinUhlenbeck { temperature: 0.0, ..PROCESS }.exact(1e3).sd, 0.0);
    }
}

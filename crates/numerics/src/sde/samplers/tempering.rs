//! Parallel tempering: replicas at several temperatures that exchange their points.

use super::{super::Target, Langevin};

/// Replicas of each chain, the first at the temperature that is sampled.
#[derive(Debug, Clone, PartialEq)]
pub struct Tempering {
    temperatures: Vec<f64>,
}

impl Tempering {
    /// `replicas` temperatures from `cold` to `hot`, each the same factor above the one before.
    ///
    /// # Panics
    /// If there are fewer than two replicas or the temperatures do not rise from above 0.
    pub fn geometric(cold: f64, hot: f64, replicas: usize) -> Self {
        assert!(replicas > 1 && 0.0 < cold && cold < hot, "temperatures rise from above 0");
        let ratio = libm::log(hot / cold) / (replicas - 1) as f64;
        Self { temperatures: (0..replicas).map(|k| cold * libm::exp(k as f64 * ratio)).collect() }
    }

    /// Replicas of a chain.
    pub fn replicas(&self) -> usize {
        self.temperatures.len()
    }

    /// One overdamped step of every replica; `step.temperature` is not used.
    ///
    /// # Shapes
    /// `x`, `z`: chain by chain, in each replica by replica, coldest first.
    ///
    /// # Panics
    /// As [`Langevin::overdamped`], or if there is part of a chain.
    pub fn step(&self, step: Langevin, target: &(impl Target + ?Sized), x: &mut [f64], z: &[f64]) {
        let n = target.dimensions();
        assert!(x.len().is_multiple_of(n * self.replicas()), "chains are whole");
        for (replica, (x, z)) in x.chunks_exact_mut(n).zip(z.chunks_exact(n)).enumerate() {
            let temperature = self.temperatures[replica % self.replicas()];
            Langevin { temperature, ..step }.overdamped(target, x, z);
        }
    }

    /// Offers exchanges between neighbours, the pairs (0, 1), (2, 3), … in an even `round` and (1, 2), (3, 4), … in an odd
    /// one: accepted if `u < exp((1/T_k − 1/T_k+1)(log p*(x_k+1) − log p*(x_k)))`.
    ///
    /// # Shapes
    /// `x`: as for [`Tempering::step`] · `u`: a uniform number for each replica of each chain.
    ///
    /// # Source
    /// Geyer 1991, "Markov chain Monte Carlo maximum likelihood"; Hukushima & Nemoto 1996, J. Phys. Soc. Jpn 65:1604.
    pub fn exchange(&self, target: &(impl Target + ?Sized), round: u64, x: &mut [f64], u: &[f64]) {
        let n = target.dimensions();
        let chains = x.chunks_exact_mut(n * self.replicas());
        for (x, u) in chains.zip(u.chunks_exact(self.replicas())) {
            for k in ((round % 2) as usize..self.replicas() - 1).step_by(2) {
                let (cold, hot) = x[k * n..(k + 2) * n].split_at_mut(n);
                let colder = 1.0 / self.temperatures[k] - 1.0 / self.temperatures[k + 1];
                let climb = target.log_density(hot) - target.log_density(cold);
                if u[k] < libm::exp(colder * climb) {
                    cold.swap_with_slice(hot);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Draws, Stream,
        sde::{GridLaw, Line1D},
        stats,
    };

    #[test]
    fn the_cold_replica_crosses_a_barrier_that_stops_a_single_chain() {
        // Two modes of one weight, barrier 12.5 at T = 1.
        let log = |x: f64| {
            let (a, b) = (-12.5 * (x - 1.0) * (x - 1.0), -12.5 * (x + 1.0) * (x + 1.0));
            a.max(b) + libm::log1p(libm::exp(-(a - b).abs()))
        };
        let slope = |x: f64| (log(x + 1e-6) - log(x - 1e-6)) / 2e-6;
        let target = Line1D(log, slope);
        let tempering = Tempering::geometric(1.0, 16.0, 5);
        // All chains start in the left mode.
        let mut x = vec![-1.0; 5 * 400];
        let (mut z, mut u) = (vec![0.0; x.len()], vec![0.0; x.len()]);
        for n in 0..3000 {
            let draws = Draws::at(4, n);
            draws.fill_normal(Stream::SynapseDiffusion, 0, &mut z);
            tempering.step(Langevin::new(0.004, f64::NAN), &target, &mut x, &z);
            draws.fill_uniform_f64(Stream::SynapseSwap, 0, &mut u);
            tempering.exchange(&target, n, &mut x, &u);
        }
        let cold: Vec<f64> = x.iter().step_by(5).copied().collect();
        let right = cold.iter().filter(|x| **x > 0.0).count() as f64 / 400.0;
        // ½ with standard error 0.025: 5 of them.
        assert!((right - 0.5).abs() < 0.125, "{right}");
        let law = GridLaw::new(log, -4.0, 4.0, 2000);
        let distance = stats::ks_statistic(&cold, |x| law.cdf(x));
        assert!(distance * 20.0 < 2.7, "{distance}");
        let mut single = vec![-1.0; 400];
        for n in 0..3000 {
            let z = &mut z[..400];
            Draws::at(4, n).fill_normal(Stream::SynapseDiffusion, 0, z);
            Langevin::new(0.004, 1.0).overdamped(&target, &mut single, z);
        }
        // Kramers' rate of 1.5e-4 lets 0.7 of the 400 cross in this time; more than 8 once in 10 million tries.
        let crossed = single.iter().filter(|x| **x > 0.0).count();
        assert!(crossed <= 8, "a chain alone stays where it is: {crossed} crossed");
    }
}

//! Samples of a network.

use super::Network;
use crate::{Draws, Stream};

impl Network {
    /// Draws a state, parents before children; variable i takes the 64-bit draw `first + i`.
    ///
    /// # Panics
    /// If `state` has not one place for each variable.
    pub fn sample(&self, draws: Draws, stream: Stream, first: u64, state: &mut [u8]) {
        assert_eq!(state.len(), self.len(), "one value for each variable");
        let mut uniform = vec![0.0; self.len()];
        draws.fill_uniform_f64(stream, first, &mut uniform);
        for &at in self.order() {
            let last = self.values(at) - 1;
            let mut left = uniform[at];
            state[at] = 0;
            // The last value takes what rounding leaves, but never a value that cannot happen.
            loop {
                let p = self.probability(at, state);
                if left < p || usize::from(state[at]) == last {
                    break;
                }
                left -= p;
                state[at] += 1;
            }
            while self.probability(at, state) == 0.0 {
                state[at] -= 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{asia, infer};
    use super::*;

    #[test]
    fn samples_have_the_marginals_of_the_network() {
        let network = asia();
        let n = 40_000_u64;
        let mut counts = vec![0_u32; network.len()];
        let mut state = vec![0; network.len()];
        for i in 0..n {
            network.sample(Draws::at(7, 0), Stream::BayesSample, i * network.len() as u64, &mut state);
            state.iter().zip(&mut counts).for_each(|(value, count)| *count += u32::from(*value == 0));
        }
        let exact = infer(&network, &[]).expect("asia is small").marginals;
        for (count, marginal) in counts.iter().zip(&exact) {
            let p = marginal[0];
            // 4.5σ: 7e-6 each by chance; the seed is fixed.
            let bound = 4.5 * (p * (1.0 - p) / n as f64).sqrt();
            assert!((f64::from(*count) / n as f64 - p).abs() < bound, "{count} of {n}, {p}");
        }
    }
}

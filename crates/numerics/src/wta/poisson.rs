//! Poisson spike trains of all inputs together.

use kernels::plasticity;

use crate::{Draws, Stream};

/// Spikes that are drawn at a time.
const CHUNK: usize = 256;

/// Spikes of one presentation, in the order of their times.
///
/// Independent Poisson processes of one rate are one process of their summed rate whose spikes belong to any of them
/// alike: gaps are exponential, the input is drawn. Chunk c takes the words `512 c ..` of its stream, 256 for gaps and
/// 256 for inputs; a gap is at most 16.6 times its mean (lost: 6e-8 of the spikes).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PoissonTrain {
    /// Ascending, in ms.
    pub ms: Vec<f64>,
    /// The input of each.
    pub inputs: Vec<u32>,
}

impl PoissonTrain {
    /// Draws the spikes that inputs `on` fire within `duration_ms`, each at `rate_hz`.
    pub fn draw(&mut self, on: &[u32], rate_hz: f64, duration_ms: f64, draws: Draws) {
        self.ms.clear();
        self.inputs.clear();
        if on.is_empty() || rate_hz == 0.0 {
            return;
        }
        let mean_gap = 1000.0 / (on.len() as f64 * rate_hz);
        let (mut words, mut gaps) = ([0; 2 * CHUNK], [0.0; CHUNK]);
        let mut now = 0.0;
        for chunk in 0.. {
            draws.fill_u32(Stream::InputSpikes, chunk * 2 * CHUNK as u64, &mut words);
            plasticity::exponentials(&words[..CHUNK], &mut gaps);
            for (gap, word) in gaps.into_iter().zip(&words[CHUNK..]) {
                now += f64::from(gap) * mean_gap;
                if now >= duration_ms {
                    return;
                }
                self.ms.push(now);
                // The upper part of word · n: each of n inputs alike, up to n in 2³².
                self.inputs.push(on[((u64::from(*word) * on.len() as u64) >> 32) as usize]);
            }
        }
    }
}

/// Times of a Poisson process of `rate_hz` within `duration_ms`, ascending, from the words of stream `CircuitSpikes`.
pub(super) fn times(rate_hz: f64, duration_ms: f64, draws: Draws, out: &mut Vec<f64>) {
    const CHUNK: usize = 32;
    out.clear();
    let (mut words, mut gaps) = ([0; CHUNK], [0.0; CHUNK]);
    let mut now = 0.0;
    for chunk in 0.. {
        draws.fill_u32(Stream::CircuitSpikes, chunk * CHUNK as u64, &mut words);
        plasticity::exponentials(&words, &mut gaps);
        for gap in gaps {
            now += f64::from(gap) * 1000.0 / rate_hz;
            if now >= duration_ms {
                return;
            }
            out.push(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_fire_independently_at_their_rate() {
        let on = [1, 4, 6];
        let (mut train, mut counts, mut squares) = (PoissonTrain::default(), [0.0; 7], 0.0);
        let presentations = 20_000;
        for step in 0..presentations {
            train.draw(&on, 40.0, 50.0, Draws::at(2, step));
            assert!(train.ms.is_sorted() && train.ms.iter().all(|&ms| (0.0..50.0).contains(&ms)));
            train.inputs.iter().for_each(|&input| counts[input as usize] += 1.0);
            squares += (train.ms.len() as f64 - 6.0) * (train.ms.len() as f64 - 6.0);
        }
        for input in on {
            // A Poisson count of 40,000: 4.5 σ.
            assert!((counts[input as usize] - 40_000.0_f64).abs() < 4.5 * 200.0, "{counts:?}");
        }
        assert_eq!(counts[0] + counts[2] + counts[3] + counts[5], 0.0);
        // The variance of a Poisson count of mean 6 is 6; the square has variance 6 + 2 · 36.
        let se = (78.0 / presentations as f64).sqrt();
        assert!((squares / presentations as f64 - 6.0).abs() < 4.5 * se, "{squares}");
    }

    #[test]
    fn spikes_are_spread_evenly_over_the_presentation() {
        let (mut train, mut sum, mut n) = (PoissonTrain::default(), 0.0, 0.0);
        for step in 0..5000 {
            train.draw(&[0, 1], 40.0, 50.0, Draws::at(3, step));
            (sum, n) = train.ms.iter().fold((sum, n), |(sum, n), ms| (sum + ms, n + 1.0));
        }
        // Uniform on 0 … 50: σ = 50/√12.
        assert!((sum / n - 25.0_f64).abs() < 4.5 * 50.0 / (12.0 * n).sqrt(), "{}", sum / n);
    }

    #[test]
    fn nothing_fires_without_inputs_or_rate() {
        let mut train = PoissonTrain::default();
        train.draw(&[], 40.0, 50.0, Draws::at(1, 0));
        assert!(train.ms.is_empty());
        train.draw(&[1], 0.0, 50.0, Draws::at(1, 0));
        assert!(train.ms.is_empty());
    }
}

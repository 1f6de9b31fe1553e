//! What inputs fire: each feature of a pattern is a pair of afferents, one for it and one against it.

use crate::{Draws, Stream};

/// How features become rates: q in 0 … 1 gives the pair `low + (high − low) q` and `low + (high − low)(1 − q)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Code {
    /// Least rate of an afferent, in Hz.
    pub low_hz: f64,
    /// Greatest rate, in Hz.
    pub high_hz: f64,
}

/// A pattern, ready to be fired. With f features afferents 0 … f − 1 are for them and f … 2f − 1 against them.
#[derive(Debug, Clone, PartialEq)]
pub struct Coded {
    /// Part of a pair's spikes that is fired for the feature, of 2³².
    parts: Vec<u32>,
}

impl Code {
    /// Rate of a pair, whatever the feature.
    pub fn pair_hz(self) -> f64 {
        self.low_hz + self.high_hz
    }

    /// A pattern of features in 0 … 1.
    pub fn pattern(self, features: &[f64]) -> Coded {
        let part =
            |q: &f64| (self.low_hz + (self.high_hz - self.low_hz) * q.clamp(0.0, 1.0)) / self.pair_hz();
        Coded { parts: features.iter().map(|q| (part(q) * 4_294_967_296.0) as u32).collect() }
    }

    /// F̄: the summed trace of all inputs during a pattern, for potentials of the given area, in s.
    pub fn mean_trace(self, features: usize, epsp_s: f64) -> f64 {
        features as f64 * self.pair_hz() * epsp_s
    }
}

impl Coded {
    /// How many features.
    pub fn features(&self) -> usize {
        self.parts.len()
    }
}

/// Spikes of a pattern, millisecond by millisecond.
#[derive(Debug, Clone, Default)]
pub(super) struct Spikes {
    /// Afferents, in order of time.
    afferents: Vec<u32>,
    /// Spikes before each millisecond, and all: one more than there are milliseconds.
    starts: Vec<u32>,
    words: Vec<u32>,
}

/// Probabilities that a millisecond has at most n spikes, as parts of 2³².
#[derive(Debug, Clone)]
pub(super) struct Counts(Vec<u32>);

impl Counts {
    /// Poisson, with `mean` spikes in a millisecond.
    pub(super) fn poisson(mean: f64) -> Self {
        let mut parts = Vec::new();
        let (mut term, mut sum) = (libm::exp(-mean), 0.0);
        for n in 1.. {
            sum += term;
            let part = (sum * 4_294_967_296.0).min(4_294_967_295.0) as u32;
            parts.push(part);
            term *= mean / f64::from(n);
            if f64::from(n) > mean && term < 1e-11 {
                return Self(parts);
            }
        }
        Self(parts)
    }

    fn of(&self, word: u32) -> u32 {
        self.0.iter().take_while(|&&part| word >= part).count() as u32
    }
}

impl Spikes {
    /// Nothing fires.
    pub(super) fn silence(&mut self) {
        self.afferents.clear();
        self.starts.clear();
    }

    /// Draws the spikes of `pattern` in `ms` milliseconds: how many come in each is Poisson, each belongs to any pair alike, and
    /// for or against the feature as the pattern says. The words `area · 2⁴⁰ …` of the stream.
    pub(super) fn draw(
        &mut self,
        pattern: &Coded,
        counts: &Counts,
        ms: usize,
        (draws, stream, area): (Draws, Stream, usize),
    ) {
        self.silence();
        let first = (area as u64) << 40;
        self.words.resize(ms, 0);
        draws.fill_u32(stream, first, &mut self.words);
        let mut total = 0;
        self.starts.push(0);
        for &word in &self.words {
            total += counts.of(word);
            self.starts.push(total);
        }
        self.words.resize(total as usize, 0);
        draws.fill_u32(stream, first + (1 << 32), &mut self.words);
        let pairs = pattern.parts.len() as u64;
        self.afferents.extend(self.words.iter().map(|&word| {
            // The upper half of word · pairs is the pair, the lower half uniform within it.
            let place = u64::from(word) * pairs;
            let pair = (place >> 32) as usize;
            if (place as u32) < pattern.parts[pair] { pair as u32 } else { pair as u32 + pairs as u32 }
        }));
    }

    /// The afferents that fire in a millisecond.
    pub(super) fn at(&self, ms: usize) -> &[u32] {
        match self.starts.get(ms..ms + 2) {
            Some(&[from, to]) => &self.afferents[from as usize..to as usize],
            _ => &[],
        }
    }

    /// How many spikes.
    pub(super) fn count(&self) -> usize {
        self.afferents.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn afferents_fire_at_their_rates() {
        let code = Code { low_hz: 2.0, high_hz: 52.0 };
        let pattern = code.pattern(&[0.0, 0.3, 1.0]);
        let counts = Counts::poisson(3.0 * code.pair_hz() * 1e-3);
        let (mut spikes, mut found, mut squares) = (Spikes::default(), [0.0; 6], 0.0);
        let presentations = 5000_u32;
        for step in 0..presentations {
            spikes.draw(&pattern, &counts, 200, (Draws::at(4, u64::from(step)), Stream::InputSpikes, 1));
            for ms in 0..200 {
                let now = spikes.at(ms);
                now.iter().for_each(|&afferent| found[afferent as usize] += 1.0);
                squares += (now.len() as f64 - 0.162) * (now.len() as f64 - 0.162);
            }
        }
        let seconds = 0.2 * f64::from(presentations);
        for (found, hz) in found.into_iter().zip([2.0, 17.0, 52.0, 52.0, 37.0, 2.0]) {
            // A Poisson count: 4.5 σ.
            assert!(
                (found - hz * seconds).abs() < 4.5 * (hz * seconds).sqrt(),
                "{found} of {}",
                hz * seconds
            );
        }
        // The variance of a Poisson count of mean m is m; its square has variance m + 2 m².
        let n = 200.0 * f64::from(presentations);
        let se = ((0.162 + 2.0 * 0.162 * 0.162) / n).sqrt();
        assert!((squares / n - 0.162).abs() < 4.5 * se, "{}", squares / n);
    }

    #[test]
    fn nothing_fires_where_nothing_is_shown() {
        let mut spikes = Spikes::default();
        spikes.silence();
        assert!(spikes.at(0).is_empty() && spikes.at(199).is_empty() && spikes.count() == 0);
    }

    #[test]
    fn the_mean_trace_is_rate_times_area() {
        let code = Code { low_hz: 2.0, high_hz: 52.0 };
        assert!((code.mean_trace(64, 0.018) - 62.208).abs() < 1e-12);
    }
}

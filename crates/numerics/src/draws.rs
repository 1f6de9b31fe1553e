//! Random draws with addresses: pure functions of (seed, step, stream, index).
//!
//! The generator is ARS-7. A block of four 32-bit words has
//! key = [seed low, seed high, stream, domain] and counter = [block low, block high, step low,
//! step high]. 32-bit draw i is word i mod 4 of block ⌊i/4⌋; a 64-bit draw is two words, the lower
//! first; a normal and a bounded integer own one block each. Two kinds of draws at the same
//! stream and step would therefore share words: read a stream with one method only.

mod stream;

pub use stream::Stream;

use kernels::ars;

/// Last word of every key: "VSCL" in ASCII, so that no other program shares our draws.
const DOMAIN: u32 = 0x5653_434C;

/// Words produced at a time where they are converted.
const BUFFER: usize = 512;

/// All draws of one seed at one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draws {
    seed: u64,
    step: u64,
}

impl Draws {
    /// The draws of `seed` at `step`.
    pub fn at(seed: u64, step: u64) -> Self {
        Self { seed, step }
    }

    /// The step these draws belong to.
    pub fn step(&self) -> u64 {
        self.step
    }

    /// Fills `out` with the 32-bit draws `first..` of a stream.
    pub fn fill_u32(&self, stream: Stream, first: u64, out: &mut [u32]) {
        let head = (first.wrapping_neg() % 4).min(out.len() as u64) as usize;
        let (head, rest) = out.split_at_mut(head);
        if !head.is_empty() {
            let offset = (first % 4) as usize;
            head.copy_from_slice(&self.block(stream, first / 4)[offset..offset + head.len()]);
        }
        if !rest.is_empty() {
            ars::fill::<{ ars::ROUNDS }>(self.counter(first.div_ceil(4)), self.key(stream), rest);
        }
    }

    /// Fills `out` with uniform numbers in [0, 1) on a grid of 2⁻²⁴, from the 32-bit draws `first..`.
    pub fn fill_uniform(&self, stream: Stream, first: u64, out: &mut [f32]) {
        let mut words = [0; BUFFER];
        for (chunk, out) in out.chunks_mut(BUFFER).enumerate() {
            let words = &mut words[..out.len()];
            self.fill_u32(stream, first + (chunk * BUFFER) as u64, words);
            kernels::sample::uniforms(words, out);
        }
    }

    /// Fills `out` with uniform numbers in [0, 1) on a grid of 2⁻⁵³, from the 64-bit draws `first..`.
    pub fn fill_uniform_f64(&self, stream: Stream, first: u64, out: &mut [f64]) {
        let mut words = [0; BUFFER];
        for (chunk, out) in out.chunks_mut(BUFFER / 2).enumerate() {
            let words = &mut words[..2 * out.len()];
            self.fill_u32(stream, 2 * (first + (chunk * BUFFER / 2) as u64), words);
            for (number, words) in out.iter_mut().zip(words.chunks_exact(2)) {
                *number = grid_53(words[0], words[1]);
            }
        }
    }

    /// Fills `out` with standard normal numbers, the draws `first..`, one block each.
    ///
    /// `z = √(−2 log u₁) cos(2π u₂)` with u₁ in (0, 1]: |z| reaches 8.57.
    ///
    /// # Source
    /// Box & Muller 1958, Ann. Math. Stat. 29:610.
    pub fn fill_normal(&self, stream: Stream, first: u64, out: &mut [f64]) {
        let mut words = [0; BUFFER];
        for (chunk, out) in out.chunks_mut(BUFFER / 4).enumerate() {
            let words = &mut words[..4 * out.len()];
            let block = first + (chunk * BUFFER / 4) as u64;
            ars::fill::<{ ars::ROUNDS }>(self.counter(block), self.key(stream), words);
            for (number, words) in out.iter_mut().zip(words.chunks_exact(4)) {
                let radius = (-2.0 * libm::log(1.0 - grid_53(words[0], words[1]))).sqrt();
                *number = radius * libm::cos(std::f64::consts::TAU * grid_53(words[2], words[3]));
            }
        }
    }

    /// Draw `index` of the integers 0..n, each equally likely.
    ///
    /// Takes the upper part of n · (64-bit word) and rejects the few words that would favour some
    /// results (fewer than n in 2⁶⁴). Block `index` holds two words; attempts 2g and 2g + 1
    /// come from block `index + g · 2⁵⁶`, so every draw keeps an address of its own.
    ///
    /// # Panics
    /// If n is 0 or `index` is not below 2⁵⁶.
    ///
    /// # Source
    /// Lemire 2019, ACM Trans. Model. Comput. Simul. 29:3.
    pub fn below(&self, stream: Stream, index: u64, n: u32) -> u32 {
        assert!(n > 0, "there is no integer below 0");
        assert!(index < 1 << 56, "bounded integers have indices below 2^56, not {index}");
        let n = u64::from(n);
        let threshold = n.wrapping_neg() % n;
        (0..1 << 8)
            .flat_map(|group| {
                let words = self.block(stream, index | group << 56);
                [pair(words[0], words[1]), pair(words[2], words[3])]
            })
            .map(|word| u128::from(word) * u128::from(n))
            .find(|product| *product as u64 >= threshold)
            .map(|product| (product >> 64) as u32)
            .expect("512 words in a row are rejected with probability below 2^-16384")
    }

    /// A permutation of 0..n, each equally likely (Fisher and Yates, from the end).
    ///
    /// Exchange i uses the bounded integer at index i of the stream.
    pub fn permutation(&self, stream: Stream, n: u32) -> Vec<u32> {
        let mut order: Vec<u32> = (0..n).collect();
        for i in (1..n).rev() {
            let j = self.below(stream, u64::from(i), i + 1);
            order.swap(i as usize, j as usize);
        }
        order
    }

    /// The draws of the same seed at another step.
    pub fn at_step(&self, step: u64) -> Self {
        Self { step, ..*self }
    }

    /// The draws of the same seed at the next step.
    pub(crate) fn next(&self) -> Self {
        Self { step: self.step.wrapping_add(1), ..*self }
    }

    pub(crate) fn key(&self, stream: Stream) -> ars::Words {
        [self.seed as u32, (self.seed >> 32) as u32, stream as u32, DOMAIN]
    }

    fn counter(&self, block: u64) -> ars::Words {
        [block as u32, (block >> 32) as u32, self.step as u32, (self.step >> 32) as u32]
    }

    fn block(&self, stream: Stream, block: u64) -> ars::Words {
        ars::block(self.counter(block), self.key(stream))
    }
}

fn pair(low: u32, high: u32) -> u64 {
    u64::from(low) | u64::from(high) << 32
}

/// The upper 53 bits of a 64-bit draw, as a number in [0, 1).
fn grid_53(low: u32, high: u32) -> f64 {
    (pair(low, high) >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
}

#[cfg(test)]
#[path = "draws/address_tests.rs"]
mod address_tests;
#[cfg(test)]
#[path = "draws/statistical_tests.rs"]
mod statistical_tests;

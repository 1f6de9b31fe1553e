//! States of groups of four units: which row of a table an example adds.

use super::super::lists::Bits;

/// Units of a group.
pub(super) const GROUP: usize = 4;
/// Units of a word: their tables, 16 KiB, stay in the first cache beside the sums of the examples.
pub(super) const WORD: usize = 32;

/// The units of examples word by word, as [`super::backward`] wants them.
#[derive(Clone, Debug, Default)]
pub struct Groups {
    units: usize,
    examples: usize,
    /// Bit i is unit i of the word: (words, examples).
    words: Vec<u32>,
}

impl Groups {
    /// Becomes these units; keeps the memory.
    ///
    /// # Panics
    /// If there is no whole number of examples.
    pub fn set(&mut self, bits: Bits<'_>) {
        (self.units, self.examples) = (bits.units, bits.examples());
        let (words, per_example) = (bits.units.div_ceil(WORD), bits.units.div_ceil(64));
        self.words.clear();
        for w in 0..words {
            let real = u32::MAX >> (WORD - (bits.units - WORD * w).min(WORD));
            let word = |example: &[u64]| (example[WORD * w / 64] >> (WORD * w % 64)) as u32 & real;
            self.words.extend(bits.words.chunks_exact(per_example).map(word));
        }
    }

    /// Number of units.
    pub fn units(&self) -> usize {
        self.units
    }

    /// Number of examples.
    pub fn examples(&self) -> usize {
        self.examples
    }

    /// Number of words.
    pub(super) fn words(&self) -> usize {
        self.units.div_ceil(WORD)
    }

    /// Number of groups in a word.
    pub(super) fn groups(&self, word: usize) -> usize {
        (self.units - WORD * word).min(WORD).div_ceil(GROUP)
    }

    /// One word of every example.
    pub(super) fn word(&self, word: usize) -> &[u32] {
        &self.words[word * self.examples..][..self.examples]
    }
}

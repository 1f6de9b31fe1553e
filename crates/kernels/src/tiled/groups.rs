//! States of groups of four units, made from bits: what products look up.

use super::lists::Bits;
use super::simd::Simd;
use super::simd_kernel;

/// Units of a group.
pub(super) const GROUP: usize = 4;

/// Units of a word: their tables fit into the first cache.
pub(super) const WORD: usize = 32;

/// Groups of a word.
pub(super) const GROUPS: usize = WORD / GROUP;

/// Bytes of a row of a table, see [`Groups::subsets`].
pub(super) const STRIDE: usize = 128;

/// Bit 0 of every group of a word.
const FIRST_OF_GROUP: u64 = 0x1111_1111_1111_1111;

/// For each word of 32 units and each example the states of the groups that some example uses.
#[derive(Clone, Debug, Default)]
pub struct Groups {
    units: usize,
    examples: usize,
    /// Bit g of word w: in some example a unit of group g is on.
    used: Vec<u16>,
    /// The subset of each used group, in order: (words, examples).
    subsets: Vec<usize>,
    /// A word of every example.
    word: Vec<u64>,
}

impl Groups {
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
        self.used.len()
    }

    /// Which groups of a word are used.
    pub(super) fn used(&self, word: usize) -> u16 {
        self.used[word]
    }

    /// Which subsets of a word are on, example after example: [`STRIDE`] times 16 times the place of the group among
    /// those used, plus the subset.
    pub(super) fn subsets(&self, word: usize) -> &[usize] {
        &self.subsets[word * self.examples..][..self.examples]
    }
}

simd_kernel! {
    /// Groups the units of some mini-batches, one after the other.
    ///
    /// # Panics
    /// If the numbers of units differ or there is no whole number of examples.
    pub fn group<'a>(batches: &'a [Bits<'a>], groups: &'a mut Groups) = group_body
}

#[inline(always)]
fn group_body<S: Simd>(s: S, batches: &[Bits<'_>], groups: &mut Groups) {
    let units = batches.first().map_or(0, |batch| batch.units);
    assert!(batches.iter().all(|batch| batch.units == units), "as many units in every batch");
    let examples = batches.iter().map(Bits::examples).sum();
    let (words, per_example) = (units.div_ceil(WORD), units.div_ceil(64));
    groups.units = units;
    groups.examples = examples;
    groups.used.resize(words, 0);
    groups.subsets.resize(words * examples, 0);
    groups.word.resize(examples, 0);
    for w in 0..words {
        let real = u64::MAX >> (64 - (units - WORD * w).min(WORD));
        let states = &mut groups.word;
        let mut any = 0;
        let mut at = 0;
        for batch in batches {
            for example in batch.words.chunks_exact(per_example) {
                states[at] = example[w / 2] >> (w % 2 * WORD) & real;
                any |= states[at];
                at += 1;
            }
        }
        let first = (any | any >> 1 | any >> 2 | any >> 3) & FIRST_OF_GROUP;
        for (state, subsets) in states.iter().zip(&mut groups.subsets[w * examples..]) {
            *subsets = s.gather(*state, first * 15) as usize * STRIDE;
        }
        groups.used[w] = s.gather(first, FIRST_OF_GROUP) as u16;
    }
}

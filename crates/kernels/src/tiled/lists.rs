//! Lists of active units, made from bits.

use super::simd::Simd;
use super::{TILE, simd_kernel};

/// For each example its active units, ascending, cut into blocks of as many units as a tile has rows.
///
/// Entries count from the start of their block. That every entry of block k is below
/// `min(block, units − k · block)` is what the kernels rely on.
#[derive(Clone, Debug, Default)]
pub struct Active {
    units: usize,
    examples: usize,
    block: usize,
    entries: Vec<u16>,
    capacity: usize,
    /// Where blocks begin and the last ends, (examples, blocks + 1).
    ends: Vec<u16>,
}

/// How lists are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blocks {
    /// One block a tile.
    Tiles,
    /// One for all units.
    Whole,
}

impl Active {
    /// Number of units, active or not.
    pub fn units(&self) -> usize {
        self.units
    }

    /// Number of examples.
    pub fn examples(&self) -> usize {
        self.examples
    }

    /// Number of blocks.
    pub fn blocks(&self) -> usize {
        self.units.div_ceil(self.block.max(1))
    }

    /// How many units are active in all examples together.
    pub fn count(&self) -> usize {
        (0..self.examples).map(|e| usize::from(self.ends[(e + 1) * (self.blocks() + 1) - 1])).sum()
    }

    /// The entries of one block of an example, relative to the block.
    #[inline(always)]
    pub(crate) fn entries(&self, example: usize, block: usize) -> &[u16] {
        let ends = &self.ends[example * (self.blocks() + 1) + block..][..2];
        &self.entries[example * self.capacity..][usize::from(ends[0])..usize::from(ends[1])]
    }

    /// Sets the shape; keeps the memory.
    fn reset(&mut self, units: usize, examples: usize, blocks: Blocks) {
        let words = units.div_ceil(64);
        assert!(words < 1 << 10, "{units} units: lists have at most 65,472");
        *self = Self {
            units,
            examples,
            block: if blocks == Blocks::Tiles { TILE } else { (64 * words).max(1) },
            entries: std::mem::take(&mut self.entries),
            // The last word may write 64 places from wherever the list then ends.
            capacity: 64 * words + 64,
            ends: std::mem::take(&mut self.ends),
        };
        self.entries.resize(examples * self.capacity, 0);
        self.ends.resize(examples * (self.blocks() + 1), 0);
    }
}

/// The bits lists are made from: unit i of example e is bit i mod 64 of word e · ⌈units/64⌉ + ⌊i/64⌋.
#[derive(Clone, Copy, Debug)]
pub struct Bits<'a> {
    /// All words; bits beyond the last unit are not read.
    pub words: &'a [u64],
    /// Number of units.
    pub units: usize,
}

impl Bits<'_> {
    /// Number of examples.
    ///
    /// # Panics
    /// If the words are no whole number of examples.
    pub fn examples(&self) -> usize {
        let per_example = self.units.div_ceil(64);
        assert_eq!(self.words.len() % per_example.max(1), 0, "whole examples");
        self.words.len() / per_example.max(1)
    }
}

simd_kernel! {
    /// Lists the units that are on.
    ///
    /// # Panics
    /// If there are more than 65,472 units or no whole number of examples.
    pub fn list(bits: Bits<'_>, blocks: Blocks, lists: &mut Active) = list_body
}

simd_kernel! {
    /// Lists, for each example, the units that are on in `after` and not in `before`, and those off.
    ///
    /// # Panics
    /// As [`list`], and if the shapes differ.
    pub fn list_changes(before: Bits<'_>, after: Bits<'_>, on: &mut Active, off: &mut Active) = changes_body
}

#[inline(always)]
fn list_body<S: Simd>(s: S, bits: Bits<'_>, blocks: Blocks, lists: &mut Active) {
    lists.reset(bits.units, bits.examples(), blocks);
    fill(s, lists, |at| bits.words[at]);
}

#[inline(always)]
fn changes_body<S: Simd>(s: S, before: Bits<'_>, after: Bits<'_>, on: &mut Active, off: &mut Active) {
    assert_eq!((before.units, before.words.len()), (after.units, after.words.len()), "states of one shape");
    on.reset(after.units, after.examples(), Blocks::Whole);
    off.reset(after.units, after.examples(), Blocks::Whole);
    fill(s, on, |at| after.words[at] & !before.words[at]);
    fill(s, off, |at| before.words[at] & !after.words[at]);
}

/// Fills lists whose shape is set from `word(example · words + w)`.
#[inline(always)]
fn fill<S: Simd>(s: S, lists: &mut Active, word: impl Fn(usize) -> u64) {
    let words = lists.units.div_ceil(64);
    let (blocks, block_words) = (lists.blocks(), lists.block / 64);
    // Without units there is nothing to fill; a last word of 64 units has no spare bits.
    let spare = words * 64 - lists.units;
    for example in 0..lists.examples {
        let entries = &mut lists.entries[example * lists.capacity..][..lists.capacity];
        let ends = &mut lists.ends[example * (blocks + 1)..][..blocks + 1];
        let mut n = 0;
        for w in 0..words {
            let in_block = w % block_words;
            if in_block == 0 {
                ends[w / block_words] = n as u16;
            }
            let real = if w + 1 == words { u64::MAX >> spare } else { u64::MAX };
            let places = entries[n..].first_chunk_mut::<64>().expect("room for a word after every word");
            n += s.append(word(example * words + w) & real, in_block as u16 * 64, places);
        }
        ends[blocks] = n as u16;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Level;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn lists_hold_the_units_that_are_on_at_every_level(
            units in 1_usize..400, words in prop::collection::vec(any::<u64>(), 21), whole: bool,
        ) {
            let words = &words[..21 / units.div_ceil(64) * units.div_ceil(64)];
            let bits = Bits { words, units };
            let blocks = if whole { Blocks::Whole } else { Blocks::Tiles };
            for &level in Level::available() {
                let mut lists = Active::default();
                list(level, bits, blocks, &mut lists);
                prop_assert_eq!(lists.examples(), bits.examples());
                for example in 0..bits.examples() {
                    let row = &words[example * units.div_ceil(64)..];
                    let expected: Vec<usize> = (0..units).filter(|i| row[i / 64] >> (i % 64) & 1 == 1).collect();
                    let found: Vec<usize> = (0..lists.blocks())
                        .flat_map(|block| {
                            lists.entries(example, block).iter().map(move |&entry| block * TILE + usize::from(entry))
                        })
                        .collect();
                    prop_assert_eq!(found, expected);
                }
            }
        }

        #[test]
        fn changes_turn_one_state_into_the_other(before: [u64; 3], after: [u64; 3], units in 129_usize..=192) {
            let state = |words| Bits { words, units };
            for &level in Level::available() {
                let (mut on, mut off) = (Active::default(), Active::default());
                list_changes(level, state(&before), state(&after), &mut on, &mut off);
                for (lists, from, to) in [(&on, &before, &after), (&off, &after, &before)] {
                    let expected: Vec<u16> = (0..units as u16)
                        .filter(|&i| (to[usize::from(i) / 64] & !from[usize::from(i) / 64]) >> (i % 64) & 1 == 1)
                        .collect();
                    prop_assert_eq!(lists.entries(0, 0), &expected[..]);
                }
            }
        }
    }
}

//! The statistic `Σ_examples (v h)_data − (v h)_model`, as sums of listed rows of a table.
//!
//! For every panel of hidden units the [`Table`] has three rows an example: h at the data, −h of the model, and
//! their sum. A visible unit adds the first if it is on in the data only, the second if in the model only, the third
//! if in both ([`Pairs`]): fewer rows than both products, and one loop.

use super::lists::Bits;
use super::matrix::{Bytes, Line, vectors, zeroed};
use super::product::column_sums;
use super::simd::Simd;
use super::{PANEL, simd_kernel};

/// Sums of this many samples fit a signed byte.
const BYTE_EXAMPLES: usize = 127;

/// What a table holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Probabilities of the hidden units, as f32.
    #[default]
    Probabilities,
    /// Samples, as signed bytes while their sums fit.
    Samples,
}

/// A side of the statistic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// At the data; to be written first.
    Data,
    /// At the end of the chain.
    Model,
}

/// Hidden units of both sides: (panels, 3, examples) lines.
#[derive(Clone, Debug, Default)]
pub struct Table {
    units: usize,
    examples: usize,
    in_bytes: bool,
    lines: Vec<Line>,
    bytes: Vec<Bytes>,
}

impl Table {
    /// Zeros for a mini-batch; keeps the memory.
    ///
    /// # Panics
    /// If there are more than 21,845 examples.
    pub fn reset(&mut self, kind: Kind, units: usize, examples: usize) {
        assert!(3 * examples <= usize::from(u16::MAX), "at most 21,845 examples, not {examples}");
        let in_bytes = kind == Kind::Samples && examples <= BYTE_EXAMPLES;
        if (self.units, self.examples, self.in_bytes) == (units, examples, in_bytes) {
            return; // all that is read is written first, and padding stays zero
        }
        (self.units, self.examples, self.in_bytes) = (units, examples, in_bytes);
        let rows = 3 * examples * units.div_ceil(PANEL);
        zeroed(&mut self.lines, if in_bytes { 0 } else { rows }, Line::ZERO);
        zeroed(&mut self.bytes, if in_bytes { rows } else { 0 }, Bytes::ZERO);
    }

    pub(super) fn check(&self, units: usize, examples: usize) {
        assert_eq!((self.units, self.examples), (units, examples), "a table of this shape");
    }

    /// Row of an example in the first third of a panel.
    #[inline(always)]
    fn row(&self, panel: usize, example: usize) -> usize {
        panel * 3 * self.examples + example
    }

    /// Writes one vector of probabilities.
    #[inline(always)]
    pub(super) fn set<S: Simd>(&mut self, s: S, side: Side, panel: usize, example: usize, k: usize, h: S::F) {
        let (row, n) = (self.row(panel, example), self.examples);
        match side {
            Side::Data => s.store(h, &mut self.lines[row].0[k]),
            Side::Model => {
                let data = s.load(&self.lines[row].0[k]);
                s.store(s.sub(s.splat(0.0), h), &mut self.lines[row + n].0[k]);
                s.store(s.sub(data, h), &mut self.lines[row + 2 * n].0[k]);
            }
        }
    }

    /// The statistics of one visible unit with V vectors of hidden units.
    #[inline(always)]
    pub(super) fn sums<S: Simd, const V: usize>(&self, s: S, panel: usize, rows: &[u16]) -> [S::F; V] {
        let part = panel * 3 * self.examples..(panel + 1) * 3 * self.examples;
        if self.in_bytes {
            let table = &self.bytes[part];
            let mut sum = s.zero_bytes();
            for &row in rows {
                // SAFETY: entries of `Pairs` are below three times its examples, which the caller compared.
                sum = s.add_bytes(sum, s.load_bytes(unsafe { &table.get_unchecked(usize::from(row)).0 }));
            }
            let wide = s.widen(sum);
            return std::array::from_fn(|k| wide[k]);
        }
        // SAFETY: as above.
        unsafe { column_sums(s, &self.lines[part], rows, [s.splat(0.0); V]) }
    }
}

/// For each visible unit the rows of a table that its statistics add up.
#[derive(Clone, Debug, Default)]
pub struct Pairs {
    examples: usize,
    counts: Vec<u16>,
    /// (units, examples)
    rows: Vec<u16>,
    /// How many examples more have the unit on at the data than in the model.
    surplus: Vec<i32>,
    /// Of both sides, for 64 units: which examples have them on.
    turned: [Vec<[u64; 64]>; 2],
}

impl Pairs {
    /// Number of examples.
    pub fn examples(&self) -> usize {
        self.examples
    }

    /// Number of visible units.
    pub fn units(&self) -> usize {
        self.counts.len()
    }

    /// `Σ v_data − v_model` of each visible unit.
    pub fn surplus(&self) -> &[i32] {
        &self.surplus
    }

    /// Rows of one visible unit, each below three times the examples.
    #[inline(always)]
    pub(super) fn rows(&self, unit: usize) -> &[u16] {
        &self.rows[unit * self.examples..][..usize::from(self.counts[unit])]
    }
}

simd_kernel! {
    /// Lists which rows every visible unit adds, from its states in the data and in the model.
    ///
    /// # Panics
    /// If the shapes differ or a row has no number.
    pub fn pair<'a>(data: Bits<'a>, model: Bits<'a>, pairs: &'a mut Pairs) = pair_body
}

simd_kernel! {
    /// Writes samples into one side of a table.
    ///
    /// # Panics
    /// If the shapes differ.
    pub fn tabulate_samples<'a>(samples: Bits<'a>, table: &'a mut Table, side: Side) = samples_body
}

simd_kernel! {
    /// `Σ_examples h_data − h_model` of each hidden unit; one line a panel.
    ///
    /// # Panics
    /// If there is not one line a panel.
    pub fn hidden_surplus<'a>(table: &'a Table, out: &'a mut [Line]) = surplus_body
}

#[inline(always)]
fn pair_body<S: Simd>(s: S, data: Bits<'_>, model: Bits<'_>, pairs: &mut Pairs) {
    let (units, examples) = (data.units, data.examples());
    assert_eq!((data.units, data.words.len()), (model.units, model.words.len()), "states of one shape");
    assert!(3 * examples <= usize::from(u16::MAX), "at most 21,845 examples, not {examples}");
    assert!(units < 1 << 16, "at most 65,535 units, not {units}");
    pairs.examples = examples;
    zeroed(&mut pairs.counts, units, 0);
    zeroed(&mut pairs.surplus, units, 0);
    // The last word of a unit may write 64 places from wherever its list then ends.
    pairs.rows.resize(units * examples + 64, 0);
    for word in 0..units.div_ceil(64) {
        turn(data, word, &mut pairs.turned[0]);
        turn(model, word, &mut pairs.turned[1]);
        for (place, unit) in (64 * word..units.min(64 * (word + 1))).enumerate() {
            let first = unit * examples;
            let (mut n, mut surplus) = (0, 0);
            for (block, (x, y)) in pairs.turned[0].iter().zip(&pairs.turned[1]).enumerate() {
                let (x, y) = (x[place], y[place]);
                let places =
                    pairs.rows[first + n..].first_chunk_mut().expect("room for a word after every word");
                n += s.append_thirds(x, y, 64 * block as u16, examples as u16, places);
                surplus += x.count_ones().cast_signed() - y.count_ones().cast_signed();
            }
            pairs.counts[unit] = n as u16;
            pairs.surplus[unit] = surplus;
        }
    }
}

/// For 64 units which examples have them on, in blocks of 64 examples.
#[inline(always)]
fn turn(bits: Bits<'_>, word: usize, blocks: &mut Vec<[u64; 64]>) {
    let words = bits.units.div_ceil(64);
    blocks.clear();
    for examples in bits.words.chunks(64 * words) {
        let mut block = [0; 64];
        for (to, example) in block.iter_mut().zip(examples.chunks_exact(words)) {
            *to = example[word];
        }
        transpose::<32>(&mut block, 0x0000_0000_FFFF_FFFF);
        transpose::<16>(&mut block, 0x0000_FFFF_0000_FFFF);
        transpose::<8>(&mut block, 0x00FF_00FF_00FF_00FF);
        transpose::<4>(&mut block, 0x0F0F_0F0F_0F0F_0F0F);
        transpose::<2>(&mut block, 0x3333_3333_3333_3333);
        transpose::<1>(&mut block, 0x5555_5555_5555_5555);
        blocks.push(block);
    }
}

/// Swaps the two blocks of N by N bits off the diagonal in all blocks of 2 N by 2 N; `low` has the lower columns.
#[inline(always)]
fn transpose<const N: usize>(block: &mut [u64; 64], low: u64) {
    for rows in block.chunks_exact_mut(2 * N) {
        let (upper, lower) = rows.split_at_mut(N);
        for (upper, lower) in upper.iter_mut().zip(lower) {
            let swapped = (*upper >> N ^ *lower) & low;
            *upper ^= swapped << N;
            *lower ^= swapped;
        }
    }
}

#[inline(always)]
fn samples_body<S: Simd>(s: S, samples: Bits<'_>, table: &mut Table, side: Side) {
    table.check(samples.units, samples.examples());
    let panels = samples.units.div_ceil(PANEL);
    for p in 0..panels {
        for example in 0..table.examples {
            let bits = samples.words[example * panels + p];
            if !table.in_bytes {
                for k in 0..vectors(samples.units, p) {
                    let h = s.keep((bits >> (16 * k)) as u16, s.splat(1.0));
                    table.set(s, side, p, example, k, h);
                }
                continue;
            }
            let (row, n) = (table.row(p, example), table.examples);
            let h = s.ones(bits);
            match side {
                Side::Data => s.store_bytes(h, &mut table.bytes[row].0),
                Side::Model => {
                    let data = s.load_bytes(&table.bytes[row].0);
                    s.store_bytes(s.sub_bytes(s.zero_bytes(), h), &mut table.bytes[row + n].0);
                    s.store_bytes(s.sub_bytes(data, h), &mut table.bytes[row + 2 * n].0);
                }
            }
        }
    }
}

#[inline(always)]
fn surplus_body<S: Simd>(s: S, table: &Table, out: &mut [Line]) {
    let panels = table.units.div_ceil(PANEL);
    assert_eq!(out.len(), panels, "one line per panel");
    for (p, out) in out.iter_mut().enumerate() {
        let mut sums = [s.splat(0.0); 4];
        for row in table.row(p, 2 * table.examples)..table.row(p, 3 * table.examples) {
            let h = if table.in_bytes {
                s.widen(s.load_bytes(&table.bytes[row].0))
            } else {
                table.lines[row].0.each_ref().map(|vector| s.load(vector))
            };
            for k in 0..4 {
                sums[k] = s.add(sums[k], h[k]);
            }
        }
        for k in 0..4 {
            s.store(sums[k], &mut out.0[k]);
        }
    }
}

#[cfg(test)]
#[path = "statistics_tests.rs"]
mod tests;

//! Sums of rows looked up in tables: each holds the sums of all subsets of the four rows of a group.

use super::super::matrix::{Line, vectors};
use super::super::simd::Simd;
use super::groups::{GROUP, Groups, WORD};
use super::turned::{Row, Strip, Strips, WIDTH};
use super::{GroupProduct, in_register};

/// Subsets of a group, and rows of a table: row b is the sum of the units whose bits b has.
const SUBSETS: usize = 1 << GROUP;
/// Groups of a word.
const GROUPS: usize = WORD / GROUP;
/// Examples whose sums stay in the first cache.
const EXAMPLES: usize = 256;

type Table = [Row; SUBSETS];

/// What a strip is computed with.
struct Work {
    tables: [Table; GROUPS],
    sums: [Row; EXAMPLES],
}

/// The product of the units and the rows of the strips, whose `columns` it has.
#[inline(always)]
pub(super) fn look_up<S: Simd>(s: S, mut strips: Strips<'_>, columns: usize, product: GroupProduct<'_>) {
    let GroupProduct { groups, bias, out } = product;
    if groups.examples() == 0 {
        return;
    }
    let mut work = Work { tables: [[Row::ZERO; SUBSETS]; GROUPS], sums: [Row::ZERO; EXAMPLES] };
    for (panel, out) in out.chunks_exact_mut(groups.examples()).enumerate() {
        let all = vectors(columns, panel);
        for vector in (0..all).step_by(WIDTH) {
            let strip = Strip { panel, vector };
            for (part, out) in out.chunks_mut(EXAMPLES).enumerate() {
                let few = Few { groups, first: part * EXAMPLES, bias: &bias[panel] };
                if vector + 1 < all {
                    few.look_up::<S, 2>(s, &mut strips, strip, &mut work, out);
                } else {
                    few.look_up::<S, 1>(s, &mut strips, strip, &mut work, out);
                }
            }
        }
    }
}

/// As many examples as there are sums for, and what these start from.
struct Few<'a> {
    groups: &'a Groups,
    first: usize,
    bias: &'a Line,
}

impl Few<'_> {
    /// V vectors of one strip.
    #[inline(always)]
    fn look_up<S: Simd, const V: usize>(
        &self,
        s: S,
        strips: &mut Strips<'_>,
        strip: Strip,
        work: &mut Work,
        out: &mut [Line],
    ) {
        let sums = &mut work.sums[..out.len()];
        for sum in &mut *sums {
            for k in 0..V {
                sum.0[k] = self.bias.0[strip.vector + k];
            }
        }
        for word in 0..self.groups.words() {
            let rows = strips.rows::<S, V>(s, strip, word);
            let tables = &mut work.tables[..self.groups.groups(word)];
            tabulate::<S, V>(s, rows, tables);
            let states = &self.groups.word(word)[self.first..][..sums.len()];
            match S::SUMS {
                4 => add::<S, V, 4>(s, tables, states, sums),
                2 => add::<S, V, 2>(s, tables, states, sums),
                _ => add::<S, V, 1>(s, tables, states, sums),
            }
        }
        for (sum, out) in sums.iter().zip(out) {
            for k in 0..V {
                out.0[strip.vector + k] = sum.0[k];
            }
        }
    }
}

/// The tables of the groups of a word.
#[inline(always)]
fn tabulate<S: Simd, const V: usize>(s: S, rows: &[Row; WORD], tables: &mut [Table]) {
    let (groups, _) = rows.as_chunks::<GROUP>();
    for (rows, table) in groups.iter().zip(tables) {
        for k in 0..V {
            let mut sums = [s.splat(0.0); SUBSETS];
            for (i, row) in rows.iter().enumerate() {
                let row = s.load(&row.0[k]);
                for b in 0..1 << i {
                    sums[(1 << i) + b] = s.add(sums[b], row);
                }
            }
            for b in 0..SUBSETS {
                s.store(sums[b], &mut table[b].0[k]);
            }
        }
    }
}

/// Adds to every sum the rows that its state chooses, N examples side by side.
#[inline(always)]
fn add<S: Simd, const V: usize, const N: usize>(s: S, tables: &[Table], states: &[u32], sums: &mut [Row]) {
    let (states, last_states) = states.as_chunks::<N>();
    let (sums, last_sums) = sums.as_chunks_mut::<N>();
    for (states, sums) in states.iter().zip(sums) {
        add_side_by_side::<S, V, N>(s, tables, *states, sums);
    }
    for (state, sum) in last_states.iter().zip(last_sums) {
        add_side_by_side::<S, V, 1>(s, tables, [*state], std::array::from_mut(sum));
    }
}

#[inline(always)]
fn add_side_by_side<S: Simd, const V: usize, const N: usize>(
    s: S,
    tables: &[Table],
    states: [u32; N],
    sums: &mut [Row; N],
) {
    // In bytes: a group's place in its table are the four lowest bits times the size of a row. They stay in registers,
    // or the compiler would put those of all examples into a vector and take them out again for every address.
    let mut places = states.map(|state| state as usize * size_of::<Row>());
    let mut x: [[S::F; V]; N] = std::array::from_fn(|e| std::array::from_fn(|k| s.load(&sums[e].0[k])));
    for table in tables {
        for e in 0..N {
            let place = places[e] & ((SUBSETS - 1) * size_of::<Row>());
            // SAFETY: a multiple of the size of a row, less than the size of a table.
            let row = unsafe { table.as_ptr().byte_add(place) };
            let row = in_register!(row);
            // SAFETY: that row.
            let row = unsafe { &*row };
            places[e] = in_register!(places[e] >> GROUP);
            for k in 0..V {
                x[e][k] = s.add(x[e][k], s.load(&row.0[k]));
            }
        }
    }
    for e in 0..N {
        for k in 0..V {
            s.store(x[e][k], &mut sums[e].0[k]);
        }
    }
}

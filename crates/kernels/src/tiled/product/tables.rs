//! Sums of rows by tables of all subsets of four.

use super::super::groups::{GROUP, GROUPS, STRIDE};
use super::super::matrix::{Line, vectors};
use super::super::simd::Simd;
use super::Product;
use super::sources::{Source, Strip};

/// Vectors of a strip: half a panel.
pub(super) const WIDTH: usize = 2;
/// Subsets of a group.
const SUBSETS: usize = 1 << GROUP;
/// Examples whose sums are kept in the first cache.
const EXAMPLES: usize = 256;

/// The number or address itself, in a register of its own.
///
/// The compiler would put the subsets of all examples into a vector and take them out again for every address, and
/// it would add table and subset in every load, which processors then split in two.
macro_rules! in_register {
    ($x:expr) => {{
        #[cfg_attr(not(target_arch = "x86_64"), expect(unused_mut, reason = "there it stays where it is"))]
        let mut x = $x;
        // SAFETY: no instruction at all.
        #[cfg(target_arch = "x86_64")]
        unsafe {
            std::arch::asm!("/* {0} */", inout(reg) x, options(pure, nomem, nostack, preserves_flags));
        }
        x
    }};
}

/// A row of a strip.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Row(pub(super) [[f32; 16]; WIDTH]);

impl Row {
    pub(super) const ZERO: Self = Self([[0.0; 16]; WIDTH]);
}

/// What one strip is computed with.
struct Work {
    /// Sums of the subsets of each used group of a word: row b of a group is that of the units whose bits b has.
    table: [[Row; SUBSETS]; GROUPS],
    sums: [Row; EXAMPLES],
}

/// The product with the rows of a source.
#[inline(always)]
pub(super) fn multiply<S: Simd>(s: S, mut source: impl Source<S>, columns: usize, product: Product<'_>) {
    let Product { groups, bias, out } = product;
    if groups.examples() == 0 {
        return;
    }
    let mut work = Work { table: [[Row::ZERO; SUBSETS]; GROUPS], sums: [Row::ZERO; EXAMPLES] };
    for (panel, out) in out.chunks_exact_mut(groups.examples()).enumerate() {
        let all = vectors(columns, panel);
        for vector in (0..all).step_by(WIDTH) {
            let strip = Strip { panel, vector };
            for (part, out) in out.chunks_mut(EXAMPLES).enumerate() {
                let few = Few { groups, bias: &bias[panel], first: part * EXAMPLES };
                if vector + 1 < all {
                    few.multiply::<S, 2>(s, &mut source, strip, &mut work, out);
                } else {
                    few.multiply::<S, 1>(s, &mut source, strip, &mut work, out);
                }
            }
        }
    }
}

/// As many examples as sums are kept of, and what their sums start from.
struct Few<'a> {
    groups: &'a super::Groups,
    bias: &'a Line,
    first: usize,
}

impl Few<'_> {
    /// One strip of V vectors.
    #[inline(always)]
    fn multiply<S: Simd, const V: usize>(
        &self,
        s: S,
        source: &mut impl Source<S>,
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
            let used = self.groups.used(word);
            source.turn_to::<V>(s, strip, word);
            let table = tabulate::<S, V>(s, source, used, &mut work.table);
            let subsets = &self.groups.subsets(word)[self.first..][..sums.len()];
            match S::SUMS {
                4 => add::<S, V, 4>(s, table, subsets, sums),
                2 => add::<S, V, 2>(s, table, subsets, sums),
                _ => add::<S, V, 1>(s, table, subsets, sums),
            }
        }
        for (sum, out) in sums.iter().zip(out) {
            for k in 0..V {
                out.0[strip.vector + k] = sum.0[k];
            }
        }
    }
}

/// Tables of the used groups, one after the other.
#[inline(always)]
fn tabulate<'a, S: Simd, const V: usize>(
    s: S,
    source: &impl Source<S>,
    used: u16,
    tables: &'a mut [[Row; SUBSETS]; GROUPS],
) -> &'a [[Row; SUBSETS]] {
    let mut n = 0;
    for group in 0..GROUPS {
        if used >> group & 1 == 0 {
            continue;
        }
        for k in 0..V {
            // Row 2ⁱ + b is row b plus that of unit i.
            let mut sums = [s.splat(0.0); SUBSETS];
            for unit in 0..GROUP {
                let row = source.vector(s, GROUP * group + unit, k);
                for b in 0..1 << unit {
                    sums[(1 << unit) + b] = s.add(sums[b], row);
                }
            }
            for b in 0..SUBSETS {
                s.store(sums[b], &mut tables[n][b].0[k]);
            }
        }
        n += 1;
    }
    &tables[..n]
}

/// Adds to every sum the rows that its subsets choose, N examples at a time.
#[inline(always)]
fn add<S: Simd, const V: usize, const N: usize>(
    s: S,
    tables: &[[Row; SUBSETS]],
    subsets: &[usize],
    sums: &mut [Row],
) {
    let (subsets, rest) = subsets.as_chunks::<N>();
    let (sums, rest_of_sums) = sums.as_chunks_mut::<N>();
    for (subsets, sums) in subsets.iter().zip(sums) {
        add_side_by_side::<S, V, N>(s, tables, *subsets, sums);
    }
    for (subsets, sum) in rest.iter().zip(rest_of_sums) {
        add_side_by_side::<S, V, 1>(s, tables, [*subsets], std::array::from_mut(sum));
    }
}

#[inline(always)]
fn add_side_by_side<S: Simd, const V: usize, const N: usize>(
    s: S,
    tables: &[[Row; SUBSETS]],
    mut subsets: [usize; N],
    sums: &mut [Row; N],
) {
    const { assert!(STRIDE == size_of::<Row>()) };
    let mut x: [[S::F; V]; N] = std::array::from_fn(|e| std::array::from_fn(|k| s.load(&sums[e].0[k])));
    for table in tables {
        for e in 0..N {
            // SAFETY: a multiple of the size of a row, less than that of a table.
            let row = unsafe { table.as_ptr().byte_add(subsets[e] & STRIDE * (SUBSETS - 1)) };
            // SAFETY: still that row.
            let row = unsafe { &*in_register!(row) };
            subsets[e] = in_register!(subsets[e] >> GROUP);
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


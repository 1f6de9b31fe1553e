//! Sums of listed rows, in registers.

use super::super::matrix::Line;
use super::super::simd::Simd;
use super::in_register;

/// `start + Σ rows`, V vectors wide; even and odd places of the list in a chain each.
///
/// # Safety
/// Every entry of `list` is below `table.len()`.
#[inline(always)]
pub(crate) unsafe fn column_sums<S: Simd, const V: usize>(
    s: S,
    table: &[Line],
    list: &[u16],
    start: [S::F; V],
) -> [S::F; V] {
    in_parts(s, &Rows { table, list }, start)
}

/// `start + Σ rows on − Σ rows off`: a chain each, added at the end.
///
/// # Safety
/// Every entry of `on` and `off` is below `table.len()`.
#[inline(always)]
pub(super) unsafe fn changed_sums<S: Simd, const V: usize>(
    s: S,
    table: &[Line],
    on: &[u16],
    off: &[u16],
    start: [S::F; V],
) -> [S::F; V] {
    in_parts(s, &Changes { table, on, off }, start)
}

/// Sums of N of the vectors of a line, from vector `at`.
trait Part<S: Simd> {
    fn sums<const N: usize>(&self, s: S, at: usize, start: [S::F; N]) -> [S::F; N];
}

/// All V vectors, as many side by side as the registers hold.
#[inline(always)]
fn in_parts<S: Simd, const V: usize>(s: S, part: &impl Part<S>, start: [S::F; V]) -> [S::F; V] {
    if S::SUMS == 4 {
        return part.sums::<V>(s, 0, start);
    }
    let mut sums = start;
    let pairs = if S::SUMS == 2 { V / 2 } else { 0 };
    for at in [0, 2] {
        if at < 2 * pairs {
            [sums[at], sums[at + 1]] = part.sums(s, at, [sums[at], sums[at + 1]]);
        }
    }
    for at in 0..V {
        if at >= 2 * pairs {
            [sums[at]] = part.sums(s, at, [sums[at]]);
        }
    }
    sums
}

/// Every entry of the list is below the length of the table.
struct Rows<'a> {
    table: &'a [Line],
    list: &'a [u16],
}

/// Every entry of both lists is below the length of the table.
struct Changes<'a> {
    table: &'a [Line],
    on: &'a [u16],
    off: &'a [u16],
}

/// Row `entry` of the table.
///
/// # Safety
/// There is such a row.
#[inline(always)]
unsafe fn row(table: &[Line], entry: u16) -> &Line {
    // SAFETY: the caller's promise.
    let row: *const Line = unsafe { table.get_unchecked(usize::from(entry)) };
    let row = in_register!(row);
    // SAFETY: that row.
    unsafe { &*row }
}

impl<S: Simd> Part<S> for Rows<'_> {
    #[inline(always)]
    fn sums<const N: usize>(&self, s: S, at: usize, start: [S::F; N]) -> [S::F; N] {
        let (mut even, mut odd) = (start, [s.splat(0.0); N]);
        let (pairs, last) = self.list.as_chunks::<2>();
        for &[i, j] in pairs {
            // SAFETY: what `Rows` promises.
            let (i, j) = unsafe { (row(self.table, i), row(self.table, j)) };
            for k in 0..N {
                even[k] = s.add(even[k], s.load(&i.0[at + k]));
                odd[k] = s.add(odd[k], s.load(&j.0[at + k]));
            }
        }
        for &i in last {
            // SAFETY: what `Rows` promises.
            let i = unsafe { row(self.table, i) };
            for k in 0..N {
                even[k] = s.add(even[k], s.load(&i.0[at + k]));
            }
        }
        std::array::from_fn(|k| s.add(even[k], odd[k]))
    }
}

impl<S: Simd> Part<S> for Changes<'_> {
    #[inline(always)]
    fn sums<const N: usize>(&self, s: S, at: usize, start: [S::F; N]) -> [S::F; N] {
        let (mut more, mut less) = (start, [s.splat(0.0); N]);
        let common = self.on.len().min(self.off.len());
        let (on, more_on) = self.on.split_at(common);
        let (off, more_off) = self.off.split_at(common);
        for (&i, &j) in on.iter().zip(off) {
            // SAFETY: what `Changes` promises.
            let (i, j) = unsafe { (row(self.table, i), row(self.table, j)) };
            for k in 0..N {
                more[k] = s.add(more[k], s.load(&i.0[at + k]));
                less[k] = s.sub(less[k], s.load(&j.0[at + k]));
            }
        }
        for &i in more_on {
            // SAFETY: what `Changes` promises.
            let i = unsafe { row(self.table, i) };
            for k in 0..N {
                more[k] = s.add(more[k], s.load(&i.0[at + k]));
            }
        }
        for &j in more_off {
            // SAFETY: what `Changes` promises.
            let j = unsafe { row(self.table, j) };
            for k in 0..N {
                less[k] = s.sub(less[k], s.load(&j.0[at + k]));
            }
        }
        std::array::from_fn(|k| s.add(more[k], less[k]))
    }
}

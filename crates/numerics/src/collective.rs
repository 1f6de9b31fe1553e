//! What the members of a team do together when they compute one step.
//!
//! Every member holds the same state and calls the same operations in the same order; in between each computes its part.
//! What is summed is whole numbers, so the sum does not depend on how many members there are, or which of them is last.

use std::ops::Range;

/// A team of threads or processes, as one of its members sees it.
///
/// An operation returns when this member has what it asked for. If a member is lost, the others must not wait for it for
/// ever: an operation then panics or ends the process.
pub trait Collective: Send {
    /// Number of this member, from 0.
    fn rank(&self) -> usize;

    /// Number of members.
    fn size(&self) -> usize;

    /// Replaces every number by its sum over all members, wrapping around; all give as many.
    fn sum_i32(&mut self, numbers: &mut [i32]);

    /// Replaces every number by its sum over all members, wrapping around; all give as many.
    fn sum_i64(&mut self, numbers: &mut [i64]);

    /// Replaces the bytes by those of member 0; all give as many.
    fn broadcast(&mut self, bytes: &mut [u8]);

    /// Returns when every member has come here.
    fn barrier(&mut self);

    /// Tells the others that this member is lost.
    fn abandon(&mut self);
}

/// A team of one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alone;

impl Collective for Alone {
    fn rank(&self) -> usize {
        0
    }

    fn size(&self) -> usize {
        1
    }

    fn sum_i32(&mut self, _: &mut [i32]) {}

    fn sum_i64(&mut self, _: &mut [i64]) {}

    fn broadcast(&mut self, _: &mut [u8]) {}

    fn barrier(&mut self) {}

    fn abandon(&mut self) {}
}

/// Part `number` of `n` things in a row, cut into so many parts as even as can be.
///
/// # Panics
/// If there is no such part.
pub fn part(n: usize, parts: usize, number: usize) -> Range<usize> {
    assert!(number < parts, "part {number} of {parts}");
    n * number / parts..n * (number + 1) / parts
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::sync::{Barrier, Mutex};

    /// A member of a team of threads that live as long as a test.
    struct Member<'a> {
        rank: usize,
        size: usize,
        sums: &'a Mutex<Vec<i64>>,
        all: &'a Barrier,
    }

    /// What each member of a team of threads answers, by rank.
    pub(crate) fn together<T: Send>(size: usize, f: impl Fn(&mut dyn Collective) -> T + Sync) -> Vec<T> {
        let (sums, all, f) = (Mutex::new(Vec::new()), Barrier::new(size), &f);
        std::thread::scope(|scope| {
            let start = |rank| {
                let mut member = Member { rank, size, sums: &sums, all: &all };
                scope.spawn(move || f(&mut member))
            };
            let threads: Vec<_> = (0..size).map(start).collect();
            threads.into_iter().map(|thread| thread.join().expect("no member panics")).collect()
        })
    }

    /// The others would wait for ever.
    impl Drop for Member<'_> {
        fn drop(&mut self) {
            if std::thread::panicking() {
                std::process::abort();
            }
        }
    }

    impl Collective for Member<'_> {
        fn rank(&self) -> usize {
            self.rank
        }

        fn size(&self) -> usize {
            self.size
        }

        fn sum_i32(&mut self, numbers: &mut [i32]) {
            let mut wide: Vec<i64> = numbers.iter().copied().map(i64::from).collect();
            self.sum_i64(&mut wide);
            numbers.iter_mut().zip(wide).for_each(|(number, sum)| *number = sum as i32);
        }

        fn sum_i64(&mut self, numbers: &mut [i64]) {
            let mut sums = self.sums.lock().expect("no member panics");
            sums.resize(numbers.len(), 0);
            sums.iter_mut().zip(&*numbers).for_each(|(sum, number)| *sum = sum.wrapping_add(*number));
            drop(sums);
            self.barrier();
            numbers.copy_from_slice(&self.sums.lock().expect("no member panics"));
            if self.all.wait().is_leader() {
                self.sums.lock().expect("no member panics").clear();
            }
            self.barrier();
        }

        fn broadcast(&mut self, _: &mut [u8]) {
            unreachable!("a step has nothing to tell");
        }

        fn barrier(&mut self) {
            self.all.wait();
        }

        fn abandon(&mut self) {}
    }

    proptest! {
        #[test]
        fn parts_are_all_there_is_in_order_and_differ_by_one_at_most(n in 0_usize..5_000, parts in 1_usize..70) {
            let all: Vec<Range<usize>> = (0..parts).map(|number| part(n, parts, number)).collect();
            prop_assert_eq!((all[0].start, all[parts - 1].end), (0, n));
            prop_assert!(all.windows(2).all(|two| two[0].end == two[1].start));
            let least = n / parts;
            prop_assert!(all.iter().all(|part| (least..=least + 1).contains(&part.len())));
        }
    }
}

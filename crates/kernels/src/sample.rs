//! From random words to numbers and binary units.

use crate::level::at_every_level;

/// The grid of uniform numbers: 24 bits, all that an f32 in [½, 1) can hold.
pub(crate) const GRID: f32 = 1.0 / (1 << 24) as f32;

/// A uniform number in [0, 1) from the upper 24 bits of a random word; exact, no rounding.
#[inline(always)]
pub fn uniform(word: u32) -> f32 {
    // Through i32, which converts in one instruction at every level.
    (word >> 8).cast_signed() as f32 * GRID
}

at_every_level! {
    /// `out[i] =` [`uniform`]`(words[i])`.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn uniforms / uniforms_at(words: &[u32], out: &mut [f32]) = uniforms_body
}

at_every_level! {
    /// Samples Bernoulli units and appends the indices of the ones, in ascending order.
    ///
    /// Unit i is one if `uniform(words[i]) < probability[i]`, so never at 0 and always at 1; in
    /// between the probability is rounded up to the 24-bit grid.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn append_ones / append_ones_at(words: &[u32], probability: &[f32], ones: &mut Vec<u32>) = append_body
}

#[inline(always)]
fn uniforms_body(words: &[u32], out: &mut [f32]) {
    assert_eq!(words.len(), out.len(), "one word per number");
    for (number, &word) in out.iter_mut().zip(words) {
        *number = uniform(word);
    }
}

#[inline(always)]
fn append_body(words: &[u32], probability: &[f32], ones: &mut Vec<u32>) {
    assert_eq!(words.len(), probability.len(), "one word per unit");
    let start = ones.len();
    ones.resize(start + words.len(), 0);
    let fresh = &mut ones[start..];
    let mut n = 0;
    // Every index is written and only that of a one is kept: no branch to mispredict.
    for (i, (&word, &p)) in words.iter().zip(probability).enumerate() {
        fresh[n] = i as u32;
        n += usize::from(uniform(word) < p);
    }
    ones.truncate(start + n);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Level;
    use proptest::prelude::*;

    #[test]
    fn uniform_numbers_lie_in_the_half_open_unit_interval() {
        assert_eq!(uniform(0), 0.0);
        assert_eq!(uniform(255), 0.0);
        assert_eq!(uniform(256), GRID);
        assert_eq!(uniform(!0), 1.0 - GRID);
    }

    #[test]
    fn a_unit_of_probability_zero_is_never_one_and_of_probability_one_always() {
        let mut ones = vec![9];
        append_ones(&[0, !0, 0, !0], &[0.0, 0.0, 1.0, 1.0], &mut ones);
        assert_eq!(ones, [9, 2, 3]);
    }

    #[test]
    fn a_unit_without_a_probability_is_zero() {
        let mut ones = Vec::new();
        append_ones(&[0], &[f32::NAN], &mut ones);
        assert!(ones.is_empty());
    }

    proptest! {
        #[test]
        fn every_level_samples_the_same_units(
            cases in prop::collection::vec((any::<u32>(), 0_f32..=1.0), 0..200),
        ) {
            let (words, p): (Vec<_>, Vec<_>) = cases.into_iter().unzip();
            let expected: Vec<u32> =
                (0..words.len()).filter(|&i| uniform(words[i]) < p[i]).map(|i| i as u32).collect();
            let numbers: Vec<f32> = words.iter().map(|&word| uniform(word)).collect();
            for &level in Level::available() {
                let mut ones = Vec::new();
                append_ones_at(level, &words, &p, &mut ones);
                prop_assert_eq!(&ones, &expected);
                let mut out = vec![0.0; words.len()];
                uniforms_at(level, &words, &mut out);
                prop_assert_eq!(&out, &numbers);
            }
        }
    }
}

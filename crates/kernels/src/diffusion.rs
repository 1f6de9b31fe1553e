//! Numbers that diffuse: a linear step with a fresh standard normal number for each, in one pass over memory.

use crate::{Level, ars, level::at_every_level, math::ln, sample::GRID};

/// One step `x ← x + (shift − pull x + sd z)`. What is added is computed by itself, so that a pull far below the grid of x is
/// not lost: the noise carries it over.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// What x is pulled to, times the pull.
    pub shift: f32,
    /// The part of x that is lost.
    pub pull: f32,
    /// Standard deviation of what is added.
    pub sd: f32,
}

/// Numbers that share 32 random words: half of them cosines, half sines.
const GROUP: usize = 32;
const HALF: usize = GROUP / 2;
/// Numbers done at a time: their words stay in the first cache.
const CHUNK: usize = 1024;

/// Advances every x by the step. Group g of 32 numbers takes the blocks `8 g …` after `counter`.
pub fn advance(x: &mut [f32], step: Step, counter: ars::Words, key: ars::Words) {
    advance_at(Level::detected(), x, step, counter, key);
}

/// [`advance`] at a given level, with the same bits.
///
/// # Panics
/// If this machine lacks the level.
pub fn advance_at(level: Level, x: &mut [f32], step: Step, counter: ars::Words, key: ars::Words) {
    let mut words = [0; CHUNK];
    let first = u64::from(counter[0]) | u64::from(counter[1]) << 32;
    for (chunk, x) in x.chunks_mut(CHUNK).enumerate() {
        let words = &mut words[..x.len().next_multiple_of(GROUP)];
        let block = first.wrapping_add((chunk * CHUNK / 4) as u64);
        let counter = [block as u32, (block >> 32) as u32, counter[2], counter[3]];
        ars::fill_at::<{ ars::ROUNDS }>(level, counter, key, words);
        diffuse_at(level, x, words, step);
    }
}

at_every_level! {
    /// Advances every x by the step, with normal numbers from `words`: z of a group of 32 are
    /// `√(−2 log u) cos(2π v)` and, in its second half, `… sin(2π v)`, u from the first and v from the second 16 words. u lies on
    /// a grid of 2⁻²⁴ in (0, 1], so that |z| reaches 5.77.
    ///
    /// # Panics
    /// If there are fewer words than numbers in whole groups.
    pub fn diffuse / diffuse_at(x: &mut [f32], words: &[u32], step: Step) = diffuse_body
}

#[inline(always)]
fn diffuse_body(x: &mut [f32], words: &[u32], step: Step) {
    assert!(words.len() >= x.len().next_multiple_of(GROUP), "a word for each number of every group");
    let (whole, rest) = x.as_chunks_mut::<GROUP>();
    let (groups, _) = words.as_chunks::<GROUP>();
    for (x, words) in whole.iter_mut().zip(groups) {
        *x = group(x, words, step);
    }
    if !rest.is_empty() {
        let mut last = [0.0; GROUP];
        last[..rest.len()].copy_from_slice(rest);
        let last = group(&last, &groups[whole.len()], step);
        rest.copy_from_slice(&last[..rest.len()]);
    }
}

#[inline(always)]
fn group(x: &[f32; GROUP], words: &[u32; GROUP], step: Step) -> [f32; GROUP] {
    let mut out = [0.0; GROUP];
    for i in 0..HALF {
        let u = ((words[i] >> 8) + 1).cast_signed() as f32 * GRID;
        let radius = (-2.0 * ln(u)).sqrt() * step.sd;
        let (sin, cos) = sin_cos_turns(words[HALF + i]);
        out[i] = x[i] + ((step.shift - step.pull * x[i]) + radius * cos);
        out[HALF + i] = x[HALF + i] + ((step.shift - step.pull * x[HALF + i]) + radius * sin);
    }
    out
}

/// Sine and cosine of 2π times the upper 24 bits of a word as a fraction; error below 1e-7.
///
/// # Source
/// Coefficients: Moshier, Cephes mathematical library, `sinf.c`.
#[inline(always)]
fn sin_cos_turns(word: u32) -> (f32, f32) {
    let fraction = word >> 8;
    // The nearest quarter, and the rest as an angle in [−π/4, π/4].
    let quarter = (fraction + (1 << 21)) >> 22;
    let rest = fraction.cast_signed() - (quarter << 22).cast_signed();
    let angle = rest as f32 * (GRID * std::f32::consts::TAU);
    let square = angle * angle;
    let mut sin = -1.951_529_6e-4_f32;
    for coefficient in [8.332_161e-3, -1.666_665_5e-1] {
        sin = sin * square + coefficient;
    }
    let sin = sin * square * angle + angle;
    let mut cos = 2.443_315_7e-5_f32;
    for coefficient in [-1.388_731_6e-3, 4.166_664_6e-2] {
        cos = cos * square + coefficient;
    }
    let cos = cos * (square * square) - 0.5 * square + 1.0;
    let odd = quarter & 1 == 1;
    let (s, c) = if odd { (cos, sin) } else { (sin, cos) };
    let sign = |value: f32, negative: u32| f32::from_bits(value.to_bits() ^ (negative & 2) << 30);
    (sign(s, quarter), sign(c, quarter + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: ars::Words = [1, 2, 3, 4];
    const COUNTER: ars::Words = [0, 0, 7, 0];
    const NORMAL: Step = Step { shift: 0.0, pull: 1.0, sd: 1.0 };

    #[test]
    fn sine_and_cosine_are_those_of_the_angle() {
        for k in 0..4096_u32 {
            let word = k.wrapping_mul(0x0010_0401);
            let angle = f64::from(word >> 8) / f64::from(1 << 24) * std::f64::consts::TAU;
            let (sin, cos) = sin_cos_turns(word);
            let worst =
                (f64::from(sin) - libm::sin(angle)).abs().max((f64::from(cos) - libm::cos(angle)).abs());
            assert!(worst < 1e-7 + 6e-8, "{angle}: {worst}");
        }
    }

    #[test]
    fn what_is_added_is_standard_normal() {
        let mut x = vec![0.0; 200_000];
        advance(&mut x, NORMAL, COUNTER, KEY);
        x.sort_unstable_by(f32::total_cmp);
        let n = x.len() as f64;
        let distance = x.iter().enumerate().fold(0.0_f64, |worst, (i, &x)| {
            let p = 0.5 * libm::erfc(-f64::from(x) / std::f64::consts::SQRT_2);
            worst.max((p - i as f64 / n).abs()).max((p - (i + 1) as f64 / n).abs())
        });
        // √n D exceeds 2.23 once in 10,000 samples; the words are fixed.
        assert!(distance * n.sqrt() < 2.23, "{distance}");
    }

    #[test]
    fn neighbours_and_both_halves_of_a_group_are_uncorrelated() {
        let mut x = vec![0.0; 320_000];
        advance(&mut x, NORMAL, COUNTER, KEY);
        for lag in [1, 16, 32] {
            let products = x.iter().zip(&x[lag..]).fold(0.0, |sum, (a, b)| sum + f64::from(a * b));
            // Standard error 1/√n: 4.5 of them.
            assert!((products / 320_000.0).abs() < 4.5 / 320_000_f64.sqrt(), "{lag}: {products}");
        }
    }

    #[test]
    fn every_level_gives_the_same_bits_at_every_length() {
        let step = Step { shift: 0.1, pull: 0.1, sd: 0.3 };
        for n in [0, 1, 31, 32, 33, 1023, 1024, 3000] {
            let start: Vec<f32> = (0..n).map(|i| i as f32 * 0.01).collect();
            let mut expected = start.clone();
            advance_at(Level::Portable, &mut expected, step, COUNTER, KEY);
            for &level in Level::available() {
                let mut x = start.clone();
                advance_at(level, &mut x, step, COUNTER, KEY);
                assert_eq!(x, expected, "{level:?}, {n}");
            }
            // A longer slice begins with the same numbers.
            let mut longer = start.clone();
            longer.extend([0.5; 40]);
            advance(&mut longer, step, COUNTER, KEY);
            assert_eq!(longer[..n], expected[..]);
        }
    }
}

//! The vectors that the tiled kernels are written in, once for every level.
//!
//! Sixteen f32 lanes, 64 byte lanes, and choices of byte lanes. Every operation is defined lane by
//! lane with IEEE roundings or on integers, so that a kernel gives the same bits at all levels.
//! A value that implements [`Simd`] is a proof that the machine has the instructions it uses.

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
#[cfg(all(target_arch = "x86_64", feature = "avx512"))]
pub(crate) mod avx512;
pub(crate) mod portable;

use super::Line;
use crate::ars::Words;

/// Vector operations of one level.
pub(crate) trait Simd: Copy {
    /// 16 f32.
    type F: Copy;
    /// 64 bytes.
    type B: Copy;
    /// A choice of 64 byte lanes.
    type M: Copy;
    /// What draws need: round keys and the parts of the counter that stay.
    type Keys: Copy;

    /// How many columns of vectors a loop over rows can sum with two sums each in registers.
    const SUMS: usize;

    fn load(self, from: &[f32; 16]) -> Self::F;
    fn store(self, x: Self::F, to: &mut [f32; 16]);
    fn splat(self, x: f32) -> Self::F;
    fn add(self, x: Self::F, y: Self::F) -> Self::F;
    fn sub(self, x: Self::F, y: Self::F) -> Self::F;
    fn mul(self, x: Self::F, y: Self::F) -> Self::F;
    fn div(self, x: Self::F, y: Self::F) -> Self::F;
    /// x if x < y, else y: a NaN in y stays.
    fn min(self, x: Self::F, y: Self::F) -> Self::F;
    /// x if x > y, else y: a NaN in y stays.
    fn max(self, x: Self::F, y: Self::F) -> Self::F;
    /// One bit a lane: x < y.
    fn below(self, x: Self::F, y: Self::F) -> u16;
    /// x where the bit is set, else 0.
    fn keep(self, bits: u16, x: Self::F) -> Self::F;
    /// x · 2ⁿ, where `shifted` is n + 1.5 · 2²³ and the result is normal.
    fn scale(self, x: Self::F, shifted: Self::F) -> Self::F;
    /// (n, m) with x = 2ⁿ m and m in [√½, √2), for normal x > 0.
    fn split(self, x: Self::F) -> (Self::F, Self::F);
    /// From IEEE half precision.
    fn load_half(self, from: &[u16; 16]) -> Self::F;
    /// To IEEE half precision, to nearest and ties to even.
    fn store_half(self, x: Self::F, to: &mut [u16; 16]);
    /// The nearest f32, ties to even.
    fn load_whole(self, from: &[i32; 16]) -> Self::F;
    /// Adds the nearest whole number, ties to even, and wraps around; −2³¹ stands for whatever does not fit.
    fn add_whole(self, x: Self::F, to: &mut [i32; 16]);

    fn load_bytes(self, from: &[u8; 64]) -> Self::B;
    fn store_bytes(self, x: Self::B, to: &mut [u8; 64]);
    fn zero_bytes(self) -> Self::B;
    fn add_bytes(self, x: Self::B, y: Self::B) -> Self::B;
    fn sub_bytes(self, x: Self::B, y: Self::B) -> Self::B;
    /// 1 where the bit is set, else 0.
    fn ones(self, bits: u64) -> Self::B;
    /// The bytes as signed numbers.
    fn widen(self, x: Self::B) -> [Self::F; 4];
    /// [`crate::sample::uniform`] of the 16 words in 64 bytes.
    fn uniforms(self, x: Self::B) -> Self::F;
    /// x < y, unsigned.
    fn below_bytes(self, x: Self::B, y: Self::B) -> Self::M;
    /// Where x is equal to y: whether `second` < `low`; unsigned.
    fn below_tied(self, x: Self::B, y: Self::B, second: Self::B, low: Self::B) -> Self::M;
    fn or(self, x: Self::M, y: Self::M) -> Self::M;
    /// `sum + x` where lanes 16 k.. of `m` are chosen, `sum` (or `sum + 0`) elsewhere.
    fn add_where(self, sum: Self::F, m: Self::M, k: usize, x: Self::F) -> Self::F;
    /// The 32 unsigned 16-bit numbers in 64 bytes.
    fn pairs(self, x: Self::B) -> [Self::F; 2];
    /// High and low bytes of 64 whole numbers in 0..=65535.
    fn split_bytes(self, numbers: [Self::F; 4]) -> (Self::B, Self::B);

    /// `to[j][i] = from[i].0[k][j]`.
    fn transpose(self, from: &[Line; 16], k: usize, to: [&mut [f32; 16]; 16]);
    /// `to[j][16 g + i] = from[i][16 k + j]`.
    fn transpose_bytes(self, from: &[super::Bytes; 16], k: usize, to: &mut [super::Bytes; 16], g: usize);
    /// Writes the positions of the ones of `word`, plus `base`, and returns how many; the places after them may
    /// be overwritten too.
    fn append(self, word: u64, base: u16, to: &mut [u16; 64]) -> usize;
    /// The same of `x | y`, plus `third` where only y has a one and twice that where both have.
    fn append_thirds(self, x: u64, y: u64, base: u16, third: u16, to: &mut [u16; 64]) -> usize;

    /// The draws of a key at a step.
    fn keys(self, key: Words, step: u64) -> Self::Keys;
    /// 64 random bytes: blocks 4 · line to 4 · line + 3.
    fn draw(self, keys: &Self::Keys, line: u64) -> Self::B;
}

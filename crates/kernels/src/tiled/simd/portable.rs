//! Plain loops, for machines without the vector instructions and as the definition of the others.

use super::super::{Bytes, Line};
use super::Simd;
use crate::ars::{self, Words};
use crate::{Level, sample};

/// No special instructions: exists anywhere.
#[derive(Clone, Copy)]
pub(crate) struct Portable;

/// Key and step of draws.
#[derive(Clone, Copy)]
pub(crate) struct Keys {
    key: Words,
    step: u64,
}

/// Lane by lane.
#[inline(always)]
fn lanes(f: impl Fn(usize) -> f32) -> [f32; 16] {
    std::array::from_fn(f)
}

impl Simd for Portable {
    type F = [f32; 16];
    type B = [u8; 64];
    type M = u64;
    type Keys = Keys;
    const SUMS: usize = 1;

    #[inline(always)]
    fn load(self, from: &[f32; 16]) -> Self::F {
        *from
    }
    #[inline(always)]
    fn store(self, x: Self::F, to: &mut [f32; 16]) {
        *to = x;
    }
    #[inline(always)]
    fn splat(self, x: f32) -> Self::F {
        [x; 16]
    }
    #[inline(always)]
    fn add(self, x: Self::F, y: Self::F) -> Self::F {
        lanes(|i| x[i] + y[i])
    }
    #[inline(always)]
    fn sub(self, x: Self::F, y: Self::F) -> Self::F {
        lanes(|i| x[i] - y[i])
    }
    #[inline(always)]
    fn mul(self, x: Self::F, y: Self::F) -> Self::F {
        lanes(|i| x[i] * y[i])
    }
    #[inline(always)]
    fn div(self, x: Self::F, y: Self::F) -> Self::F {
        lanes(|i| x[i] / y[i])
    }
    #[inline(always)]
    fn min(self, x: Self::F, y: Self::F) -> Self::F {
        lanes(|i| if x[i] < y[i] { x[i] } else { y[i] })
    }
    #[inline(always)]
    fn max(self, x: Self::F, y: Self::F) -> Self::F {
        lanes(|i| if x[i] > y[i] { x[i] } else { y[i] })
    }
    #[inline(always)]
    fn below(self, x: Self::F, y: Self::F) -> u16 {
        (0..16).fold(0, |bits, i| bits | u16::from(x[i] < y[i]) << i)
    }
    #[inline(always)]
    fn keep(self, bits: u16, x: Self::F) -> Self::F {
        lanes(|i| if bits >> i & 1 == 1 { x[i] } else { 0.0 })
    }
    #[inline(always)]
    fn scale(self, x: Self::F, shifted: Self::F) -> Self::F {
        lanes(|i| f32::from_bits(x[i].to_bits().wrapping_add(shifted[i].to_bits() << 23)))
    }
    #[inline(always)]
    fn split(self, x: Self::F) -> (Self::F, Self::F) {
        const HALF_ROOT: u32 = std::f32::consts::FRAC_1_SQRT_2.to_bits();
        let offset = |i: usize| x[i].to_bits().wrapping_sub(HALF_ROOT);
        (
            lanes(|i| (offset(i).cast_signed() >> 23) as f32),
            lanes(|i| f32::from_bits((offset(i) & 0x007F_FFFF) + HALF_ROOT)),
        )
    }
    #[inline(always)]
    fn load_half(self, from: &[u16; 16]) -> Self::F {
        lanes(|i| from_half(from[i]))
    }
    #[inline(always)]
    fn store_half(self, x: Self::F, to: &mut [u16; 16]) {
        *to = x.map(to_half);
    }

    #[inline(always)]
    fn load_whole(self, from: &[i32; 16]) -> Self::F {
        lanes(|i| from[i] as f32)
    }
    #[inline(always)]
    fn add_whole(self, x: Self::F, to: &mut [i32; 16]) {
        for (to, x) in to.iter_mut().zip(x) {
            let fits = x.abs() < (1_u32 << 31) as f32;
            *to = to.wrapping_add(if fits { x.round_ties_even() as i32 } else { i32::MIN });
        }
    }

    #[inline(always)]
    fn load_bytes(self, from: &[u8; 64]) -> Self::B {
        *from
    }
    #[inline(always)]
    fn store_bytes(self, x: Self::B, to: &mut [u8; 64]) {
        *to = x;
    }
    #[inline(always)]
    fn zero_bytes(self) -> Self::B {
        [0; 64]
    }
    #[inline(always)]
    fn add_bytes(self, x: Self::B, y: Self::B) -> Self::B {
        std::array::from_fn(|i| x[i].wrapping_add(y[i]))
    }
    #[inline(always)]
    fn sub_bytes(self, x: Self::B, y: Self::B) -> Self::B {
        std::array::from_fn(|i| x[i].wrapping_sub(y[i]))
    }
    #[inline(always)]
    fn ones(self, bits: u64) -> Self::B {
        std::array::from_fn(|i| (bits >> i & 1) as u8)
    }
    #[inline(always)]
    fn widen(self, x: Self::B) -> [Self::F; 4] {
        std::array::from_fn(|k| lanes(|i| f32::from(x[16 * k + i].cast_signed())))
    }
    #[inline(always)]
    fn uniforms(self, x: Self::B) -> Self::F {
        lanes(|i| sample::uniform(u32::from_le_bytes(std::array::from_fn(|b| x[4 * i + b]))))
    }
    #[inline(always)]
    fn below_bytes(self, x: Self::B, y: Self::B) -> Self::M {
        (0..64).fold(0, |bits, i| bits | u64::from(x[i] < y[i]) << i)
    }
    #[inline(always)]
    fn below_tied(self, x: Self::B, y: Self::B, second: Self::B, low: Self::B) -> Self::M {
        (0..64).fold(0, |bits, i| bits | u64::from(x[i] == y[i] && second[i] < low[i]) << i)
    }
    #[inline(always)]
    fn or(self, x: Self::M, y: Self::M) -> Self::M {
        x | y
    }
    #[inline(always)]
    fn add_where(self, sum: Self::F, m: Self::M, k: usize, x: Self::F) -> Self::F {
        self.add(sum, self.keep((m >> (16 * k)) as u16, x))
    }
    #[inline(always)]
    fn pairs(self, x: Self::B) -> [Self::F; 2] {
        let number = |i: usize| f32::from(u16::from_le_bytes([x[2 * i], x[2 * i + 1]]));
        [lanes(number), lanes(|i| number(16 + i))]
    }
    #[inline(always)]
    fn split_bytes(self, numbers: [Self::F; 4]) -> (Self::B, Self::B) {
        let number = |i: usize| numbers[i / 16][i % 16] as u16;
        (std::array::from_fn(|i| (number(i) >> 8) as u8), std::array::from_fn(|i| number(i) as u8))
    }

    #[inline(always)]
    fn transpose(self, from: &[Line; 16], k: usize, to: [&mut [f32; 16]; 16]) {
        for (j, to) in to.into_iter().enumerate() {
            *to = lanes(|i| from[i].0[k][j]);
        }
    }
    #[inline(always)]
    fn transpose_bytes(self, from: &[Bytes; 16], k: usize, to: &mut [Bytes; 16], g: usize) {
        for (j, to) in to.iter_mut().enumerate() {
            for (i, from) in from.iter().enumerate() {
                to.0[16 * g + i] = from.0[16 * k + j];
            }
        }
    }
    #[inline(always)]
    fn append(self, word: u64, base: u16, to: &mut [u16; 64]) -> usize {
        append_by_zeros(word, base, to)
    }
    #[inline(always)]
    fn append_thirds(self, x: u64, y: u64, base: u16, third: u16, to: &mut [u16; 64]) -> usize {
        thirds_by_zeros(x, y, base, third, to)
    }

    fn keys(self, key: Words, step: u64) -> Self::Keys {
        Keys { key, step }
    }
    fn draw(self, keys: &Self::Keys, line: u64) -> Self::B {
        let block = 4 * line;
        let counter = [block as u32, (block >> 32) as u32, keys.step as u32, (keys.step >> 32) as u32];
        let mut words = [0; 16];
        ars::fill_at::<{ ars::ROUNDS }>(Level::Portable, counter, keys.key, &mut words);
        std::array::from_fn(|i| words[i / 4].to_le_bytes()[i % 4])
    }
}

/// [`Simd::append`] one bit at a time.
#[inline(always)]
pub(super) fn append_by_zeros(mut word: u64, base: u16, to: &mut [u16; 64]) -> usize {
    let n = word.count_ones() as usize;
    for place in &mut to[..n] {
        *place = base + word.trailing_zeros() as u16;
        word &= word - 1;
    }
    n
}

/// The f32 of the same value.
#[inline(always)]
fn from_half(half: u16) -> f32 {
    let sign = u32::from(half & 0x8000) << 16;
    let (exponent, mantissa) = (u32::from(half >> 10 & 31), u32::from(half & 0x03FF));
    let magnitude = match exponent {
        // Subnormal: a whole number of 2⁻²⁴, exact.
        0 => mantissa as f32 * (1.0 / (1 << 24) as f32),
        31 => f32::from_bits(0x7F80_0000 | mantissa << 13 | u32::from(mantissa != 0) << 22),
        _ => f32::from_bits((exponent + 112) << 23 | mantissa << 13),
    };
    f32::from_bits(magnitude.to_bits() | sign)
}

/// The nearest half, ties to even; too large becomes infinite.
#[inline(always)]
fn to_half(x: f32) -> u16 {
    let sign = (x.to_bits() >> 16 & 0x8000) as u16;
    let magnitude = x.to_bits() & 0x7FFF_FFFF;
    let half = if magnitude > 0x7F80_0000 {
        // NaN: quiet, with the upper part of its payload.
        0x7E00 | (magnitude >> 13 & 0x03FF) as u16
    } else if magnitude >= 0x477F_F000 {
        0x7C00
    } else if magnitude < 0x3880_0000 {
        // Subnormal: adding ½ leaves the rounded multiple of 2⁻²⁴ in the low bits.
        (f32::from_bits(magnitude) + 0.5).to_bits().wrapping_sub(0.5_f32.to_bits()) as u16
    } else {
        let even = magnitude >> 13 & 1;
        ((magnitude - 0x3800_0000 + 0x0FFF + even) >> 13) as u16
    };
    half | sign
}

/// [`Simd::append_thirds`] one bit at a time.
#[inline(always)]
pub(super) fn thirds_by_zeros(x: u64, y: u64, base: u16, third: u16, to: &mut [u16; 64]) -> usize {
    let mut word = x | y;
    let n = word.count_ones() as usize;
    for to in &mut to[..n] {
        let i = word.trailing_zeros();
        word &= word - 1;
        let (x, y) = ((x >> i & 1) as u16, (y >> i & 1) as u16);
        *to = base + i as u16 + third * (y + (x & y));
    }
    n
}
